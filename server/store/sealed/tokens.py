"""Stores provider sessions encrypted: a single-use refresh token must be on disk before it is used."""

import base64
import binascii
from contextlib import suppress

from cryptography.fernet import InvalidToken

from guard.errors import JournalUnavailable
from server.store.key_values import KeyValueStore
from server.store.sealed.seal import Seal

PREFIX = "session:"


class StoredTokens:
    """Implements `clients.shared.tokens.TokenStore`."""

    def __init__(self, key_values: KeyValueStore, seal: Seal) -> None:
        self._key_values = key_values
        self._seal = seal

    async def get(self, name: str) -> str | None:
        """Return the stored session; None if the store or its key cannot be used, which costs a login."""
        with suppress(JournalUnavailable, InvalidToken, binascii.Error):
            sealed = await self._key_values.get(PREFIX + name)
            return self._seal.open(base64.b64decode(sealed)) if sealed else None
        return None

    async def put(self, name: str, value: str) -> None:
        """Encrypt a session and store it in place of the earlier one; do nothing if the store cannot be used."""
        with suppress(JournalUnavailable):
            sealed = base64.b64encode(self._seal.close(value)).decode("ascii")
            await self._key_values.put(PREFIX + name, sealed)

    async def drop(self, name: str) -> None:
        """Delete a session; do nothing if the store cannot be used."""
        with suppress(JournalUnavailable):
            await self._key_values.drop(PREFIX + name)
