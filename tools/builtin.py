"""Tools that are no provider's operation: strict arguments, explicit annotations, errors that a model can act on."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata, func_metadata
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guard.errors import GuardRefusal
from server.mcp.results import problem, refused_result
from tools.schema import slim

Outcome = CallToolResult | InputRequiredResult
Handler = Callable[[Any, Context[Any, Any]], Awaitable[Outcome]]

LOCAL_READ: Mapping[str, bool] = {
    "read_only_hint": True,
    "destructive_hint": False,
    "idempotent_hint": True,
    "open_world_hint": False,
}
"""Looks at what is known here."""

PROVIDER_READ: Mapping[str, bool] = {**LOCAL_READ, "open_world_hint": True}
"""Reads at providers."""

MUTATING: Mapping[str, bool] = {
    "read_only_hint": False,
    "destructive_hint": True,
    "idempotent_hint": False,
    "open_world_hint": True,
}
"""May change anything at a provider."""


class BuiltinTool(Tool):
    """A tool that is no provider's operation."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    takes: type[BaseModel] = Field(exclude=True)
    handler: Handler = Field(exclude=True)
    synonyms: tuple[str, ...] = Field(default=(), exclude=True)
    """Words people use for this that its name and description do not have."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Outcome:
        """Validate and answer; what can be foreseen never raises."""
        try:
            taken = self.takes.model_validate(arguments)
        except ValidationError as misfit:
            lines = [f"- {'.'.join(map(str, error['loc']))}: {error['msg']}" for error in misfit.errors()]
            text = "\n".join([f"The arguments of {self.name} do not fit; nothing was done.", *lines])
            return problem(text, kind="BadArguments")
        try:
            return await self.handler(taken, context)
        except GuardRefusal as refusal:
            return refused_result(refusal)


def builtin_tool(
    name: str,
    description: str,
    takes: type[BaseModel],
    handler: Handler,
    hints: Mapping[str, bool],
    *,
    synonyms: tuple[str, ...] = (),
) -> BuiltinTool:
    """A tool from the model of its arguments."""
    title = name.replace("_", " ").capitalize()
    return BuiltinTool(
        fn=_run_is_overridden,
        fn_metadata=_metadata(),
        is_async=True,
        context_kwarg=None,
        name=name,
        title=title,
        description=description,
        parameters=_parameters(takes),
        annotations=ToolAnnotations(title=title, **hints),
        takes=takes,
        handler=handler,
        synonyms=synonyms,
    )


@cache
def _parameters(takes: type[BaseModel]) -> dict[str, Any]:
    generated = takes.model_json_schema()
    found: dict[str, Any] = slim(
        {key: generated[key] for key in generated if key != "description"}, generated.get("$defs", {})
    )
    return found


@cache
def _metadata() -> FuncMetadata:
    return func_metadata(_run_is_overridden, structured_output=False)


async def _run_is_overridden(**arguments: Mapping[str, Any]) -> None:
    raise NotImplementedError
