"""Answers a call that a token's scopes do not reach with 403 and the scopes that it takes, as MCP wants it.

A client that knows this asks its user, comes back with a wider token and makes the call again. Inside, such a call is
refused all the same; this only says so where clients listen.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.routes import build_resource_metadata_url
from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE
from mcp.types import INVALID_REQUEST
from pydantic import AnyHttpUrl
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.oauth.refusals import error_response
from server.mcp.session import GrantedToken, TokenGrant, info_of
from server.settings.model import Settings
from server.settings.sections.oauth import READ, WRITE
from tools.discovery.describe import CALL_READ, CALL_WRITE
from tools.registry import provider_of_tool
from tools.selection import ALWAYS, DEFAULT, ToolInfo


@dataclass(frozen=True, slots=True)
class _Call:
    id: str | int
    tool: str
    arguments: Mapping[str, Any]

    @property
    def names(self) -> Iterator[str]:
        """The tool, and the operation that it calls for somebody."""
        yield self.tool
        if self.tool in {CALL_READ, CALL_WRITE} and isinstance(named := self.arguments.get("operation"), str):
            yield named


class StepUp:
    """Stands before the MCP endpoint, behind the check of the token."""

    def __init__(self, app: ASGIApp, settings: Settings, resource: AnyHttpUrl) -> None:
        self._app = app
        self._selection = settings.selection
        self._providers = settings.set_up
        self._metadata = str(build_resource_metadata_url(resource))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on as it came."""
        grant = _grant_of(scope)
        if grant is None:
            await self._app(scope, receive, send)
            return
        received, body = await _read_body(receive)
        call = _call_in(body)
        beyond = self._beyond(call, grant) if call is not None else []
        if call is None or not beyond:
            await self._app(scope, _replay(received, receive), send)
            return
        scopes = " ".join(dict.fromkeys(name for tool in beyond for name in _scopes_for(tool, grant)))
        needs = f"{beyond[-1].name} takes the scopes {scopes}"
        challenge = (
            f'Bearer error="insufficient_scope", scope="{scopes}", resource_metadata="{self._metadata}", '
            f'error_description="{needs}"'
        )
        said = f"Out of reach: {grant.why_out_of_reach(beyond[-1])}; {needs}. Nothing was sent."
        refusal = error_response(403, call.id, INVALID_REQUEST, said, {"WWW-Authenticate": challenge})
        await refusal(scope, receive, send)

    def _beyond(self, call: _Call, grant: TokenGrant) -> list[ToolInfo]:
        """Return what a call names that a wider token would reach, and this one does not."""
        tools = [tool for name in call.names if (tool := info_of(name)) is not None]
        return [tool for tool in tools if grant.why_out_of_reach(tool) and self._offers(tool)]

    def _offers(self, tool: ToolInfo) -> bool:
        """Return True if this server has a tool for whoever has every scope."""
        provider = provider_of_tool(tool.name)
        is_reachable = self._selection.why_out_of_reach(tool.name, only_reads=tool.only_reads) is None
        return is_reachable and (provider is None or provider in self._providers)


def _grant_of(scope: Scope) -> TokenGrant | None:
    """Return what the request's token grants, if the authorization server could grant more."""
    user = scope.get("user")
    token = user.access_token if isinstance(user, AuthenticatedUser) else None
    if scope["method"] != "POST" or not isinstance(token, GrantedToken) or not token.principal or not token.scopes:
        return None
    return token.grant if token.grant.read_only or token.grant.toolsets is not None else None


def _scopes_for(tool: ToolInfo, grant: TokenGrant) -> list[str]:
    """Return all scopes that a tool takes, since some clients keep none of those they had."""
    kind = READ if tool.only_reads else WRITE
    if grant.toolsets is None or ALWAYS in tool.toolsets:
        return [kind]
    held = tool.toolsets.intersection(grant.toolsets) or tool.toolsets - {DEFAULT}
    return [kind, *sorted(held, key=lambda name: ("." not in name, name))[:1]]  # the narrowest toolset that there is


async def _read_body(receive: Receive) -> tuple[list[Message], bytes]:
    """Read a request as far as the MCP endpoint would, and keep what came."""
    received, body, is_open = list[Message](), bytearray(), True
    while is_open and len(body) <= DEFAULT_MAX_REQUEST_BODY_SIZE:
        message = await receive()
        received.append(message)
        body += message.get("body", b"")
        is_open = bool(message.get("more_body"))
    return received, bytes(body)


def _replay(received: list[Message], receive: Receive) -> Receive:
    """Return what hands out messages once more, and then those that follow."""
    waiting = iter(received)

    async def again() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return again


def _call_in(body: bytes) -> _Call | None:
    """Return the tool call that a request makes; None for any other request, and for what is none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    request = _table(found)
    params, identifier = _table(request.get("params")), request.get("id")
    tool = params.get("name")
    if request.get("method") != "tools/call" or not isinstance(tool, str) or not isinstance(identifier, str | int):
        return None
    return _Call(identifier, tool, _table(params.get("arguments")))


def _table(found: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
