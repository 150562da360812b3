"""Which caps are used so far that operators are told, once in a window for each mark."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from guard.money import Money
from guard.rules.budget import Spent, start_of

MARKS: Final = (100, 80)
"""Percentages of a cap at which there is a notice, the highest first."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A cap that is used to a mark, or beyond it."""

    percent: int
    budget: str
    """The cap in words."""

    spent: Money
    left: Money
    since: datetime
    """When its window began."""

    @property
    def key(self) -> str:
        """Identifies cap, window and mark: there is one notice for each."""
        return self.key_at(self.percent)

    @property
    def covered_by(self) -> tuple[str, ...]:
        """The keys of notices after which this one says nothing new: its own, and those of higher marks."""
        return tuple(self.key_at(mark) for mark in MARKS if mark >= self.percent)

    def key_at(self, percent: int) -> str:
        """Return the key of another mark of the same cap and window."""
        return f"{percent}% of {self.budget} since {self.since:%Y-%m-%d}"


def reached_marks(spent: Iterable[Spent], now: datetime) -> Iterator[Reached]:
    """Yield the highest mark that each cap has reached. Caps on a single action have none."""
    for one in spent:
        cap, limit = one.cap, one.cap.limit
        if cap.window == "action" or limit.amount <= 0:
            continue
        for mark in MARKS:
            if one.amount * 100 >= limit.amount * mark:
                amount = Money(one.amount, limit.currency)
                left = Money(max(limit.amount - one.amount, limit.amount * 0), limit.currency)
                yield Reached(mark, cap.words, amount, left, start_of(cap.window, now))
                break
