"""What a client is told about access: the metadata of the protected resource (RFC 9728), and the scopes in a refusal.

The metadata stand where the path of the resource puts them, and at the root, where older clients look.
"""

from typing import Final

from mcp.server.auth.routes import create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.settings.sections.oauth import READ, WRITE

ROOT: Final = "/.well-known/oauth-protected-resource"


def metadata_routes(auth: AuthSettings) -> list[Route]:
    """Build the routes that answer with the metadata, as the SDK does, with every scope that a client may ask for."""
    if auth.resource_server_url is None:
        return []
    at_path = create_protected_resource_routes(
        auth.resource_server_url, [auth.issuer_url], [READ, WRITE], resource_name="Ringfence"
    )
    return [*at_path, *(Route(ROOT, endpoint=route.endpoint, methods=["GET", "OPTIONS"]) for route in at_path)]


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
