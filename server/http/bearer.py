"""Bearer tokens from the settings."""

import hmac
from collections.abc import Mapping

from mcp.server.auth.provider import AccessToken, TokenVerifier
from pydantic import SecretStr


class BearerTokens(TokenVerifier):
    """Checks bearer tokens; the name that the settings give a token becomes the principal."""

    def __init__(self, tokens: Mapping[str, SecretStr]) -> None:
        """`tokens` are by holder; they are this server's own, so they are for no other resource."""
        self._tokens = tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return access in the name of the token's holder, or None if the settings have no such token."""
        holder = None
        # Every token is compared, so that the time taken does not depend on the holder.
        for name, secret in self._tokens.items():
            if hmac.compare_digest(token.encode("utf-8"), secret.get_secret_value().encode("utf-8")):
                holder = name
        if holder is None:
            return None
        return AccessToken(token=token, client_id=holder, scopes=[], subject=holder)
