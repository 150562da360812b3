"""Aggregates the delivery reports of an action's messages.

Each report updates the totals, so that none has to read the others: a campaign has tens of thousands of messages, and
the provider waits only two seconds for the answer to each report.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.engine import Connection, RowMapping

from guard.money import Money, is_price
from server.store.schema import events, tracked
from tools.webhooks import Callback

REPORTS = ("sms", "pool")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages have a report, how many of them are final with a price in every part, and the sum of those."""

    seen: int = 0
    whole: int = 0
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """The action of a message or campaign, its id at the provider, and its totals."""

    action_id: str
    provider: str
    account: str
    """The account's name."""

    subject: str
    progress: Progress | None
    """None until the first report is counted."""


def find_tracked(connection: Connection, posted: Callback) -> TrackedMessage | None:
    """Find what a callback belongs to: its message, or its campaign."""
    subjects = [subject for subject in (posted.subject, posted.campaign) if subject]
    query = select(tracked).where(is_tracked_on(posted), tracked.c.subject.in_(subjects))
    found = {row["subject"]: _to_tracked(row) for row in connection.execute(query).mappings().all()}
    return next((found[subject] for subject in subjects if subject in found), None)


def record_report(connection: Connection, posted: Callback) -> None:
    """Count a report that was just stored, in the same transaction."""
    message = find_tracked(connection, posted) if posted.kind in REPORTS and posted.text is None else None
    if message is None:
        return
    ours = _is_of(message)
    if message.progress is None:
        progress = _count(_reports(connection, ours))
    else:
        progress = _add_last(message.progress, _reports(connection, events.c.subject == posted.subject, ours))
    same = is_tracked_on(posted) & (tracked.c.subject == message.subject)
    values = {"seen": progress.seen, "whole": progress.whole, "spent": str(progress.spent)}
    connection.execute(update(tracked).where(same).values(**values))


def is_tracked_on(posted: Callback) -> ColumnElement[bool]:
    """Match what was sent on the account to which a callback was posted."""
    return (tracked.c.provider == posted.provider) & (tracked.c.account == posted.received_for)


def price_at(connection: Connection, message: TrackedMessage) -> Decimal | None:
    """Return what all messages cost, once every part is final and has a price. A missing price is never zero."""
    progress = message.progress
    if progress is None or not progress.whole or progress.whole < progress.seen:
        return None
    expected = _expected(connection, message)
    return progress.spent if expected is not None and progress.whole >= expected else None


def _expected(connection: Connection, message: TrackedMessage) -> int | None:
    """Return how many messages there are: one, or the total of a finished campaign; None before it is finished."""
    on_account = _is_on(message)
    of_it = events.c.subject == message.subject
    query = select(events).where(on_account, of_it, events.c.kind == "campaign").order_by(events.c.number)
    updates = [callback_from(row) for row in connection.execute(query).mappings().all()]
    over = next((one.parts for one in updates if one.is_final and one.parts), None)
    if over is not None or updates:
        return over
    of_campaign = select(events.c.number).where(on_account, events.c.campaign == message.subject).limit(1)
    return None if connection.execute(of_campaign).first() else 1


def _is_of(message: TrackedMessage) -> ColumnElement[bool]:
    """Match the callbacks of a message or campaign: ids of another account may be the same."""
    return _is_on(message) & or_(events.c.subject == message.subject, events.c.campaign == message.subject)


def _is_on(message: TrackedMessage) -> ColumnElement[bool]:
    return (events.c.provider == message.provider) & (events.c.account == message.account)


def _reports(connection: Connection, *conditions: ColumnElement[bool]) -> list[Callback]:
    query = select(events).where(*conditions, events.c.kind.in_(REPORTS), events.c.words.is_(None))
    rows = connection.execute(query.order_by(events.c.number)).mappings().all()
    return [callback_from(row) for row in rows]


def _count(reports: Iterable[Callback]) -> Progress:
    messages: dict[str, list[Callback]] = {}
    for report in reports:
        messages.setdefault(report.subject, []).append(report)
    prices = [price for parts in messages.values() if (price := _price_of(parts)) is not None]
    return Progress(len(messages), len(prices), sum(prices, Decimal(0)))


def _add_last(progress: Progress, reports: Sequence[Callback]) -> Progress:
    """Update the totals by the last of one message's reports."""
    before, after = _price_of(reports[:-1]), _price_of(reports)
    return Progress(
        seen=progress.seen + (len(reports) == 1),
        whole=progress.whole + (after is not None) - (before is not None),
        spent=progress.spent + (after or 0) - (before or 0),
    )


def _price_of(reports: Sequence[Callback]) -> Decimal | None:
    """Return what one message costs, once each part is final and has a price."""
    parts = _latest_states(reports)
    prices = [part.price for part in parts if part.is_final and part.price is not None and is_price(Money(part.price))]
    if not parts or len(prices) < max(len(parts), parts[0].parts):
        return None
    return sum(prices, Decimal(0))


def _latest_states(reports: Iterable[Callback]) -> list[Callback]:
    """Return the latest state of each part, regardless of arrival order."""
    found: dict[tuple[str, int], Callback] = {}
    for posted in reports:
        place = (posted.subject, posted.part)
        if place not in found or _is_later(posted, found[place]):
            found[place] = posted
    return list(found.values())


def _is_later(posted: Callback, known: Callback) -> bool:
    """Return True for a later state, or for the price of the same state; the first final state stays."""
    if posted.rank != known.rank:
        return posted.rank > known.rank
    return posted.state == known.state and posted.price is not None and known.price is None


def _to_tracked(row: RowMapping) -> TrackedMessage:
    counted = Progress(row["seen"], row["whole"], Decimal(row["spent"])) if row["seen"] is not None else None
    return TrackedMessage(row["action_id"], row["provider"], row["account"], row["subject"], counted)


def callback_from(row: RowMapping) -> Callback:
    """Build a callback from its row."""
    return Callback(
        provider=row["provider"],
        account=row["account"],
        kind=row["kind"],
        subject=row["subject"],
        identity="",
        state=row["state"],
        part=row["part"],
        parts=row["parts"],
        campaign=row["campaign"],
        number=row["other_side"],
        ours=row["ours"],
        text=row["words"],
        price=Decimal(row["price"]) if row["price"] is not None else None,
        reason=row["reason"],
        counts=row["counts"],
        at=row["happened_at"],
        details=json.loads(row["details"]) if row["details"] else {},
        raw=row["raw"],
    )
