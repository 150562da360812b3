"""Access tokens of the operator's authorization server (RFC 9068), beside the static tokens of the settings.

A token has to be signed by the issuer, for this very resource, and in force. Its scopes say what its holder may do:
`read` for plain reads, `write` for everything, and names of toolsets, which narrow either.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from joserfc import jwt
from joserfc.errors import JoseError
from mcp.server.auth.provider import AccessToken, TokenVerifier

from clients.shared.clock import Clock
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.id_token import header_of, key_id_of, verify_signature
from server.http.oauth.issuer import Issuer, reason_of
from server.mcp.session import GrantedToken, TokenGrant
from server.settings.names import toolsets_of
from server.settings.sections.oauth import READ, WRITE, OAuthSettings, principal_of
from tools.registry import all_operations, provider_names

logger = logging.getLogger(__name__)

SKEW_SECONDS: Final = 60
"""How far the clock of the authorization server and ours may be apart."""


class OAuthTokens(TokenVerifier):
    """Checks static tokens first, and then access tokens of the authorization server."""

    def __init__(self, settings: OAuthSettings, static: TokenVerifier, clock: Clock) -> None:
        self._settings = settings
        self._static = static
        self._clock = clock
        self._issuer = Issuer(settings.issuer, clock)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return access for a token that counts here, and None for any other; the log says why, without the token."""
        static = await self._static.verify_token(token)
        if static is not None:
            return static
        try:
            require_access_token(token)
            claims = verify_signature(token, await self._issuer.keys(key_id_of(token)))
            require_for_us(claims, self._settings, self._clock.now())
            return self._access(token, claims)
        except ProviderMisfit as misfit:
            logger.info("An access token is refused: %s", reason_of(misfit))
            return None

    def _access(self, token: str, claims: Mapping[str, Any]) -> AccessToken:
        scopes = scopes_of(claims)
        may = ([READ] if {READ, WRITE} & scopes else []) + ([WRITE] if WRITE in scopes else [])
        grant = TokenGrant(toolsets=self._toolsets_in(scopes), read_only=WRITE not in scopes)
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


def require_access_token(token: str) -> None:
    """Refuse a token of another type (RFC 8725, 3.11): logout tokens and others are signed with the same keys.

    Many servers write `JWT`, or no type, instead of the `at+jwt` of RFC 9068.

    Raises:
        ProviderMisfit: It says that it is something else, or is no signed token.
    """
    named = header_of(token).get("typ", "jwt")
    if not isinstance(named, str) or named.lower().removeprefix("application/") not in {"jwt", "at+jwt"}:
        raise ProviderMisfit("its `typ` is not that of an access token.")


def require_for_us(claims: Mapping[str, Any], settings: OAuthSettings, now: datetime) -> None:
    """Refuse a token of another issuer, for another resource, out of its time, or without a holder.

    Raises:
        ProviderMisfit: It is such a one.
    """
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": settings.issuer},
        sub={"essential": True},
        aud={"essential": True, "values": list(settings.audiences)},
        exp={"essential": True},
    )
    try:
        registry.validate(dict(claims))
    except JoseError as wrong:
        claim = getattr(wrong, "claim", None) or "exp"
        raise ProviderMisfit(f"its claim `{claim}` is missing or not as expected.") from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= settings.longest_subject:
        raise ProviderMisfit("its claim `sub` names nobody.")
    if "nonce" in claims or "at_hash" in claims:
        raise ProviderMisfit("it is an ID token, which says who signed in, and opens nothing.")


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a token: `scope` as RFC 9068 has it, or `scp` as some servers write it, text or list."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found |= set(value.split())
        elif isinstance(value, list):
            found |= {one for one in cast("list[object]", value) if isinstance(one, str)}
    return frozenset(found)
