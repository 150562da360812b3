"""An operation as an MCP tool: strict flat schema, explicit annotations, and the guard where its effect asks for it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata, func_metadata
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ConfigDict, Field

from clients.effects import Effect
from clients.spec import Spec
from server.mcp.dispatcher import Dispatcher
from tools.registry import OperationType
from tools.schema import input_schema


class OperationTool(Tool):
    """A tool whose calls all go over the desk, and so past the guard. There is no other way to make one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    operation: Any = Field(exclude=True)
    desk: Dispatcher = Field(exclude=True)

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult | InputRequiredResult:
        """Make the call. What the SDK would do (lenient arguments, prefixed errors) is not wanted here."""
        return await self.desk.call(self.operation, arguments, context)


def make_tool(operation: OperationType, desk: Dispatcher) -> OperationTool:
    """The MCP tool for one operation."""
    spec = operation.spec
    return OperationTool(
        fn=_run_is_overridden,
        fn_metadata=_metadata(),
        context_kwarg=None,
        is_async=True,
        name=spec.tool_name,
        title=spec.title,
        description=description(operation),
        parameters=input_schema(operation),
        annotations=annotations(spec),
        operation=operation,
        desk=desk,
    )


def description(operation: OperationType) -> str:
    """What the model reads: what it does, then what stands in the way."""
    spec = operation.spec
    text = " ".join((operation.__doc__ or "").split())
    if spec.admin_only:
        text += " Administrators only."
    if spec.basis == "inferred":
        text += " Inferred: no public document shows this path."
    if spec.irreversible:
        text += " Only the operator can approve it."
    elif spec.effect.is_guarded:
        text += " A person is asked first."
    return text


def annotations(spec: Spec) -> ToolAnnotations:
    """All four hints, said explicitly. A paid lookup is no free read, and a repeated paid call costs twice."""
    harmless = spec.effect.is_plain_read
    changes_nothing_twice = spec.method in {"PUT", "DELETE"} and Effect.PAID not in spec.effect
    return ToolAnnotations(
        title=spec.title,
        read_only_hint=harmless,
        destructive_hint=bool(spec.effect & (Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED)),
        idempotent_hint=harmless or changes_nothing_twice,
        open_world_hint=True,
    )


@cache
def _metadata() -> FuncMetadata:
    return func_metadata(_run_is_overridden, structured_output=False)


async def _run_is_overridden(**arguments: Mapping[str, Any]) -> None:
    raise NotImplementedError
