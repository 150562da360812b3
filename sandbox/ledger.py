"""Every charge that any simulated provider makes, in one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sandbox.clock import Clock, iso


@dataclass(frozen=True)
class LedgerEntry:
    """One charge: what was bought, how many of it, what was taken and which order, message or port it belongs to."""

    provider: str
    at: datetime
    what: str
    quantity: int
    amount: Decimal
    currency: str
    reference: str

    def to_wire(self) -> dict[str, object]:
        """Return the entry as `/_control/ledger` shows it; the amount is a decimal string."""
        return {
            "provider": self.provider,
            "at": iso(self.at),
            "what": self.what,
            "quantity": self.quantity,
            "amount": str(self.amount),
            "currency": self.currency,
            "reference": self.reference,
        }


class Ledger:
    """The charges made since the last reset, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[LedgerEntry] = []

    def charge(
        self, provider: str, what: str, quantity: int, amount: Decimal, reference: str, *, currency: str = "USD"
    ) -> None:
        """Write down one charge; `amount` is the whole sum, not the price of one."""
        self._entries.append(LedgerEntry(provider, self._clock.now(), what, quantity, amount, currency, reference))

    def entries(self, provider: str | None = None) -> Sequence[LedgerEntry]:
        """Return the charges of one provider, or of all."""
        return [entry for entry in self._entries if provider in {None, entry.provider}]

    def reset(self) -> None:
        """Forget every charge."""
        self._entries.clear()
