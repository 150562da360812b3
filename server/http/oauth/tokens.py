"""Access tokens of the operator's authorization server, beside the static tokens of the settings.

A token has to be signed by the issuer (RFC 9068), or the issuer vouches for it when asked (RFC 7662); it has to be for
this very resource, and in force. Its scopes say what its holder may do: `read` for plain reads, `write` for everything,
and names of toolsets, which narrow either.
"""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from mcp.server.auth.provider import AccessToken, TokenVerifier

from clients.shared.clock import Clock
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.id_token import header_of, key_id_of, verify_signature
from server.http.oauth.claims import SKEW_SECONDS, require_for_us, scopes_of
from server.http.oauth.introspection import Introspection
from server.http.oauth.issuer import Issuer, reason_of
from server.mcp.session import GrantedToken, TokenGrant
from server.settings.names import toolsets_of
from server.settings.sections.oauth import READ, WRITE, OAuthSettings, principal_of
from tools.registry import all_operations, provider_names

logger = logging.getLogger(__name__)


class OAuthTokens(TokenVerifier):
    """Checks static tokens first, and then access tokens of the authorization server."""

    def __init__(self, settings: OAuthSettings, static: TokenVerifier, clock: Clock) -> None:
        self._settings = settings
        self._static = static
        self._clock = clock
        self._issuer = Issuer(settings.issuer, clock)
        asks = settings.introspection
        self._introspection = None if asks is None else Introspection(settings, asks, clock)
        self._asks_about_all = asks is not None and asks.tokens == "all"

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return access for a token that counts here, and None for any other; the log says why, without the token.

        Raises:
            AuthorizationServerUnavailable: Whether it counts cannot be found out now.
        """
        static = await self._static.verify_token(token)
        if static is not None:
            return static
        try:
            return self._access(token, await self._claims_of(token))
        except ProviderMisfit as misfit:
            logger.info("An access token is refused: %s", reason_of(misfit))
            return None

    async def _claims_of(self, token: str) -> Mapping[str, Any]:
        """Return what a token says, as its signature or the authorization server vouches for, once it is for us."""
        if self._introspection is not None and (self._asks_about_all or not is_signed(token)):
            return await self._introspection.claims_of(token)
        require_access_token(token)
        claims = verify_signature(token, await self._issuer.keys(key_id_of(token)))
        require_for_us(claims, self._settings, self._clock.now())
        return claims

    def _access(self, token: str, claims: Mapping[str, Any]) -> AccessToken:
        scopes = scopes_of(claims)
        may = ([READ] if {READ, WRITE} & scopes else []) + ([WRITE] if WRITE in scopes else [])
        grant = TokenGrant(
            toolsets=self._toolsets_in(scopes),
            read_only=WRITE not in scopes,
            shows_all=self._settings.step_up,
        )
        return GrantedToken(
            token=token,
            client_id=str(claims.get("client_id") or claims.get("azp") or claims["sub"]),
            scopes=may,
            expires_at=int(claims["exp"]) + SKEW_SECONDS,
            subject=claims["sub"],
            claims={"iss": claims["iss"]},
            resource=self._settings.resource,
            grant=grant,
            principal=principal_of(self._settings, claims["sub"]),
        )

    def _toolsets_in(self, scopes: frozenset[str]) -> tuple[str, ...] | None:
        """Return the toolsets that scopes narrow a token to; None for all.

        A name that begins with a provider's is meant as a toolset: one that is not there reaches nothing, rather than
        everything.
        """
        meant = {scope for scope in scopes if "." in scope and scope.partition(".")[0] in provider_names()}
        named = (scopes & _toolsets()) | meant
        return tuple(sorted(named)) if named or self._settings.require_toolsets else None


@cache
def _toolsets() -> frozenset[str]:
    return frozenset(toolsets_of(all_operations().values()))


def is_signed(token: str) -> bool:
    """Return True for a token in the form of a JWT, whoever signed it."""
    try:
        header_of(token)
    except ProviderMisfit:
        return False
    return True


def require_access_token(token: str) -> None:
    """Refuse a token of another type (RFC 8725, 3.11): logout tokens and others are signed with the same keys.

    Many servers write `JWT`, or no type, instead of the `at+jwt` of RFC 9068.

    Raises:
        ProviderMisfit: It says that it is something else, or is no signed token.
    """
    named = header_of(token).get("typ", "jwt")
    if not isinstance(named, str) or named.lower().removeprefix("application/") not in {"jwt", "at+jwt"}:
        raise ProviderMisfit("its `typ` is not that of an access token.")
