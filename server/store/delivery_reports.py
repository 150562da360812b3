"""How far the messages of an action have come. It is counted with each receipt, so that none has to read the others:
a campaign has tens of thousands of messages, and Routee waits two seconds for an answer to each receipt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.schema import events, tracked
from tools.webhooks import Callback

REPORTS = ("sms", "pool")


@dataclass(frozen=True, slots=True)
class Progress:
    """The messages that receipts were seen of; those of which every part is final and has a price; and their sum."""

    seen: int = 0
    whole: int = 0
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """Where a callback belongs: the action, the id by which it is known, and what was counted of it."""

    action_id: str
    subject: str
    tally: Progress | None
    """None until the first receipt is counted."""


async def find_tracked(connection: AsyncConnection, posted: Callback) -> TrackedMessage | None:
    """The place of a callback: that of its message, or that of its campaign."""
    subjects = [subject for subject in (posted.subject, posted.campaign) if subject]
    query = select(tracked).where(tracked.c.provider == posted.provider, tracked.c.subject.in_(subjects))
    found = {row["subject"]: _place(row) for row in (await connection.execute(query)).mappings().all()}
    return next((found[subject] for subject in subjects if subject in found), None)


async def record_report(connection: AsyncConnection, posted: Callback) -> None:
    """Count a receipt that was written down just now, in the same transaction."""
    place = await find_tracked(connection, posted) if posted.kind in REPORTS and posted.text is None else None
    if place is None:
        return
    if place.tally is None:
        tally = _counted(await _reports(connection, _is_of(place.subject)))
    else:
        ours = _is_of(place.subject)
        tally = _with_the_last(place.tally, await _reports(connection, events.c.subject == posted.subject, ours))
    same = (tracked.c.provider == posted.provider) & (tracked.c.subject == place.subject)
    values = {"seen": tally.seen, "whole": tally.whole, "spent": str(tally.spent)}
    await connection.execute(update(tracked).where(same).values(**values))


async def price_at(connection: AsyncConnection, place: TrackedMessage) -> Decimal | None:
    """What all messages cost, once every part of each is final and has a price. A missing price is never zero."""
    tally = place.tally
    if tally is None or not tally.whole or tally.whole < tally.seen:
        return None
    expected = await _expected(connection, place.subject)
    return tally.spent if expected is not None and tally.whole >= expected else None


async def _expected(connection: AsyncConnection, subject: str) -> int | None:
    """How many messages there are: one, or as many as a campaign says when it is over; None before."""
    query = select(events).where(events.c.subject == subject, events.c.kind == "campaign").order_by(events.c.number)
    progress = [posted_of(row) for row in (await connection.execute(query)).mappings().all()]
    over = next((one.parts for one in progress if one.is_final), None)
    if over is not None or progress:
        return over
    of_campaign = select(events.c.number).where(events.c.campaign == subject).limit(1)
    return None if (await connection.execute(of_campaign)).first() else 1


def _is_of(subject: str) -> ColumnElement[bool]:
    return or_(events.c.subject == subject, events.c.campaign == subject)


async def _reports(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[Callback]:
    query = select(events).where(*conditions, events.c.kind.in_(REPORTS), events.c.words.is_(None))
    rows = (await connection.execute(query.order_by(events.c.number))).mappings().all()
    return [posted_of(row) for row in rows]


def _counted(reports: Iterable[Callback]) -> Progress:
    messages: dict[str, list[Callback]] = {}
    for report in reports:
        messages.setdefault(report.subject, []).append(report)
    prices = [price for parts in messages.values() if (price := _price_of(parts)) is not None]
    return Progress(len(messages), len(prices), sum(prices, Decimal(0)))


def _with_the_last(tally: Progress, reports: Sequence[Callback]) -> Progress:
    """The tally after the last of one message's reports."""
    before, after = _price_of(reports[:-1]), _price_of(reports)
    return Progress(
        seen=tally.seen + (len(reports) == 1),
        whole=tally.whole + (after is not None) - (before is not None),
        spent=tally.spent + (after or 0) - (before or 0),
    )


def _price_of(reports: Sequence[Callback]) -> Decimal | None:
    """What one message costs, once each part is final and has a price."""
    parts = _latest_states(reports)
    prices = [part.price for part in parts if part.is_final and part.price is not None]
    if not parts or len(prices) < max(len(parts), parts[0].parts):
        return None
    return sum(prices, Decimal(0))


def _latest_states(reports: Iterable[Callback]) -> list[Callback]:
    """How each part of each message stands: the farthest it ever came, in whatever order that was told."""
    found: dict[tuple[str, int], Callback] = {}
    for posted in reports:
        place = (posted.subject, posted.part)
        if place not in found or _says_more(posted, found[place]):
            found[place] = posted
    return list(found.values())


def _says_more(posted: Callback, known: Callback) -> bool:
    """True for a later state, or for the price of the same one; the first final state stands."""
    if posted.rank != known.rank:
        return posted.rank > known.rank
    return posted.state == known.state and posted.price is not None and known.price is None


def _place(row: RowMapping) -> TrackedMessage:
    counted = Progress(row["seen"], row["whole"], Decimal(row["spent"])) if row["seen"] is not None else None
    return TrackedMessage(row["action_id"], row["subject"], counted)


def posted_of(row: RowMapping) -> Callback:
    """A callback, from its row."""
    return Callback(
        provider=row["provider"],
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
    )
