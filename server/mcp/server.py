"""An MCP server whose tools come from a shelf: the list is finished once, and headers can only shorten it."""

from collections.abc import Mapping
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from mcp.types import Tool as ListedTool

from prompts.library import guides, misfit
from server.mcp.registry import ToolRegistry, UnknownNarrowing
from server.mcp.session import RememberHeaders

LIST_TTL_MS = 60 * 60 * 1000
"""The list never changes while a server runs."""


class RingfenceServer(MCPServer[Any]):
    """Lists and calls what is on the shelf, and tells the guided jobs."""

    def __init__(self, shelf: ToolRegistry, **options: Any) -> None:
        super().__init__(middleware=[RememberHeaders(), CachedToolList(shelf)], **options)
        self._shelf = shelf
        _ = shelf.listed  # names that do not exist stop the start, not the first client

    async def list_tools(self) -> list[ListedTool]:
        """Every tool that the operator shows."""
        return [listed.tool for listed in self._shelf.listed.values()]

    def _tool_input_schema(self, name: str) -> dict[str, Any] | None:
        """For the SDK, which compares `Mcp-Param-…` headers with arguments before any tool is looked up."""
        listed = self._shelf.listed.get(name)
        return listed.tool.input_schema if listed else None

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool that the caller sees.

        Raises:
            MCPError: There is no such tool here: by the protocol no answer of a tool, but an error of the request.
        """
        visible = _visible(self._shelf, context.headers if context else None)
        context = context or Context(mcp_server=self)
        tool = self._shelf.tool(name) if name in visible else None
        if tool is None:
            from server.mcp.unknown_tool import explain_unknown_tool

            raise MCPError(code=INVALID_PARAMS, message=explain_unknown_tool(name, self._shelf, visible, context))
        result = await tool.run(arguments, context, convert_result=True)
        return cast("CallToolResult | InputRequiredResult", result)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """A guided job with its arguments filled in.

        Raises:
            MCPError: There is no such job, or an argument is missing or does not fit.
        """
        others = {prompt.name for prompt in await self.list_prompts()} - {guide.name for guide in guides()}
        if name not in others and (wrong := misfit(name, arguments or {})):
            raise MCPError(code=INVALID_PARAMS, message=wrong)
        return await super().get_prompt(name, arguments, context)


class CachedToolList:
    """Answers `tools/list` with what the first one was answered, by protocol version, less what headers leave out."""

    def __init__(self, shelf: ToolRegistry) -> None:
        self._shelf = shelf
        self._finished: dict[str, Mapping[str, Any]] = {}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """A middleware, as the SDK calls it."""
        if ctx.method != "tools/list" or ctx.request_id is None or (ctx.params or {}).get("cursor"):
            return await call_next(ctx)
        visible = _visible(self._shelf, getattr(ctx.request, "headers", None))
        finished = self._finished.get(ctx.protocol_version)
        if finished is None:
            finished = cast("Mapping[str, Any]", await call_next(ctx))
            self._finished[ctx.protocol_version] = finished
        if len(visible) == len(self._shelf.listed):
            return dict(finished)
        return {**finished, "tools": [tool for tool in finished["tools"] if tool["name"] in visible]}


def _visible(shelf: ToolRegistry, headers: Mapping[str, str] | None) -> frozenset[str]:
    try:
        return shelf.visible(headers)
    except UnknownNarrowing as unknown:
        raise MCPError(code=INVALID_PARAMS, message=str(unknown)) from None
