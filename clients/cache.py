"""Answers that may be given again for a while, to spare a provider's limit."""

import time
from collections.abc import Callable
from typing import Protocol


class AnswerCache(Protocol):
    """Keeps raw answers. Several processes that share a store share it."""

    async def get(self, key: str, max_age: float) -> str | None:
        """The raw answer, if it is at most `max_age` seconds old."""
        ...

    async def put(self, key: str, raw: str) -> None:
        """Keep a raw answer."""
        ...


class ProcessCache:
    """Answers kept in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def get(self, key: str, max_age: float) -> str | None:
        kept = self._kept.get(key)
        return kept[1] if kept and self._clock() - kept[0] < max_age else None

    async def put(self, key: str, raw: str) -> None:
        self._kept[key] = (self._clock(), raw)
