"""Caps on what may be spent. Checked when a call is proposed, held with the approval, settled after the call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from guard.errors import OverBudget
from guard.money import Money, NotAPrice, require_price

Window = Literal["action", "day", "month"]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so much in a window, at one provider, on one account, or (None) at all of them together."""

    window: Window
    limit: Money
    provider: str | None = None
    account: str | None = None
    """The operator's name for it."""

    def covers(self, provider: str, account: str, currency: str) -> bool:
        """Return True if money spent there in that currency counts against the cap."""
        return self.counts_at(provider, account) and self.limit.currency == currency

    def counts_at(self, provider: str, account: str) -> bool:
        """Return True if money spent there counts against the cap, in its currency."""
        return self.provider in (None, provider) and self.account in (None, account)

    @property
    def words(self) -> str:
        """The cap, for people."""
        where = f"at {self.provider}" if self.provider else "overall"
        where = f"on account {self.account}" if self.account else where
        return f"{self.limit} per {self.window} {where}"


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for one action; an unknown price is held as None and is not counted."""

    provider: str
    amount: Money | None
    account_name: str = ""
    """The name of the account that pays; empty for the one that is named like its provider."""

    @property
    def account(self) -> str:
        """The name of the account that pays."""
        return self.account_name or self.provider


@dataclass(frozen=True, slots=True)
class Spent:
    """What is held and settled already, per cap."""

    cap: Cap
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Room:
    """What a cap leaves before a call, as the question says it."""

    cap: Cap
    left: Money

    def line(self, costs: Money | None) -> str:
        """Say what is left now and, where it is known what the call costs, after it."""
        now = f"Budget of {self.cap.words}: {self.left} left now"
        if costs is None or costs.currency != self.left.currency:
            return f"{now}."
        return f"{now}, {Money(max(Decimal(0), self.left.amount - costs.amount), costs.currency)} after this."


def room_in(spent: Sequence[Spent]) -> tuple[Room, ...]:
    """Return what caps leave; of one on a single call nothing is used up, so it is left out."""
    return tuple(
        Room(one.cap, Money(max(Decimal(0), one.cap.limit.amount - one.amount), one.cap.limit.currency))
        for one in spent
        if one.cap.window != "action"
    )


def start_of(window: Window, now: datetime) -> datetime:
    """When the window began, by the calendar in UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.replace(day=1) if window == "month" else midnight


def applicable(caps: Sequence[Cap], provider: str, account: str, currency: str) -> list[Cap]:
    """Return the caps that a call on an account counts against."""
    return [cap for cap in caps if cap.covers(provider, account, currency)]


def require_room(spent: Sequence[Spent], amount: Money, *, reserved: Money | None = None) -> None:
    """Refuse a call that would break a cap. `reserved` is what counts as spent because it is set aside for this call.

    Raises:
        OverBudget: One of the caps leaves no room for it, or cannot count it: it is no price, or in another currency.
    """
    require_countable(amount)
    for already in spent:
        if already.cap.limit.currency != amount.currency:
            raise OverBudget(f"The budget of {already.cap.words} cannot count {amount}; nothing was sent.")
        used = Decimal(0) if already.cap.window == "action" else already.amount
        if reserved is not None and reserved.currency == amount.currency:
            used = max(Decimal(0), used - reserved.amount)
        if used + amount.amount > already.cap.limit.amount:
            left = Money(max(Decimal(0), already.cap.limit.amount - used), amount.currency)
            raise OverBudget(
                f"This costs {amount}, and the budget of {already.cap.words} leaves {left}; nothing was sent."
            )


def require_room_for_all(spent: Sequence[Spent], totals: Mapping[tuple[str, str, str], Money]) -> None:
    """Refuse several calls that would together break a cap; `totals` is what they cost by provider, account, currency.

    Caps on a single action are no matter of the total: each call is checked against them by itself.

    Raises:
        OverBudget: One of the caps leaves no room for all of them.
    """
    for already in spent:
        cap = already.cap
        counted = [money for place, money in totals.items() if cap.covers(*place)]
        if cap.window == "action" or not counted:
            continue
        total = Money(sum((money.amount for money in counted), Decimal(0)), cap.limit.currency)
        require_countable(total)
        if already.amount + total.amount > cap.limit.amount:
            left = Money(max(Decimal(0), cap.limit.amount - already.amount), total.currency)
            raise OverBudget(
                f"All steps together cost {total}, and the budget of {cap.words} leaves {left}; nothing was sent."
            )


def require_countable(amount: Money) -> None:
    """Refuse an amount that must not be set aside: one below zero would make room under every cap.

    Raises:
        OverBudget: It is no price.
    """
    try:
        require_price(amount)
    except NotAPrice as wrong:
        raise OverBudget(f"No budget can hold this price: {wrong} Nothing was sent.") from None
