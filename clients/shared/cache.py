"""A cache of provider answers, to stay within a provider's rate limit."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A raw answer and when it came."""

    raw: str
    at: datetime
    is_stale: bool = False
    """True when money was spent since then, so that it serves only where the limit allows no newer answer."""


class AnswerCache(Protocol):
    """Stores raw answers. Processes that share a store share the cache."""

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        """Return the answer to this read of this account, however old."""
        ...

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        """Store an answer."""
        ...

    async def mark_stale(self, account: str) -> None:
        """Mark every cached answer of an account as stale."""
        ...


class ProcessCache:
    """A cache in this process's memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CachedAnswer] = {}

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        """Return what is stored under the name, None where nothing is."""
        return self._kept.get((account, name))

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        """Store it in memory."""
        self._kept[account, name] = answer

    async def mark_stale(self, account: str) -> None:
        """Mark every cached answer of an account as stale."""
        for key, kept in self._kept.items():
            if key[0] == account:
                self._kept[key] = replace(kept, is_stale=True)
