"""Answers that may be given again for a while, to spare a provider's limit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A raw answer and when it came."""

    raw: str
    at: datetime


class AnswerCache(Protocol):
    """Keeps raw answers. Several processes that share a store share it."""

    async def get(self, key: str, max_age: float) -> KeptAnswer | None:
        """The answer, if it is at most `max_age` seconds old."""
        ...

    async def put(self, key: str, answer: KeptAnswer) -> None:
        """Keep an answer."""
        ...


class ProcessCache:
    """Answers kept in this process."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._kept: dict[str, KeptAnswer] = {}

    async def get(self, key: str, max_age: float) -> KeptAnswer | None:
        kept = self._kept.get(key)
        return kept if kept and (self._now() - kept.at).total_seconds() < max_age else None

    async def put(self, key: str, answer: KeptAnswer) -> None:
        self._kept[key] = answer
