"""The outbox of notices: what the audit log has that operators are to be told, and what was told on which channel.

The audit log is where notices come from: every move of a guarded call already stands there, in the transaction of the
move itself. So a notice costs no call anything, and none is lost with a process that crashes. Where reading of an event
has come to is kept beside the rows of the outbox and moves in their transaction, so that several processes hand each
event over once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from guard.action import Action, State
from guard.allowances.allowance import is_allowance
from guard.approvals import BY_POLICY
from guard.notices.event import Event
from guard.plans.plan import PlanState
from server.store.actions import action_of
from server.store.engine import Database
from server.store.key_values import put_value
from server.store.schema import actions, audit, facts, notices, plans

WITH_DETAIL: Final = "signed in"
"""The only event of the audit log of which a notice needs the detail."""

_AT_ONCE: Final = 400
"""How many values one query names; SQLite takes a limited number of variables."""

_ROWS_AT_ONCE: Final = 5000
"""How many rows of the audit log are read at a time, after a server was down for long."""

_SKIPPED_AT_ONCE: Final = 50
"""After how many rows without news of an event the log is marked as read for it."""

Outcome = Literal["sent", "outdated", "given up"]


@dataclass(frozen=True, slots=True)
class News:
    """A row of the audit log that a notice may be about."""

    number: int
    at: datetime
    event: str
    """As the audit log names it."""

    about: str | None
    """The id of the action, plan or request."""

    by: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Unread:
    """What the audit log has that was not handed over, by event, and its last row."""

    news: Mapping[Event, Sequence[News]]
    last: int
    quiet: Mapping[Event, int]
    """Events without news, and to which row the log was read for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one notice is about, for every channel that wants its event."""

    event: Event
    about: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    channels: Collection[str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A row of the outbox that was taken for one attempt to send it."""

    number: int
    channel: str
    event: Event
    about: tuple[str, ...]
    facts: Mapping[str, Any]
    at: datetime
    attempts: int
    """Counts this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A channel that did not take its last notice."""

    channel: str
    since: datetime
    attempts: int
    reason: str
    is_over: bool
    """True where the notice was given up."""


class StoredNotices:
    """Reads what there is to tell, and keeps the outbox; raises `JournalUnavailable` if the store cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, events: Collection[Event], since: datetime) -> None:
        """Have each event that was never read be read from the rows since then."""

        def missing(connection: Connection) -> list[Event]:
            read_to = _read_to(connection, events)
            return [event for event in events if event not in read_to]

        def work(connection: Connection) -> None:
            for event in missing(connection):
                put_value(connection, _mark(event), str(_last_before(connection, since)))

        if await self._database.read(missing):
            await self._database.write(work)

    async def unread(self, names: Mapping[Event, Collection[str]]) -> Unread:
        """Return what the audit log has that was not handed over, of the events that it has under these names."""

        def look(connection: Connection) -> Unread:
            read_to = _read_to(connection, names)
            rows = _rows_after(connection, min(read_to.values()), {name for named in names.values() for name in named})
            found = {
                event: [row for row in rows if row.event in named and row.number > read_to[event]]
                for event, named in names.items()
            }
            last = rows[-1].number if len(rows) == _ROWS_AT_ONCE else _last(connection)
            quiet = {event: read_to[event] for event in names if not found[event]}
            return Unread({event: news for event, news in found.items() if news}, last, quiet)

        return await self._database.read(look)

    async def skip(self, unread: Unread) -> None:
        """Mark the log as read for the events that have no news there, so that no look reads the same rows for ever."""
        if unread.last - min(unread.quiet.values(), default=unread.last) < _SKIPPED_AT_ONCE:
            return

        def work(connection: Connection) -> None:
            for event, read_to in _read_to(connection, unread.quiet).items():
                put_value(connection, _mark(event), str(max(read_to, unread.last)))

        await self._database.write(work)

    async def hand_over(self, batch: Batch, unread: Unread) -> bool:
        """Put a batch into the outbox and mark the log as read; False if another process did so meanwhile."""
        first = unread.news[batch.event][0].number

        def work(connection: Connection) -> bool:
            if _read_to(connection, [batch.event]).get(batch.event, 0) >= first:
                return False
            put_value(connection, _mark(batch.event), str(unread.last))
            _insert(connection, batch)
            return True

        return await self._database.write(work)

    async def hand_over_once(self, batch: Batch, *, since: datetime) -> bool:
        """Put into the outbox what of a batch was not there since then; False if all of it was."""

        def work(connection: Connection) -> bool:
            told = _told(connection, batch.event, since)
            left = [one for one in batch.about if one not in told]
            if left:
                _insert(connection, replace(batch, about=left))
            return bool(left)

        return await self._database.write(work)

    async def told(self, event: Event, since: datetime) -> frozenset[str]:
        """Return what notices of an event were about that were put into the outbox since then."""
        return await self._database.read(lambda connection: _told(connection, event, since))

    async def last_handed_over(self, event: Event) -> datetime | None:
        """Return when an event was last put into the outbox."""
        query = select(notices.c.at).where(notices.c.event == event.value).order_by(notices.c.at.desc()).limit(1)
        rows = await self._database.fetch(query)
        return rows[0]["at"] if rows else None

    async def take_due(self, channel: str, *, now: datetime, lease: timedelta) -> DueNotice | None:
        """Take the oldest due notice of a channel for one attempt; None if there is none.

        Nobody else takes it before the lease is over. A process that ends meanwhile has then lost nothing, but a notice
        that it sent and did not close is sent a second time.
        """
        due = (notices.c.channel == channel) & (notices.c.due_at <= now)
        query = select(notices).where(due).order_by(notices.c.due_at, notices.c.number).limit(1)
        if not await self._database.fetch(query):
            return None

        def take(connection: Connection) -> DueNotice | None:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            taken = update(notices).where(notices.c.number == row["number"])
            connection.execute(taken.values(due_at=now + lease, attempts=row["attempts"] + 1))
            return _due(row)

        return await self._database.write(take)

    async def close(self, number: int, outcome: Outcome, *, at: datetime, reason: str | None = None) -> None:
        """Close a notice: nothing more is done about it."""
        closed = update(notices).where(notices.c.number == number)
        values = {"due_at": None, "closed_at": at, "outcome": outcome, "reason": reason}
        await self._database.write(lambda connection: connection.execute(closed.values(values)))

    async def postpone(self, number: int, until: datetime, *, reason: str) -> None:
        """Let a notice wait that its channel did not take."""
        waiting = update(notices).where(notices.c.number == number).values(due_at=until, reason=reason)
        await self._database.write(lambda connection: connection.execute(waiting))

    async def forget(self, before: datetime) -> None:
        """Delete what was put into the outbox before then, of channels that are no longer set, too."""
        await self._database.write(lambda connection: connection.execute(delete(notices).where(notices.c.at < before)))

    async def troubles(self, channels: Collection[str], *, since: datetime) -> list[Trouble]:
        """Return the channels that did not take what was put into the outbox since then, each with its oldest."""
        query = (
            select(notices)
            .where(notices.c.at >= since, notices.c.channel.in_(channels), notices.c.reason.is_not(None))
            .order_by(notices.c.at)
        )
        found: dict[str, Trouble] = {}
        for row in await self._database.fetch(query):
            found.setdefault(
                row["channel"],
                Trouble(
                    channel=row["channel"],
                    since=row["at"],
                    attempts=row["attempts"],
                    reason=row["reason"],
                    is_over=row["outcome"] is not None,
                ),
            )
        return list(found.values())

    async def actions(self, ids: Sequence[str]) -> list[Action]:
        """Return the actions of these ids, the oldest first."""
        rows: list[RowMapping] = []
        for start in range(0, len(ids), _AT_ONCE):
            rows += await self._database.fetch(select(actions).where(actions.c.id.in_(ids[start : start + _AT_ONCE])))
        return sorted(map(action_of, rows), key=lambda action: action.created_at)

    async def not_picked_up(self, now: datetime, patience: timedelta) -> list[str]:
        """Return the actions and plans that a person approved long ago, and that the assistant is to carry out.

        That is after the patience, or after half of the time that was left when it was approved, if that is shorter.
        """
        of_assistant = (
            (actions, State.APPROVED.value, actions.c.expires_at),
            (plans, PlanState.APPROVED.value, plans.c.runs_until),
        )

        def look(connection: Connection) -> list[str]:
            found: list[str] = []
            for table, approved, ends_at in of_assistant:
                query = select(table.c.id, table.c.decided_by, table.c.decided_at, ends_at.label("ends_at")).where(
                    table.c.state == approved, table.c.due_at.is_(None)
                )
                found += [row["id"] for row in connection.execute(query).mappings() if _is_late(row, now, patience)]
            return found

        return await self._database.read(look)


def _is_late(row: RowMapping, now: datetime, patience: timedelta) -> bool:
    by, decided_at, ends_at = row["decided_by"], row["decided_at"], row["ends_at"]
    if decided_at is None or now >= ends_at or by == BY_POLICY or is_allowance(by):
        return False
    return bool(now >= decided_at + min(patience, (ends_at - decided_at) / 2))


def _mark(event: Event) -> str:
    """Name the value that says to which row the audit log was read for an event."""
    return f"notices read: {event.value}"


def _read_to(connection: Connection, events: Collection[Event]) -> dict[Event, int]:
    marks = {_mark(event): event for event in events}
    query = select(facts.c.name, facts.c.value).where(facts.c.name.in_(marks))
    return {marks[name]: int(value) for name, value in connection.execute(query)}


def _last(connection: Connection) -> int:
    return connection.execute(select(audit.c.number).order_by(audit.c.number.desc()).limit(1)).scalar() or 0


def _last_before(connection: Connection, since: datetime) -> int:
    """Return the number of the last row before a time. It is looked for from the end, where it lies at a start."""
    query = select(audit.c.number).where(audit.c.at < since).order_by(audit.c.number.desc()).limit(1)
    return connection.execute(query).scalar() or 0


def _rows_after(connection: Connection, number: int, names: Collection[str]) -> list[News]:
    detail = case((audit.c.event == WITH_DETAIL, audit.c.detail))
    query = (
        select(audit.c.number, audit.c.at, audit.c.event, audit.c.action_id, audit.c.principal, detail.label("detail"))
        .where(audit.c.number > number, audit.c.event.in_(names))
        .order_by(audit.c.number)
        .limit(_ROWS_AT_ONCE)
    )
    return [
        News(row["number"], row["at"], row["event"], row["action_id"], row["principal"] or "", row["detail"])
        for row in connection.execute(query).mappings()
    ]


def _told(connection: Connection, event: Event, since: datetime) -> frozenset[str]:
    query = select(notices.c.about).where(notices.c.event == event.value, notices.c.at >= since)
    return frozenset(one for about in connection.execute(query).scalars() for one in about)


def _insert(connection: Connection, batch: Batch) -> None:
    row = {
        "event": batch.event.value,
        "about": list(batch.about),
        "facts": dict(batch.facts),
        "at": batch.at,
        "due_at": batch.at,
        "attempts": 0,
    }
    if batch.channels:
        connection.execute(insert(notices), [row | {"channel": channel} for channel in batch.channels])


def _due(row: RowMapping) -> DueNotice:
    return DueNotice(
        number=row["number"],
        channel=row["channel"],
        event=Event(row["event"]),
        about=tuple(row["about"]),
        facts=row["facts"],
        at=row["at"],
        attempts=row["attempts"] + 1,
    )
