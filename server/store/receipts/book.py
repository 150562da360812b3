"""The receipts of a store, and the file that others check: written, read, exported, and the key replaced."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from guard.receipts.keys import PublishedKeys, SigningKey
from guard.receipts.receipt import (
    FORMAT,
    KEY_REPLACED,
    NOTHING_BEFORE,
    End,
    Link,
    ReceiptContent,
    StoredReceipt,
    content_of,
    hash_of,
    id_of,
    read_receipt,
)
from guard.receipts.verification import DoesNotFit, Findings
from server.store.engine import Database
from server.store.receipts.checking import ReceiptCheck
from server.store.receipts.signing_keys import SigningKeys, published
from server.store.schema import audit, receipts, storable
from server.store.sealed.audit import Audit, Entry, NewRow
from server.store.sealed.hash_chain import Head
from server.store.sealed.log_check import Extent, read_rows
from server.store.sealed.seal import Seal
from server.store.transactions.statements import Statement

_AT_ONCE: Final = 1000
_INSERT: Final = Statement(insert(receipts))
_LAST: Final = Statement(
    select(receipts.c.number, receipts.c.hash, receipts.c.signs_next).order_by(receipts.c.number.desc()).limit(1)
)
_LAST_ID: Final = Statement(select(receipts.c.id).order_by(receipts.c.number.desc()).limit(1))


class StoredReceipts:
    """Signs receipts in the transaction of their audit row; raises `JournalUnavailable` if the store cannot be used."""

    def __init__(self, database: Database, audit: Audit, seal: Seal) -> None:
        self._database = database
        self._audit = audit
        self._keys = SigningKeys(seal)

    def add(self, entry: Entry, row: NewRow, said: ReceiptContent) -> None:
        """Have a receipt signed when its audit row is written, at the end of the transaction.

        Where the key cannot be opened then, nothing of the transaction is written.
        """
        entry.signer = self
        entry.receipts.append((row, said))

    def sign(self, connection: Connection, receipts: Sequence[tuple[Head, ReceiptContent]]) -> None:
        """Sign and write the receipts of audit rows: one indexed read and one insert, and a signature each.

        Raises:
            JournalUnavailable: The key cannot be opened.
        """
        at = datetime.now(UTC)
        last = _last(connection)
        before, kid = last if last else (NOTHING_BEFORE, None)
        signed = list[dict[str, Any]]()
        for row, said in receipts:
            key = self._keys.open(connection, kid, at)
            signed.append(_sign(key, before, row, said, at))
            before, kid = Link(number=signed[-1]["number"], hash=signed[-1]["hash"]), signed[-1]["signs_next"]
        _INSERT.run_for_each(connection, signed)

    async def of(self, subject_id: str) -> Sequence[StoredReceipt]:
        """Return the receipts of an action, a plan or an allowance, the oldest first."""
        query = select(receipts.c.line).where(receipts.c.about_id == subject_id).order_by(receipts.c.number)
        return [StoredReceipt(row["line"]) for row in await self._database.fetch(query)]

    async def ids_of(self, subject_id: str) -> Sequence[str]:
        """Return the ids of these receipts."""
        query = select(receipts.c.id).where(receipts.c.about_id == subject_id).order_by(receipts.c.number)
        return [row["id"] for row in await self._database.fetch(query)]

    async def find(self, receipt_id: str) -> StoredReceipt | None:
        """Return the receipt with this id, or None."""
        rows = await self._database.fetch(select(receipts.c.line).where(receipts.c.id == receipt_id))
        return StoredReceipt(rows[0]["line"]) if rows else None

    async def export(self, *, since: datetime | None = None) -> list[str]:
        """Return the lines of a file that others can check: every receipt since then, and the signed end."""

        def read(connection: Connection) -> list[str]:
            if since is None:
                return list(_lines(connection))
            query = select(receipts.c.number).where(receipts.c.at >= since).order_by(receipts.c.at).limit(1)
            first = connection.execute(query).scalar()
            return list(_lines(connection, first)) if first is not None else []

        return await self._sign_file(read)

    async def export_one(self, receipt: StoredReceipt) -> list[str]:
        """Return the lines of a file with one receipt."""
        return await self._sign_file(lambda _: [receipt.line])

    async def published_keys(self, *, with_passkeys: bool = False) -> PublishedKeys:
        """Return the public keys, with which anybody checks the receipts; none before the first receipt.

        Those of passkeys, which check what operators signed, name the operators.
        """
        return await self._database.read(lambda connection: published(connection, with_passkeys=with_passkeys))

    async def require_key(self) -> None:
        """Create the first key where there is none."""
        if not (await self.published_keys()).keys:
            await self._database.write(lambda connection: self._keys.open(connection, None, datetime.now(UTC)))

    async def verify(self) -> Findings:
        """Check every receipt, and that each is that of its audit row and none is missing.

        Whether the audit log itself is whole is for `Audit.verify`. Rows from before the first receipt have none.

        Raises:
            DoesNotFit: The first thing that does not fit.
        """

        def work(connection: Connection) -> Findings:
            check, after = ReceiptCheck(), self._audit.archived(connection).last
            last = connection.execute(select(func.max(audit.c.number))).scalar() or 0
            check.begin(connection, Extent(after=after, last=last))
            number = after.number or None
            while rows := read_rows(connection, after=number):
                check.look(connection, rows)
                number = rows[-1]["number"]
            check.finish(connection)
            if check.problem:
                raise DoesNotFit(check.problem)
            return check.findings

        return await self._database.read(work)

    async def replace_key(self, *, by: str) -> str:
        """Replace the signing key, and destroy the private one; return the id of the receipt that names the new one."""

        def work(entry: Entry) -> str:
            connection, at = entry.connection, datetime.now(UTC)
            last = _last(connection)
            old = self._keys.open(connection, last[1] if last else None, at)
            new = self._keys.create(connection, at)
            row = self._audit.append(
                entry, KEY_REPLACED, principal=by, detail={"old": old.kid, "new": new.kid, "new_x": new.x}
            )
            self.add(entry, row, ReceiptContent(event=KEY_REPLACED, requested_by=by, next_key=new.kid))
            self._audit.write_rows(entry)  # with the old key, while it is there
            self._keys.destroy(connection, old.kid, at)
            return str(_LAST_ID.value(connection))

        return await self._audit.write(work)

    async def _sign_file(self, read: Callable[[Connection], list[str]]) -> list[str]:
        """Add the signed end to the lines that are read."""
        await self.require_key()

        def sign(connection: Connection) -> list[str]:
            lines, last, at = read(connection), _last(connection), datetime.now(UTC)
            key = self._keys.open(connection, last[1] if last else None, at)
            first_and_last = [_link(line) for line in (lines[0], lines[-1])] if lines else [None, None]
            end = End(exported_at=at, receipts=len(lines), first=first_and_last[0], last=first_and_last[1], key=key.kid)
            return [*lines, key.sign("end", content_of(end))]

        return await self._database.read(sign)


def _last(connection: Connection) -> tuple[Link, str] | None:
    """Return the last receipt, and the key of the one after it."""
    row = _LAST.first(connection)
    return (Link(number=row["number"], hash=row["hash"]), row["signs_next"]) if row else None


def _sign(key: SigningKey, before: Link, row: Head, said: ReceiptContent, at: datetime) -> dict[str, Any]:
    """Return the signed receipt of an audit row, as the row of its table."""
    content: dict[str, Any] = {
        **_storable(content_of(said)),
        "format": FORMAT,
        "number": before.number + 1,
        "before": content_of(before),
        "at": at.isoformat(timespec="microseconds"),
        "audit": {"row": row.number, "mac": row.mac},
        "key": key.kid,
    }
    line = key.sign("receipt", content)
    return {
        "number": before.number + 1,
        "id": id_of(line),
        "about_id": said.about.id if said.about else None,
        "at": at,
        "hash": hash_of(line),
        "signs_next": said.next_key or key.kid,
        "line": line,
    }


def _lines(connection: Connection, first: int = 0) -> Iterator[str]:
    """Read receipts from a number on, in batches."""
    query = select(receipts.c.number, receipts.c.line).order_by(receipts.c.number).limit(_AT_ONCE)
    while rows := connection.execute(query.where(receipts.c.number >= first)).all():
        yield from (row.line for row in rows)
        first = rows[-1].number + 1


def _link(line: str) -> Link:
    return Link(number=read_receipt(line).number, hash=hash_of(line))


def _storable(value: Any) -> Any:
    """Return a JSON value with only such characters as every database stores."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {name: _storable(inner) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in cast("list[object]", value)]
    return value
