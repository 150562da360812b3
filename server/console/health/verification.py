"""Verifies the whole record: the chain of its audit log, every signature under an approval, and the receipts."""

from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio.to_thread

from guard.operators.approval import Assertion
from guard.receipts.verification import DoesNotFit
from server.console.passkeys.audit_check import SignatureVerdict, SignedApproval, check_signatures
from server.store.sealed.hash_chain import Verdict
from server.store.store import Store


async def verify_record(store: Store, *, by: str, at: datetime) -> tuple[Verdict, SignatureVerdict]:
    """Verify the audit log, the signatures on it and the receipts, and remember the result.

    Raises:
        JournalUnavailable: The store cannot be read or written, or was created with another key.
    """
    verifications = store.verifications
    try:
        verdict, signatures = await store.audit.verify(), await check_stored_signatures(store)
        if verdict.is_whole and (wrong := await _misfit_of_receipts(store)):
            signatures = replace(signatures, problems=(*signatures.problems, wrong))
        await verifications.remember(verdict, problems=signatures.problems, signed=signatures.signed, by=by, at=at)
    finally:
        await verifications.end()
    return verdict, signatures


async def _misfit_of_receipts(store: Store) -> str:
    """Return what does not fit among the receipts, as a sentence; empty where everything does."""
    try:
        await store.receipts.verify()
    except DoesNotFit as wrong:
        return f"The receipts were tampered with. {wrong}"
    return ""


async def check_stored_signatures(store: Store) -> SignatureVerdict:
    """Check the signatures on the store's own log, and the store's approvals against it."""
    given = await store.journal.all_approvals()
    stored = [
        SignedApproval(one.statement.about, one.operator.name, one.statement.facts, _facts_of(one.assertion))
        for one in given
    ]
    rows = [row async for row in store.audit.rows()]
    return await anyio.to_thread.run_sync(partial(check_signatures, rows, stored))


def _facts_of(assertion: Assertion | None) -> dict[str, Any] | None:
    return None if assertion is None else asdict(assertion)
