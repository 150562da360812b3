"""Money held, settled and released, inside the transaction of the action it belongs to."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_UP, Decimal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from guard.budget import Cap, Hold, Spent, start_of
from guard.money import Money
from server.store.schema import holds

_BILLION = Decimal(10) ** 9


def billionths(amount: Decimal) -> int:
    """An amount in whole billionths, rounded away from zero so that no cap is passed by rounding."""
    return int((amount * _BILLION).to_integral_value(ROUND_UP))


async def spent_in(connection: AsyncConnection, caps: Sequence[Cap], now: datetime) -> list[Spent]:
    """What is held and settled in the window of each cap."""
    found: list[Spent] = []
    for cap in caps:
        counted = select(func.coalesce(func.sum(holds.c.billionths), 0)).where(
            holds.c.currency == cap.limit.currency,
            holds.c.at >= start_of(cap.window, now),
            holds.c.state != "released",
        )
        if cap.provider is not None:
            counted = counted.where(holds.c.provider == cap.provider)
        total = (await connection.execute(counted)).scalar_one()
        found.append(Spent(cap, Decimal(total) / _BILLION))
    return found


def hold_row(action_id: str, provider: str, amount: Money, at: datetime) -> dict[str, object]:
    """A new hold."""
    return {
        "action_id": action_id,
        "provider": provider,
        "currency": amount.currency,
        "billionths": billionths(amount.amount),
        "state": "held",
        "at": at,
    }


async def close_hold(connection: AsyncConnection, action_id: str, *, to: str) -> None:
    """Settle or release what is held for an action."""
    await connection.execute(update(holds).where(holds.c.action_id == action_id).values(state=to))


async def settle_at(connection: AsyncConnection, action_id: str, hold: Hold) -> None:
    """Replace what was held by what the provider says it took."""
    if hold.amount is None:
        return
    amount = {"billionths": billionths(hold.amount.amount), "currency": hold.amount.currency}
    await connection.execute(update(holds).where(holds.c.action_id == action_id).values(**amount))
