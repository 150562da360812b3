"""Keeps the limits that providers set on how often they may be called, by waiting between the steps of a plan."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import Final

import anyio

from clients.shared.limits import Limit
from clients.spec import Spec

LONGEST_WAIT: Final = 30.0
"""Seconds that a run waits for its next step at most; a limit of an hour is reported instead."""


def seconds_for(specs: Iterable[Spec]) -> int:
    """Return how long calls take at least, because of the limits that they count against."""
    counted = Counter(spec.limit for spec in specs if spec.limit is not None)
    waits = (((calls - 1) // limit.calls) * limit.seconds for limit, calls in counted.items())
    return round(max(waits, default=0))


class Pace:
    """The calls of one run that count against limits."""

    def __init__(self) -> None:
        self._sent: defaultdict[Limit, deque[float]] = defaultdict(deque)

    async def wait_for(self, limit: Limit | None) -> None:
        """Wait until one more call is within a limit, if that is soon, and count it."""
        if limit is None:
            return
        sent = self._sent[limit]
        if len(sent) >= limit.calls:
            wait = sent.popleft() + limit.seconds - anyio.current_time()
            if 0 < wait <= LONGEST_WAIT:
                await anyio.sleep(wait)
        sent.append(anyio.current_time())
