"""What providers posted, once each, in the order in which it came; and which action a message belongs to."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from guard.stopping import is_stop
from server.store.audit import Audit
from server.store.database import Database
from server.store.optouts import add_optouts
from server.store.schema import events, tracked
from tools.callbacks import Posted


@dataclass(frozen=True, slots=True)
class Event:
    """A callback that was taken in."""

    number: int
    """Counts up; a cursor."""

    received_at: datetime
    posted: Posted


class StoredEvents:
    """The inbox's record."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def take_in(self, posted: Posted) -> bool:
        """Write a callback down; False if it was there already. A STOP opts its sender out in the same transaction.

        Raises:
            JournalUnavailable: Nothing was written; the provider has to deliver it again.
        """
        digest = hashlib.sha256(f"{posted.provider} {posted.kind} {posted.identity}".encode()).hexdigest()
        async with self._audit.entry() as entry:
            known = select(events.c.number).where(events.c.digest == digest)
            if (await entry.connection.execute(known)).first() is not None:
                return False
            await entry.connection.execute(insert(events), [_row(posted, digest)])
            if posted.text is not None and posted.number is not None and is_stop(posted.text):
                source = f"texted {posted.provider}"
                if await add_optouts(entry.connection, [posted.number], source=source):
                    detail = {"number": posted.number, "message": posted.subject}
                    await self._audit.append(entry, "opted out", principal=source, detail=detail)
        return True

    async def listed(
        self,
        *,
        kind: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> list[Event]:
        """Events that fit, oldest first."""
        query = select(events).where(events.c.number > after).order_by(events.c.number).limit(limit)
        if kind is not None:
            query = query.where(events.c.kind == kind)
        if number is not None:
            query = query.where(or_(events.c.other_side == number, events.c.ours == number))
        if subject is not None:
            query = query.where(or_(events.c.subject == subject, events.c.campaign == subject))
        if since is not None:
            query = query.where(events.c.received_at >= since)
        async with self._database.reading() as connection:
            return [_event(row) for row in (await connection.execute(query)).mappings().all()]

    async def newest(self) -> int:
        """The number of the event that came last; 0 before the first."""
        async with self._database.reading() as connection:
            return (await connection.execute(select(func.max(events.c.number)))).scalar() or 0

    async def states(self, subject: str) -> list[Posted]:
        """How each part of a message, or of a campaign's messages, stands: the farthest it ever came."""
        farthest: dict[tuple[str, int], Posted] = {}
        for event in await self.listed(subject=subject, limit=1_000_000):
            posted, place = event.posted, (event.posted.subject, event.posted.part)
            if place not in farthest or _says_more(posted, farthest[place]):
                farthest[place] = posted
        return list(farthest.values())

    async def track(self, provider: str, subjects: Iterable[str], action_id: str) -> None:
        """Remember which action messages or a campaign belong to."""
        rows = [{"provider": provider, "subject": subject, "action_id": action_id} for subject in subjects]
        async with self._database.transaction() as connection:
            known = await _tracked(connection, provider, [row["subject"] for row in rows])
            fresh = [row for row in rows if row["subject"] not in known]
            if fresh:
                await connection.execute(insert(tracked), fresh)

    async def action_of(self, posted: Posted) -> tuple[str, str] | None:
        """The action that a callback belongs to, and the id by which it is known."""
        subjects = [subject for subject in (posted.subject, posted.campaign) if subject]
        async with self._database.reading() as connection:
            found = await _tracked(connection, posted.provider, subjects)
        return next(((found[subject], subject) for subject in subjects if subject in found), None)


def _says_more(posted: Posted, known: Posted) -> bool:
    """True for a later state, or for the price of the same one; the first final state stands."""
    if posted.rank != known.rank:
        return posted.rank > known.rank
    return posted.state == known.state and posted.price is not None and known.price is None


async def _tracked(connection: AsyncConnection, provider: str, subjects: Sequence[str]) -> dict[str, str]:
    query = select(tracked).where(tracked.c.provider == provider, tracked.c.subject.in_(subjects))
    return {row["subject"]: row["action_id"] for row in (await connection.execute(query)).mappings().all()}


def _row(posted: Posted, digest: str) -> dict[str, Any]:
    return {
        "digest": digest,
        "received_at": datetime.now(UTC),
        "provider": posted.provider,
        "kind": posted.kind,
        "subject": posted.subject,
        "campaign": posted.campaign,
        "state": posted.state,
        "part": posted.part,
        "parts": posted.parts,
        "other_side": posted.number,
        "ours": posted.ours,
        "words": posted.text,
        "price": str(posted.price) if posted.price is not None else None,
        "reason": posted.reason,
        "counts": posted.counts,
        "happened_at": posted.at,
    }


def _event(row: RowMapping) -> Event:
    posted = Posted(
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
    return Event(row["number"], row["received_at"], posted)
