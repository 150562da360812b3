"""What a session is shown and what it reaches. The operator sets it at the start; a client can only narrow it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DEFAULT = "default"
ALL = "all"
ALWAYS = "actions"
"""The toolset that is shown whatever else is chosen: without it nobody could look up what became of a guarded call."""

TOOLSETS_HEADER = "x-mcp-toolsets"
TOOLS_HEADER = "x-mcp-tools"
EXCLUDED_HEADER = "x-mcp-exclude-tools"
READ_ONLY_HEADER = "x-mcp-readonly"
"""The header names that other servers with toolsets use, so that clients need not learn new ones."""

_HEADERS = (TOOLSETS_HEADER, TOOLS_HEADER, EXCLUDED_HEADER, READ_ONLY_HEADER)
_FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A tool, as far as choosing it needs."""

    name: str
    toolsets: frozenset[str]
    reads: bool
    """True for a plain read."""


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """A choice of tools. Read-only stands over what is excluded, and that over everything else."""

    toolsets: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def named(self) -> frozenset[str]:
        """The toolsets in force: `default` where neither toolsets nor tools were named."""
        chosen = self.toolsets or (() if self.tools else (DEFAULT,))
        return frozenset({*chosen, ALWAYS})

    def bar(self, name: str, *, reads: bool) -> str | None:
        """Why a tool is out of reach, by whatever way it is called; None where it is not."""
        if self.read_only and not reads:
            return "this session may only read"
        return f"{name} is excluded from this session" if name in self.excluded else None

    def shows(self, tool: ToolInfo) -> bool:
        """True when the tool is listed."""
        if self.bar(tool.name, reads=tool.reads):
            return False
        return tool.name in self.tools or ALL in self.named or bool(tool.toolsets & self.named)


def from_headers(headers: Mapping[str, str] | None) -> ToolSelection | None:
    """What a client's headers leave of the operator's surface; None where they say nothing."""
    given = {name: headers[name] for name in _HEADERS if headers and name in headers}
    if not given:
        return None
    toolsets, tools = name_list(given.get(TOOLSETS_HEADER)), name_list(given.get(TOOLS_HEADER))
    return ToolSelection(
        toolsets=toolsets or (() if tools else (ALL,)),
        tools=tools,
        excluded=name_list(given.get(EXCLUDED_HEADER)),
        read_only=given.get(READ_ONLY_HEADER, "false").strip().lower() not in _FALSE,
    )


def unknown_names(surface: ToolSelection, known: Iterable[ToolInfo]) -> list[str]:
    """The names of a client's choice that nothing here has."""
    placed = list(known)
    toolsets = {DEFAULT, ALL, *(name for tool in placed for name in tool.toolsets)}
    tools = {tool.name for tool in placed}
    return [*(name for name in surface.toolsets if name not in toolsets), *(n for n in surface.tools if n not in tools)]


def name_list(text: str | None) -> tuple[str, ...]:
    """The names in a text that separates them by commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
