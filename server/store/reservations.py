"""Reserves, settles and releases money in the transaction of its action.

`holds` has one row for each action. `spending` has the sums by day, updated in the same transaction, so that checking a
cap costs the same however many actions there are; `spending_by_operation` has those of reports.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from guard.money import Money, is_price
from guard.rules.budget import Cap, Hold, Spent, require_countable, start_of
from server.store.schema import actions, holds, spending, spending_by_operation
from server.store.transactions.locks import Locks
from server.store.transactions.statements import Row, Statement

_BILLION = Decimal(10) ** 9

_COUNTED = select(func.coalesce(func.sum(spending.c.billionths), 0)).where(
    spending.c.day >= bindparam("since"), spending.c.currency == bindparam("in_currency")
)
_COUNTED_AT_PROVIDER = _COUNTED.where(spending.c.provider == bindparam("at_provider"))
_COUNTED_ON_ACCOUNT = _COUNTED.where(spending.c.account == bindparam("on_account"))
_COUNTED_ON_ACCOUNT_AT_PROVIDER = _COUNTED_AT_PROVIDER.where(spending.c.account == bindparam("on_account"))
_COUNTED_BY = {
    (False, False): Statement(_COUNTED),
    (True, False): Statement(_COUNTED_AT_PROVIDER),
    (False, True): Statement(_COUNTED_ON_ACCOUNT),
    (True, True): Statement(_COUNTED_ON_ACCOUNT_AT_PROVIDER),
}
"""What is counted, by whether a cap names a provider and an account."""

_HOLD = Statement(select(holds).where(holds.c.action_id == bindparam("of_action")))
_ADD_HOLD = Statement(insert(holds))
_CHANGE_HOLD = Statement(update(holds).where(holds.c.action_id == bindparam("of_action")))
_OPERATION = Statement(select(actions.c.operation).where(actions.c.id == bindparam("of_action")))
_ON_DAY = and_(*(spending.c[name] == bindparam(f"of_{name}") for name in ("day", "provider", "account", "currency")))
_ADD_TO_DAY = Statement(update(spending).where(_ON_DAY).values(billionths=spending.c.billionths + bindparam("more")))
_START_DAY = Statement(insert(spending))
_sums = spending_by_operation
_OF_OPERATION = and_(
    *(_sums.c[name] == bindparam(f"of_{name}") for name in ("day", "provider", "account", "operation", "currency"))
)
_ADD_TO_OPERATION = Statement(
    update(_sums)
    .where(_OF_OPERATION)
    .values(billionths=_sums.c.billionths + bindparam("more"), calls=_sums.c.calls + bindparam("more_calls"))
)
_START_OPERATION = Statement(insert(_sums))

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
        of_cap = {
            "since": _day(start_of(cap.window, now.astimezone(UTC))),
            "in_currency": cap.limit.currency,
            "at_provider": cap.provider,
            "on_account": cap.account,
        }
        counted = _COUNTED_BY[cap.provider is not None, cap.account is not None]
        total = counted.value(connection, {name: value for name, value in of_cap.items() if value})
        # Records of 0.1 may hold an amount below zero, which must not make room.
        found.append(Spent(cap, max(Decimal(0), Decimal(total) / _BILLION)))
    return found


def locks_on_money(hold: Hold, caps: Sequence[Cap] = ()) -> Locks:
    """Lock what is spent by whoever pays, and the room under these caps. Calls that share none of it do not wait."""
    if hold.amount is None:
        return Locks.on()
    counted = [f"cap of {cap.provider or 'all'} {cap.account or 'all'} in {cap.limit.currency}" for cap in caps]
    return Locks.on(f"spending of {hold.provider} {hold.account or hold.provider}", *counted)


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
    if held is None or held["state"] == "released":
        return
    _CHANGE_HOLD.run(connection, {"of_action": action_id, "state": to})
    if to == "released":
        _add(connection, held, -held["billionths"], calls=-1)


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
    if held["currency"] != currency:
        return
    _CHANGE_HOLD.run(connection, {"of_action": action_id, "billionths": amount})
    if held["state"] != "released":
        add_to_day(connection, held["at"], (held["provider"], held["account"]), currency, amount - held["billionths"])


def _put(
    connection: Connection, action_id: str, payer: Payer, currency: str, amount: int, at: datetime, *, state: str
) -> None:
    provider, account = payer
    held = {"action_id": action_id, "provider": provider, "account": account, "currency": currency, "at": at}
    _ADD_HOLD.run(connection, {"state": state, "billionths": amount, **held})
    _add(connection, held, amount, calls=1)


def _add(connection: Connection, held: Row, amount: int, *, calls: int) -> None:
    """Add billionths to the sums of the day of a hold, and to how many calls cost something that day."""
    payer = (held["provider"], held["account"])
    add_to_day(connection, held["at"], payer, held["currency"], amount)
    operation = _OPERATION.value(connection, {"of_action": held["action_id"]}) or ""
    key = {"day": _day(held["at"]), "provider": held["provider"], "account": held["account"], "operation": operation}
    key |= {"currency": held["currency"]}
    if _ADD_TO_OPERATION.run(connection, _named(key) | {"more": amount, "more_calls": calls}) == 0:
        _START_OPERATION.run(connection, {**key, "billionths": amount, "calls": calls})


def _of(connection: Connection, action_id: str) -> Row | None:
    return _HOLD.first(connection, {"of_action": action_id})


def add_to_day(connection: Connection, at: datetime, payer: Payer, currency: str, amount: int) -> None:
    """Add billionths to the sum of a day; a negative amount makes room again."""
    provider, account = payer
    key = {"day": _day(at), "provider": provider, "account": account, "currency": currency}
    if _ADD_TO_DAY.run(connection, _named(key) | {"more": amount}) == 0:
        _START_DAY.run(connection, {**key, "billionths": amount})


def _named(key: Mapping[str, str]) -> dict[str, Any]:
    """Return a key as the values of a statement that finds its row."""
    return {f"of_{name}": value for name, value in key.items()}


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
