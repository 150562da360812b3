"""Stores callbacks once each, in order of arrival, and which action a message belongs to."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection, RowMapping

from clients.phone_numbers import spellings
from clients.shared.inbound_texts import InboundText
from server.store.delivery_reports import callback_from, find_tracked, is_tracked_on, price_at, record_report
from server.store.engine import Database
from server.store.optouts import record_wish
from server.store.schema import events, tracked
from server.store.sealed.audit import Audit, Entry
from server.store.transactions.locks import Locks
from tools.webhooks import Callback

DELETE_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """A stored callback."""

    number: int
    """Increases with each event; serves as a cursor."""

    received_at: datetime
    callback: Callback


class StoredEvents:
    """Stores what the webhooks receive."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def take_in(self, posted: Callback) -> bool:
        """Store a callback; return False if it is known. A STOP opts its sender out in the same transaction.

        Raises:
            JournalUnavailable: Nothing was stored; the provider must deliver it again.
        """
        source = f"{posted.provider} {posted.kind} {posted.identity}"
        if posted.received_for != posted.provider:
            source = f"{posted.received_for} of {source}"
        digest = hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()

        def store(entry: Entry) -> bool:
            known = select(events.c.number).where(events.c.digest == digest)
            if entry.connection.execute(known).first() is not None:
                return False
            entry.connection.execute(insert(events), [_row(posted, digest)])
            record_report(entry.connection, posted)
            if posted.text is not None:
                text = InboundText(posted.number, posted.text, posted.ours, posted.subject, posted.at)
                record_wish(entry, self._audit, posted.source, text)
            return True

        return await self._audit.write(store)

    async def find(
        self,
        *,
        kind: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        accounts: Collection[str] | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> list[Event]:
        """Return the matching events, oldest first; `accounts` are the names of those whose events match."""
        query = select(events).where(events.c.number > after).order_by(events.c.number).limit(limit)
        if kind is not None:
            query = query.where(events.c.kind == kind)
        if number is not None:
            forms = spellings(number)
            query = query.where(or_(events.c.other_side.in_(forms), events.c.ours.in_(forms)))
        if subject is not None:
            query = query.where(or_(events.c.subject == subject, events.c.campaign == subject))
        if since is not None:
            query = query.where(events.c.received_at >= since)
        if accounts is not None:
            query = query.where(events.c.account.in_(accounts))
        return [_to_event(row) for row in await self._database.fetch(query)]

    async def newest(self) -> int:
        """Return the number of the last event; 0 before the first."""
        [row] = await self._database.fetch(select(func.max(events.c.number).label("newest")))
        return row["newest"] or 0

    async def track(
        self, provider: str, subjects: Iterable[str], action_id: str, *, account: str | None = None
    ) -> None:
        """Store which action messages or a campaign belong to; `account` is its account's name, if it has one."""
        place = {"provider": provider, "account": account or provider}
        rows = [{**place, "subject": subject, "action_id": action_id} for subject in subjects]
        wanted = [row["subject"] for row in rows]

        def add(connection: Connection) -> None:
            there = (tracked.c.provider == provider) & (tracked.c.account == place["account"])
            query = select(tracked.c.subject).where(there, tracked.c.subject.in_(wanted))
            known = set(connection.execute(query).scalars())
            fresh = [row for row in rows if row["subject"] not in known]
            if fresh:
                connection.execute(insert(tracked), fresh)

        locks = Locks.on(f"messages of {provider} {place['account']}")
        await self._database.write(add, locks=locks)

    async def note_settled(self, posted: Callback) -> None:
        """Store that the action of a callback is settled, so that its callbacks may be deleted."""

        def mark(connection: Connection) -> None:
            place = find_tracked(connection, posted)
            if place is not None:
                same = is_tracked_on(posted) & (tracked.c.subject == place.subject)
                connection.execute(update(tracked).where(same).values(settled_at=datetime.now(UTC)))

        await self._database.write(mark)

    async def forget(self, before: datetime) -> None:
        """Delete what was received before a time, except callbacks of an action that was not settled by then.

        It deletes in batches, so that other writers do not wait long.
        """
        settled = delete(tracked).where(tracked.c.settled_at < before)
        await self._database.write(lambda connection: connection.execute(settled))
        there = (tracked.c.provider == events.c.provider) & (tracked.c.account == events.c.account)
        same = there & tracked.c.subject.in_([events.c.subject, events.c.campaign])
        belongs = select(tracked.c.subject).where(same).exists()
        old = select(events.c.number).where(events.c.received_at < before, ~belongs).limit(DELETE_BATCH)
        some = delete(events).where(events.c.number.in_(old))
        while await self._database.write(lambda connection: connection.execute(some).rowcount) >= DELETE_BATCH:
            pass

    async def settled_price(self, posted: Callback) -> tuple[str, Decimal] | None:
        """Return the action of a callback and what its messages cost, once every price is known."""

        def look(connection: Connection) -> tuple[str, Decimal] | None:
            place = find_tracked(connection, posted)
            price = price_at(connection, place) if place else None
            return (place.action_id, price) if place and price is not None else None

        return await self._database.read(look)


def _row(posted: Callback, digest: str) -> dict[str, Any]:
    return {
        "digest": digest,
        "received_at": datetime.now(UTC),
        "provider": posted.provider,
        "account": posted.received_for,
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
        "details": json.dumps(dict(posted.details)) if posted.details else None,
        "raw": posted.raw,
    }


def _to_event(row: RowMapping) -> Event:
    return Event(row["number"], row["received_at"], callback_from(row))
