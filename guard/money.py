"""Amounts with their currency, and what may count as a price.

A balance may be below zero. A price never is: one below zero would make room under every cap.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

LARGEST: Final = Decimal(10) ** 9
"""No single call costs more, and sums of it still fit the record, which counts billionths in 64 bits."""

SMALLEST: Final = Decimal(10) ** -9
"""The record counts in billionths."""

_MOST_DIGITS: Final = 40
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS: Final = "CLF UYW"

_DECIMALS: Final = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(_FOUR_DECIMALS.split(), 4),
}
"""Decimals of the currencies that have not two (ISO 4217, list one of 2026-01-01, minor units)."""

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


_WRITTEN: Final = re.compile(r"(?P<symbol>[$€£]?)\s*(?P<amount>[0-9]+(\.[0-9]+)?)\s*(?P<code>([A-Za-z]{3})?)")


class NotAPrice(ValueError):
    """An amount that nobody can charge. The message is the reason, as a sentence."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency. Amounts of different currencies are never added."""

    amount: Decimal
    currency: str = "USD"

    def __str__(self) -> str:
        """At least the decimals of the currency, and as many as the amount has: $2.00, $0.0075, 300 JPY."""
        amount = abs(self.amount)
        exponent = amount.normalize().as_tuple().exponent
        decimals = _DECIMALS.get(self.currency, 2)
        digits = max(decimals, -exponent if isinstance(exponent, int) else decimals)
        sign = "-" if self.amount < 0 else ""
        symbol = _SYMBOLS.get(self.currency)
        number = f"{amount:,.{digits}f}"
        return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def is_at_most(self, other: "Money") -> bool:
        """Return True if both have one currency and this amount is not greater."""
        return self.currency == other.currency and self.amount <= other.amount

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return other.amount


def price(amount: Decimal, currency: str = "USD") -> Money:
    """Return an amount that somebody charges. Every price and every receipt is made here.

    Raises:
        NotAPrice: It is below zero, not finite, larger or smaller than the record can hold, or in no currency.
    """
    if not amount.is_finite():
        raise NotAPrice(f"{amount} is not a number.")
    if amount < 0:
        raise NotAPrice(f"{amount:.6g} is below zero.")
    if amount > LARGEST or 0 < amount < SMALLEST or len(amount.as_tuple().digits) > _MOST_DIGITS:
        raise NotAPrice(f"{amount:.6g} is larger or smaller than any price.")
    if not _CURRENCY.fullmatch(currency):
        raise NotAPrice(f"{currency[:20]!r} is no currency.")
    return Money(amount, currency)


def parse_price(text: str, currency: str = "USD") -> Money:
    """Read an amount as people write it: `2.50`, `$2.50`, `2.50 EUR`; `currency` counts where it names none.

    Raises:
        NotAPrice: It cannot be read, or nobody can charge it.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise NotAPrice(f"{text.strip()[:40]!r} cannot be read; 2.50 or 2.50 EUR is expected.")
    by_symbol = {symbol: code for code, symbol in _SYMBOLS.items()}
    code, meant = found["code"].upper(), by_symbol.get(found["symbol"])
    if code and meant and code != meant:
        raise NotAPrice(f"{text.strip()[:40]!r} names two currencies.")
    named = code or meant or currency
    return price(Decimal(found["amount"]), named)


def require_price(money: Money) -> None:
    """Refuse an amount that is no price.

    Raises:
        NotAPrice: As `price` does.
    """
    price(money.amount, money.currency)


def is_price(money: Money) -> bool:
    """Return True for an amount that somebody can charge."""
    try:
        require_price(money)
    except NotAPrice:
        return False
    return True
