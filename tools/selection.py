"""The selection of tools and accounts that a session may use. The operator sets it; a client can only narrow it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from tools.registry import (
    nearest,
    operation_named,
    operations_in,
    operations_of,
    provider_named,
    provider_names,
)
from tools.suggestions import nearest_tools

if TYPE_CHECKING:
    from clients.operation import OperationType

DEFAULT = "default"
ALL = "all"
ALWAYS = "actions"
"""The toolset that every selection has: without it nobody could look up a guarded call."""

TOOLSETS_HEADER = "x-mcp-toolsets"
TOOLS_HEADER = "x-mcp-tools"
EXCLUDED_HEADER = "x-mcp-exclude-tools"
READ_ONLY_HEADER = "x-mcp-readonly"
"""These are the header names of other MCP servers with toolsets, so clients need not learn new ones."""

_HEADERS = (TOOLSETS_HEADER, TOOLS_HEADER, EXCLUDED_HEADER, READ_ONLY_HEADER)
_FALSE = {"", "0", "false", "no", "off"}


class UnknownTool(Exception):
    """There is no toolset or tool of this name. The message names the nearest."""


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """What a selection needs to know about a tool."""

    name: str
    toolsets: frozenset[str]
    only_reads: bool
    """True for a plain read."""


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """A selection of tools. Read-only comes first, then what is excluded, then everything else."""

    toolsets: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def active_toolsets(self) -> frozenset[str]:
        """The toolsets of the selection: `default` where it names neither toolsets nor tools."""
        chosen = self.toolsets or (() if self.tools else (DEFAULT,))
        return frozenset({*chosen, ALWAYS})

    @property
    def is_default(self) -> bool:
        """True where only the default toolsets are selected."""
        return self.active_toolsets <= {DEFAULT, ALWAYS} and not self.tools

    def why_out_of_reach(self, name: str, *, only_reads: bool) -> str | None:
        """Return why a tool must not be called, also not through another tool; None where it may be."""
        if self.read_only and not only_reads:
            return "this session may only read"
        return f"{name} is excluded from this session" if name in self.excluded else None

    def includes(self, tool: ToolInfo) -> bool:
        """Return True when the tool is listed."""
        if self.why_out_of_reach(tool.name, only_reads=tool.only_reads):
            return False
        return (
            tool.name in self.tools or ALL in self.active_toolsets or not tool.toolsets.isdisjoint(self.active_toolsets)
        )


class AccountAccess(Protocol):
    """Who asks, as far as it decides which accounts may be used."""

    def may_use(self, account: str) -> bool:
        """Return True if an account may be used."""
        ...


class AccountNames(Protocol):
    """Knows the accounts that are set up."""

    def accounts_of(self, provider: str) -> Sequence[str]:
        """Return the names of a provider's accounts that are set up."""
        ...


def usable_accounts(provider: str, session: AccountAccess, services: AccountNames) -> list[str]:
    """Return the names of a provider's accounts that a session may use."""
    return [name for name in services.accounts_of(provider) if session.may_use(name)]


def selection_from_headers(headers: Mapping[str, str] | None) -> ToolSelection | None:
    """Return the selection that a client's headers name; None where they name none."""
    given = {name: headers[name] for name in _HEADERS if headers and name in headers}
    if not given:
        return None
    toolsets, tools = split_names(given.get(TOOLSETS_HEADER)), split_names(given.get(TOOLS_HEADER))
    return ToolSelection(
        toolsets=toolsets or (() if tools else (ALL,)),
        tools=tools,
        excluded=split_names(given.get(EXCLUDED_HEADER)),
        read_only=given.get(READ_ONLY_HEADER, "false").strip().lower() not in _FALSE,
    )


def names_not_offered(selection: ToolSelection, offered: Iterable[ToolInfo]) -> list[str]:
    """Return the names in a client's selection that no offered tool or toolset has."""
    known = list(offered)
    toolsets = {DEFAULT, ALL, *(name for tool in known for name in tool.toolsets)}
    tools = {tool.name for tool in known}
    return [
        *(name for name in selection.toolsets if name not in toolsets),
        *(name for name in selection.tools if name not in tools),
    ]


def split_names(text: str | None) -> tuple[str, ...]:
    """Split a text with commas into names."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def select_operations(selection: ToolSelection, *, providers: Collection[str] | None = None) -> "list[OperationType]":
    """Return the operations that a selection lists, of all installed providers or some, in the registry's order.

    A toolset is named `numbers` for all providers or `<provider>.numbers` for one.
    """
    of = provider_names() if providers is None else providers
    offered = everyday_operations(of) if selection.is_default else _all_of(of)
    return [operation for operation in offered if selection.includes(tool_info(operation))]


def everyday_operations(providers: Collection[str]) -> "list[OperationType]":
    """Return the operations of the default selection; modules that declare none of them are not loaded."""
    found: list[OperationType] = []
    for name in provider_names():
        if name not in providers:
            continue
        for module, tools in provider_named(name).everyday.items():
            declared = {operation.spec.tool_name: operation for operation in operations_in(name, module)}
            found += [declared[tool] for tool in tools]
    return found


def is_everyday(operation: "OperationType") -> bool:
    """Return True for an operation of the default selection."""
    everyday = provider_named(operation.spec.provider.name).everyday
    return any(operation.spec.tool_name in tools for tools in everyday.values())


@cache
def tool_info(operation: "OperationType") -> ToolInfo:
    """Return what a selection needs to know about an operation."""
    spec = operation.spec
    toolsets = {spec.provider.name, spec.toolset, f"{spec.provider.name}.{spec.toolset}"}
    if is_everyday(operation):
        toolsets.add(DEFAULT)
    return ToolInfo(spec.tool_name, frozenset(toolsets), only_reads=spec.effect.is_plain_read)


def require_known_names(selection: ToolSelection, builtin: Iterable[ToolInfo]) -> None:
    """Refuse names that do not exist at any provider, set up or not: a misspelled exclusion would exclude nothing.

    Raises:
        UnknownTool: A toolset or tool is unknown.
    """
    for _, reason in find_unknown_names(selection, builtin):
        raise UnknownTool(f"{reason[0].upper()}{reason[1:]}")


def find_unknown_names(selection: ToolSelection, builtin: Iterable[ToolInfo]) -> Iterator[tuple[str, str]]:
    """Yield each name in a selection that does not exist, and what to say about it."""
    builtin = list(builtin)
    if _are_found(selection, builtin):
        return
    known = [*builtin, *(tool_info(operation) for operation in _all_of(provider_names()))]
    toolsets = list(
        dict.fromkeys([DEFAULT, ALL, *provider_names(), *(name for tool in known for name in sorted(tool.toolsets))])
    )
    only_reads = {tool.name: tool.only_reads for tool in known}
    for name in selection.toolsets:
        if name not in toolsets:
            yield name, _unknown("toolset", name, nearest(name, toolsets))
    for name in (*selection.tools, *selection.excluded):
        if name not in only_reads:
            yield name, _unknown("tool", name, nearest_tools(name, only_reads))


def _are_found(selection: ToolSelection, builtin: Sequence[ToolInfo]) -> bool:
    """Return True if every name is one of those that are found without the operations of the other providers.

    They take 12 MiB, and a server has no other need of providers that are not set up.
    """
    toolsets = {DEFAULT, ALL, ALWAYS, *provider_names(), *(name for tool in builtin for name in tool.toolsets)}
    tools = {tool.name for tool in builtin}
    return toolsets.issuperset(selection.toolsets) and all(
        name in tools or operation_named(name) for name in (*selection.tools, *selection.excluded)
    )


def _unknown(kind: str, name: str, close: Sequence[str]) -> str:
    hint = f"did you mean {close[0]}?" if close else "`ringfence tools --toolsets all` lists them all."
    return f"there is no {kind} {name!r}; {hint}"


def _all_of(providers: Collection[str]) -> "list[OperationType]":
    return [operation for name in provider_names() if name in providers for operation in operations_of(name).values()]
