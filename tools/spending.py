"""What guarded calls cost, as tools read it from the record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guard.money import Money


class OperationTotal(Protocol):
    """What the calls of one operation cost."""

    @property
    def provider(self) -> str: ...

    @property
    def operation(self) -> str: ...

    @property
    def amount(self) -> Money: ...

    @property
    def calls(self) -> int: ...


class Ledger(Protocol):
    """The record of what guarded calls cost."""

    async def totals(self, since: datetime, until: datetime) -> Sequence[OperationTotal]:
        """Sums by provider and operation."""
        ...
