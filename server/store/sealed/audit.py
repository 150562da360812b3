"""The audit log: a hash chain of rows, each with an HMAC over the one before, whose head is stored twice.

Changing, removing, inserting or moving a row breaks the chain at that row, because the key is not in the database.
Rows cut off at the end are detected by the head, which is stored under the same key, and by the anchor, a file outside
the database. What must not happen without the whole log asks for that first, in its own transaction.
"""

import hmac
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import anyio.to_thread
from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from clients.redaction import redact, without_secrets
from guard.action import Action
from guard.errors import AuditGap, JournalUnavailable
from guard.plans.plan import Plan
from guard.receipts.receipt import ReceiptContent
from server.store.engine import Database
from server.store.key_values import drop_value, get_value, put_value
from server.store.schema import audit, facts, storable
from server.store.sealed.anchor import Anchor
from server.store.sealed.archived import ARCHIVED, Archived, read_archived, seal_archived
from server.store.sealed.checkpoint import CHECKPOINT, Checkpoint, Rows, read_checkpoint, seal_checkpoint
from server.store.sealed.hash_chain import (
    GAP_ACCEPTED,
    NO_ROW,
    ChainCheck,
    Gap,
    Head,
    Row,
    Verdict,
    accepted_gaps,
    detail_text,
    keyed,
    mac_of,
    read_head,
    seal_head,
)
from server.store.sealed.log_check import COLUMNS, Extent, LogCheck, RowCheck, in_batches, read_rows
from server.store.sealed.seal import Seal
from server.store.transactions.committed import AddedRow, note_committed
from server.store.transactions.locks import WHOLE_STORE, Locks, lock_end_of_audit
from server.store.transactions.statements import Statement

ANOTHER_KEY = (
    "The store was created with another key, so guarded calls are refused. Every server on a store needs the same key: "
    "the setting state_key, or the file vault.key in the state folder."
)
T = TypeVar("T")

_HEAD = "audit head"
_KEY = "audit key"

_ADD = Statement(insert(audit))
_LAST = Statement(select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1))
_ROWS = Statement(
    select(audit.c.number, audit.c.mac).where(audit.c.number.in_([bindparam("anchored"), bindparam("seen")]))
)


@dataclass(slots=True)
class NewRow:
    """A row of the log, which gets its number and its place in the chain at the end of the transaction."""

    event: str
    action_id: str | None
    principal: str | None
    detail: str
    head: Head | None = None
    """Its number and MAC, once it is written."""


class Signer(Protocol):
    """Signs receipts of audit rows."""

    def sign(self, connection: Connection, receipts: Sequence[tuple[Head, ReceiptContent]]) -> None:
        """Sign and write the receipts of rows that the transaction wrote."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking the log, and which rows were looked at."""

    verdict: Verdict
    extent: Extent
    last: Head
    """The last row that fits."""


class Entry:
    """A transaction of the store, the rows that it adds to the log, and the head of the chain after it."""

    def __init__(self, connection: Connection, gap: Gap | None, locks: Locks) -> None:
        self.connection = connection
        self.locks = locks
        self.gap = gap
        """What was missing of the log when the transaction began."""

        self.head: Head | None = None
        self.closes_gap = False
        self.rows: list[NewRow] = []
        """Those that are not written yet."""

        self.receipts: list[tuple[NewRow, ReceiptContent]] = []
        """What is not signed yet, each with its row."""

        self.signer: Signer | None = None

        self.noted: list[AddedRow] = []
        """Every row that was added, for what watches the server."""


class Audit:
    """Appends rows in the transaction of the change that they record, and verifies the chain."""

    def __init__(self, database: Database, seal: Seal, folder: Path) -> None:
        self._database = database
        self._seal = seal
        self._anchor = Anchor(folder)
        self._seen = NO_ROW
        """The last row that this process wrote: it counts where the anchor was replaced together with the database."""

        self._has_same_key = False

    async def write(
        self, work: Callable[[Entry], T], *, needs_whole_log: bool = False, locks: Locks = WHOLE_STORE
    ) -> T:
        """Run `work` in a transaction that adds audit rows; its head is anchored once it is committed.

        Rows may be added to a log with a gap, because a stop or an opt-out must never be lost; the anchor then stays
        where it is. What would let a call go out sets `needs_whole_log`. `locks` names what no other transaction may
        change meanwhile.

        Raises:
            AuditGap: Rows are missing, and `needs_whole_log` is set.
            JournalUnavailable: Nothing was written.
        """

        def add_rows(connection: Connection) -> tuple[Entry, T]:
            entry = Entry(connection, self._gap(connection), locks)
            if needs_whole_log:
                _refuse(entry.gap)
            result = work(entry)
            self.write_rows(entry)
            return entry, result

        return (await self._database.write(add_rows, after=self._anchor_head, locks=locks))[1]

    def _anchor_head(self, written: tuple[Entry, object]) -> None:
        entry = written[0]
        note_committed(entry.noted)
        if entry.head is None or (entry.gap is not None and not entry.closes_gap):
            return
        if entry.closes_gap:
            self._seen = entry.head
            self._anchor.move_to(entry.head)
        else:
            # Rows of several threads may arrive here in any order.
            self._seen = max(self._seen, entry.head, key=lambda head: head.number)
            self._anchor.advance(entry.head)

    def require_whole_log(self, connection: Connection) -> None:
        """Check in the caller's transaction of now, before its first query, that no row is missing.

        Raises:
            AuditGap: Rows are missing.
        """
        _refuse(self._gap(connection))

    async def find_gap(self) -> Gap | None:
        """Return what is missing of the log; None if nothing is.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        return await self._database.read(self._gap, as_of_now=True)

    async def accept_gap(self, gap: Gap, *, by: str) -> int:
        """Accept that rows are missing, on a row of its own, and anchor that; return its number.

        Raises:
            JournalUnavailable: Something else is missing by now; nothing was written.
        """

        def accept(entry: Entry) -> int:
            if entry.gap is None or entry.gap.missing != gap.missing:
                raise JournalUnavailable("Something else is missing by now, so nothing was accepted. Check again.")
            entry.closes_gap = True
            self.append(entry, GAP_ACCEPTED, principal=by, detail=entry.gap.as_detail())
            return self.write_rows(entry).number

        return await self.write(accept)

    def append(
        self,
        entry: Entry,
        event: str,
        *,
        action_id: str | None = None,
        principal: str | None = None,
        detail: Mapping[str, Any] | None = None,
        about: Action | Plan | None = None,
    ) -> NewRow:
        """Add a row to the log, at the end of the entry's transaction.

        All writers wait for the end of the log, so a transaction comes to it last. `about` is the action or plan as it
        is then, for what watches the server; the row does not hold it.
        """
        text = storable(detail_text(_redact_texts(without_secrets(dict(detail or {})))))
        row = NewRow(event, action_id, principal, text)
        entry.rows.append(row)
        entry.noted.append(AddedRow(event, action_id, principal, detail or {}, about))
        return row

    def write_rows(self, entry: Entry) -> Head:
        """Write the rows that were added to an entry, and their receipts; return the head of the chain after them.

        Raises:
            JournalUnavailable: The store was created with another key; two keys would make two chains.
        """
        connection = entry.connection
        if entry.head is None and entry.rows:
            lock_end_of_audit(connection, entry.locks)
            self._require_same_key(connection)
        head = entry.head or self._head(connection)
        if not entry.rows:
            return head
        key, written = self._key(), list[dict[str, Any]]()
        for row in entry.rows:
            values = _values_of(row, head.number + 1)
            head = row.head = Head(head.number + 1, mac_of(key, head.mac, values | {"at": _as_stored(values["at"])}))
            written.append(values | {"mac": head.mac})
        _ADD.run_for_each(connection, written)
        put_value(connection, _HEAD, seal_head(key, head))
        entry.head = head
        entry.rows = []
        self._sign(entry)
        return head

    def _sign(self, entry: Entry) -> None:
        """Have the receipts of the rows that were written signed."""
        waiting, entry.receipts = entry.receipts, []
        if entry.signer is not None and waiting:
            entry.signer.sign(entry.connection, [(row.head, said) for row, said in waiting if row.head is not None])

    async def note(
        self, event: str, *, action_id: str | None = None, principal: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a row in a transaction of its own."""
        await self.write(
            lambda entry: self.append(entry, event, action_id=action_id, principal=principal, detail=detail),
            locks=Locks.on(),
        )

    async def rows(self) -> AsyncIterator[Mapping[str, Any]]:
        """Read every row, oldest first, in batches; times are text as stored."""
        after: int | None = None
        while found := await self._database.read(partial(read_rows, after=after)):
            for row in found:
                yield row
            after = found[-1]["number"]

    async def latest_rows(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Read the last rows, oldest first."""
        query = select(*COLUMNS).order_by(audit.c.number.desc()).limit(limit)
        return [dict(row) for row in await self._database.fetch(query)][::-1]

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; the verdict names the first wrong row and what was done to it.

        Rows added meanwhile are not checked.

        Raises:
            JournalUnavailable: The store cannot be read, or was created with another key.
        """
        return (await self.check()).verdict

    async def check(
        self,
        checks: Sequence[RowCheck] = (),
        *,
        rows: Rows = Rows.ALL,
        at: datetime | None = None,
        earlier: Iterator[Sequence[Row]] | None = None,
    ) -> Checked:
        """Check the log as `verify` does, while others look at its rows too; memory stays small however long it is.

        `rows` and the time of now say whether it begins behind the last checkpoint; `earlier` are all rows that were
        archived.

        Raises:
            JournalUnavailable: As `verify`.
        """
        anchored, now = self._anchor.read(), at or datetime.now(UTC)

        def begin(connection: Connection) -> Extent:
            extent = self._extent(connection, rows, now, with_archives=earlier is not None)
            for check in checks:
                check.begin(connection, extent)
            return extent

        extent = await self._database.read(begin)
        looking = LogCheck(self._key(), anchored, extent, checks, earlier or iter(()))
        while await self._database.read(looking.look):
            pass
        return Checked(await self._database.read(looking.end), extent, looking.last)

    def _extent(self, connection: Connection, rows: Rows, now: datetime, *, with_archives: bool) -> Extent:
        """Find out which rows are to be looked at."""
        self._require_same_key(connection, read_only=True)
        last = self._head(connection).number
        head, archived = read_head(get_value(connection, _HEAD), self._key()), self.archived(connection)
        checkpoint = read_checkpoint(get_value(connection, CHECKPOINT), self._key())
        if checkpoint is not None and (
            with_archives
            or not rows.go_on(checkpoint, last=last, now=now)
            or checkpoint.row != self.row(connection, checkpoint.row.number)
        ):
            checkpoint = None
        start = NO_ROW if with_archives else archived.last
        return Extent(
            after=checkpoint.row if checkpoint is not None else start,
            last=last,
            head=head,
            archived=archived,
            goes_on_from=checkpoint,
            with_archives=with_archives,
        )

    def archived(self, connection: Connection) -> Archived:
        """Return what was archived, in the caller's transaction."""
        return read_archived(get_value(connection, ARCHIVED), self._key())

    def put_archived(self, connection: Connection, archived: Archived) -> None:
        """Store what was archived, in the caller's transaction."""
        put_value(connection, ARCHIVED, seal_archived(self._key(), archived))

    def new_check(self, *, after: Head) -> ChainCheck:
        """Return a check of rows behind one, for which neither head nor anchor say where they end."""
        return ChainCheck(self._key(), anchored=NO_ROW, after=after)

    def mac_of_text(self, purpose: str, text: str) -> str:
        """Compute the MAC of a text of some kind under the key of the log."""
        return keyed(self._key(), f"{purpose} {text}")

    async def put_checkpoint(self, checkpoint: Checkpoint | None) -> None:
        """Store how far the log was verified; None drops what is stored."""

        def put(connection: Connection) -> None:
            if checkpoint is None:
                drop_value(connection, CHECKPOINT)
            else:
                put_value(connection, CHECKPOINT, seal_checkpoint(self._key(), checkpoint))

        await self._database.write(put, locks=Locks.on("audit checkpoint"))

    async def verify_copy(self, rows: Iterable[Row], *, also: Callable[[Sequence[Row]], object]) -> Verdict:
        """Check exported rows against the key and the anchor, while `also` looks at them, some at a time.

        They begin with the first row of the log, or with the one behind an archive.
        """
        archived, anchored = await self._database.read(self.archived), self._anchor.read()
        ends = {file.last.number: file.last for file in archived.files}

        def check() -> Verdict:
            chain: ChainCheck | None = None
            for batch in in_batches(rows):
                if chain is None:
                    after = ends.get(batch[0]["number"] - 1, NO_ROW)
                    chain = ChainCheck(self._key(), anchored=anchored, after=after)
                chain.add(batch)
                also(batch)
            return (chain or ChainCheck(self._key(), anchored=anchored)).end()

        return await anyio.to_thread.run_sync(check)  # a long log takes minutes, in which others are served

    async def has_our_key(self) -> bool:
        """Return False if the store was created with another key, which makes every guarded call fail.

        Raises:
            JournalUnavailable: The store or the key cannot be read.
        """
        first = await self._database.read(lambda connection: get_value(connection, _KEY))
        return first is None or hmac.compare_digest(first, self._key_check())

    def _require_same_key(self, connection: Connection, *, read_only: bool = False) -> None:
        if self._has_same_key:
            return
        mine, first = self._key_check(), get_value(connection, _KEY)
        if first is None:
            if not read_only:
                connection.execute(insert(facts).values(name=_KEY, value=mine))
        elif hmac.compare_digest(first, mine):
            self._has_same_key = True
        else:
            raise JournalUnavailable(ANOTHER_KEY)

    def _head(self, connection: Connection) -> Head:
        """Return the last row."""
        row = _LAST.first(connection)
        return Head(row["number"], row["mac"]) if row else NO_ROW

    def row(self, connection: Connection, number: int) -> Head:
        """Return a row that is in the store, or the last one that was archived; `NO_ROW` for any other."""
        mac = connection.execute(select(audit.c.mac).where(audit.c.number == number)).scalar()
        if mac is not None:
            return Head(number, str(mac))
        archived = self.archived(connection).last
        return archived if archived.number == number else NO_ROW

    def _key_check(self) -> str:
        """Derive the text by which the store recognises the key; the key cannot be computed from it."""
        return hmac.new(self._key(), b"key", "sha256").hexdigest()

    def _key(self) -> bytes:
        return self._seal.derive("audit")

    def _gap(self, connection: Connection) -> Gap | None:
        """Return what is missing of the log, by one indexed read.

        The anchor is read first: it may lag behind the rows that the transaction sees, and is never ahead of them.
        """
        anchored = self._anchor.read()
        known = [head for head in dict.fromkeys((anchored, self._seen)) if head != NO_ROW]
        numbers = {"anchored": anchored.number, "seen": self._seen.number}
        found = {Head(row["number"], row["mac"]) for row in _ROWS.all(connection, numbers)} if known else set[Head]()
        for head in known:
            if head not in found and not self._is_explained(connection, head, anchored):
                self._has_same_key = False  # another database may be there
                return Gap(head, self._head(connection))
        return None

    def _is_explained(self, connection: Connection, head: Head, anchored: Head) -> bool:
        """Return True if a row is missing because it was archived, or if an operator accepted that it is missing.

        A server that did not write for long, or one on another machine, may know a row that was archived since.
        """
        if head.number <= self.archived(connection).last.number:
            return True
        return self._is_accepted(connection, head, anchored)

    def _is_accepted(self, connection: Connection, head: Head, anchored: Head) -> bool:
        """Return True if an operator accepted that a row is missing.

        The acceptance names the anchored row. What this process wrote may be older than that: the anchor is shared
        with the process in which it was accepted, and has moved on.
        """
        query = select(*COLUMNS).where(audit.c.event == GAP_ACCEPTED).order_by(audit.c.number.desc())
        rows = [dict(row) for row in connection.execute(query).mappings()]
        genuine = [row for row in rows if self._is_genuine(connection, row)]
        for accepted in accepted_gaps(genuine):
            missing = accepted.gap.missing
            if missing == head == anchored:
                self._anchor.move_to(accepted.row)  # a crash came between the row and the anchor
                return True
            if head != anchored and head.number <= missing.number:
                self._seen = NO_ROW
                return True
        return False

    def _is_genuine(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        before = self.row(connection, row["number"] - 1).mac
        return hmac.compare_digest(str(row["mac"]).encode("utf-8"), mac_of(self._key(), before, row).encode("utf-8"))


def _values_of(row: NewRow, number: int) -> dict[str, Any]:
    """Return a new row as the columns that its MAC covers."""
    return {
        "number": number,
        "at": datetime.now(UTC),
        "event": row.event,
        "action_id": row.action_id,
        "principal": row.principal,
        "detail": row.detail,
    }


def _as_stored(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _refuse(gap: Gap | None) -> None:
    """Refuse what needs the whole log."""
    if gap is not None:
        raise AuditGap(
            f"The audit log has a gap: {gap.what}. An older copy of the store was restored, or its files were deleted, "
            "so nobody knows what was approved and spent, and guarded calls are refused. "
            "The operator accepts that with `ringfence audit accept`."
        )


def _redact_texts(value: Any) -> Any:
    """Redact each text by itself: redacting the whole JSON could remove its quotes."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _redact_texts(inner) for name, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_redact_texts(inner) for inner in cast("Sequence[object]", value)]
    return value
