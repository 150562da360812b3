"""What a call will cost, where the price comes from, and what it will change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from clients.effects import Charge, Period
from clients.errors import TelephonyError
from clients.operation import Operation, is_dry_run
from clients.questions.differences import Difference
from guard.injection.sanitize import escape_invisible
from guard.money import Money, NotAPrice, is_price, price, require_price
from guard.rules.budget import Room

_FROM_TABLE: Final = "the operator's table, as the worst case"
_FROM_DOCUMENT: Final = ", as the worst case, because the account shows no price"
"""The sources of worst cases, by which a quote of the record shows that it is one."""

MOST_CHANGES: Final = 20
"""How many changes a question lists; the approval page has all of them."""


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
    monthly: Money | None = None
    """What one costs again every month, where that is not the price of the start."""

    is_bound: bool = False
    """True where the price can only be less."""

    as_of: datetime | None = None
    """When it was read, where that may be a while ago."""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A price that cannot be known beforehand."""

    reason: str
    at_least: Money | None = None
    """Known lower bound; a configured worst case must not be lower."""


class PriceSource(Protocol):
    """Prices and balance of one provider account."""

    async def rate(self, name: str, operation: Operation[Any]) -> Rate | Unpriced | None:
        """Return the account's price of this name for this call, or None if the provider publishes none."""
        ...

    async def balance(self) -> Balance | None:
        """Return the balance, or None if the account is not prepaid or does not show it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one call, bound into the question. An unknown price is `amount=None` with the reason, never zero."""

    amount: Money | None = None
    per: Period = "once"
    item: str = ""
    quantity: int = 0
    source: str = ""
    charged_by: str = ""
    """Title of the provider that charges it; empty in records of 0.1."""

    as_of: datetime | None = None
    """When the price was read, where that may be a while ago."""

    monthly: Money | None = None
    """What comes back every month, where that is not `amount`."""

    is_bound: bool = False
    """True where `amount` is the most that it can cost."""

    unknown: str = ""
    balance: Balance | None = None
    at_least: Money | None = None
    """Known lower bound of a price that is unknown."""

    up_to: Money | None = None
    """The most that the call may cost, as whoever approved it named it, where the price is unknown."""

    recipients: int | None = None
    """How many numbers the call reaches, with those of its groups and lists; None where that is not known."""

    members: str = ""
    """Digest of the people of its groups and lists; empty where it has none or they could not be looked up."""

    warnings: tuple[str, ...] = ()
    changes: tuple[Difference, ...] = ()
    """What the call changes in the state before it."""

    room: tuple[Room, ...] = ()
    """What the caps that it counts against left when it was asked."""

    @property
    def costs_nothing(self) -> bool:
        """True only where the operation declares no charge at all."""
        return self.amount is None and not self.unknown

    @property
    def currency(self) -> str:
        """The currency of the price; where that is unknown, of what is known about it, else US dollars."""
        known = self.most or self.at_least or (self.balance.available if self.balance else None)
        return known.currency if known else "USD"

    @property
    def is_unknown(self) -> bool:
        """True where it costs something and nobody knows how much."""
        return self.amount is None and bool(self.unknown)

    @property
    def most(self) -> Money | None:
        """The most that the call may cost, which caps hold: the price, or what the approval names in its place."""
        return self.amount or self.up_to

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

    def not_read_since(self, moment: datetime) -> str:
        """Word for the record that the price was not read again since then; empty if it was."""
        if self.as_of is None or self.as_of > moment:
            return ""
        return f"The price could not be read again after the question: {self.amount} is as of {_minute(self.as_of)}."

    def with_notes(self, *notes: str) -> "Quote":
        """Return the same quote with more notes, before its own."""
        return replace(self, warnings=tuple(dict.fromkeys([*notes, *self.warnings])))

    def lines(self, quoted: Callable[[str], str] = str, *, with_budgets: bool = False) -> list[str]:
        """Word the quote, one line each. `quoted` fences changes and notes, which may repeat the state before."""
        return [
            *self.price_lines(),
            *(self.budget_lines() if with_budgets else []),
            *self._change_lines(quoted),
            *(f"Note: {quoted(warning)}" for warning in self.warnings),
        ]

    @property
    def brief(self) -> str:
        """The amount in a few words, such as `at most $2.00 a month`; `price unknown`; empty where it is free."""
        if self.costs_nothing:
            return ""
        if self.amount is None:
            return f"up to {self.up_to}" if self.up_to else "price unknown"
        later = f", then {self.monthly} a month" if self.monthly else _BRIEFLY[self.per]
        return f"{'at most ' if self.is_bound else ''}{self.amount}{later}"

    def _change_lines(self, quoted: Callable[[str], str]) -> list[str]:
        if not self.changes:
            return []
        shown = [f"  {quoted(escape_invisible(str(change)))}" for change in self.changes[:MOST_CHANGES]]
        left_out = len(self.changes) - len(shown)
        more = [f"  and {left_out} more, on the approval page"] if left_out else []
        return ["What changes:", *shown, *more]

    def price_lines(self) -> list[str]:
        """Say what the call costs, where the price comes from, and what is left of the balance, one line each."""
        if self.costs_nothing:
            return ["Free, as far as the documentation says."]
        if self.amount is None:
            bound = [f"Approved up to {self.up_to}, for the whole call."] if self.up_to else []
            return [f"Price unknown: {self.unknown}", *bound, *self._balance()]
        most = "at most " if self.is_bound else ""
        again = f" now, then {self.monthly} every month" if self.monthly else PER[self.per]
        charges = f"{self.charged_by} charges" if self.charged_by else "This costs"
        price = f"{charges} {most}{self.amount}{again} ({self.quantity} {_counted(self.item, self.quantity)})"
        read = f" as of {_minute(self.as_of)}" if self.as_of else ""
        return [f"{price}, from {self.source}{read}.", *self._balance()]

    def budget_lines(self) -> list[str]:
        """Say what is left of each cap that it counts against, for whoever may see what others spend."""
        return [one.line(self.amount) for one in self.room]

    def _balance(self) -> list[str]:
        if self.balance is None:
            return []
        now = f"Balance: {self.balance.available} as of {_minute(self.balance.as_of)}"
        after = self.balance_after
        least = "at least " if self.is_bound else ""
        return [f"{now}; {least}{after} after this call." if after else now + "."]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _counted(item: str, quantity: int) -> str:
    return item if quantity == 1 else item + "s"


_BRIEFLY: Mapping[Period, str] = {"once": "", "month": " a month", "call": " for each later use"}

PER: Final[Mapping[Period, str]] = {"once": "", "month": " now and every month", "call": " for each later use"}


async def quote(
    operation: Operation[Any],
    prices: PriceSource | None,
    worst_cases: Mapping[str, Money] | None = None,
    *,
    recipients: int | None = 1,
) -> Quote:
    """Price a call. Never guesses: what cannot be read is said to be unknown, with the reason.

    `worst_cases` is the operator's own table, by tool name: what one costs at most where no price is published. Where
    it has no entry, the worst case that a document of the provider names counts.
    `recipients` is how many numbers the call reaches, each of which costs as much; None where that is not known, and
    then no worst case is either.
    """
    charged_by = operation.spec.provider.title
    found = replace(await _quote(operation, prices), recipients=recipients, charged_by=charged_by)
    return _with_worst_case(found, operation, worst_cases or {})


def quote_again(recorded: Quote, operation: Operation[Any], worst_cases: Mapping[str, Money]) -> Quote:
    """Return a quote of the record as it would be with another table of worst cases; what was read then stays."""
    asked = replace(recorded, up_to=None)
    if asked.source.endswith(_FROM_TABLE) or asked.source.endswith(_FROM_DOCUMENT):
        asked = replace(asked, amount=None, is_bound=False, source="", unknown="The account shows no price.")
    return _with_worst_case(asked, operation, worst_cases)


def _with_worst_case(found: Quote, operation: Operation[Any], worst_cases: Mapping[str, Money]) -> Quote:
    """Return a quote with the worst case in place of a price that is unknown, where there is one."""
    worst, source = _worst_case(operation, worst_cases)
    recipients = found.recipients
    if found.amount is not None or found.costs_nothing or worst is None or recipients is None:
        return found
    quantity = max(1, found.quantity, recipients)
    try:
        total = _times(worst, quantity)
    except NotAPrice:
        return found
    if found.at_least is not None and not found.at_least.is_at_most(total):
        return found
    return replace(found, amount=total, quantity=quantity, unknown="", source=source, is_bound=True)


def _worst_case(operation: Operation[Any], table: Mapping[str, Money]) -> tuple[Money | None, str]:
    """Return what one costs at most, and where that is written: the operator's table, else the provider's document."""
    own, documented = table.get(operation.spec.tool_name), operation.spec.worst_case
    if own is not None:
        return own, _FROM_TABLE
    if documented is None:
        return None, ""
    source = f"{documented.source}{_FROM_DOCUMENT}"
    return Money(documented.amount, documented.currency), source


async def _quote(operation: Operation[Any], prices: PriceSource | None) -> Quote:
    charge = None if is_dry_run(operation) else operation.charge()
    warnings = operation.warnings()
    if charge is None:
        return Quote(warnings=warnings)
    balance = await _balance(prices)
    if charge.unknown is not None:
        return _unpriced(charge, Unpriced(charge.unknown), balance, warnings)
    rate = await _rate(charge, operation, prices)
    if isinstance(rate, Unpriced):
        return _unpriced(charge, rate, balance, warnings)
    if balance is not None and balance.available.currency != rate.each.currency:
        reason = f"It is in {rate.each.currency}, and the account's balance is in {balance.available.currency}."
        return _unpriced(charge, Unpriced(reason), balance, warnings)
    try:
        amount = _times(rate.each, charge.quantity)
        monthly = _times(rate.monthly, charge.quantity) if rate.monthly else None
    except NotAPrice as wrong:
        return _unpriced(charge, Unpriced(f"{rate.source} is no price: {wrong}"), balance, warnings)
    return Quote(
        amount=amount,
        per=charge.per,
        item=charge.item,
        quantity=charge.quantity,
        source=f"{rate.source}; {charge.source}" if charge.source and charge.rate else rate.source,
        monthly=monthly,
        is_bound=rate.is_bound,
        as_of=rate.as_of,
        balance=balance,
        warnings=warnings,
    )


def _unpriced(charge: Charge, found: Unpriced, balance: Balance | None, warnings: tuple[str, ...]) -> Quote:
    return Quote(
        per=charge.per,
        item=charge.item,
        quantity=charge.quantity,
        unknown=found.reason,
        at_least=found.at_least if found.at_least and is_price(found.at_least) else None,
        balance=balance,
        warnings=warnings,
    )


async def _rate(charge: Charge, operation: Operation[Any], prices: PriceSource | None) -> Rate | Unpriced:
    if charge.each is not None:
        return Rate(Money(charge.each, charge.currency), charge.source or "the provider's documents")
    if prices is None or charge.rate is None:
        return Unpriced("No source of prices is set up for this provider.")
    try:
        rate = await prices.rate(charge.rate, operation)
    except TelephonyError as failed:
        return Unpriced(f"The account's rates could not be read: {failed}")
    except NotAPrice as wrong:
        return Unpriced(f"{operation.spec.provider.title} shows a rate {charge.rate!r} that is no price: {wrong}")
    return rate or Unpriced(f"The account shows no rate {charge.rate!r}.")


def _times(each: Money, quantity: int) -> Money:
    """Return what several cost.

    Raises:
        NotAPrice: One of them, or all together, cost what nobody can charge.
    """
    require_price(each)
    if quantity < 1:
        raise NotAPrice(f"{quantity} of it cannot be charged.")
    return price(each.amount * Decimal(quantity), each.currency)


async def _balance(prices: PriceSource | None) -> Balance | None:
    try:
        found = await prices.balance() if prices else None
    except TelephonyError:
        return None
    return found if found is not None and found.available.amount.is_finite() else None
