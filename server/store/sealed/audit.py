"""The audit log: a hash chain of rows, each with an HMAC over the one before, whose head is stored twice.

Changing, removing, inserting or moving a row breaks the chain at that row, because the key is not in the database.
Rows cut off at the end are detected by the head, which is stored under the same key, and by the anchor, a file outside
the database.
"""

import hmac
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import String, delete, insert, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.redaction import redact, without_secrets
from guard.errors import JournalUnavailable
from server.store.engine import Database
from server.store.key_values import get_value
from server.store.schema import audit, facts, storable
from server.store.sealed.hash_chain import (
    NOTHING_BEFORE,
    Head,
    Verdict,
    check_chain,
    detail_text,
    mac_of,
    read_head,
    seal_head,
)
from server.store.sealed.seal import Seal

ANCHOR_FILE = "audit.anchor"
ANOTHER_KEY = (
    "The store was created with another key, so guarded calls are refused. Every server on a store needs the same key: "
    "the setting state_key, or the file vault.key in the state folder."
)
_HEAD = "audit head"
_KEY = "audit key"
_AT_ONCE = 1000
_log = logging.getLogger(__name__)
_COLUMNS = [type_coerce(audit.c.at, String).label("at") if column is audit.c.at else column for column in audit.c]
"""Times are read as text, so that a forged one is detected like any other change."""


class Entry:
    """A transaction of the store, and the head of the chain after it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.head: Head | None = None


class Audit:
    """Appends rows in the transaction of the change that they record, and verifies the chain."""

    def __init__(self, database: Database, seal: Seal, folder: Path) -> None:
        self._database = database
        self._seal = seal
        self._anchor = folder / ANCHOR_FILE
        self._has_same_key = False

    @asynccontextmanager
    async def entry(self) -> AsyncGenerator[Entry]:
        """Begin a transaction that adds audit rows; its head is anchored once it is committed.

        Raises:
            JournalUnavailable: Nothing was written.
        """
        async with self._database.transaction() as connection:
            entry = Entry(connection)
            yield entry
        if entry.head is not None:
            self._write_anchor(entry.head)

    async def append(
        self,
        entry: Entry,
        event: str,
        *,
        action_id: str | None = None,
        principal: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a row in the entry's transaction.

        Raises:
            JournalUnavailable: The store was created with another key; two keys would make two chains.
        """
        connection = entry.connection
        await self._require_same_key(connection)
        number, before = await self._head(connection)
        text = storable(detail_text(_redact_texts(without_secrets(dict(detail or {})))))
        row: dict[str, Any] = {
            "number": number + 1,
            "at": datetime.now(UTC),
            "event": event,
            "action_id": action_id,
            "principal": principal,
            "detail": text,
        }
        mac = mac_of(self._key(), before, row | {"at": row["at"].isoformat(timespec="microseconds")})
        await connection.execute(insert(audit).values(**row, mac=mac))
        await connection.execute(delete(facts).where(facts.c.name == _HEAD))
        entry.head = Head(number + 1, mac)
        await connection.execute(insert(facts).values(name=_HEAD, value=seal_head(self._key(), entry.head)))

    async def note(
        self, event: str, *, action_id: str | None = None, principal: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a row in a transaction of its own."""
        async with self.entry() as entry:
            await self.append(entry, event, action_id=action_id, principal=principal, detail=detail)

    async def rows(self, *, up_to: int | None = None) -> AsyncIterator[Mapping[str, Any]]:
        """Read every row, oldest first, in batches; times are text as stored."""
        query = select(*_COLUMNS).order_by(audit.c.number).limit(_AT_ONCE)
        if up_to is not None:
            query = query.where(audit.c.number <= up_to)
        batch = query
        while True:
            async with self._database.reading() as connection:
                found = (await connection.execute(batch)).mappings().all()
            for row in found:
                yield {str(name): value for name, value in row.items()}
            if len(found) < _AT_ONCE:
                return
            batch = query.where(audit.c.number > found[-1]["number"])

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; the verdict names the first wrong row and what was done to it.

        Rows added meanwhile are not checked.

        Raises:
            JournalUnavailable: The store cannot be read, or was created with another key.
        """
        anchored = self._read_anchor()
        async with self._database.reading() as connection:
            await self._require_same_key(connection, read_only=True)
            last, _ = await self._head(connection)
            head = read_head(await get_value(connection, _HEAD), self._key())
        rows = [row async for row in self.rows(up_to=last)]
        return check_chain(rows, self._key(), head=head, anchored=anchored)

    def verify_copy(self, rows: Sequence[Mapping[str, Any]]) -> Verdict:
        """Check exported rows against the key and the anchor."""
        return check_chain(rows, self._key(), head=None, anchored=self._read_anchor())

    async def has_our_key(self) -> bool:
        """Return False if the store was created with another key, which makes every guarded call fail.

        Raises:
            JournalUnavailable: The store or the key cannot be read.
        """
        async with self._database.reading() as connection:
            first = await get_value(connection, _KEY)
        return first is None or hmac.compare_digest(first, self._key_check())

    async def _require_same_key(self, connection: AsyncConnection, *, read_only: bool = False) -> None:
        if self._has_same_key:
            return
        mine, first = self._key_check(), await get_value(connection, _KEY)
        if first is None:
            if not read_only:
                await connection.execute(insert(facts).values(name=_KEY, value=mine))
        elif hmac.compare_digest(first, mine):
            self._has_same_key = True
        else:
            raise JournalUnavailable(ANOTHER_KEY)

    async def _head(self, connection: AsyncConnection) -> tuple[int, str]:
        query = select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1)
        row = (await connection.execute(query)).first()
        return (int(row[0]), str(row[1])) if row else (0, NOTHING_BEFORE)

    def _key_check(self) -> str:
        """Derive the text by which the store recognises the key; the key cannot be computed from it."""
        return hmac.new(self._key(), b"key", "sha256").hexdigest()

    def _key(self) -> bytes:
        return self._seal.derive("audit")

    def _write_anchor(self, head: Head) -> None:
        """Write the head to a file, which access to the database alone cannot change.

        Its rows are committed already, so a failing disk must not look like a failed commit; the next head replaces
        this one.
        """
        try:
            if head.number > self._read_anchor().number:
                self._anchor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                aside = self._anchor.with_name(f"{ANCHOR_FILE}.{os.getpid()}")
                aside.write_text(f"{head.number} {head.mac}\n", encoding="utf-8")
                aside.replace(self._anchor)
        except OSError as failed:
            _log.warning("The audit anchor %s cannot be written: %s", self._anchor, failed.strerror)

    def _read_anchor(self) -> Head:
        try:
            number, mac = self._anchor.read_text(encoding="utf-8").split()
            return Head(int(number), mac)
        except (OSError, ValueError):
            return Head(0, NOTHING_BEFORE)


def _redact_texts(value: Any) -> Any:
    """Redact each text by itself: redacting the whole JSON could remove its quotes."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _redact_texts(inner) for name, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_redact_texts(inner) for inner in cast("Sequence[object]", value)]
    return value
