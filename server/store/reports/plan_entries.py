"""The plans of the history: those that fit a filter, with what their calls have cost so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection, RowMapping

from guard.money import Money
from guard.plans.plan import PlanState
from server.store.reports.filter import ActionFilter
from server.store.reports.finding import Key, contains, deciders_named, in_order, principals_named
from server.store.reports.spending import BILLION
from server.store.schema import holds, plan_steps, plans


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


def find_plans(
    connection: Connection, wanted: ActionFilter, limit: int, start: Key | None, end: Key | None
) -> list[PlanEntry]:
    """Return the plans that fit, newest first, in the span of time of a page of actions; none that undo another."""
    states = {state.value for state in PlanState}
    if wanted.state is not None and wanted.state.value not in states:
        return []
    query = in_order(select(plans), plans.c.created_at, plans.c.id, wanted, start, end).limit(limit)
    query = query.where(_unindexed(plans.c.undoes) == "")
    if wanted.state is not None:
        query = query.where(_unindexed(plans.c.state) == wanted.state.value)
    if wanted.principal:
        query = query.where(_unindexed(plans.c.principal).in_(principals_named(connection, wanted.principal)))
    if wanted.operator:
        query = query.where(_unindexed(plans.c.decided_by).in_(deciders_named(connection, wanted.operator)))
    of_plan = select(plan_steps.c.plan_id).where(plan_steps.c.plan_id == plans.c.id)
    if wanted.provider:
        query = query.where(of_plan.where(plan_steps.c.provider == wanted.provider).exists())
    if wanted.account:
        query = query.where(of_plan.where(plan_steps.c.account_name == wanted.account).exists())
    if wanted.search:
        body = func.lower(plans.c.id + " " + plans.c.title + " " + plans.c.reason)
        query = query.where(contains(body, wanted.search))
    return [_plan_entry(connection, row) for row in connection.execute(query).mappings().all()]


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as no index has it: plans are few, and along another index they would have to be sorted."""
    return func.coalesce(column, "")


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
