"""What will happen later: deliveries, campaigns, renewals, in the order of their time."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

from sandbox.clock import Clock


class Agenda:
    """Events waiting for their time; while one runs, `now()` is the time it was meant for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()
        self._running: datetime | None = None

    def now(self) -> datetime:
        """Return the time of the event that is running, otherwise the sandbox's present."""
        return self._running or self._clock.now()

    def at(self, moment: datetime, happen: Callable[[], object]) -> None:
        """Let something happen at a moment; at the next `catch_up` if that is past."""
        heapq.heappush(self._events, (moment, next(self._order), happen))

    def catch_up(self) -> None:
        """Let everything happen whose time has come, oldest first, including what follows from it."""
        while self._events and self._events[0][0] <= self._clock.now():
            moment, _, happen = heapq.heappop(self._events)
            self._running = moment
            try:
                happen()
            finally:
                self._running = None
