"""Checks ID tokens (OpenID Connect Core 1.0, 3.1.3.7). It imports joserfc, so it is loaded when somebody comes back."""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.provider import SKEW_SECONDS

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Signatures with a private key, which only the provider has. Never `none`, and never HMAC: its key would be the
client secret, or, for who mixes them up, a public key that everybody has."""

OLDEST_SECONDS: Final = 10 * 60
"""A token is made for the sign-in that asks for it; an older one was made for another."""

SMALLEST_RSA_BITS: Final = 2048
LARGEST_TOKEN: Final = 64 * 1024

_KEY_TYPES: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_TYPE_OF: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""Type of key by the beginning of an algorithm's name."""


def key_id_of(token: str) -> str | None:
    """Return the id of the key that a token says it is signed with; None where it names none. Nothing is verified.

    Raises:
        ProviderMisfit: It is no signed token.
    """
    key_id = header_of(token).get("kid")
    return key_id if isinstance(key_id, str) else None


def header_of(token: str) -> Mapping[str, object]:
    """Return what a token says of itself; nothing is verified.

    Raises:
        ProviderMisfit: It is no signed token.
    """
    header, dots = token.partition(".")[0], token.count(".")
    if len(token) > LARGEST_TOKEN or dots != 2:
        raise _misfit("it is no signed token")
    try:
        found: object = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (ValueError, RecursionError):
        raise _misfit("it is no signed token") from None
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}


def check_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """Return the claims of a token that this provider made for this client and this sign-in, just now.

    `keys` are those that it may be signed with, in the form of a JWK.

    Raises:
        ProviderMisfit: The token is not such a one; the message says why.
    """
    claims = verify_signature(token, keys)
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError:
        raise _misfit("it has expired; compare the clocks of both machines") from None
    except (MissingClaimError, InvalidClaimError) as wrong:
        raise _misfit(f"its claim `{wrong.claim}` is missing or not as expected") from None
    if claims["iat"] < now.timestamp() - SKEW_SECONDS - OLDEST_SECONDS:
        raise _misfit("it was issued long before this sign-in; compare the clocks of both machines")
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise _misfit("it was made for another sign-in")
    is_for_us_alone = claims["aud"] in (client_id, [client_id])
    if (not is_for_us_alone or "azp" in claims) and claims.get("azp") != client_id:
        raise _misfit("it was made for another client")
    return claims


def verify_signature(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the claims of a token that one of the keys signed; whether they fit is for the caller.

    Raises:
        ProviderMisfit: None of them did, or the algorithm is not one that they allow.
    """
    if not keys:
        raise _misfit("the provider publishes no key of the id that it names")
    key_id_of(token)
    for key in keys:
        try:
            return jwt.decode(token, _read_key(key), registry=_Registry(algorithms=_algorithms_for(key))).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue  # the next key may be the one
    raise _misfit("its signature or its algorithm is not one that the provider's keys allow")


class _Registry(JWSRegistry):
    """Tokens as providers make them: header parameters that nobody knows are ignored, as RFC 7515 wants it."""

    max_header_length = 4096

    def __init__(self, *, algorithms: Sequence[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)


def _algorithms_for(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the algorithms that a key may sign with: that which it names, or all of its type."""
    named = key.get("alg")
    fitting = tuple(each for each in ALGORITHMS if _TYPE_OF[each[:2]] == key.get("kty") and named in (None, each))
    if not fitting:
        raise ValueError("a key of another kind")
    return fitting


def _read_key(key: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey:
    """Read the public part of a key; what else its entry holds is not needed."""
    kind = _KEY_TYPES[key["kty"]]
    public = {name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key}
    if kind is RSAKey and len(urlsafe_b64decode(public["n"] + "==")) * 8 < SMALLEST_RSA_BITS:
        raise ValueError("a key that is too short")
    return kind.import_key(public)


def _misfit(why: str) -> ProviderMisfit:
    return ProviderMisfit(f"The sign-in provider's token does not fit: {why}.")
