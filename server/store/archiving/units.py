"""Which actions and plans may be archived, with all of their rows: read, compared and deleted some at a time.

An action may be archived once nothing asks for it any more: it and its plan are closed, it is older than what caps and
checks for duplicates look back to, no money is held for it, and no allowance counts it that still stands.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, exists, insert, literal, or_, select, tuple_
from sqlalchemy.engine import Connection

from guard.action import State
from guard.plans.plan import PlanState
from server.store.archiving.files import Unit
from server.store.moving.rows import key_of, tables
from server.store.schema import (
    actions,
    allowance_uses,
    allowances,
    approvals,
    archived,
    holds,
    plan_steps,
    plans,
    tracked,
)

AT_ONCE: Final = 200
"""Actions of one transaction, which others wait for."""

_VALUES: Final[Mapping[str, Table]] = {table.name: table for table in tables()}
"""The tables with the types in which values are copied."""

_CLOSED: Final = [state.value for state in State if not state.is_open]
_OPEN_PLANS: Final = [state.value for state in PlanState if state.is_open]
_OF_ACTIONS: Final = {"holds": "action_id", "tracked": "action_id", "approvals": "about"}
"""The tables with rows of an action, by the column that names it."""


def archivable_units(connection: Connection, before: datetime, now: datetime) -> Iterator[Unit]:
    """Read what may be archived of the time before: actions outside plans, the oldest first, and then plans."""
    alone = ~exists().where(plan_steps.c.action_id == actions.c.id)
    fits = and_(_is_over(before, now), alone)
    for rows in _in_order(connection, actions, fits, before):
        yield from read_units(connection, [row["id"] for row in rows], of_plans=False)
    for rows in _in_order(connection, plans, _is_plan_over(before, now), before):
        for row in rows:
            yield from read_units(connection, [row["id"]], of_plans=True)


def read_units(connection: Connection, ids: Collection[str], *, of_plans: bool) -> list[Unit]:
    """Read actions or plans that are in the store, with all of their rows."""
    if of_plans:
        return [unit for plan_id in ids if (unit := _read_plan(connection, plan_id)) is not None]
    of_action = _rows_of_actions(connection, ids)
    return [Unit(one, of_action[one]) for one in ids if one in of_action]


def still_archivable(connection: Connection, ids: Collection[str], before: datetime, now: datetime) -> set[str]:
    """Return those actions and plans that may still be archived."""
    found = connection.execute(select(actions.c.id).where(actions.c.id.in_(ids), _is_over(before, now))).scalars()
    of_plans = select(plans.c.id).where(plans.c.id.in_(ids), _is_plan_over(before, now))
    return {*found, *connection.execute(of_plans).scalars()}


def delete_units(connection: Connection, units: Sequence[Unit], *, archive: int) -> None:
    """Delete units with all of their rows, and note in which archive they are."""
    rows = [row for unit in units for row in unit.actions]
    ids = [row["id"] for row in rows]
    if ids:
        keys = [(row["created_at"], row["id"]) for row in rows]
        texts = _VALUES["action_texts"]
        connection.execute(delete(texts).where(tuple_(texts.c.created_at, texts.c.action_id).in_(keys)))
        for table in (holds, tracked):
            connection.execute(delete(table).where(table.c.action_id.in_(ids)))
        connection.execute(delete(actions).where(actions.c.id.in_(ids)))
    found = [row for unit in units for row in unit.rows.get("plans", [])]
    plan_ids = [row["id"] for row in found]
    if plan_ids:
        connection.execute(delete(plan_steps).where(plan_steps.c.plan_id.in_(plan_ids)))
        connection.execute(delete(plans).where(plans.c.id.in_(plan_ids)))
    if units:
        connection.execute(delete(approvals).where(approvals.c.about.in_([*ids, *plan_ids])))
        noted = [{"id": row["id"], "principal": row["principal"], "archive": archive} for row in (*rows, *found)]
        connection.execute(insert(archived), noted)


def _is_over(before: datetime, now: datetime) -> ColumnElement[bool]:
    """Return what must be true of an action."""
    stands = (allowances.c.revoked_at.is_(None)) & (allowances.c.until > now)
    is_counted = (
        exists()
        .where(allowance_uses.c.action_id == actions.c.id)
        .where(allowance_uses.c.allowance_id == allowances.c.id, stands)
    )
    is_held = exists().where(holds.c.action_id == actions.c.id, holds.c.state == "held")
    times = (actions.c.decided_at, actions.c.sent_at, actions.c.finished_at)
    return and_(
        actions.c.state.in_(_CLOSED),
        actions.c.created_at < before,
        *(or_(at.is_(None), at < before) for at in times),
        ~is_counted,
        ~is_held,
    )


def _is_plan_over(before: datetime, now: datetime) -> ColumnElement[bool]:
    """Return what must be true of a plan; the plan that undoes it, and the one that it undoes, are closed too."""
    of_steps = plan_steps.c.plan_id == plans.c.id
    other = plans.alias()
    belongs = or_(other.c.id == plans.c.undo_id, other.c.id == plans.c.undoes, other.c.undoes == plans.c.id)
    has_open_action = exists().where(of_steps).where(plan_steps.c.action_id == actions.c.id, ~_is_over(before, now))
    times = (plans.c.decided_at, plans.c.finished_at)
    return and_(
        plans.c.state.not_in(_OPEN_PLANS),
        plans.c.created_at < before,
        *(or_(at.is_(None), at < before) for at in times),
        ~exists().where(belongs, other.c.state.in_(_OPEN_PLANS)),
        ~exists().where(of_steps, plan_steps.c.reserved > 0),
        ~has_open_action,
    )


def _in_order(
    connection: Connection, table: Table, fits: ColumnElement[bool], before: datetime
) -> Iterator[Sequence[Mapping[Any, Any]]]:
    key = tuple_(table.c.created_at, table.c.id)
    query = select(table.c.id, table.c.created_at).where(fits, table.c.created_at < before)
    query = query.order_by(table.c.created_at, table.c.id).limit(AT_ONCE)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield rows
        last = tuple_(literal(rows[-1]["created_at"], table.c.created_at.type), literal(rows[-1]["id"]))
        rows = connection.execute(query.where(key > last)).mappings().all()


def _read_plan(connection: Connection, plan_id: str) -> Unit | None:
    rows: dict[str, list[dict[str, Any]]] = {
        "plans": _read(connection, "plans", "id", [plan_id]),
        "plan_steps": _read(connection, "plan_steps", "plan_id", [plan_id]),
        "approvals": _read(connection, "approvals", "about", [plan_id]),
    }
    if not rows["plans"]:
        return None
    ids = [row["action_id"] for row in rows["plan_steps"] if row["action_id"]]
    for of_action in _rows_of_actions(connection, ids).values():
        for name, found in of_action.items():
            rows[name] = [*rows.get(name, []), *found]
    return Unit(plan_id, rows)


def _rows_of_actions(connection: Connection, ids: Collection[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the rows of the actions that are in the store, by action and table."""
    found = {row["id"]: {"actions": [row]} for row in _read(connection, "actions", "id", ids)}
    for name, column in _OF_ACTIONS.items():
        for row in _read(connection, name, column, found):
            found[row[column]].setdefault(name, []).append(row)
    return found


def _read(connection: Connection, name: str, column: str, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Read rows by the ids in a column, in the order of their keys, as JSON values."""
    table, wanted = _VALUES[name], list(ids)
    if not wanted:
        return []
    rows = connection.execute(select(table).where(table.c[column].in_(wanted))).mappings()
    plain: list[dict[str, Any]] = [json.loads(json.dumps(dict(row))) for row in rows]
    return sorted(plain, key=lambda row: [str(value) for value in key_of(table, row)])
