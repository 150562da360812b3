"""Remembers what was read for the length of one job, so that many calls that need the same read make it once."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import anyio

from clients.errors import TelephonyError

T = TypeVar("T")


class ReadMemory:
    """Answers, and failures, of the reads of one job."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._turns: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def read(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return what the read of this name brought before, or make it.

        Raises:
            TelephonyError: The read fails, or failed before.
        """
        async with self._turns[name]:
            if name not in self._known:
                try:
                    self._known[name] = await read()
                except TelephonyError as failed:
                    self._known[name] = failed
        known = self._known[name]
        if isinstance(known, TelephonyError):
            raise known.with_traceback(None)
        return cast("T", known)
