"""Reads what a month cost: by day, account and operation, what is reserved, and its largest items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import literal_column, select
from sqlalchemy.engine import Connection

from guard.action import Action
from guard.money import Money
from guard.rules.budget import Cap, Spent
from server.store.actions import action_of
from server.store.engine import Database
from server.store.reports.spending import BILLION, Charged
from server.store.reservations import spent_in
from server.store.schema import actions, holds, plan_steps, spending, spending_by_operation

LARGEST: Final = 10
"""Items of each currency that a report lists."""

DAYS_BEFORE: Final = 31
"""Days before the month that are read with it, for the average of the last days."""


@dataclass(frozen=True, slots=True)
class DaySum:
    """What the calls of one operation on one account cost on one day, held and settled; `calls` is how many did."""

    day: date
    provider: str
    account: str
    operation: str
    amount: Money
    calls: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """Money set aside and not yet charged: held for a call whose outcome is open, or reserved for a step of a plan."""

    at: datetime
    provider: str
    account: str
    amount: Money
    id: str
    """Of the action or the plan."""

    is_of_plan: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One call and what is booked for it."""

    action: Action
    charged: Charged


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSpent:
    """What the record says of a month."""

    caps: Sequence[Spent]
    """What counts against caps now; caps on a single call are left out."""

    sums: Sequence[DaySum]
    """Of the month, and of the days before it that an average may need."""

    reserved: Sequence[Reserved]
    """All that is reserved now."""

    largest: Mapping[str, Sequence[Item]]
    """The largest items of the month, by currency."""

    first_day: date | None
    """The first day on record on which anything was spent."""


class StoredSpent:
    """Reads what was spent. Raises `JournalUnavailable` if the store cannot be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def month(self, first: datetime, after: datetime, caps: Sequence[Cap], now: datetime) -> MonthSpent:
        """Read what was spent from the first moment of a month to the first one after it, all as of one moment."""
        counted = [cap for cap in caps if cap.window != "action"]

        def work(connection: Connection) -> MonthSpent:
            sums = _sums(connection, first.date() - timedelta(days=DAYS_BEFORE), after.date())
            currencies = sorted({one.amount.currency for one in sums if one.day >= first.date()})
            return MonthSpent(
                caps=spent_in(connection, counted, now),
                sums=sums,
                reserved=reserved_in(connection),
                largest={one: _largest(connection, one, first, after) for one in currencies},
                first_day=_first_day(connection),
            )

        return await self._database.read(work)


def _sums(connection: Connection, since: date, before: date) -> list[DaySum]:
    table = spending_by_operation.c
    query = select(spending_by_operation).where(table.day >= since.isoformat(), table.day < before.isoformat())
    return [
        DaySum(
            date.fromisoformat(row.day),
            row.provider,
            row.account,
            row.operation,
            _money(row.billionths, row.currency),
            row.calls,
        )
        for row in connection.execute(query)
    ]


def reserved_in(connection: Connection) -> list[Reserved]:
    """Return all that is reserved now."""
    return [*_held(connection), *_reserved(connection)]


def _held(connection: Connection) -> list[Reserved]:
    # Literal, as in the partial index, which a parameter does not show to fit.
    rows = connection.execute(select(holds).where(holds.c.state == literal_column("'held'")).order_by(holds.c.at))
    return [
        Reserved(
            row.at, row.provider, row.account, _money(row.billionths, row.currency), row.action_id, is_of_plan=False
        )
        for row in rows
    ]


def _reserved(connection: Connection) -> list[Reserved]:
    steps = plan_steps.c
    columns = (steps.plan_id, steps.reserved_at, steps.provider, steps.account_name, steps.reserved, steps.quote)
    rows = connection.execute(select(*columns).where(steps.reserved > literal_column("0")).order_by(steps.reserved_at))
    return [
        Reserved(
            row.reserved_at,
            row.provider,
            row.account_name or row.provider,
            _money(row.reserved, row.quote["amount"]["currency"]),
            row.plan_id,
            is_of_plan=True,
        )
        for row in rows
    ]


def _largest(connection: Connection, currency: str, first: datetime, after: datetime) -> list[Item]:
    """Return the largest items of a currency, along the index of amounts."""
    query = (
        select(holds.c.action_id, holds.c.billionths, holds.c.state)
        .where(holds.c.currency == currency, holds.c.at >= first, holds.c.at < after, holds.c.state != "released")
        .order_by(holds.c.billionths.desc())
        .limit(LARGEST)
    )
    booked = connection.execute(query).all()
    wanted = [row.action_id for row in booked]
    rows = connection.execute(select(actions).where(actions.c.id.in_(wanted))).mappings()
    found = {row["id"]: action_of(row) for row in rows}
    return [
        Item(found[row.action_id], Charged(_money(row.billionths, currency), row.state))
        for row in booked
        if row.action_id in found
    ]


def _first_day(connection: Connection) -> date | None:
    day = connection.execute(select(spending.c.day).order_by(spending.c.day).limit(1)).scalar()
    return date.fromisoformat(day) if day else None


def _money(billionths: int, currency: str) -> Money:
    return Money(Decimal(billionths) / BILLION, currency)
