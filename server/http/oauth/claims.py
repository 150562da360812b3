"""What an access token has to say: the same for one that is signed and for one that its server vouches for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from joserfc import jwt
from joserfc.errors import JoseError

from server.console.oidc.errors import ProviderMisfit
from server.settings.sections.oauth import OAuthSettings

SKEW_SECONDS: Final = 60
"""How far the clock of the authorization server and ours may be apart."""

BEARER: Final = "bearer"


def require_for_us(claims: Mapping[str, Any], settings: OAuthSettings, now: datetime) -> None:
    """Refuse a token of another issuer, for another resource, out of its time, of another kind, or without a holder.

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
    _require_bearer(claims)


def _require_bearer(claims: Mapping[str, Any]) -> None:
    """Refuse what whoever holds it may not use as an access token.

    Raises:
        ProviderMisfit: It is such a one.
    """
    if "nonce" in claims or "at_hash" in claims:
        raise ProviderMisfit("it is an ID token, which says who signed in, and opens nothing.")
    if claims.get("cnf") is not None:
        raise ProviderMisfit("it is bound to a key of its client (`cnf`), which bearer tokens are not.")
    kind = claims.get("token_type")
    if kind is not None and (not isinstance(kind, str) or kind.lower() != BEARER):
        raise ProviderMisfit("its `token_type` is not Bearer.")


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a token: `scope` as RFC 9068 has it, or `scp` as some servers write it, text or list."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found |= set(value.split(" "))
        elif isinstance(value, list):
            found |= {one for one in cast("list[object]", value) if isinstance(one, str)}
    return frozenset(found)
