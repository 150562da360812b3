"""Walks through the rows of the audit log, some at a time, so that memory stays small however long it is.

The chain is checked, and whatever else belongs to the rows looks at them on the same way: signatures, and receipts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import String, select, type_coerce
from sqlalchemy.engine import Connection

from server.store.schema import audit
from server.store.sealed.archived import NOTHING_ARCHIVED, Archived
from server.store.sealed.checkpoint import Checkpoint
from server.store.sealed.hash_chain import NO_ROW, ChainCheck, Head, Row, Verdict

AT_ONCE: Final = 1000
"""Rows of one read. Each is a transaction of its own: one that reads for minutes keeps a database from tidying up."""

COLUMNS: Final = [type_coerce(audit.c.at, String).label("at") if column is audit.c.at else column for column in audit.c]
"""Times are read as text, so that a forged one is detected like any other change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Which rows are looked at."""

    after: Head = NO_ROW
    """The row behind which the first one stands."""

    last: int = 0
    head: Head | None = None
    """The end of the log as it is stored under the key."""

    archived: Archived = NOTHING_ARCHIVED
    goes_on_from: Checkpoint | None = None
    """The verification that this one goes on from; the rows before its end are not looked at."""

    with_archives: bool = False
    """True if the archived rows are looked at too, as the archives have them."""


class RowCheck(Protocol):
    """Looks at all rows, in their order, in transactions that only read."""

    def begin(self, connection: Connection, extent: Extent) -> None:
        """Begin, in the transaction that finds out which rows there are."""
        ...

    def look(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Look at the next rows."""
        ...

    def finish(self, connection: Connection) -> None:
        """Look at what remains once all rows were looked at."""
        ...


@dataclass(slots=True)
class LogCheck:
    """One way through the log."""

    key: bytes
    anchored: Head
    extent: Extent
    checks: Sequence[RowCheck] = ()
    earlier: Iterator[Sequence[Row]] = field(default_factory=lambda: iter(()))
    """Rows of archives, which come before those of the store."""

    _chain: ChainCheck = field(init=False)
    _cursor: int | None = field(init=False)

    def __post_init__(self) -> None:
        """Begin behind the row that the extent names."""
        extent = self.extent
        self._chain = ChainCheck(self.key, anchored=self.anchored, head=extent.head, after=extent.after)
        skips = extent.goes_on_from is not None or extent.archived.under_way is not None
        # Rows that are archived and were not deleted yet are no rows of the store any more.
        self._cursor = max(extent.after.number, extent.archived.last.number) if skips else None

    @property
    def last(self) -> Head:
        """The last row that fits."""
        return self._chain.last

    def look(self, connection: Connection) -> bool:
        """Look at the next rows; False if there are no more."""
        rows = next(self.earlier, None) or self._read(connection)
        self._chain.add(rows)
        for check in self.checks:
            check.look(connection, rows)
        return bool(rows)

    def end(self, connection: Connection) -> Verdict:
        """Return the result."""
        for check in self.checks:
            check.finish(connection)
        return self._chain.end()

    def _read(self, connection: Connection) -> list[Mapping[str, Any]]:
        rows = read_rows(connection, after=self._cursor, up_to=self.extent.last)
        if rows:
            self._cursor = rows[-1]["number"]
        return rows


def read_rows(
    connection: Connection, *, after: int | None, up_to: int | None = None, limit: int = AT_ONCE
) -> list[Mapping[str, Any]]:
    """Read the next rows behind a number, oldest first; times are text as stored."""
    query = select(*COLUMNS).order_by(audit.c.number).limit(limit)
    if after is not None:
        query = query.where(audit.c.number > after)
    if up_to is not None:
        query = query.where(audit.c.number <= up_to)
    names = audit.c.keys()
    return [dict(zip(names, row, strict=True)) for row in connection.execute(query)]


def read_all_rows(
    connection: Connection, *, after: int | None = None, up_to: int | None = None
) -> Iterator[Sequence[Row]]:
    """Read all rows behind a number, oldest first, some at a time."""
    while rows := read_rows(connection, after=after, up_to=up_to):
        yield rows
        after = rows[-1]["number"]


def in_batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    """Group rows as one read of the store does."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
