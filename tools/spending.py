"""What guarded calls cost, as tools read it from the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guard.money import Money


class OperationTotal(Protocol):
    """What the calls of one operation cost in total."""

    @property
    def provider(self) -> str:
        """Name of the provider."""
        ...

    @property
    def account(self) -> str:
        """Name of the account."""
        ...

    @property
    def operation(self) -> str:
        """Tool name of the operation."""
        ...

    @property
    def amount(self) -> Money:
        """Total cost."""
        ...

    @property
    def calls(self) -> int:
        """Number of calls."""
        ...


class Ledger(Protocol):
    """The record of what guarded calls cost."""

    async def totals(
        self, since: datetime, until: datetime, *, principal: str | None = None
    ) -> Sequence[OperationTotal]:
        """Return totals by provider, operation and currency: of one principal, or of all."""
        ...

    async def others_spent(self, principal: str, since: datetime) -> bool:
        """Return True if somebody but this principal spent something since then."""
        ...
