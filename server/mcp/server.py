"""The MCP server: a handler for each method, registered with the SDK's low-level server."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, cast

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
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListToolsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from clients.redaction import redact
from prompts.library import guide_named, guides, misfit
from server.mcp.call_parser import accounts_to_name
from server.mcp.card.content import without_facts
from server.mcp.card.listing import with_card
from server.mcp.completions import Completions
from server.mcp.dispatcher import Dispatcher
from server.mcp.instructions import instructions
from server.mcp.out_of_band import ApprovalPage, NoPage
from server.mcp.registry import NotOffered, ToolRegistry
from server.mcp.resources import Resources
from server.mcp.results import problem
from server.mcp.session import EVERYTHING, Session, headers_of
from server.mcp.unknown_tool import explain_unknown_tool
from server.services import Services
from tools.builtin import BuiltinTool, usable_accounts
from tools.plans.handlers import propose_plan, with_account_of_steps
from tools.registry import provider_of_tool
from tools.schema import with_account
from tools.selection import selection_from_headers

logger = logging.getLogger(__name__)

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
    """
    registry = registry or ToolRegistry(services.settings)
    _ = registry.listed  # a name that does not exist fails the start, not the first client's request
    dispatcher = Dispatcher(services, page or NoPage())
    tools = Tools(registry, dispatcher, services)
    resources = Resources(services, dispatcher)
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
        on_call_tool=tools.call,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read,
        on_list_prompts=prompts.list,
        on_get_prompt=prompts.get,
        on_completion=Completions(services).complete,
    )
    security = request_state or RequestStateSecurity.ephemeral()
    server.middleware.append(RequestStateBoundary(security, default_audience=server.name))
    server.middleware.append(CachedToolList(registry, services))
    return server


class Tools:
    """Answers `tools/list` and `tools/call`."""

    def __init__(self, registry: ToolRegistry, dispatcher: Dispatcher, services: Services) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._services = services

    async def list(
        self, _context: ServerRequestContext[None, Any], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """List the tools that the operator selected; `CachedToolList` removes those that headers exclude."""
        return ListToolsResult(tools=[registered.tool for registered in self._registry.listed.values()])

    async def call(
        self, context: ServerRequestContext[None, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool that the client sees; what a card shows goes only to a client that shows cards.

        Raises:
            MCPError: There is no such tool here; by the protocol this is an error of the request, not of a tool.
        """
        result = await self._call(context, params)
        if isinstance(result, InputRequiredResult) or client_supports_apps(context):
            return result
        return without_facts(result)

    async def _call(
        self, context: ServerRequestContext[None, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        visible = visible_to(self._registry, context, self._services)
        session = Session(context, self._registry.selection, params, visible)
        declaration = self._registry.declaration(params.name) if params.name in visible else None
        if declaration is None:
            reason = explain_unknown_tool(params.name, self._registry, visible, self._services, session)
            raise MCPError(code=INVALID_PARAMS, message=reason)
        arguments = params.arguments or {}
        try:
            if isinstance(declaration, BuiltinTool):
                return await self._dispatcher.call_builtin(declaration, arguments, session)
            return await self._dispatcher.call(declaration, arguments, session)
        except MCPError:
            raise
        except Exception as fault:
            logger.exception("Tool %r raised an unexpected exception", params.name)
            return problem(redact(str(fault)), kind=type(fault).__name__)


class CachedToolList:
    """Middleware that caches the answer to `tools/list`, and fits it to the session.

    It removes the tools that the client's headers or its token exclude. A client that shows cards gets the card's URI
    with every tool that may ask a person. Where the session may use several accounts of a
    provider, the tools of that provider take the account's name.
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
        visible = visible_to(self._registry, ctx, self._services)
        accounts = accounts_to_name(Session(ctx, self._registry.selection), self._services)
        answer = self._answers.get(ctx.protocol_version)
        if answer is None:
            answer = cast("Mapping[str, Any]", await call_next(ctx))
            self._answers[ctx.protocol_version] = answer
        shows_cards = client_supports_apps(ctx)
        if len(visible) == len(self._registry.listed) and not accounts and not shows_cards:
            return dict(answer)
        tools = [tool for tool in answer["tools"] if tool["name"] in visible]
        tools = [self._with_accounts(tool, accounts) for tool in tools] if accounts else tools
        return {**answer, "tools": [self._with_card(tool) for tool in tools] if shows_cards else tools}

    def _with_card(self, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a tool that may ask a person as one whose results a card shows; any other as it is."""
        return tool if self._registry.listed[tool["name"]].info.only_reads else with_card(tool)

    def _with_accounts(self, tool: Mapping[str, Any], accounts: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        """Return a tool of a provider with several accounts as one that takes the account's name."""
        provider, schema = provider_of_tool(tool["name"]), tool["inputSchema"]
        if provider is not None and provider in accounts:
            default = self._services.default_account(provider, accounts[provider])
            return {**tool, "inputSchema": with_account(schema, accounts[provider], default)}
        if tool["name"] == propose_plan.name:
            every = [name for names in accounts.values() for name in names]
            return {**tool, "inputSchema": with_account_of_steps(schema, every)}
        return tool


def visible_to(registry: ToolRegistry, context: ServerRequestContext[Any, Any], services: Services) -> frozenset[str]:
    """Return the names of the tools that this client sees.

    Raises:
        MCPError: Its headers name a toolset or tool that this server does not offer.
    """
    try:
        visible = registry.visible(selection_from_headers(headers_of(context)))
    except NotOffered as unknown:
        raise MCPError(code=INVALID_PARAMS, message=str(unknown)) from None
    session = Session(context, registry.selection)
    grant = session.grant
    if grant is EVERYTHING:
        return visible
    return frozenset(
        name
        for name in visible
        if grant.selection.includes(registry.listed[name].info)
        and _has_account(provider_of_tool(name), session, services)
    )


def _has_account(provider: str | None, session: Session, services: Services) -> bool:
    """Return True unless a session may use none of a provider's accounts."""
    if provider is None or not services.accounts_of(provider):
        return True
    return bool(usable_accounts(provider, session, services))


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
