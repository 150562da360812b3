"""Sums what guarded calls cost, by account and operation."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from guard.action import Action, State
from guard.money import Money
from server.store.engine import Database
from server.store.schema import actions, holds

BILLION = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Total:
    """What the calls of one operation cost in a period; money that may have been spent counts as spent."""

    provider: str
    account: str
    """The account's name."""

    operation: str
    amount: Money
    calls: int


@dataclass(frozen=True, slots=True)
class Charged:
    """What is booked for one action."""

    amount: Money
    state: Literal["held", "settled", "released"]
    """`held` while the outcome is open, `settled` once it was carried out, `released` if it was not."""


def charge_in_words(action: Action, charged: Charged | None) -> str:
    """Say what an action cost, as far as it is booked."""
    match charged.state if charged else None:
        case "settled":
            return str(charged.amount) if charged else ""
        case "held":
            return f"{charged.amount} held" if charged else ""
        case _:
            may_have_cost = (
                action.state in {State.DONE, State.SENDING, State.UNKNOWN} and not action.quote.costs_nothing
            )
            return "unknown" if may_have_cost and charged is None else "nothing"


def charges_in(connection: Connection, action_ids: Collection[str]) -> dict[str, Charged]:
    """Return what is booked for actions, by their ids; those for which nothing is are left out."""
    rows = connection.execute(select(holds).where(holds.c.action_id.in_(action_ids))).mappings()
    return {
        row["action_id"]: Charged(Money(Decimal(row["billionths"]) / BILLION, row["currency"]), row["state"])
        for row in rows
    }


class StoredSpending:
    """Sums what is held and settled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, since: datetime, until: datetime, *, principal: str | None = None) -> list[Total]:
        """Return the sums by account, operation and currency, the largest first: of one principal, or of all."""
        payer = (holds.c.provider, holds.c.account)
        summed = func.sum(holds.c.billionths).label("billionths")
        query = (
            select(*payer, actions.c.operation, holds.c.currency, summed, func.count().label("calls"))
            .join(actions, actions.c.id == holds.c.action_id)
            .where(holds.c.at >= since, holds.c.at <= until, holds.c.state != "released")
            .group_by(*payer, actions.c.operation, holds.c.currency)
            .order_by(summed.desc())
        )
        if principal is not None:
            query = query.where(actions.c.principal == principal)
        return [
            Total(
                provider=row["provider"],
                account=row["account"],
                operation=row["operation"],
                amount=Money(Decimal(row["billionths"]) / BILLION, row["currency"]),
                calls=row["calls"],
            )
            for row in await self._database.fetch(query)
        ]

    async def charges_of(self, action_ids: Collection[str]) -> dict[str, Charged]:
        """Return what is booked for actions, by their ids; those for which nothing is are left out."""
        return await self._database.read(lambda connection: charges_in(connection, action_ids))

    async def others_spent(self, principal: str, since: datetime) -> bool:
        """Return True if money is held or settled for an action of somebody else since then."""
        query = (
            select(holds.c.action_id)
            .join(actions, actions.c.id == holds.c.action_id)
            .where(holds.c.at >= since, holds.c.state != "released", actions.c.principal != principal)
            .limit(1)
        )
        return bool(await self._database.fetch(query))
