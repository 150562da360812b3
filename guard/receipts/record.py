"""What tools need of the store about receipts. Imported at every start, so it imports nothing else of receipts."""

from collections.abc import Sequence
from typing import Protocol


class ReceiptRecord(Protocol):
    """Receipts on the record. Every method raises `JournalUnavailable` when the record cannot be read."""

    async def ids_of(self, subject_id: str) -> Sequence[str]:
        """Return the ids of the receipts of an action, a plan or an allowance, the oldest first."""
        ...
