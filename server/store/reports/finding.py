"""Finds the actions that fit a filter, newest first, by key.

What no index answers is looked for among a bounded number of actions at a time, in the order of time, so that a read
costs the same however long the record is. It says then from where to look on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.engine import Connection

from server.store.reports.filter import ActionFilter
from server.store.schema import action_texts, actions
from server.store.searchable import searched_texts

MOST_CHOICES: Final = 100
"""Values of one kind that a form offers."""


Query = Select[*tuple[Any, ...]]
"""A query of some columns."""

_BETWEEN_NAMES: Final = re.compile(", | and ")

_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """How many actions one read goes through at most."""

    looked_through: int = 20_000
    """For what no index answers; measured at some 20 ms."""

    searched_through: int = 40_000
    """For texts, which lie in a table of their own; measured at some 30 ms."""

    exported_at_once: int = 500
    """For a file, which is written while it is read."""


@dataclass(frozen=True, slots=True)
class Key:
    """A place in the history: whatever was requested before it comes after it."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of actions that fit, newest first."""

    keys: Sequence[Key]
    reached: Key | None = None
    """Where the read ended, if it looked through as many as one read does and more may fit."""


def find_actions(
    connection: Connection, wanted: ActionFilter, limit: int, start: Key | None, limits: ReadLimits
) -> Found:
    """Find the keys of actions that fit, newest first."""
    equal = _equal_columns(connection, wanted)
    if wanted.search:
        return _find_by_text(connection, wanted, equal, limit, start, limits.searched_through)
    drives = bool(equal) and len(equal[0].values) == 1
    first, others = (equal[0], equal[1:]) if drives else (None, equal)
    columns = [actions.c.created_at, actions.c.id, *dict.fromkeys(one.column for one in others)]
    driving = in_order(select(*columns), actions.c.created_at, actions.c.id, wanted, start)
    driving = driving.where(first.condition(actions.c)) if first is not None else driving
    if not others:
        rows = connection.execute(driving.limit(limit)).all()
        return Found([Key(*row) for row in rows])
    looked = driving.limit(limits.looked_through).subquery("looked")
    fits = and_(*(one.condition(looked.c) for one in others))
    rows = connection.execute(select(looked.c.created_at, looked.c.id).where(fits).limit(limit)).all()
    ends = driving.with_only_columns(actions.c.created_at, actions.c.id)
    return _with_end(connection, rows, limit, ends, limits.looked_through)


def _find_by_text(
    connection: Connection, wanted: ActionFilter, equal: "Sequence[_Equal]", limit: int, start: Key | None, most: int
) -> Found:
    texts = action_texts.c
    driving = in_order(
        select(texts.created_at, texts.action_id, texts.body), texts.created_at, texts.action_id, wanted, start
    )
    looked = driving.limit(most).subquery("looked")
    query = select(looked.c.created_at, looked.c.action_id).where(contains(looked.c.body, wanted.search))
    if equal:
        # A count, not a join, which may bring what it joins into another order.
        same = [actions.c.id == looked.c.action_id, *(one.condition(actions.c) for one in equal)]
        query = query.where(select(func.count()).select_from(actions).where(*same).scalar_subquery() == 1)
    rows = connection.execute(query.limit(limit)).all()
    ends = driving.with_only_columns(texts.created_at, texts.action_id)
    return _with_end(connection, rows, limit, ends, most)


def _with_end(connection: Connection, rows: Sequence[Any], limit: int, driving: Query, most: int) -> Found:
    """Return what was found and, where the page is not full, from where to look on."""
    keys = [Key(row[0], row[1]) for row in rows]
    if len(keys) >= limit:
        return Found(keys)
    end = connection.execute(driving.offset(most - 1).limit(1)).first()
    return Found(keys, Key(end[0], end[1]) if end is not None else None)


def in_order(
    query: Query,
    at: ColumnElement[datetime],
    identity: ColumnElement[str],
    wanted: ActionFilter,
    start: Key | None,
    end: Key | None = None,
) -> Query:
    """Order a query newest first, between the times of a filter, and after the key that the page before ended with."""
    query = query.order_by(at.desc(), identity.desc()).where(at < (wanted.until or _FAR))
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if start is not None:
        query = query.where(at <= start.at, or_(at < start.at, identity < start.id))
    if end is not None:
        query = query.where(at >= end.at, or_(at > end.at, identity >= end.id))
    return query


def contains(column: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """Return the condition that a text in lower case holds words, or a telephone number however it is written."""
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
        "decided_by": deciders_named(connection, wanted.operator) if wanted.operator else (),
        "principal": principals_named(connection, wanted.principal) if wanted.principal else (),
        "account_name": (wanted.account,) if wanted.account else (),
        "provider": (wanted.provider,) if wanted.provider else (),
        "state": (wanted.state.value,) if wanted.state else (),
    }
    equal = [_Equal(actions.c[name], name, values) for name, values in found.items() if values]
    several = [one for one in equal if len(one.values) > 1]
    single = [one for one in equal if len(one.values) == 1]
    return [*single, *several]


def deciders_named(connection: Connection, wanted: str) -> Sequence[str]:
    """Return the texts by which an operator stands on the record: `anna and bob, on the approval page`."""
    known = distinct(connection, actions.c.decided_by)
    return [one for one in known if one == wanted or wanted in _BETWEEN_NAMES.split(one)] or [wanted]


def principals_named(connection: Connection, wanted: str) -> Sequence[str]:
    """Return the principals of a name, whatever kind they are: `local:alice`."""
    known = distinct(connection, actions.c.principal)
    return [one for one in known if one == wanted or one.partition(":")[2] == wanted] or [wanted]


def distinct(connection: Connection, column: ColumnElement[Any]) -> list[str]:
    """Return the values of an indexed column: each is one step along the index, however many rows have it."""
    found: list[str] = []
    while len(found) < MOST_CHOICES:
        query = select(func.min(column))
        value = connection.execute(query.where(column > found[-1]) if found else query).scalar()
        if value is None:
            break
        found.append(value)
    return found
