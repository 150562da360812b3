"""Old callbacks are deleted where the settings ask for it, while new ones come in."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from guard.errors import JournalUnavailable

if TYPE_CHECKING:
    from server.store.store import Store

EVERY_SECONDS = 3600.0


class Retention:
    """Deletes what is older than so many days, at most once an hour in this process."""

    def __init__(self, store: "Store", days: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._days = days
        self._clock = clock
        self._due_at = clock()

    async def run(self) -> None:
        """Delete, if it is due. A store that cannot be written is tried again an hour later."""
        if self._days is None or self._clock() < self._due_at:
            return
        self._due_at = self._clock() + EVERY_SECONDS
        with suppress(JournalUnavailable):
            await self._store.events.forget(datetime.now(UTC) - timedelta(days=self._days))
