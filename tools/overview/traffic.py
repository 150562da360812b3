"""What providers' records of calls and texts show of the use of numbers, and what they cannot show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

Kind = Literal["calls", "texts"]

MOST_RECORDS: Final = 5_000
"""So many records of one list are read for one answer. Of a longer list the answer says that it was not read whole."""

TOO_MANY: Final = f"there are more than {MOST_RECORDS} records, and the others were not read"


@dataclass(frozen=True, slots=True)
class Span:
    """The time in which the use of numbers is looked for."""

    since: datetime
    until: datetime

    @property
    def slack(self) -> timedelta:
        """How much of its beginning may be without a record of any number: quiet days are no gap in the records."""
        return max((self.until - self.since) / 10, timedelta(days=1))

    @property
    def read_from(self) -> datetime:
        """From when on records are read: a record from before the span shows that they reach back to it."""
        return self.since - self.slack


@dataclass(frozen=True, slots=True)
class Uses:
    """How often a number was used, and when last."""

    count: int
    last: datetime | None
    """None where the records show no time."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One kind of record of a provider, over a span of time."""

    kind: Kind
    seen: Mapping[str, Uses] = field(default_factory=dict[str, Uses])
    """The numbers, in E.164, that the records name. Not all of them are the company's."""

    oldest: datetime | None = None
    """The time of the oldest record of any number: so far back the records reach. None where there is none."""

    not_shown: str | None = None
    """Why a number may have been used that the records do not name; None where they name each."""

    not_shown_of: Mapping[str, str] = field(default_factory=dict[str, str])
    """The same, for single numbers."""

    unable: frozenset[str] = frozenset()
    """Numbers that cannot have such traffic now, so that records of it need not reach back."""

    def gap(self, span: Span) -> str | None:
        """Return why the records do not prove that numbers which they do not name were not used; None where they do.

        No provider documents how long it keeps its records, so they prove it only for as far as they reach back.
        """
        return self.not_shown or self._gap_in_time(span)

    def proves(self, number: str, span: Span) -> bool:
        """Return True where a number that the records do not name was not used."""
        if self.not_shown or number in self.not_shown_of:
            return False
        return number in self.unable or self._gap_in_time(span) is None

    def _gap_in_time(self, span: Span) -> str | None:
        if self.oldest is None:
            return "no record of any number is shown, so how far back they reach is not known"
        if self.oldest <= span.since + span.slack:
            return None
        return f"the oldest record is of {self.oldest:%Y-%m-%d}; whether older ones are kept is not documented"


@dataclass(frozen=True, slots=True)
class NumberUse:
    """What a provider shows of the use of its numbers."""

    traffic: Sequence[Traffic]
    needed_for: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """What a number without traffic may be needed for, such as its 911 record; by number."""
