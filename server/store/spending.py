"""Sums what guarded calls cost, by provider and operation."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from guard.money import Money
from server.store.engine import Database
from server.store.schema import actions, holds

_BILLION = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Total:
    """What the calls of one operation cost in a period; money that may have been spent counts as spent."""

    provider: str
    operation: str
    amount: Money
    calls: int


class StoredSpending:
    """Sums what is held and settled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, since: datetime, until: datetime, *, principal: str | None = None) -> list[Total]:
        """Return the sums by provider, operation and currency, the largest first: of one principal, or of all."""
        summed = func.sum(holds.c.billionths).label("billionths")
        query = (
            select(holds.c.provider, actions.c.operation, holds.c.currency, summed, func.count().label("calls"))
            .join(actions, actions.c.id == holds.c.action_id)
            .where(holds.c.at >= since, holds.c.at <= until, holds.c.state != "released")
            .group_by(holds.c.provider, actions.c.operation, holds.c.currency)
            .order_by(summed.desc())
        )
        if principal is not None:
            query = query.where(actions.c.principal == principal)
        return [
            Total(
                provider=row["provider"],
                operation=row["operation"],
                amount=Money(Decimal(row["billionths"]) / _BILLION, row["currency"]),
                calls=row["calls"],
            )
            for row in await self._database.fetch(query)
        ]

    async def others_spent(self, principal: str, since: datetime) -> bool:
        """Return True if money is held or settled for an action of somebody else since then."""
        query = (
            select(holds.c.action_id)
            .join(actions, actions.c.id == holds.c.action_id)
            .where(holds.c.at >= since, holds.c.state != "released", actions.c.principal != principal)
            .limit(1)
        )
        return bool(await self._database.fetch(query))
