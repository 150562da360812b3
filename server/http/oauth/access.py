"""The one door to OAuth: what checks the tokens, and what tells clients about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from clients.deferred import Deferred
from clients.shared.clock import Clock
from server.http.oauth.metadata import metadata_routes
from server.http.oauth.refusals import ENDPOINT, Refusals
from server.settings.model import Settings
from server.settings.sections.oauth import READ, WRITE, OAuthSettings

OAUTH_TOKENS: Final = Deferred[Callable[[OAuthSettings, TokenVerifier, Clock], TokenVerifier]](
    "server.http.oauth.tokens:OAuthTokens"
)
STEP_UP: Final = Deferred[Callable[[ASGIApp, Settings, AnyHttpUrl], ASGIApp]]("server.http.oauth.step_up:StepUp")
"""Deferred: they load what checks signatures, and what calls need, for servers with an authorization server alone."""


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

    def tell(self, app: Starlette, settings: Settings) -> None:
        """Tell clients of an application where tokens come from, and which scopes there are, or a call takes."""
        for route in app.router.routes:
            if isinstance(route, Route) and route.path == ENDPOINT and self.auth.resource_server_url is not None:
                route.app = STEP_UP.load()(route.app, settings, self.auth.resource_server_url)
        scopes = [READ] if settings.read_only else [READ, WRITE]
        app.router.routes[:0] = metadata_routes(self.auth, scopes)  # before the SDK's own, which name fewer scopes
        begins_small = settings.http.oauth is not None and settings.http.oauth.step_up
        app.add_middleware(Refusals, scopes=[READ] if begins_small else scopes)
