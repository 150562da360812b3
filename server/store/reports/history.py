"""Finds actions by a filter, newest first, page by page by key.

What no index answers is looked for among a bounded number of actions at a time, in the order of time, so that a page
costs the same however long the record is. It says then from where to look on.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.engine import Connection, RowMapping

from guard.action import Action
from guard.money import Money
from guard.plans.journal import StepPlace
from guard.plans.plan import PlanState
from server.store.actions import action_of
from server.store.engine import Database
from server.store.reports.filter import ActionFilter, BadFilter
from server.store.reports.spending import BILLION, Charged, charges_in
from server.store.schema import action_texts, actions, holds, plan_steps, plans
from server.store.searchable import searched_texts

LOOKED_THROUGH: Final = 20_000
"""Actions that one read looks through at most for what no index answers; measured at some 15 ms."""

SEARCHED_THROUGH: Final = 50_000
"""The same for texts, which lie in a table of their own; measured at some 20 ms."""

EXPORTED_AT_ONCE: Final = 500
"""Actions that an export reads in one transaction."""

MOST_CHOICES: Final = 100
"""Values of one kind that a form offers."""

_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """A place in the history: whatever was requested before it comes after it."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action of the history, with what is booked for it."""

    action: Action
    charged: Charged | None
    place: StepPlace | None
    """The step of a plan that it carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One plan of the history, with what its calls have cost so far."""

    id: str
    title: str
    state: PlanState
    principal: str
    created_at: datetime
    expires_at: datetime
    decided_by: str | None
    steps: int
    charged: Sequence[Money]
    """One amount a currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some of the actions that fit, newest first."""

    entries: Sequence[Entry]
    plans: Sequence[PlanEntry] = ()
    """Plans that fit, from the same span of time."""

    next_key: str | None = None
    """The id to go on before; None at the end."""

    looked_back_to: datetime | None = None
    """Where the read ended before the page was full, because it looked through as many as one read does."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Values on record, which a form offers."""

    provider: Sequence[str] = ()
    account: Sequence[str] = ()
    principal: Sequence[str] = ()
    operator: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    keys: Sequence[Key]
    """Of the actions that fit."""

    reached: Key | None = None
    """Where the read ended, if it looked through as many as one read does and more may fit."""


class StoredHistory:
    """Reads the history. Every method raises `JournalUnavailable` if the store cannot be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: ActionFilter, *, limit: int, before: str | None = None, with_plans: bool = False
    ) -> HistoryPage:
        """Return the newest actions that fit, of those that were requested before the action or plan `before`.

        Raises:
            BadFilter: There is no action or plan of that id.
        """
        return await self._database.read(lambda connection: _page(connection, wanted, limit, before, with_plans))

    async def latest(
        self, wanted: ActionFilter, *, limit: int, before: str | None = None
    ) -> tuple[Sequence[Entry], str | None]:
        """Return up to so many of the newest actions that fit, and the id to go on before; None at the end.

        Looks through the whole record if it has to, in several reads.

        Raises:
            BadFilter: There is no action or plan `before`.
        """
        found: list[Entry] = []
        while True:
            page = await self.page(wanted, limit=limit - len(found), before=before)
            found += page.entries
            before = page.next_key
            if before is None or len(found) >= limit:
                return found, before

    async def choices(self) -> Choices:
        """Return the providers, accounts, principals and operators on record."""
        return await self._database.read(_choices)

    async def every(self, wanted: ActionFilter) -> AsyncIterator[Entry]:
        """Read every action that fits, newest first, some at a time."""
        before: str | None = None
        while True:
            page = await self.page(wanted, limit=EXPORTED_AT_ONCE, before=before)
            for entry in page.entries:
                yield entry
            if page.next_key is None:
                return
            before = page.next_key


def _page(
    connection: Connection, wanted: ActionFilter, limit: int, before: str | None, with_plans: bool
) -> HistoryPage:
    start = _key_of(connection, before) if before else None
    found = _find(connection, wanted, limit + 1, start)
    listed = found.keys[:limit]
    reached = found.reached if len(found.keys) <= limit else None
    has_more = len(found.keys) > limit or reached is not None
    last = reached or (listed[-1] if has_more else None)
    near = _find_plans(connection, wanted, limit + 1, start, last) if with_plans else []
    if len(near) > limit:
        # More plans than fit on a page: it ends with the last of them, so that none is left out.
        near = near[:limit]
        last, reached = Key(near[-1].created_at, near[-1].id), None
        listed = [key for key in listed if (key.at, key.id) > (last.at, last.id)]
    return HistoryPage(
        entries=_entries(connection, [key.id for key in listed]),
        plans=near,
        next_key=last.id if last else None,
        looked_back_to=reached.at if reached else None,
    )


def _key_of(connection: Connection, key: str) -> Key:
    for table in (actions, plans):
        row = connection.execute(select(table.c.created_at, table.c.id).where(table.c.id == key)).first()
        if row is not None:
            return Key(*row)
    raise BadFilter(f"There is no action or plan {key[:20]!r} to go on from.")


def _entries(connection: Connection, ids: Sequence[str]) -> list[Entry]:
    """Read actions by their ids, in that order, with what is booked for them."""
    rows = connection.execute(select(actions).where(actions.c.id.in_(ids))).mappings()
    found = {row["id"]: action_of(row) for row in rows}
    charged = charges_in(connection, ids)
    steps = select(plan_steps.c.action_id, plan_steps.c.plan_id, plan_steps.c.position)
    places = {
        row[0]: StepPlace(row[1], row[2]) for row in connection.execute(steps.where(plan_steps.c.action_id.in_(ids)))
    }
    return [Entry(action=found[one], charged=charged.get(one), place=places.get(one)) for one in ids]


def _find(connection: Connection, wanted: ActionFilter, limit: int, start: Key | None) -> _Found:
    """Find the keys of actions that fit, newest first."""
    equal = _equal_columns(connection, wanted)
    if wanted.search:
        return _find_by_text(connection, wanted, equal, limit, start)
    drives = bool(equal) and len(equal[0].values) == 1
    first, others = (equal[0], equal[1:]) if drives else (None, equal)
    columns = [actions.c.created_at, actions.c.id, *dict.fromkeys(one.column for one in others)]
    driving = _in_order(select(*columns), actions.c.created_at, actions.c.id, wanted, start)
    driving = driving.where(first.condition(actions.c)) if first is not None else driving
    if not others:
        rows = connection.execute(driving.limit(limit)).all()
        return _Found([Key(*row) for row in rows])
    looked = driving.limit(LOOKED_THROUGH).subquery("looked")
    fits = and_(*(one.condition(looked.c) for one in others))
    rows = connection.execute(select(looked.c.created_at, looked.c.id).where(fits).limit(limit)).all()
    ends = driving.with_only_columns(actions.c.created_at, actions.c.id)
    return _with_end(connection, rows, limit, ends, LOOKED_THROUGH)


def _find_by_text(
    connection: Connection, wanted: ActionFilter, equal: "Sequence[_Equal]", limit: int, start: Key | None
) -> _Found:
    texts = action_texts.c
    driving = _in_order(
        select(texts.created_at, texts.action_id, texts.body), texts.created_at, texts.action_id, wanted, start
    )
    looked = driving.limit(SEARCHED_THROUGH).subquery("looked")
    query = select(looked.c.created_at, looked.c.action_id).where(_contains(looked.c.body, wanted.search))
    if equal:
        # A count, not a join, which may bring what it joins into another order.
        same = [actions.c.id == looked.c.action_id, *(one.condition(actions.c) for one in equal)]
        query = query.where(select(func.count()).select_from(actions).where(*same).scalar_subquery() == 1)
    rows = connection.execute(query.limit(limit)).all()
    ends = driving.with_only_columns(texts.created_at, texts.action_id)
    return _with_end(connection, rows, limit, ends, SEARCHED_THROUGH)


def _with_end(connection: Connection, rows: Sequence[Any], limit: int, driving: Select[Any], most: int) -> _Found:
    """Return what was found and, where the page is not full, from where to look on."""
    keys = [Key(row[0], row[1]) for row in rows]
    if len(keys) >= limit:
        return _Found(keys)
    end = connection.execute(driving.offset(most - 1).limit(1)).first()
    return _Found(keys, Key(end[0], end[1]) if end is not None else None)


def _in_order(
    query: Select[Any],
    at: ColumnElement[datetime],
    identity: ColumnElement[str],
    wanted: ActionFilter,
    start: Key | None,
    end: Key | None = None,
) -> Select[Any]:
    """Order a query newest first, between the times of a filter, and after the key that the page before ended with."""
    query = query.order_by(at.desc(), identity.desc()).where(at < (wanted.until or _FAR))
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if start is not None:
        query = query.where(at <= start.at, or_(at < start.at, identity < start.id))
    if end is not None:
        query = query.where(at >= end.at, or_(at > end.at, identity >= end.id))
    return query


def _contains(column: ColumnElement[str], words: str) -> ColumnElement[bool]:
    return or_(*(column.contains(text, autoescape=True) for text in searched_texts(words)))


@dataclass(frozen=True, slots=True)
class _Equal:
    """A column that has to have one of some values."""

    column: ColumnElement[Any]
    name: str
    values: Sequence[str]

    def condition(self, columns: Any) -> ColumnElement[bool]:
        """Compare the column, in the table or in what was read of it."""
        column: ColumnElement[Any] = columns[self.name]
        return column == self.values[0] if len(self.values) == 1 else column.in_(self.values)


def _equal_columns(connection: Connection, wanted: ActionFilter) -> list[_Equal]:
    """Return the columns that a filter compares, that of an index to go along first: most select more than a state."""
    found = {
        "decided_by": _deciders(connection, wanted.operator) if wanted.operator else (),
        "principal": _principals(connection, wanted.principal) if wanted.principal else (),
        "account_name": (wanted.account,) if wanted.account else (),
        "provider": (wanted.provider,) if wanted.provider else (),
        "state": (wanted.state.value,) if wanted.state else (),
    }
    equal = [_Equal(actions.c[name], name, values) for name, values in found.items() if values]
    several = [one for one in equal if len(one.values) > 1]
    single = [one for one in equal if len(one.values) == 1]
    return [*single, *several]


def _deciders(connection: Connection, wanted: str) -> Sequence[str]:
    """Return the texts by which an operator stands on the record: `anna, on the approval page`."""
    known = _distinct(connection, actions.c.decided_by)
    return [one for one in known if one == wanted or one.startswith(f"{wanted}, ")] or [wanted]


def _principals(connection: Connection, wanted: str) -> Sequence[str]:
    """Return the principals of a name, whatever kind they are: `local:alice`."""
    known = _distinct(connection, actions.c.principal)
    return [one for one in known if one == wanted or one.partition(":")[2] == wanted] or [wanted]


def _choices(connection: Connection) -> Choices:
    return Choices(
        provider=_distinct(connection, actions.c.provider),
        account=[one for one in _distinct(connection, actions.c.account_name) if one],
        principal=_distinct(connection, actions.c.principal),
        operator=_distinct(connection, actions.c.decided_by),
    )


def _distinct(connection: Connection, column: ColumnElement[Any]) -> list[str]:
    """Return the values of an indexed column: each is one step along the index, however many rows have it."""
    found: list[str] = []
    while len(found) < MOST_CHOICES:
        query = select(func.min(column))
        value = connection.execute(query.where(column > found[-1]) if found else query).scalar()
        if value is None:
            break
        found.append(value)
    return found


def _find_plans(
    connection: Connection, wanted: ActionFilter, limit: int, start: Key | None, end: Key | None
) -> list[PlanEntry]:
    """Return the plans that fit, newest first, in the span of time of a page of actions; none that undo another."""
    states = {state.value for state in PlanState}
    if wanted.state is not None and wanted.state.value not in states:
        return []
    query = _in_order(select(plans), plans.c.created_at, plans.c.id, wanted, start, end).limit(limit)
    query = query.where(plans.c.undoes.is_(None))
    if wanted.state is not None:
        query = query.where(plans.c.state == wanted.state.value)
    if wanted.principal:
        query = query.where(plans.c.principal.in_(_principals(connection, wanted.principal)))
    if wanted.operator:
        query = query.where(plans.c.decided_by.in_(_deciders(connection, wanted.operator)))
    of_plan = select(plan_steps.c.plan_id).where(plan_steps.c.plan_id == plans.c.id)
    if wanted.provider:
        query = query.where(of_plan.where(plan_steps.c.provider == wanted.provider).exists())
    if wanted.account:
        query = query.where(of_plan.where(plan_steps.c.account_name == wanted.account).exists())
    if wanted.search:
        body = func.lower(plans.c.id + " " + plans.c.title + " " + plans.c.reason)
        query = query.where(_contains(body, wanted.search))
    return [_plan_entry(connection, row) for row in connection.execute(query).mappings().all()]


def _plan_entry(connection: Connection, row: RowMapping) -> PlanEntry:
    of_plan = plan_steps.c.plan_id == row["id"]
    steps = connection.execute(select(func.count()).select_from(plan_steps).where(of_plan)).scalar_one()
    booked = (
        select(holds.c.currency, holds.c.billionths)
        .join(plan_steps, plan_steps.c.action_id == holds.c.action_id)
        .where(of_plan, holds.c.state != "released")
    )
    charged: dict[str, Money] = {}
    for currency, billionths in connection.execute(booked):
        money = Money(Decimal(billionths) / BILLION, currency)
        charged[currency] = charged[currency] + money if currency in charged else money
    names = ("id", "title", "principal", "created_at", "expires_at", "decided_by")
    known: Mapping[str, Any] = {name: row[name] for name in names}
    return PlanEntry(**known, state=PlanState(row["state"]), steps=steps, charged=tuple(charged.values()))
