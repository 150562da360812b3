"""Checks the receipts of a store beside the rows of its audit log: each belongs to its row, and none is missing.

Both are read in their order, some at a time. Whether the audit log itself is whole is for `Audit.check`.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from guard.receipts.contents import EVENTS
from guard.receipts.keys import PublishedKeys
from guard.receipts.receipt import NOTHING_BEFORE, AuditRow, Link
from guard.receipts.verification import ChainOfReceipts, DoesNotFit, Findings
from server.store.receipts.signing_keys import published
from server.store.schema import receipts
from server.store.sealed.hash_chain import Row
from server.store.sealed.log_check import Extent

AT_ONCE: Final = 500
"""Receipts of one read."""


class ReceiptCheck:
    """Implements `RowCheck`. Rows from before the first receipt have none."""

    def __init__(self) -> None:
        self._chain = ChainOfReceipts(PublishedKeys())
        self._lines = deque[str]()
        self._read_to = self._last = 0
        """The number of the receipt that was read last, and of the last one that there is."""

        self._rows = range(0)
        """The numbers of the rows that are looked at; a receipt may name an earlier one, which is elsewhere."""

        self._named: AuditRow | None = None
        """The row that the receipt names which was checked last, until that row comes."""

        self._end: tuple[Link, str | None] = (NOTHING_BEFORE, None)
        self.problem = ""
        """The first thing that does not fit, as a sentence."""

    @property
    def findings(self) -> Findings:
        """What was checked, and fits."""
        return self._chain.findings

    @property
    def end(self) -> Mapping[str, Any]:
        """The last receipt whose row was looked at, as a checkpoint holds it."""
        link, signs_next = self._end
        return {"number": link.number, "hash": link.hash, "signs_next": signs_next}

    def begin(self, connection: Connection, extent: Extent) -> None:
        """Begin with the first receipt, or behind the one at which an earlier check ended."""
        before = extent.goes_on_from
        link = Link.model_validate(before.receipts) if before is not None else NOTHING_BEFORE
        signs_next = before.receipts["signs_next"] if before is not None else None
        self._chain = ChainOfReceipts(published(connection), after=link, signs_next=signs_next)
        self._end = (link, signs_next)
        self._read_to = link.number
        self._last = connection.execute(select(func.max(receipts.c.number))).scalar() or 0
        self._rows = range(extent.after.number + 1, extent.last + 1)

    def look(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Check the receipts of the next rows."""
        if self.problem:
            return
        try:
            for row in rows:
                self._look(connection, row)
        except DoesNotFit as wrong:
            self.problem = str(wrong)

    def finish(self, connection: Connection) -> None:
        """Check the receipts that are left."""
        if self.problem:
            return
        try:
            while (named := self._next(connection)) is not None:
                self._require_elsewhere(named)
                self._take()
        except DoesNotFit as wrong:
            self.problem = str(wrong)

    def _look(self, connection: Connection, row: Row) -> None:
        number = row["number"]
        while (named := self._next(connection)) is not None and named.row < number:
            self._require_elsewhere(named)
            self._take()
        if named is None or named.row > number:
            if row["event"] in EVENTS and self._end[0].number:
                raise DoesNotFit(f"Row {number} of the audit log ({row['event']}) has no receipt.")
        elif named.mac != row["mac"]:
            raise DoesNotFit(f"Row {number} of the audit log ({row['event']}) is not the one that its receipt names.")
        else:
            self._take()

    def _require_elsewhere(self, named: AuditRow) -> None:
        """Refuse a receipt whose row should have come by now."""
        if named.row >= self._rows.start:
            raise DoesNotFit(f"Row {named.row} of the audit log, which a receipt names, is missing.")

    def _next(self, connection: Connection) -> AuditRow | None:
        """Return the row that the next receipt names; None after the last one."""
        if self._named is None and (self._lines or self._read(connection)):
            line = self._lines.popleft()
            self._named = self._chain.check(line, later=self._lines).audit
        return self._named

    def _take(self) -> None:
        """Go on to the next receipt."""
        self._named, self._end = None, self._chain.end

    def _read(self, connection: Connection) -> bool:
        if self._read_to >= self._last:
            return False
        query = select(receipts.c.number, receipts.c.line).order_by(receipts.c.number).limit(AT_ONCE)
        rows = connection.execute(query.where(receipts.c.number > self._read_to)).all()
        self._lines.extend(row.line for row in rows)
        self._read_to = rows[-1].number if rows else self._last
        return bool(rows)
