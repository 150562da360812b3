"""What a call will cost, where the price comes from, and what it will change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from clients.effects import Charge, Period
from clients.errors import TelephonyError
from clients.operation import Operation
from guard.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """The money on a prepaid account, as last read."""

    available: Money
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one, and where it was read."""

    each: Money
    source: str


class PriceSource(Protocol):
    """Prices and balance of one provider account."""

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | None:
        """The account's price of this name; None where the provider publishes none."""
        ...

    async def balance(self) -> Balance | None:
        """The balance; None where the account is not prepaid or does not show it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one call, bound into the question. An unknown price is `amount=None` with the reason, never zero."""

    amount: Money | None = None
    per: Period = "once"
    item: str = ""
    quantity: int = 0
    source: str = ""
    unknown: str = ""
    balance: Balance | None = None
    warnings: tuple[str, ...] = ()

    @property
    def costs_nothing(self) -> bool:
        """True only where the operation declares no charge at all."""
        return self.amount is None and not self.unknown

    @property
    def balance_after(self) -> Money | None:
        """What is left after the call, where both are known, of one currency, and the money is taken now."""
        if (
            self.per == "call"
            or self.amount is None
            or self.balance is None
            or self.amount.currency != self.balance.available.currency
        ):
            return None
        return self.balance.available - self.amount

    def lines(self) -> list[str]:
        """The quote in words, a line each."""
        if self.costs_nothing:
            return ["Price: no charge is documented for this call.", *self._warnings()]
        if self.amount is None:
            return [f"Price: UNKNOWN. {self.unknown}", *self._balance(), *self._warnings()]
        price = f"Price: {self.amount}{_PER[self.per]} ({self.quantity} {_counted(self.item, self.quantity)})"
        return [f"{price}, from {self.source}.", *self._balance(), *self._warnings()]

    def _balance(self) -> list[str]:
        if self.balance is None:
            return []
        now = f"Balance: {self.balance.available} as of {self.balance.as_of:%Y-%m-%d %H:%M} UTC"
        after = self.balance_after
        return [f"{now}; {after} after this call." if after else now + "."]

    def _warnings(self) -> list[str]:
        return [f"Note: {warning}" for warning in self.warnings]


def _counted(item: str, quantity: int) -> str:
    return item if quantity == 1 else item + "s"


_PER: Mapping[Period, str] = {"once": "", "month": " now, and again every month", "call": " for each later use"}


async def quote(operation: Operation[Any], prices: PriceSource | None) -> Quote:
    """Price a call. Never guesses: what cannot be read is said to be unknown, with the reason."""
    charge = operation.charge()
    warnings = operation.warnings()
    if charge is None:
        return Quote(warnings=warnings)
    balance = await _balance(prices)
    if charge.unknown is not None:
        return Quote(per=charge.per, item=charge.item, unknown=charge.unknown, balance=balance, warnings=warnings)
    each, source, why = await _price(charge, operation, prices)
    if each is None:
        return Quote(per=charge.per, item=charge.item, unknown=why, balance=balance, warnings=warnings)
    return Quote(
        amount=Money(each.amount * Decimal(charge.quantity), each.currency),
        per=charge.per,
        item=charge.item,
        quantity=charge.quantity,
        source=source,
        balance=balance,
        warnings=warnings,
    )


async def _price(
    charge: Charge, operation: Operation[Any], prices: PriceSource | None
) -> tuple[Money | None, str, str]:
    if charge.each is not None:
        return Money(charge.each, charge.currency), charge.source or "the provider's documents", ""
    if prices is None or charge.rate is None:
        return None, "", "No source of prices is set up for this provider."
    try:
        rate = await prices.rate(charge.rate, operation)
    except TelephonyError as failed:
        return None, "", f"The account's rates could not be read: {failed}"
    if rate is None:
        return None, "", f"The account shows no rate {charge.rate!r}."
    return rate.each, f"{rate.source}; {charge.source}" if charge.source else rate.source, ""


async def _balance(prices: PriceSource | None) -> Balance | None:
    try:
        return await prices.balance() if prices else None
    except TelephonyError:
        return None
