"""One request of a client: who makes it, which tools it may reach, and how its user can be asked."""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from mcp.server.apps import client_supports_apps
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.types import ClientCapabilities, InputResponseRequestParams, InputResponses
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from clients.deferred import Deferred
from tools.registry import operation_named
from tools.selection import ALL, ALWAYS, ToolInfo, ToolSelection, selection_from_headers, tool_info

if TYPE_CHECKING:
    from clients.spec import Spec
    from guard.action import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """What the holder of a bearer token may use, within what the server allows."""

    accounts: frozenset[str] | None = None
    """Names of accounts; None for all."""

    toolsets: tuple[str, ...] | None = None
    """None for all."""

    read_only: bool = False

    shows_all: bool = False
    """True if the list holds what the holder may not use, too, so that the client can ask for more."""

    @property
    def selection(self) -> ToolSelection:
        """The tools that the holder may see."""
        return ToolSelection(toolsets=self.toolsets if self.toolsets is not None else (ALL,), read_only=self.read_only)

    def why_out_of_reach(self, tool: ToolInfo) -> str | None:
        """Return why the holder may not call a tool, listed or not; None where they may."""
        if self.read_only and not tool.only_reads:
            return "this token may only read"
        if self.toolsets is None or not tool.toolsets.isdisjoint({*self.toolsets, ALWAYS}) or ALL in self.toolsets:
            return None
        return f"this token may only use the toolsets {', '.join(self.toolsets) or 'none'}"


PRINCIPAL: Final["Deferred[type[Principal]]"] = Deferred("guard.action:Principal")
INFO_OF_BUILTIN: Final = Deferred[Callable[[str], ToolInfo | None]]("tools.builtin_list:info_of_builtin")
"""Deferred: a session lists tools before it calls one, and only calls need the guard and the tools themselves."""

EVERYTHING: Final = TokenGrant()
NOTHING: Final = TokenGrant(accounts=frozenset(), toolsets=(), read_only=True)


class GrantedToken(AccessToken):
    """An accepted bearer token, with what its holder may use."""

    grant: TokenGrant = EVERYTHING
    principal: str = ""
    """Who holds it, as the record names them; empty for a token of the settings, which is named after its holder."""


@dataclass(frozen=True, slots=True)
class Session:
    """A request as tools see it. `selection` is the operator's; the client's headers can only narrow it."""

    context: ServerRequestContext[Any, Any]
    selection: ToolSelection
    input: InputResponseRequestParams | None = None
    """The parameters of the call, which hold the answers to questions of an earlier result."""

    visible: frozenset[str] = frozenset()
    """Names of the tools that the client sees."""

    @property
    def headers(self) -> Mapping[str, str] | None:
        """The headers of the HTTP request; None on stdio. The client chooses them, so they prove nothing."""
        return headers_of(self.context)

    @property
    def principal(self) -> "Principal":
        """Who makes the request: the token's holder over HTTP, the local user otherwise."""
        token = get_access_token()
        if isinstance(token, GrantedToken) and token.principal:
            return PRINCIPAL.load()(token.principal)
        if token is not None:
            return PRINCIPAL.load()(f"token:{token.subject or token.client_id}")
        return PRINCIPAL.load()(f"local:{_local_user()}")

    @property
    def grant(self) -> TokenGrant:
        """What the holder of the request's token may use; everything without one, nothing with one of unknown kind."""
        token = get_access_token()
        if token is None:
            return EVERYTHING
        return token.grant if isinstance(token, GrantedToken) else NOTHING

    @property
    def narrowed(self) -> ToolSelection | None:
        """The selection in the client's headers; None where they name none."""
        return selection_from_headers(self.headers)

    @property
    def may_only_read(self) -> bool:
        """True where the operator, or the client's headers, allow plain reads only."""
        is_narrowed = self.narrowed is not None and self.narrowed.read_only
        return self.selection.read_only or self.grant.read_only or is_narrowed

    def why_out_of_reach(self, spec: "Spec") -> str | None:
        """Return why this session may not call an operation through any tool; None where it may."""
        return self.why_tool_out_of_reach(spec.tool_name, only_reads=spec.effect.is_plain_read)

    def why_tool_out_of_reach(self, name: str, *, only_reads: bool) -> str | None:
        """Return why this session may not call a tool, listed or not; None where it may."""
        for selection in (self.selection, self.narrowed):
            if selection and (reason := selection.why_out_of_reach(name, only_reads=only_reads)):
                return reason
        grant = self.grant
        if grant is EVERYTHING:
            return None
        return grant.why_out_of_reach(info_of(name) or ToolInfo(name, frozenset(), only_reads=only_reads))

    @property
    def is_bound_to_accounts(self) -> bool:
        """True if the holder of the request's token may use some accounts only."""
        return self.grant.accounts is not None

    def may_use(self, account: str) -> bool:
        """Return True if the holder of the request's token may use an account."""
        return self.grant.accounts is None or account in self.grant.accounts

    def sees(self, name: str) -> bool:
        """Return True for a tool that the client sees in its list."""
        return name in self.visible

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Report the progress of a long call, if the client asked for progress."""
        await self.context.session.report_progress(done, total, message)

    @property
    def is_modern(self) -> bool:
        """True where a question is part of a result, as since the protocol of 2026-07-28."""
        return self.context.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def client_capabilities(self) -> ClientCapabilities | None:
        """The capabilities that the client declared."""
        return self.context.session.client_capabilities

    @property
    def shows_cards(self) -> bool:
        """True where the client declared that it shows MCP Apps."""
        return client_supports_apps(self.context)

    @property
    def can_be_asked_now(self) -> bool:
        """True where the server can ask the client's user on this request."""
        return self.is_modern or self.context.session.can_send_request

    @property
    def request_id(self) -> str:
        """The id of this request, to which the server's own requests refer."""
        return str(self.context.request_id)

    @property
    def input_responses(self) -> InputResponses:
        """The answers that this call brings, by the key of their question."""
        return (self.input.input_responses if self.input else None) or {}

    @property
    def request_state(self) -> str | None:
        """What an earlier result gave the client to send back. The SDK seals it, so the client cannot choose it."""
        return self.input.request_state if self.input else None


def headers_of(context: ServerRequestContext[Any, Any]) -> Mapping[str, str] | None:
    """Return the headers of the HTTP request that a message came with; None on stdio."""
    return cast("Mapping[str, str] | None", getattr(context.request, "headers", None))


def info_of(name: str) -> ToolInfo | None:
    """Return what a grant needs to know about an operation or a built-in tool; None where there is none of the name."""
    operation = operation_named(name)
    return tool_info(operation) if operation is not None else INFO_OF_BUILTIN.load()(name)


@cache
def _local_user() -> str:
    return getpass.getuser()
