"""The section of the settings that says how operators sign in on the approval page."""

import re
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from clients.settings import Section, matching, require_expanded, strip_surroundings
from guard.operators.roles import Role

GROUP: Final = "group:"
"""What a key of `roles` begins with that names a group; any other is an address."""

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _role(value: object) -> object:
    if isinstance(value, str) and value in set(Role):
        return Role(value)
    raise ValueError(f"one of {', '.join(Role)} is expected")


RoleName = Annotated[Role, BeforeValidator(_role)]


def is_protected(url: str) -> bool:
    """Return True if nobody between us and this URL can read along: it is HTTPS, or on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or any(char.isspace() for char in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _issuer(url: str) -> str:
    if not is_protected(url) or "?" in url or "#" in url:
        raise ValueError("the provider's issuer is expected, an address that begins with https://, as it writes it")
    return url


def _split(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _scopes(scopes: list[str]) -> list[str]:
    if "openid" not in scopes:
        raise ValueError("`openid` must be among them: without it the provider says nothing about who signed in")
    return scopes


Scopes = Annotated[
    list[Annotated[str, matching(r"[!#-\[\]-~]+", "a name without blanks")]],
    NoDecode,
    BeforeValidator(_split),
    AfterValidator(_scopes),
]

_WHO: Final = re.compile(rf"{GROUP}\S.*|[^@\s]+@[^@\s]+")


def _roles(roles: Mapping[str, Role]) -> Mapping[str, Role]:
    if not all(_WHO.fullmatch(who) for who in roles):
        raise ValueError("each key must be an e-mail address, or `group:` and the name of a group")
    addresses = [who.lower() for who in roles if not who.startswith(GROUP)]
    if len(set(addresses)) < len(addresses):
        raise ValueError("an address stands in it twice, in other capitals")
    return roles


class OidcSettings(Section):
    """Sign-in with the company's accounts, by OpenID Connect."""

    issuer: Annotated[str, BeforeValidator(strip_surroundings), AfterValidator(_issuer)]
    """Issuer of the company's OpenID Connect provider, exactly as its discovery document writes it."""

    client_id: Annotated[str, BeforeValidator(strip_surroundings), Field(min_length=1)]
    """Id under which Ringfence is registered at the provider."""

    client_secret: Annotated[SecretStr, BeforeValidator(strip_surroundings), Field(min_length=1)] | None = None
    """Secret of that registration; left out for a public client, which PKCE protects alone."""

    scopes: Scopes = ["openid", "email", "profile"]
    """What is asked of the provider, `openid` among it; some need `groups` here to send the groups."""

    name: Annotated[str, Field(min_length=1, max_length=40)] = "single sign-on"
    """What the button names after `Sign in with`, such as the company."""

    groups_claim: Annotated[str, Field(min_length=1)] = "groups"
    """Claim that lists the groups of whoever signs in."""

    max_age_minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None
    """Minutes since the person last proved who it is; after longer the provider asks again. Not every provider can."""

    roles: Annotated[Mapping[str, RoleName], Field(min_length=1), AfterValidator(_roles)]
    """Role by verified e-mail address or by `group:NAME`; the highest counts, and whoever has none is refused."""

    @field_validator("issuer", "client_id", "client_secret", mode="before")
    @classmethod
    def _take_values(cls, value: object) -> object:
        return require_expanded(value)

    @property
    def asks_for_addresses(self) -> bool:
        """True if a role depends on an e-mail address."""
        return any(not who.startswith(GROUP) for who in self.roles)

    @property
    def asks_for_groups(self) -> bool:
        """True if a role depends on a group."""
        return any(who.startswith(GROUP) for who in self.roles)


class SignInSettings(Section):
    """How operators sign in on the approval page, besides the passcode."""

    oidc: OidcSettings | None = None
    """Sign-in with the company's accounts, by OpenID Connect; off if left out."""
