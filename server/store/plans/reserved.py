"""Money reserved for the steps of approved plans, in the sums of `spending` that caps are checked against.

A step's reservation is counted on the day of the approval until the step is sent, when a hold of its own takes its
place, or until nothing more of the plan will be sent.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlalchemy.engine import Connection, RowMapping

from guard.plans.plan import Step
from server.store.reservations import add_to_day, billionths
from server.store.schema import plan_steps

NOTHING = {"reserved": 0, "reserved_at": None}


def reserve(connection: Connection, plan_id: str, steps: Iterable[Step], at: datetime) -> None:
    """Reserve what steps cost; a step of unknown price reserves nothing."""
    totals: dict[tuple[str, str, str], int] = {}
    by_amount: dict[int, list[int]] = {}
    for step in steps:
        money = step.quote.amount
        if money is None or not money.amount:
            continue
        amount = billionths(money.amount)
        by_amount.setdefault(amount, []).append(step.position)
        key = (step.provider, step.made_on, money.currency)
        totals[key] = totals.get(key, 0) + amount
    for amount, positions in by_amount.items():
        connection.execute(update(plan_steps).where(_of(plan_id, positions)).values(reserved=amount, reserved_at=at))
    for (provider, account, currency), total in totals.items():
        add_to_day(connection, at, (provider, account), currency, total)


def release(connection: Connection, plan_id: str, rows: Iterable[RowMapping]) -> None:
    """Release what is still reserved for steps, given as rows of their table."""
    totals: dict[tuple[datetime, str, str, str], int] = {}
    positions: list[int] = []
    for row in rows:
        if not row["reserved"]:
            continue
        positions.append(row["position"])
        account = row["account_name"] or row["provider"]
        key = (row["reserved_at"], row["provider"], account, row["quote"]["amount"]["currency"])
        totals[key] = totals.get(key, 0) + row["reserved"]
    for (at, provider, account, currency), total in totals.items():
        add_to_day(connection, at, (provider, account), currency, -total)
    if positions:
        connection.execute(update(plan_steps).where(_of(plan_id, positions)).values(**NOTHING))


def _of(plan_id: str, positions: Collection[int]) -> ColumnElement[bool]:
    return (plan_steps.c.plan_id == plan_id) & plan_steps.c.position.in_(positions)
