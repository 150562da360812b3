"""What a client is told about access: the metadata of the protected resource (RFC 9728).

The metadata stand where the path of the resource puts them, and at the root, where older clients look.
"""

from typing import Final

from mcp.server.auth.routes import create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings
from starlette.routing import Route

ROOT: Final = "/.well-known/oauth-protected-resource"


def metadata_routes(auth: AuthSettings, scopes: list[str]) -> list[Route]:
    """Build the routes that answer with the metadata, as the SDK does, with every scope that a client may ask for."""
    if auth.resource_server_url is None:
        return []
    at_path = create_protected_resource_routes(
        auth.resource_server_url, [auth.issuer_url], scopes, resource_name="Ringfence"
    )
    return [*at_path, *(Route(ROOT, endpoint=route.endpoint, methods=["GET", "OPTIONS"]) for route in at_path)]
