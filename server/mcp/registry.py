"""The tools of this server: the list comes from a cache on disk, a tool is looked up when it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mcp.types import Tool as ListedTool
from mcp.types import ToolAnnotations

from clients.effects import Effect
from clients.operation import OperationType
from clients.spec import Spec
from server.mcp.registry_cache import RegistryCache
from server.settings.model import Settings
from tools.builtin import BuiltinEffect, BuiltinTool
from tools.builtin_list import all_builtin_tools, builtin_info, builtin_tools
from tools.description import changes_nothing_twice, tool_description
from tools.registry import operation_named, operations_in, provider_names
from tools.schema import input_schema
from tools.selection import (
    ToolInfo,
    ToolSelection,
    names_not_offered,
    require_known_names,
    select_operations,
    tool_info,
)

Declaration = OperationType | BuiltinTool


class NotOffered(Exception):
    """A client's headers name a toolset or tool that this server does not offer."""


@dataclass(frozen=True, slots=True)
class RegisteredTool:
    """A tool as `tools/list` shows it, and the module that declares it."""

    tool: ListedTool
    info: ToolInfo
    module: str | None
    """`<provider>.<module>` of an operation; None for a built-in tool."""


class ToolRegistry:
    """Lists the tools that the operator selected, and looks them up by name."""

    def __init__(self, settings: Settings) -> None:
        self.selection: ToolSelection = settings.selection
        self.providers = settings.set_up or provider_names()  # where none is set up, show what there is
        self._cache = RegistryCache(settings.state_folder)
        self._set_up = settings.set_up

    @cached_property
    def listed(self) -> dict[str, RegisteredTool]:
        """The tools that the operator selected, by name, in alphabetical order.

        Raises:
            UnknownTool: The selection names a toolset or tool that does not exist.
        """
        key = repr((self.selection, self.providers))
        rows = self._cache.read(key)
        if rows is None:
            found = self._find()
            self._cache.write(key, [_to_row(registered) for registered in found])
        else:
            found = [_from_row(row) for row in rows]
        return {one.tool.name: one for one in sorted(found, key=lambda one: one.tool.name)}

    def visible(self, narrowed: ToolSelection | None) -> frozenset[str]:
        """Return the names of the tools that a client sees; its headers may leave out some.

        Raises:
            NotOffered: The headers name a toolset or tool that is not offered here.
        """
        if narrowed is None:
            return frozenset(self.listed)
        offered = [one.info for one in self.listed.values()]
        if unknown := names_not_offered(narrowed, offered):
            toolsets = sorted({name for tool in offered for name in tool.toolsets})
            raise NotOffered(
                f"The headers name what this server does not offer: {', '.join(unknown)}. "
                f"It offers the toolsets {', '.join(toolsets)}."
            )
        return frozenset(tool.name for tool in offered if narrowed.includes(tool))

    def declaration(self, name: str) -> Declaration | None:
        """Return the operation or built-in tool that a listed tool calls; None where no such tool is listed."""
        registered = self.listed.get(name)
        if registered is None:
            return None
        if registered.module is None:
            return self._builtin[name]
        provider, _, module = registered.module.partition(".")
        declared = {operation.spec.tool_name: operation for operation in operations_in(provider, module)}
        return declared.get(name) or operation_named(name)

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Return the schema of a listed tool. The SDK compares `Mcp-Param-…` headers with it."""
        registered = self.listed.get(name)
        return registered.tool.input_schema if registered else None

    @cached_property
    def _builtin(self) -> dict[str, BuiltinTool]:
        """The built-in tools by name. Those of a provider are loaded with it, so not before they are needed."""
        return {tool.name: tool for tool in builtin_tools(self._set_up)}

    def _find(self) -> list[RegisteredTool]:
        require_known_names(self.selection, [builtin_info(tool) for tool in all_builtin_tools()])
        builtin = [
            RegisteredTool(list_builtin(tool), info, None)
            for tool in self._builtin.values()
            if self.selection.includes(info := builtin_info(tool))
        ]
        operations = [
            RegisteredTool(list_operation(operation), tool_info(operation), _declared_in(operation))
            for operation in select_operations(self.selection, providers=self.providers)
        ]
        return [*builtin, *operations]


def list_operation(operation: OperationType) -> ListedTool:
    """Build the entry of `tools/list` for an operation."""
    spec = operation.spec
    return ListedTool(
        name=spec.tool_name,
        title=spec.title,
        description=tool_description(operation),
        input_schema=input_schema(operation),
        annotations=annotations(spec),
    )


def list_builtin(tool: BuiltinTool) -> ListedTool:
    """Build the entry of `tools/list` for a built-in tool."""
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.only_reads,
            destructive_hint=not tool.only_reads,
            idempotent_hint=tool.only_reads,
            open_world_hint=tool.effect is not BuiltinEffect.LOCAL_READ,
        ),
    )


def annotations(spec: Spec) -> ToolAnnotations:
    """Build all four hints, none left to a default. A paid lookup is no free read; a repeated paid call costs twice."""
    return ToolAnnotations(
        title=spec.title,
        read_only_hint=spec.effect.is_plain_read,
        destructive_hint=bool(spec.effect & (Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED)),
        idempotent_hint=changes_nothing_twice(spec),
        open_world_hint=True,
    )


def _declared_in(operation: OperationType) -> str:
    return f"{operation.spec.provider.name}.{operation.__module__.rpartition('.')[2]}"


def _to_row(registered: RegisteredTool) -> dict[str, Any]:
    return {
        "tool": registered.tool.model_dump(mode="json", by_alias=True, exclude_none=True),
        "toolsets": sorted(registered.info.toolsets),
        "only_reads": registered.info.only_reads,
        "module": registered.module,
    }


def _from_row(row: Mapping[str, Any]) -> RegisteredTool:
    tool = ListedTool.model_validate(row["tool"])
    return RegisteredTool(tool, ToolInfo(tool.name, frozenset(row["toolsets"]), row["only_reads"]), row["module"])
