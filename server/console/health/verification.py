"""Verifies the whole record: the chain of its audit log, every signature under an approval, and the receipts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.console.passkeys.audit_check import SignatureCheck, SignatureVerdict
from server.store.operators.approval_check import ApprovalCheck
from server.store.receipts.checking import ReceiptCheck
from server.store.sealed.audit import Checked
from server.store.sealed.checkpoint import Checkpoint, Rows
from server.store.sealed.hash_chain import Row, Verdict
from server.store.store import Store


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """The result of verifying a record, and how it goes on next time."""

    log: Checked
    signatures: SignatureVerdict
    """Of the rows that were read, with what is wrong with the receipts."""

    checkpoint: Checkpoint
    """The end of this verification. It counts the rows that earlier ones verified, too."""

    @property
    def verdict(self) -> Verdict:
        """The result for the audit log."""
        return self.log.verdict

    @property
    def fits(self) -> bool:
        """True if nothing is wrong."""
        return self.verdict.is_whole and not self.signatures.problems

    @property
    def fault(self) -> str:
        """What is wrong, as a sentence without its full stop; empty if nothing is."""
        return self.verdict.what or next(iter(self.signatures.problems), "").removesuffix(".")


async def verify_record(store: Store, *, by: str, at: datetime, rows: Rows = Rows.AS_DUE) -> CheckedRecord:
    """Verify the audit log, the signatures on it and the receipts, and remember the result.

    Raises:
        JournalUnavailable: The store cannot be read or written, or was created with another key.
    """
    verifications = store.verifications
    try:
        checked = await check_record(store, by=by, at=at, rows=rows)
        await store.audit.put_checkpoint(checked.checkpoint if checked.fits else None)
        await verifications.remember(checked.checkpoint, fault=checked.fault)
    finally:
        await verifications.end()
    return checked


async def check_record(
    store: Store,
    *,
    by: str,
    at: datetime,
    rows: Rows = Rows.ALL,
    earlier: Iterator[Sequence[Row]] | None = None,
) -> CheckedRecord:
    """Check them, and remember nothing; `earlier` are all rows of the log that were archived.

    Raises:
        JournalUnavailable: The store cannot be read, or was created with another key.
    """
    signatures, receipts = SignatureCheck(), ReceiptCheck()
    approvals = ApprovalCheck(signatures)
    log = await store.audit.check([approvals, receipts], rows=rows, at=at, earlier=earlier)
    verdict, before = log.verdict, log.extent.goes_on_from
    checkpoint = Checkpoint(
        row=log.last,
        at=at.isoformat(),
        by=by,
        whole_at=before.whole_at if before is not None else at.isoformat(),
        read_from=log.extent.after.number + 1 if earlier is None else 1,
        rows=verdict.rows + (before.rows if before is not None else 0),
        approvals=approvals.found,
        signed=signatures.verdict.signed + (before.signed if before is not None else 0),
        gaps=len(verdict.accepted) + (before.gaps if before is not None else 0),
        receipts=receipts.end,
        enrolled=signatures.enrolled,
    )
    found = signatures.verdict
    if verdict.is_whole and receipts.problem:
        found = replace(found, problems=(*found.problems, f"The receipts were tampered with. {receipts.problem}"))
    return CheckedRecord(log, found, checkpoint)
