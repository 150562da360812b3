"""Counts the uses of numbers in a provider's records, as far as these can be read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

import anyio

from clients.errors import TelephonyError
from clients.phone_numbers import read_with_country_code
from tools.overview.optional_reads import describe_failure
from tools.overview.traffic import Kind, Span, Traffic, Uses
from tools.overview.views import NotOffered, TooLong
from tools.policy_reader import NotAllowed

SECONDS: Final = 8.0
"""How long the records of one kind may take: those of two kinds take less than the whole answer of a provider may."""


class UseCount:
    """Counts the uses of numbers in the records of one kind."""

    def __init__(self, span: Span) -> None:
        self._since = span.since
        self._seen: dict[str, Uses] = {}
        self.oldest: datetime | None = None

    @property
    def seen(self) -> Mapping[str, Uses]:
        """The numbers that were counted."""
        return self._seen

    def add(self, at: datetime | None, *ends: str | None) -> None:
        """Count a record by the numbers at its ends. One from before the span shows only how far back they reach."""
        if at is not None:
            self.oldest = at if self.oldest is None else min(at, self.oldest)
            if at < self._since:
                return
        for number in {read_with_country_code(end) for end in ends if end}:
            if number is not None:
                before = self._seen.get(number, Uses(0, None))
                times = [time for time in (before.last, at) if time is not None]
                self._seen[number] = Uses(before.count + 1, max(times, default=None))


async def count_uses(
    kind: Kind,
    span: Span,
    read: Callable[[UseCount], Awaitable[None]],
    *,
    not_shown: str | None = None,
) -> Traffic:
    """Return what the records of one kind show; where they cannot be read to their end, why.

    `not_shown` says what these records never show.
    """
    count, failed = UseCount(span), f"reading them took longer than {SECONDS:.0f} seconds"
    with anyio.move_on_after(SECONDS):
        try:
            await read(count)
            failed = ""
        except (TelephonyError, NotAllowed, NotOffered, TooLong) as failure:
            failed = describe_failure(failure)
    return Traffic(kind, count.seen, count.oldest, not_shown=failed or not_shown)
