"""What stands in the store at a moment, for whoever watches a server: what waits, what is open, and the money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from guard.action import State
from guard.money import Money
from guard.plans.plan import PlanState
from guard.rules.budget import Cap, Spent
from server.store.engine import Database
from server.store.key_values import FROZEN, get_value
from server.store.reports.spent import reserved_in
from server.store.reservations import money_of, spent_in
from server.store.schema import actions, notices, plans, spending

Payer = tuple[str, str, str]
"""Who pays and in what: the provider's name, the account's, and the currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The store at a moment."""

    waiting: int
    """Actions that wait for a yes."""

    plans_waiting: int
    unknown: int
    """Actions of which nobody knows the outcome."""

    is_frozen: bool
    spent: Mapping[Payer, Money]
    """What was spent today (UTC), with what is set aside."""

    set_aside: Mapping[Payer, Money]
    """What is set aside for calls and steps of plans whose outcome is open."""

    caps: Sequence[Spent]
    notices_waiting: Mapping[str, int]
    """Notices that wait to be delivered, by channel."""


async def read_figures(database: Database, caps: Sequence[Cap], now: datetime) -> Figures:
    """Read the figures as of one moment. `caps` are those that count over a time.

    Raises:
        JournalUnavailable: The store cannot be read.
    """
    return await database.read(lambda connection: _figures_in(connection, caps, now))


def _figures_in(connection: Connection, caps: Sequence[Cap], now: datetime) -> Figures:
    counting = select(func.count())
    waiting = counting.select_from(actions).where(actions.c.state == State.PROPOSED.value, actions.c.expires_at > now)
    unknown = counting.select_from(actions).where(actions.c.state == State.UNKNOWN.value)
    of_plans = counting.select_from(plans).where(plans.c.state == PlanState.PROPOSED.value, plans.c.expires_at > now)
    due = (
        select(notices.c.channel, func.count().label("waiting"))
        .where(notices.c.due_at.is_not(None))
        .group_by(notices.c.channel)
    )
    return Figures(
        waiting=connection.execute(waiting).scalar_one(),
        plans_waiting=connection.execute(of_plans).scalar_one(),
        unknown=connection.execute(unknown).scalar_one(),
        is_frozen=get_value(connection, FROZEN) is not None,
        spent=_spent_on(connection, now.astimezone(UTC).date().isoformat()),
        set_aside=_set_aside(connection),
        caps=spent_in(connection, caps, now),
        notices_waiting={row.channel: row.waiting for row in connection.execute(due)},
    )


def _spent_on(connection: Connection, day: str) -> dict[Payer, Money]:
    rows = connection.execute(select(spending).where(spending.c.day == day))
    return {(row.provider, row.account, row.currency): money_of(row.billionths, row.currency) for row in rows}


def _set_aside(connection: Connection) -> dict[Payer, Money]:
    sums: dict[Payer, Money] = {}
    for one in reserved_in(connection):
        payer, more = (one.provider, one.account or one.provider, one.amount.currency), one.amount
        before = sums.get(payer)
        sums[payer] = more if before is None else Money(before.amount + more.amount, more.currency)
    return sums
