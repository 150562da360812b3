"""The provider as this process knows it: its document and its keys, read when they are needed and kept for an hour."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

import anyio

from clients.shared.clock import Clock
from server.console.oidc.discovery import Provider, discover
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.transport import get_json
from server.settings.sections.sign_in import OidcSettings

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(hours=1)
"""A provider may move, or take a key out of use, at any time; an hour later nothing old is trusted."""

SKEW_SECONDS: Final = 60
"""How far the provider's clock and ours may be apart."""

BETWEEN_READS: Final = timedelta(seconds=30)
"""Anybody can begin a sign-in, and a token may name any key: neither makes us ask the provider more often than this."""


class KnownProvider:
    """Reads the provider's document and keys, each at most once in `BETWEEN_READS`, for all who sign in."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._reading = anyio.Lock()
        self._provider: Provider | None = None
        self._provider_read_at: datetime | None = None
        self._failure: ProviderMisfit | None = None
        self._keys: tuple[Mapping[str, Any], ...] = ()
        self._keys_read_at: datetime | None = None

    async def document(self) -> Provider:
        """Return the provider's document, checked.

        Raises:
            ProviderMisfit: It cannot be read or does not fit; for a short while that is known without asking again.
        """
        async with self._reading:
            if self._provider is not None and self._is_within(self._provider_read_at, KEPT):
                return self._provider
            if self._failure is not None and self._is_within(self._provider_read_at, BETWEEN_READS):
                raise self._failure
            self._provider, self._failure = None, None
            try:
                self._provider = await discover(self._settings)
            except ProviderMisfit as misfit:
                logger.warning("%s", misfit)
                self._failure = misfit
                raise
            finally:
                self._provider_read_at = self._clock.now()
            return self._provider

    async def keys(self, key_id: str | None) -> tuple[Mapping[str, Any], ...]:
        """Return the keys that a token with this key id may be signed with: those of that id, or all if it names none.

        An id that is not known makes the keys be read again, since providers change keys without notice.

        Raises:
            ProviderMisfit: The keys cannot be read.
        """
        provider = await self.document()
        async with self._reading:
            if not self._is_within(self._keys_read_at, BETWEEN_READS if self._lacks(key_id) else KEPT):
                await self._read_keys(provider)
            return _named(self._keys, key_id)

    def _lacks(self, key_id: str | None) -> bool:
        return not _named(self._keys, key_id)

    async def _read_keys(self, provider: Provider) -> None:
        found: object = (await get_json(provider.jwks_uri)).get("keys")
        listed = cast("list[object]", found) if isinstance(found, list) else []
        keys = [cast("Mapping[str, Any]", key) for key in listed if isinstance(key, Mapping)]
        self._keys = tuple(key for key in keys if key.get("use", "sig") == "sig")
        self._keys_read_at = self._clock.now()

    def _is_within(self, moment: datetime | None, span: timedelta) -> bool:
        return moment is not None and timedelta() <= self._clock.now() - moment < span


def _named(keys: tuple[Mapping[str, Any], ...], key_id: str | None) -> tuple[Mapping[str, Any], ...]:
    return keys if key_id is None else tuple(key for key in keys if key.get("kid") == key_id)
