"""What tools and pages need of the store about receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from guard.receipts.receipt import SignedReceipt, id_of, read_receipt


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt as it stands in the store: its line, which is also that of an exported file."""

    line: str

    @property
    def id(self) -> str:
        """Its id."""
        return id_of(self.line)

    @cached_property
    def content(self) -> SignedReceipt:
        """What it says."""
        return read_receipt(self.line)


class ReceiptRecord(Protocol):
    """Receipts on the record. Every method raises `JournalUnavailable` when the record cannot be read."""

    async def of(self, subject_id: str) -> Sequence[StoredReceipt]:
        """Return the receipts of an action, a plan or an allowance, the oldest first."""
        ...
