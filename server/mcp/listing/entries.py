"""Builds the entries of `tools/list` from the declared operations and built-in tools.

Imported where no list is cached: it loads the declaration of every tool that it lists.
"""

from functools import cache

from mcp.types import Tool as ListedTool
from mcp.types import ToolAnnotations

from clients.effects import Effect
from clients.operation import OperationType
from clients.spec import Spec
from server.mcp.listing.cache import RegisteredTool
from tools.builtin import BuiltinEffect, BuiltinTool
from tools.builtin_list import all_builtin_tools, builtin_info, builtin_tools
from tools.description import changes_nothing_twice, tool_description
from tools.schema import input_schema
from tools.selection import ToolSelection, require_known_names, select_operations, tool_info


@cache  # several servers of one process, as in the demo, list the same tools
def find_tools(
    selection: ToolSelection, *, providers: tuple[str, ...], set_up: tuple[str, ...]
) -> tuple[RegisteredTool, ...]:
    """Return the tools of a selection: operations of some providers, and built-in tools for those that are set up.

    Raises:
        UnknownTool: The selection names a toolset or tool that does not exist.
    """
    require_known_names(selection, [builtin_info(tool) for tool in all_builtin_tools()])
    builtin = [
        RegisteredTool(list_builtin(tool), info, None)
        for tool in builtin_tools(set_up)
        if selection.includes(info := builtin_info(tool))
    ]
    operations = [
        RegisteredTool(list_operation(operation), tool_info(operation), _declared_in(operation))
        for operation in select_operations(selection, providers=providers)
    ]
    return (*builtin, *operations)


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
