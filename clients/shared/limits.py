"""Rate limits that providers document, counted here so that a call over the limit is not sent."""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from clients.errors import LimitReached


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of calls allowed in a number of seconds, shared by the operations that name it."""

    name: str
    calls: int
    seconds: float
    per: Literal["address", "account"] = "address"
    """Whether the provider counts the calls from one address, of all accounts together, or those of each account. Where
    no document says which, they are counted together."""


class Limits(Protocol):
    """Counts calls. Several processes that share a store share the count."""

    async def take(self, limit: Limit) -> None:
        """Count one call.

        Raises:
            LimitReached: The call would be one too many; nothing was counted.
        """
        ...

    async def exhaust(self, limit: Limit, *, seconds: float | None) -> None:
        """Count the limit as used up, because the provider refused a call by it: it counts those of others too.

        `seconds` is how long the provider asks to wait; None where it does not say. It is never more than the window
        of the limit.
        """
        ...


def seconds_exhausted(limit: Limit, asked: float | None) -> float:
    """Return for how long a limit stays used up that the provider refused a call by: its window at most."""
    return limit.seconds if asked is None else min(asked, limit.seconds)


class ProcessLimits:
    """Limits counted in this process, over a sliding window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)
        self._exhausted_until: dict[str, float] = {}

    async def take(self, limit: Limit) -> None:
        """Count one call in memory."""
        self.require_room(limit)
        self.count(limit)

    async def exhaust(self, limit: Limit, *, seconds: float | None) -> None:
        """Remember the provider's refusal in memory."""
        self._exhausted_until[limit.name] = self._clock() + seconds_exhausted(limit, seconds)

    def require_room(self, limit: Limit) -> None:
        """Raise `LimitReached` if another call would be one too many; nothing is counted."""
        now = self._clock()
        wait = self._exhausted_until.get(limit.name, now) - now
        if wait > 0:
            raise limit_reached(limit, retry_after=wait)
        taken = self._taken[limit.name]
        while taken and now - taken[0] >= limit.seconds:
            taken.popleft()
        if len(taken) >= limit.calls:
            raise limit_reached(limit, retry_after=limit.seconds - (now - taken[0]))

    def count(self, limit: Limit) -> None:
        """Count one call that is sent."""
        self._taken[limit.name].append(self._clock())


def limit_reached(limit: Limit, *, retry_after: float) -> LimitReached:
    """Return the error for a call over the limit."""
    return LimitReached(
        f"The provider allows {limit.calls} calls in {_span(limit.seconds)} for this ({limit.name}); "
        f"nothing was sent. The next is possible in {_span(retry_after)}.",
        retry_after=retry_after,
    )


def _span(seconds: float) -> str:
    if seconds >= 90:
        return f"{round(seconds / 60)} minutes"
    return f"{max(1, round(seconds))} seconds"
