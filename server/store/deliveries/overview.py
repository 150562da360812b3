"""Counts messages by day, state and reason, from the delivery reports in the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Integer, Subquery, case, func, literal, select
from sqlalchemy.engine import RowMapping

from server.store.delivery_reports import REPORTS
from server.store.engine import Database
from server.store.schema import events
from tools.overview.failures import FAILED_STATES
from tools.webhooks import RANKS

_FINAL_RANK: Final = max(RANKS.values()) + 1
_BEFORE: Final = -1
"""The day of what lies before the first boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCount:
    """How many messages of one account came to the same end on a day."""

    day: int
    """Which of the days that were asked for."""

    provider: str
    account: str
    state: str
    reason: str | None
    """The provider's own word for it."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxText:
    """A text that came in, or the report of one that did not arrive."""

    number: int
    provider: str
    account: str
    at: datetime
    other_side: str | None
    """Sender or recipient, in the words of the provider: text from outside."""

    ours: str | None
    text: str | None
    """Text from outside; None for a report."""

    state: str
    reason: str | None
    subject: str


class StoredDeliveries:
    """Reads the inbox for the operator's overview."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, days: Sequence[datetime]) -> list[MessageCount]:
        """Count the messages whose latest report came in since the first of the times at which days begin.

        A message of several parts counts once for each.
        """
        latest = _latest_reports(days[0])
        day = _day_of(latest.c.received_at, days).label("day")
        kept = (latest.c.provider, latest.c.account, latest.c.state, latest.c.reason)
        query = select(day, *kept, func.count().label("count")).where(latest.c.place == 1).group_by(day, *kept)
        return [MessageCount(**row) for row in await self._database.fetch(query)]

    async def count_incoming(self, days: Sequence[datetime]) -> dict[int, int]:
        """Count the texts that came in since then, by day."""
        day = _day_of(events.c.received_at, days).label("day")
        came_in = (events.c.received_at >= days[0]) & events.c.words.is_not(None)
        query = select(day, func.count().label("count")).where(came_in).group_by(day)
        return {row["day"]: row["count"] for row in await self._database.fetch(query)}

    async def incoming(self, since: datetime, limit: int) -> list[InboxText]:
        """Return texts that came in since then, newest first."""
        came_in = (events.c.received_at >= since) & events.c.words.is_not(None)
        query = select(events).where(came_in).order_by(events.c.received_at.desc()).limit(limit)
        return [_text(row) for row in await self._database.fetch(query)]

    async def failed(self, since: datetime, limit: int) -> list[InboxText]:
        """Return reports since then of messages that did not arrive, newest first."""
        latest = _latest_reports(since)
        is_failure = func.lower(latest.c.state).in_(sorted(FAILED_STATES)) & (latest.c.place == 1)
        query = select(latest).where(is_failure).order_by(latest.c.received_at.desc()).limit(limit)
        return [_text(row) for row in await self._database.fetch(query)]


def _latest_reports(since: datetime) -> Subquery:
    """Select the reports since then; the one that counts for a part of a message is in place 1.

    Reports may come in another order than they were made: the farthest state counts, and of final ones the first.
    """
    rank = case(RANKS, value=events.c.state, else_=_FINAL_RANK)
    of_part = (events.c.provider, events.c.account, events.c.subject, events.c.part)
    place = func.row_number().over(partition_by=of_part, order_by=(rank.desc(), events.c.number))
    is_report = events.c.kind.in_(REPORTS) & events.c.words.is_(None)
    return select(events, place.label("place")).where(events.c.received_at >= since, is_report).subquery()


def _day_of(at: ColumnElement[datetime], days: Sequence[datetime]) -> ColumnElement[int]:
    """Return which day a time lies in: the last one that began before it."""
    began = [(at >= start, literal(number, Integer)) for number, start in reversed(list(enumerate(days)))]
    return case(*began, else_=literal(_BEFORE, Integer))


def _text(row: RowMapping) -> InboxText:
    return InboxText(
        number=row["number"],
        provider=row["provider"],
        account=row["account"] or row["provider"],
        at=row["happened_at"] or row["received_at"],
        other_side=row["other_side"],
        ours=row["ours"],
        text=row["words"],
        state=row["state"],
        reason=row["reason"],
        subject=row["subject"],
    )
