"""What clients share through the store: rate limits, cached answers and login sessions.

Clients are made before the store is needed: each of these opens it on first use.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clients.shared.cache import CachedAnswer
from clients.shared.inbound_texts import InboundText
from clients.shared.limits import Limit
from guard.rules.optout_keywords import read_wish
from server.store.door import StoreDoor
from tools.webhooks import source_of


def limit_of_account(limit: Limit, account: str | None) -> Limit:
    """Return the limit that the provider counts for an account; others are shared by all of its accounts.

    `account` is None for the one that is named like its provider.
    """
    if account is None or limit.per == "address":
        return limit
    return replace(limit, name=f"{limit.name}, account {account}")


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """The store's rate limits, which all processes on one store count together."""

    door: StoreDoor
    account: str | None = None
    """Name of the account, where the provider has others; None for the one that is named like its provider."""

    async def take(self, limit: Limit) -> None:
        """Count one call against a limit.

        Raises:
            LimitReached: No call is left; nothing was sent.
        """
        await self.door.store.limits.take(self._of_account(limit))

    async def exhaust(self, limit: Limit, *, seconds: float | None) -> None:
        """Count a limit as used up for all processes, because the provider refused a call by it."""
        await self.door.store.limits.exhaust(self._of_account(limit), seconds=seconds)

    def _of_account(self, limit: Limit) -> Limit:
        return limit_of_account(limit, self.account)


@dataclass(frozen=True, slots=True)
class SharedCache:
    """The store's cache of answers."""

    door: StoreDoor

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        """Return a cached answer; None where there is none."""
        return await self.door.store.cache.get(account, name)

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        """Cache an answer."""
        await self.door.store.cache.put(account, name, answer)

    async def mark_stale(self, account: str) -> None:
        """Mark every cached answer of an account as possibly out of date."""
        await self.door.store.cache.mark_stale(account)


@dataclass(frozen=True, slots=True)
class SharedOptOuts:
    """The store's opt-outs, as far as answers of providers add to them. One list counts for all accounts."""

    door: StoreDoor
    account: str
    """Name of the account whose answers these are."""

    async def take_in(self, provider: str, texts: Sequence[InboundText]) -> None:
        """Take in the texts of one answer; most say nothing about further messages, and open no store."""
        if wishes := [text for text in texts if read_wish(text.text) is not None]:
            await self.door.store.optouts.take_in(source_of(provider, self.account), wishes)


@dataclass(frozen=True, slots=True)
class SharedTokens:
    """The store's login sessions at providers."""

    door: StoreDoor

    async def get(self, name: str) -> str | None:
        """Return a session's token; None where there is none."""
        return await self.door.store.tokens.get(name)

    async def put(self, name: str, value: str) -> None:
        """Keep a session's token."""
        await self.door.store.tokens.put(name, value)

    async def drop(self, name: str) -> None:
        """Forget a session's token."""
        await self.door.store.tokens.drop(name)
