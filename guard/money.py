"""Amounts with their currency."""

from dataclasses import dataclass
from decimal import Decimal

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency. Amounts of different currencies are never added."""

    amount: Decimal
    currency: str = "USD"

    def __str__(self) -> str:
        """At least two decimals, and as many as the amount has: $2.00, $0.0075."""
        amount = abs(self.amount)
        exponent = amount.normalize().as_tuple().exponent
        digits = max(2, -exponent if isinstance(exponent, int) else 2)
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
