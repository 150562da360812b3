"""Metadata of the protected resource (RFC 9728), by which clients find the authorization server and the scopes.

It stands where the path of the resource puts it, and at the root, where older clients look.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.oauth.tokens import READ, WRITE
from server.settings.sections.oauth import OAuthSettings

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=3600"}


def metadata_routes(settings: OAuthSettings) -> list[Route]:
    """Build the routes that answer with the metadata."""
    document = {
        "resource": settings.resource,
        "authorization_servers": [settings.issuer],
        "scopes_supported": [READ, WRITE],
        "bearer_methods_supported": ["header"],
        "resource_name": "Ringfence",
    }

    async def answer(_: Request) -> Response:
        return JSONResponse(document, headers=_HEADERS)

    path = urlsplit(settings.resource).path.rstrip("/")
    return [Route(at, answer, methods=["GET", "HEAD"]) for at in dict.fromkeys((WELL_KNOWN + path, WELL_KNOWN))]


class NamedScopes:
    """Adds the scopes to what a refusal tells the client, as MCP wants it; the SDK names none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = f', scope="{READ} {WRITE}"'.encode()
                message["headers"] = [
                    (name, value + named if name == b"www-authenticate" else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        await self._app(scope, receive, told)
