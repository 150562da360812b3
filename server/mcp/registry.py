"""The tools of one session: listed in the finished form that an earlier start kept, built when they are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp.types import Tool as ListedTool
from pydantic import SecretStr

from server.mcp.adapter import make_tool
from server.mcp.own_tools import BY_DEFAULT, own_tools
from server.mcp.registry_cache import RegistryCache
from server.services import Services
from server.settings.accounts import RouteeSettings
from server.settings.model import Settings
from tools.registry import MODULES, operation_named, operations_in
from tools.selection import DEFAULT, ToolInfo, from_headers, unknown_names
from tools.toolsets import check_names, choose, tool_info


class UnknownNarrowing(Exception):
    """A client's headers name what this server does not show."""


@dataclass(frozen=True, slots=True)
class RegisteredTool:
    """A tool as it is listed, and where it comes from."""

    tool: ListedTool
    tool_info: ToolInfo
    module: str | None
    """`voicetel.numbers`; None for a tool of our own."""


class ToolRegistry:
    """Lists the tools of a services, and hands them out by name."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._surface = services.surface
        self._providers = tuple(services.clients) or tuple(MODULES)  # where none is set up, all can be looked at
        self._cache = RegistryCache(services.settings.state_folder)
        self._built: dict[str, Tool] = {}

    @cached_property
    def listed(self) -> dict[str, RegisteredTool]:
        """Every tool that the operator's surface shows, by name, in the order of the names.

        Raises:
            UnknownTool: The operator's surface names what does not exist.
        """
        key = repr((self._surface, self._providers))
        rows = self._cache.read(key)
        if rows is None:
            found = self._found()
            self._cache.write(key, [_row(listed) for listed in found])
        else:
            found = [_listed(row) for row in rows]
        return {listed.tool.name: listed for listed in sorted(found, key=lambda listed: listed.tool.name)}

    def visible(self, headers: Mapping[str, str] | None) -> frozenset[str]:
        """The names of the tools that a client sees, whose headers may leave out some.

        Raises:
            UnknownNarrowing: The headers name what is not shown here.
        """
        client = from_headers(headers)
        if client is None:
            return frozenset(self.listed)
        shown = [listed.tool_info for listed in self.listed.values()]
        if unknown := unknown_names(client, shown):
            raise UnknownNarrowing(
                f"The headers name what this server does not show: {', '.join(unknown)}. "
                f"It shows the toolsets {', '.join(sorted({name for tool in shown for name in tool.toolsets}))}."
            )
        return frozenset(tool.name for tool in shown if client.shows(tool))

    def tool(self, name: str) -> Tool | None:
        """A listed tool, ready to be called."""
        listed = self.listed.get(name)
        if listed is None or name in self._built:
            return self._built.get(name)
        if listed.module is None:
            self._built.update({own.name: own for group in own_tools(self.services).values() for own in group})
        else:
            self._built[name] = self._operation_tool(name, listed.module)
        return self._built.get(name)

    def _operation_tool(self, name: str, place: str) -> Tool:
        provider, _, module = place.partition(".")
        declared = {operation.spec.tool_name: operation for operation in operations_in(provider, module)}
        operation = declared.get(name) or operation_named(name)
        assert operation is not None, f"{name} was listed, but is not declared."  # noqa: S101 - a fault of ours
        return make_tool(operation, self.services.desk)

    def _found(self) -> list[RegisteredTool]:
        own = [
            RegisteredTool(as_listed(tool), builtin_info(tool, toolset), None)
            for toolset, group in own_tools(self.services).items()
            for tool in group
        ]
        check_names(self._surface, [listed.tool_info for listed in own])
        operations = [
            RegisteredTool(
                as_listed(make_tool(operation, self.services.desk)),
                tool_info(operation),
                f"{operation.spec.provider.name}.{operation.__module__.rpartition('.')[2]}",
            )
            for operation in choose(self._surface, providers=self._providers)
        ]
        return [*(listed for listed in own if self._surface.shows(listed.tool_info)), *operations]


def builtin_info(tool: Tool, toolset: str) -> ToolInfo:
    """A tool of our own, as far as choosing it needs."""
    toolsets = {toolset, DEFAULT} if toolset in BY_DEFAULT else {toolset}
    return ToolInfo(tool.name, frozenset(toolsets), reads=bool(tool.annotations and tool.annotations.read_only_hint))


def every_builtin_tool() -> list[tuple[ToolInfo, str]]:
    """Tools that are no provider's operation, with their toolsets; of every provider, set up or not."""
    anybody = RouteeSettings(application_id="anybody", application_secret=SecretStr("unused"))
    groups = own_tools(Services(Settings.model_construct(routee=anybody)))
    return [(builtin_info(tool, toolset), toolset) for toolset, tools in groups.items() for tool in tools]


def as_listed(tool: Tool) -> ListedTool:
    """A tool as `tools/list` shows it."""
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=tool.output_schema,
        annotations=tool.annotations,
    )


def _row(listed: RegisteredTool) -> dict[str, Any]:
    return {
        "tool": listed.tool.model_dump(mode="json", by_alias=True, exclude_none=True),
        "toolsets": sorted(listed.tool_info.toolsets),
        "reads": listed.tool_info.reads,
        "module": listed.module,
    }


def _listed(row: Mapping[str, Any]) -> RegisteredTool:
    tool = ListedTool.model_validate(row["tool"])
    return RegisteredTool(tool, ToolInfo(tool.name, frozenset(row["toolsets"]), row["reads"]), row["module"])
