"""Checks the approvals of the store beside the rows of its audit log: each is on the log as it stands in the store."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from server.store.operators.approvals import StoredApproval, approvals_about, count_approvals, every_approval
from server.store.sealed.hash_chain import Row
from server.store.sealed.log_check import Extent, read_all_rows

Key = tuple[str, str]
"""What an approval is about, and the operator."""


class LoggedApproval(Protocol):
    """An operator's yes, as a row of the log says it."""

    @property
    def about(self) -> str:
        """The id of the action, plan or allowance."""
        ...

    @property
    def operator(self) -> str:
        """The name of the operator."""
        ...

    @property
    def statement(self) -> Mapping[str, Any]:
        """What was approved."""
        ...

    @property
    def assertion(self) -> Mapping[str, Any] | None:
        """What a passkey signed for it."""
        ...


class Signatures(Protocol):
    """Checks the signatures under approvals."""

    def enrol(self, enrolled: Mapping[str, Any]) -> None:
        """Begin with the passkeys as earlier rows leave them."""
        ...

    def look(self, rows: Sequence[Row]) -> Sequence[LoggedApproval]:
        """Check the approvals in the next rows, and return them."""
        ...

    def find(self, rows: Sequence[Row]) -> Sequence[LoggedApproval]:
        """Return the approvals in rows, unchecked."""
        ...

    def note_difference(self, about: str, operator: str) -> None:
        """Note that an approval in the store is not the one on the log."""
        ...


class ApprovalCheck:
    """Implements `RowCheck`: compares the store's approvals with the log, and has their signatures checked."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._extent = Extent()
        self._stored = 0
        """How many approvals the store had when the check began."""

        self.found = 0
        """How many of them are on the log, with those that the verification before found."""

    def begin(self, connection: Connection, extent: Extent) -> None:
        """Begin with the first row, or where an earlier check ended."""
        self._extent, self._stored = extent, count_approvals(connection)
        before = extent.goes_on_from
        if before is not None:
            self.found = before.approvals
            self._signatures.enrol(before.enrolled)
        elif not extent.with_archives:
            self._signatures.enrol(extent.archived.enrolled)
            self._find_staying(connection)

    def look(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Check the approvals in the next rows, and find them in the store."""
        logged = {_key(one): one for one in self._signatures.look(rows)}
        if not logged:
            return
        for stored in approvals_about(connection, {about for about, _ in logged}):
            one = logged.get(_key(stored))
            if one is None:
                continue
            self.found += 1
            if (stored.statement, stored.assertion) != (one.statement, one.assertion):
                self._signatures.note_difference(stored.about, stored.operator)

    def finish(self, connection: Connection) -> None:
        """Name the approvals that only the store has, unless some of them are being archived just now."""
        if self._stored != self.found and self._extent.archived.under_way is None:
            for about, operator in self._only_stored(connection):
                self._signatures.note_difference(about, operator)

    def _find_staying(self, connection: Connection) -> None:
        """Find the approvals that are still in the store, while their rows of the log are in an archive."""
        staying = {(one.about, one.operator): one.digest for one in self._extent.archived.staying}
        if not staying:
            return
        for stored in approvals_about(connection, {about for about, _ in staying}):
            digest = staying.get(_key(stored))
            if digest is not None:
                self.found += 1
                if digest != stored.digest:
                    self._signatures.note_difference(stored.about, stored.operator)

    def _only_stored(self, connection: Connection) -> Iterator[Key]:
        """Read the whole log once more, which only somebody who wrote into the store makes necessary."""
        logged = {(one.about, one.operator) for one in self._extent.archived.staying}
        for rows in read_all_rows(connection):
            logged.update(_key(one) for one in self._signatures.find(rows))
        for stored in every_approval(connection):
            if _key(stored) not in logged:
                yield _key(stored)


def _key(approval: StoredApproval | LoggedApproval) -> Key:
    return approval.about, approval.operator
