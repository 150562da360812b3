"""The MCP server: a handler for each method, registered with the SDK's low-level server."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
from mcp.server.apps import client_supports_apps
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
)

from clients.deferred import Deferred
from prompts.library import guide_named, guides, misfit
from server.mcp.approval_page import ApprovalPage, NoPage
from server.mcp.card.listing import with_card
from server.mcp.instructions import instructions
from server.mcp.listing.registry import ToolRegistry
from server.mcp.listing.visibility import accounts_to_name, listed_for
from server.mcp.session import Session
from server.services import Services

if TYPE_CHECKING:
    from server.mcp.calls import Calls

CALLS: Final["Deferred[type[Calls]]"] = Deferred("server.mcp.calls:Calls")
WITH_ACCOUNTS: Final = Deferred[
    Callable[[Mapping[str, Any], Mapping[str, Sequence[str]], Services], Mapping[str, Any]]
]("server.mcp.listing.account_choice:with_accounts")

LIST_TTL_MS = 60 * 60 * 1000
"""How long clients may cache the list, which never changes while a server runs."""


def build_server(
    services: Services,
    *,
    registry: ToolRegistry | None = None,
    page: ApprovalPage | None = None,
    request_state: RequestStateSecurity | None = None,
) -> Server[None]:
    """Build the server of one process; it closes the services when it ends.

    `registry` holds the tools; without it they come from the settings. `page` is the approval page. `request_state`
    seals what clients carry between two rounds; servers that share its keys can read each other's.

    Raises:
        UnknownTool: The operator's selection names a toolset or tool that does not exist.
        BadSettings: Two accounts are the same one.
    """
    registry = registry or ToolRegistry(services.settings)
    _ = registry.listed  # a name that does not exist fails the start, not the first client's request
    services.require_distinct_accounts()
    tools = Tools(registry)
    calls = DeferredCalls(registry, services, page or NoPage())
    prompts = Prompts(services)

    @asynccontextmanager
    async def lifespan(_server: Server[None]) -> AsyncGenerator[None]:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(services.reconciliation.run)
                try:
                    yield
                finally:
                    group.cancel_scope.cancel()
        finally:
            await services.close()

    server: Server[None] = Server(
        "ringfence",
        title="Ringfence",
        version=version("ringfence"),
        instructions=instructions(services),
        cache_hints={"tools/list": CacheHint(ttl_ms=LIST_TTL_MS, scope="private")},
        lifespan=lifespan,
        get_tool_input_schema=registry.input_schema,
        on_list_tools=tools.list,
        on_call_tool=calls.call_tool,
        on_list_resources=calls.list_resources,
        on_list_resource_templates=calls.list_resource_templates,
        on_read_resource=calls.read_resource,
        on_list_prompts=prompts.list,
        on_get_prompt=prompts.get,
        on_completion=calls.complete,
    )
    security = request_state or RequestStateSecurity.ephemeral()
    server.middleware.append(RequestStateBoundary(security, default_audience=server.name))
    server.middleware.append(CachedToolList(registry, services))
    return server


class Tools:
    """Answers `tools/list`."""

    def __init__(self, registry: ToolRegistry) -> None:
        self._registry = registry

    async def list(
        self, _context: ServerRequestContext[None, Any], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """List the tools that the operator selected; `CachedToolList` removes those that headers exclude."""
        return ListToolsResult(tools=[registered.tool for registered in self._registry.listed.values()])


class DeferredCalls:
    """Answers with `server.mcp.calls`, which is imported at the first request that is no listing."""

    def __init__(self, registry: ToolRegistry, services: Services, page: ApprovalPage) -> None:
        self._registry = registry
        self._services = services
        self._page = page

    @cached_property
    def _calls(self) -> "Calls":
        return CALLS.load()(self._registry, self._services, self._page)

    async def call_tool(
        self, context: ServerRequestContext[None, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool that the client sees."""
        return await self._calls.call_tool(context, params)

    async def list_resources(
        self, context: ServerRequestContext[None, Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List the documents that have one fixed URI."""
        return await self._calls.resources.list(context, params)

    async def list_resource_templates(
        self, context: ServerRequestContext[None, Any], params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """List the kinds of documents that have a name in their URI."""
        return await self._calls.resources.list_templates(context, params)

    async def read_resource(
        self, context: ServerRequestContext[None, Any], params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        """Read one document."""
        return await self._calls.resources.read(context, params)

    async def complete(self, context: ServerRequestContext[None, Any], params: CompleteRequestParams) -> CompleteResult:
        """Complete one argument."""
        return await self._calls.completions.complete(context, params)


class CachedToolList:
    """Middleware that caches the answer to `tools/list`, and fits it to the session.

    It removes the tools that the client's headers or its token exclude. Where the session may use several accounts of a
    provider, the tools of that provider take the account's name. A client that shows cards gets the card's URI with
    every tool that may ask a person.
    """

    def __init__(self, registry: ToolRegistry, services: Services) -> None:
        self._registry = registry
        self._services = services
        self._answers: dict[str, Mapping[str, Any]] = {}
        """Answers by protocol version."""

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Answer `tools/list`, and pass every other message on."""
        if ctx.method != "tools/list" or ctx.request_id is None or (ctx.params or {}).get("cursor"):
            return await call_next(ctx)
        visible = listed_for(self._registry, ctx, self._services)
        accounts = accounts_to_name(Session(ctx, self._registry.selection), self._services)
        answer = self._answers.get(ctx.protocol_version)
        if answer is None:
            answer = cast("Mapping[str, Any]", await call_next(ctx))
            self._answers[ctx.protocol_version] = answer
        shows_cards = client_supports_apps(ctx)
        if len(visible) == len(self._registry.listed) and not accounts and not shows_cards:
            return dict(answer)
        tools = [tool for tool in answer["tools"] if tool["name"] in visible]
        if accounts:
            tools = [WITH_ACCOUNTS.load()(tool, accounts, self._services) for tool in tools]
        return {**answer, "tools": [self._with_card(tool) for tool in tools] if shows_cards else tools}

    def _with_card(self, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a tool that may ask a person as one whose results a card shows; any other as it is."""
        return tool if self._registry.listed[tool["name"]].info.only_reads else with_card(tool)


class Prompts:
    """Answers `prompts/list` and `prompts/get`."""

    def __init__(self, services: Services) -> None:
        self._selection = services.settings.selection

    async def list(
        self, _context: ServerRequestContext[None, Any], _params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """List the guided jobs."""
        return ListPromptsResult(
            prompts=[
                Prompt(
                    name=guide.name,
                    title=guide.title,
                    description=guide.description,
                    arguments=[
                        PromptArgument(name=one.name, description=one.description, required=one.otherwise is None)
                        for one in guide.arguments
                    ],
                )
                for guide in guides()
            ]
        )

    async def get(self, context: ServerRequestContext[None, Any], params: GetPromptRequestParams) -> GetPromptResult:
        """Return a guided job with its arguments filled in.

        Raises:
            MCPError: There is no such job, or an argument is missing or does not fit.
        """
        given = params.arguments or {}
        if wrong := misfit(params.name, given):
            raise MCPError(code=INVALID_PARAMS, message=wrong)
        guide, session = guide_named(params.name), Session(context, self._selection)
        text = guide.fill_in(given, only_reads=session.may_only_read)
        message = PromptMessage(role="user", content=TextContent(text=text))
        return GetPromptResult(description=guide.description, messages=[message])
