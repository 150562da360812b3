"""Writes that the store did not take when they were due: kept in this process, in order, until it takes them."""

from collections import deque
from collections.abc import Awaitable, Callable

import anyio

from guard.errors import JournalUnavailable

Write = Callable[[], Awaitable[object]]


class PendingWrites:
    """What is owed to the record. Each write is one that may be made twice."""

    def __init__(self) -> None:
        self._writes: deque[Write] = deque()
        self._paying = anyio.Lock()

    async def make(self, *writes: Write) -> JournalUnavailable | None:
        """Make writes in their order. Where the store fails, it and those after it are owed; returns what it said."""
        for done, write in enumerate(writes):
            try:
                await write()
            except JournalUnavailable as lost:
                self._writes.extend(writes[done:])
                return lost
        return None

    async def pay(self) -> None:
        """Make every write that is owed.

        Raises:
            JournalUnavailable: The store still fails.
        """
        async with self._paying:
            while self._writes:
                await self._writes[0]()
                self._writes.popleft()
