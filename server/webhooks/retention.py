"""Deletes old callbacks, where the settings limit how long they are kept."""

from contextlib import suppress
from datetime import timedelta

from clients.shared.clock import Clock, SystemClock
from guard.errors import JournalUnavailable
from server.store.events import StoredEvents

INTERVAL = timedelta(hours=1)


class Retention:
    """Deletes callbacks that are older than `days`, at most once an hour in this process; None keeps them all."""

    def __init__(self, events: StoredEvents, days: int | None, clock: Clock | None = None) -> None:
        self._events = events
        self._days = days
        self._clock = clock or SystemClock()
        self._due_at = self._clock.now()

    async def run(self) -> None:
        """Delete old callbacks if an hour has passed; a store that cannot be written is retried an hour later."""
        now = self._clock.now()
        if self._days is None or now < self._due_at:
            return
        self._due_at = now + INTERVAL
        with suppress(JournalUnavailable):
            await self._events.forget(now - timedelta(days=self._days))
