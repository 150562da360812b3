"""Bearer tokens from the settings."""

import hmac
from collections.abc import Mapping
from typing import Final

from mcp.server.auth.provider import AccessToken, TokenVerifier
from pydantic import SecretStr

from server.mcp.session import EVERYTHING, GrantedToken, TokenGrant
from server.settings.model import TokenSettings
from server.settings.sections.oauth import READ, WRITE

SCOPES: Final = [READ, WRITE]
"""What a token of the settings may ask for; its grant says what it gets."""


class BearerTokens(TokenVerifier):
    """Checks bearer tokens; the name that the settings give a token becomes the principal."""

    def __init__(self, tokens: Mapping[str, SecretStr], grants: Mapping[str, TokenGrant] | None = None) -> None:
        """`tokens` are by holder; they are this server's own, so they are for no other resource.

        `grants` are what holders may use, where that is not everything.
        """
        self._tokens = tokens
        self._grants = grants or {}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return access in the name of the token's holder, or None if the settings have no such token."""
        holder = None
        # Every token is compared, so that the time taken does not depend on the holder.
        for name, secret in self._tokens.items():
            if hmac.compare_digest(token.encode("utf-8"), secret.get_secret_value().encode("utf-8")):
                holder = name
        if holder is None:
            return None
        grant = self._grants.get(holder, EVERYTHING)
        return GrantedToken(token=token, client_id=holder, scopes=SCOPES, subject=holder, grant=grant)


def grants_of(tokens: Mapping[str, SecretStr | TokenSettings]) -> dict[str, TokenGrant]:
    """Return what the holders of tokens may use, where that is not everything."""
    return {holder: _grant_of(token) for holder, token in tokens.items() if isinstance(token, TokenSettings)}


def _grant_of(token: TokenSettings) -> TokenGrant:
    toolsets = tuple(token.toolsets) if token.toolsets is not None else None
    accounts = frozenset(token.accounts) if token.accounts is not None else None
    return TokenGrant(accounts=accounts, toolsets=toolsets, read_only=token.read_only)
