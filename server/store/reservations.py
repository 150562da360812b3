"""Reserves, settles and releases money in the transaction of its action.

`holds` has one row for each action. `spending` has the sums by day, updated in the same transaction, so that checking a
cap costs the same however many actions there are; `spending_by_operation` has those of reports.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.engine import Connection, Row

from guard.money import Money, is_price
from guard.rules.budget import Cap, Hold, Spent, require_countable, start_of
from server.store.schema import actions, holds, spending, spending_by_operation

_BILLION = Decimal(10) ** 9

Payer = tuple[str, str]
"""Who pays: the provider's name and the account's."""


def billionths(amount: Decimal) -> int:
    """Convert an amount to whole billionths, rounded away from zero so that rounding never exceeds a cap."""
    return int((amount * _BILLION).to_integral_value(ROUND_UP))


def money_of(counted: int, currency: str) -> Money:
    """Return the amount of whole billionths."""
    return Money(Decimal(counted) / _BILLION, currency)


def spent_in(connection: Connection, caps: Sequence[Cap], now: datetime) -> list[Spent]:
    """Return what is held and settled in the window of each cap, by calendar days in UTC."""
    found: list[Spent] = []
    for cap in caps:
        counted = select(func.coalesce(func.sum(spending.c.billionths), 0)).where(
            spending.c.day >= _day(start_of(cap.window, now.astimezone(UTC))),
            spending.c.currency == cap.limit.currency,
        )
        if cap.provider is not None:
            counted = counted.where(spending.c.provider == cap.provider)
        if cap.account is not None:
            counted = counted.where(spending.c.account == cap.account)
        total = connection.execute(counted).scalar_one()
        # Records of 0.1 may hold an amount below zero, which must not make room.
        found.append(Spent(cap, max(Decimal(0), Decimal(total) / _BILLION)))
    return found


def take_hold(
    connection: Connection, action_id: str, provider: str, amount: Money, at: datetime, *, account: str | None = None
) -> None:
    """Reserve money for an action; `account` is the name of its account, if that is not its provider's.

    Raises:
        OverBudget: The amount is no price.
    """
    require_countable(amount)
    held = billionths(amount.amount)
    payer = (provider, account or provider)
    _put(connection, action_id, payer, amount.currency, held, at, state="held")


def release_hold(connection: Connection, action_id: str, *, to: str) -> None:
    """Settle or release what is reserved for an action."""
    held = _of(connection, action_id)
    if held is None or held.state == "released":
        return
    connection.execute(update(holds).where(holds.c.action_id == action_id).values(state=to))
    if to == "released":
        _add(connection, held, -held.billionths, calls=-1)


def settle_hold(connection: Connection, action_id: str, hold: Hold) -> None:
    """Replace the reservation by what the provider charged; without one, record the charge.

    What is no price, or in another currency than the reservation, is ignored and the reservation stays: booking it
    would make room under a cap.
    """
    if hold.amount is None or not is_price(hold.amount):
        return
    amount, currency = billionths(hold.amount.amount), hold.amount.currency
    held = _of(connection, action_id)
    if held is None:
        sent = connection.execute(select(actions.c.sent_at).where(actions.c.id == action_id)).scalar()
        if sent is not None:
            _put(connection, action_id, (hold.provider, hold.account), currency, amount, sent, state="settled")
        return
    if held.currency != currency:
        return
    connection.execute(update(holds).where(holds.c.action_id == action_id).values(billionths=amount))
    if held.state != "released":
        add_to_day(connection, held.at, (held.provider, held.account), currency, amount - held.billionths)


def _put(
    connection: Connection, action_id: str, payer: Payer, currency: str, amount: int, at: datetime, *, state: str
) -> None:
    provider, account = payer
    row = {"action_id": action_id, "provider": provider, "account": account, "currency": currency, "at": at}
    put = insert(holds).values(state=state, billionths=amount, **row).returning(*holds.c)
    _add(connection, connection.execute(put).one(), amount, calls=1)


def _add(connection: Connection, held: Row[Any], amount: int, *, calls: int) -> None:
    """Add billionths to the sums of the day of a hold, and to how many calls cost something that day."""
    payer = (held.provider, held.account)
    add_to_day(connection, held.at, payer, held.currency, amount)
    operation = connection.execute(select(actions.c.operation).where(actions.c.id == held.action_id)).scalar() or ""
    key = {"day": _day(held.at), "provider": held.provider, "account": held.account, "operation": operation}
    key |= {"currency": held.currency}
    sums = spending_by_operation
    same = and_(*(sums.c[name] == value for name, value in key.items()))
    more = {"billionths": sums.c.billionths + amount, "calls": sums.c.calls + calls}
    if connection.execute(update(sums).where(same).values(**more)).rowcount == 0:
        connection.execute(insert(sums).values(**key, billionths=amount, calls=calls))


def _of(connection: Connection, action_id: str) -> Row[Any] | None:
    return connection.execute(select(holds).where(holds.c.action_id == action_id)).first()


def add_to_day(connection: Connection, at: datetime, payer: Payer, currency: str, amount: int) -> None:
    """Add billionths to the sum of a day; a negative amount makes room again."""
    day, (provider, account) = _day(at), payer
    of_payer = (spending.c.provider == provider) & (spending.c.account == account)
    same = (spending.c.day == day) & of_payer & (spending.c.currency == currency)
    more = connection.execute(update(spending).where(same).values(billionths=spending.c.billionths + amount))
    if more.rowcount == 0:
        row = {"day": day, "provider": provider, "account": account, "currency": currency, "billionths": amount}
        connection.execute(insert(spending).values(**row))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
