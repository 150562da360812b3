"""Answers that may be given again for a while, to spare a provider's limit."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A raw answer and when it came."""

    raw: str
    at: datetime
    is_stale: bool = False
    """True when something was spent since, so that it is only good where no newer one can be had."""


class AnswerCache(Protocol):
    """Keeps raw answers. Several processes that share a store share it."""

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        """The answer to this read of this account, however old."""
        ...

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        """Keep an answer."""
        ...

    async def mark_stale(self, account: str) -> None:
        """Mark everything kept of an account as stale."""
        ...


class ProcessCache:
    """Answers kept in this process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CachedAnswer] = {}

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        return self._kept.get((account, name))

    async def put(self, account: str, name: str, answer: CachedAnswer) -> None:
        self._kept[account, name] = answer

    async def mark_stale(self, account: str) -> None:
        for key, kept in self._kept.items():
            if key[0] == account:
                self._kept[key] = replace(kept, is_stale=True)
