"""The section of the settings that says whose access tokens open the MCP endpoint."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from clients.settings import Section, require_expanded, strip_surroundings
from guard.operators.roles import ACCOUNT
from server.settings.sections.sign_in import is_protected

READ: Final = "read"
WRITE: Final = "write"
"""Scopes of access tokens: plain reads, and everything."""

LONGEST_PRINCIPAL: Final = 200
"""Characters that the record has for whoever asks."""


def _protected(url: str) -> str:
    if not is_protected(url) or "?" in url or "#" in url:
        raise ValueError("an address that begins with https:// is expected, without ? and #")
    return url


def _split(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Address = Annotated[str, BeforeValidator(strip_surroundings), AfterValidator(_protected)]


class IntrospectionSettings(Section):
    """How tokens are checked that say nothing themselves: the authorization server is asked (RFC 7662)."""

    client_id: Annotated[str, BeforeValidator(strip_surroundings), Field(min_length=1)]
    """Id under which this server may ask the authorization server about tokens."""

    client_secret: Annotated[SecretStr, BeforeValidator(strip_surroundings), Field(min_length=1)]
    """Secret that goes with it; only from the environment or ringfence.env."""

    authentication: Literal["basic", "post"] = "basic"
    """How both are sent: `basic` in a header (client_secret_basic), or `post` in the form (client_secret_post)."""

    tokens: Literal["opaque", "all"] = "opaque"
    """Tokens that it is asked about: `opaque`, those that are no JWT, or `all`, so that revoking any takes effect."""

    keep_seconds: Annotated[float, Field(ge=0, le=300)] = 30
    """Seconds that an answer counts, and never beyond the token's end; so long a revoked token still opens."""

    @field_validator("client_id", "client_secret", mode="before")
    @classmethod
    def _take_values(cls, value: object) -> object:
        return require_expanded(value)


class OAuthSettings(Section):
    """Access by OAuth 2.1: the company's authorization server gives the tokens, and this server checks them."""

    issuer: Address
    """Issuer of the authorization server, exactly as its document writes it; tokens of any other open nothing."""

    resource: Address
    """URL at which clients reach this server's MCP endpoint, such as https://ringfence.example.com/mcp."""

    audience: Annotated[list[str], NoDecode, BeforeValidator(_split)] = []
    """What tokens have to name one of as their audience; the resource if left out, as servers put it there."""

    require_toolsets: bool = False
    """Allow a token only the toolsets that its scopes name, so that one which names none reaches no provider."""

    step_up: bool = False
    """Let clients begin with `read` and ask for more when a call takes it; their list then holds what that may be."""

    introspection: IntrospectionSettings | None = None
    """Checks of tokens at the authorization server; off if left out, and then every token has to be a JWT."""

    owners: Mapping[str, str] = {}
    """Operator to whom each subject (`sub`) belongs, who approves nothing that this subject asks for."""

    @property
    def audiences(self) -> tuple[str, ...]:
        """What a token has to name one of."""
        return tuple(self.audience) or (self.resource,)

    @property
    def longest_subject(self) -> int:
        """Characters that a subject may have, so that the record can hold it."""
        return LONGEST_PRINCIPAL - len(principal_of(self, ""))


def principal_of(settings: OAuthSettings, subject: str) -> str:
    """Return who asks, as the record names them.

    No static token has the same name, and no subject of another issuer: an issuer holds no blank, and is here as a
    whole, since companies share a host at some (Entra), and so do realms of one server (Keycloak).
    """
    return f"{ACCOUNT}{settings.issuer} {subject}"
