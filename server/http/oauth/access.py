"""The one door to OAuth: what checks the tokens, and what tells clients about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from starlette.applications import Starlette

from clients.deferred import Deferred
from clients.shared.clock import Clock
from server.http.oauth.metadata import NamedScopes, metadata_routes
from server.settings.sections.oauth import READ, OAuthSettings

OAUTH_TOKENS: Final = Deferred[Callable[[OAuthSettings, TokenVerifier, Clock], TokenVerifier]](
    "server.http.oauth.tokens:OAuthTokens"
)
"""Deferred: it loads what checks signatures, which only servers with an authorization server need."""


@dataclass(frozen=True, slots=True)
class OAuthAccess:
    """Access by tokens of an authorization server."""

    auth: AuthSettings
    verifier: TokenVerifier

    @classmethod
    def of(cls, settings: OAuthSettings, static: TokenVerifier, clock: Clock) -> "OAuthAccess":
        """Prepare access; `static` checks the tokens of the settings, which work beside it."""
        addresses = {"issuer_url": settings.issuer, "resource_server_url": settings.resource}  # kept as written
        # Our verifier checks the audience, which some servers name otherwise than the resource.
        auth = AuthSettings.model_validate({**addresses, "required_scopes": [READ], "validate_token_resource": False})
        return cls(auth, OAUTH_TOKENS.load()(settings, static, clock))

    def tell(self, app: Starlette) -> None:
        """Tell clients of an application where tokens come from, and which scopes there are."""
        app.router.routes[:0] = metadata_routes(self.auth)  # before the SDK's own, which name fewer scopes
        app.add_middleware(NamedScopes)
