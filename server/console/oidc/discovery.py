"""The provider's discovery document: where its endpoints are and what it can do (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.transport import get_json
from server.settings.sections.sign_in import OidcSettings, is_protected

_DOCUMENT: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Provider:
    """What we use of the provider's document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    names_itself: bool
    """True if every answer to the browser names the issuer (RFC 9207)."""


async def discover(settings: OidcSettings) -> Provider:
    """Read the provider's document and check it.

    Raises:
        ProviderMisfit: It cannot be read, is another issuer's, or names what is not protected or not supported.
    """
    return read_document(await get_json(settings.issuer.rstrip("/") + _DOCUMENT), settings)


def read_document(document: Mapping[str, Any], settings: OidcSettings) -> Provider:
    """Check a discovery document and take from it what we use.

    Raises:
        ProviderMisfit: It is another issuer's, or names what is not protected or not supported.
    """
    if document.get("issuer") != settings.issuer:
        raise ProviderMisfit(
            "The discovery document is that of another issuer than `sign_in.oidc.issuer`. Set it exactly as the "
            "provider writes it, with or without a slash at the end."
        )
    _require_offer(document, "response_types_supported", "code")
    _require_offer(document, "code_challenge_methods_supported", "S256")
    _require_offer(document, "scopes_supported", "openid")
    if settings.client_secret is not None:
        _require_offer(document, "token_endpoint_auth_methods_supported", "client_secret_basic")
    userinfo = document.get("userinfo_endpoint")
    return Provider(
        issuer=settings.issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", settings.issuer),
        token_endpoint=_endpoint(document, "token_endpoint", settings.issuer),
        jwks_uri=_endpoint(document, "jwks_uri", settings.issuer),
        userinfo_endpoint=None if userinfo is None else _endpoint(document, "userinfo_endpoint", settings.issuer),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _require_offer(document: Mapping[str, Any], key: str, needed: str) -> None:
    """Refuse a provider that lists what it supports without what we need; many leave such lists out."""
    offered = document.get(key)
    if isinstance(offered, list) and needed not in offered:
        raise ProviderMisfit(f"The sign-in provider does not list `{needed}` in `{key}`.")


def _endpoint(document: Mapping[str, Any], key: str, issuer: str) -> str:
    url = document.get(key)
    if not isinstance(url, str) or not is_protected(url) or "#" in url:
        raise ProviderMisfit(f"The sign-in provider's `{key}` is no https:// address.")
    if issuer.startswith("https:") and not url.startswith("https:"):
        raise ProviderMisfit(f"The sign-in provider's `{key}` is no https:// address.")
    return url
