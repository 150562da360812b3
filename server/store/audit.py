"""The audit: a chain of rows, each bound by HMAC to the one before, with its head kept twice.

Whoever changes, removes, inserts or moves a row breaks the chain at that row, because the key does not lie in the
database. Rows cut off at the end are missed by the head, which is a row of its own under the same key, and by the
anchor, a file beside the store.
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
from server.store.hash_chain import (
    NOTHING_BEFORE,
    Head,
    Verdict,
    check_chain,
    detail_text,
    mac_of,
    read_head,
    seal_head,
)
from server.store.key_values import get_value
from server.store.schema import audit, facts, storable
from server.store.seal import Seal

ANCHOR_FILE = "audit.anchor"
ANOTHER_KEY = (
    "The store was begun with another key, so nothing that needs a record is done. All who share a store share one "
    "key: the setting state_key, or the file vault.key in the state folder."
)
_HEAD = "audit head"
_KEY = "audit key"
_AT_ONCE = 1000
_log = logging.getLogger(__name__)
_AS_KEPT = [type_coerce(audit.c.at, String).label("at") if column is audit.c.at else column for column in audit.c]
"""With times as text, so that one that is no time is found like any other change."""


class Entry:
    """A transaction of the store, and the head of the chain that it leaves behind."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.head: Head | None = None


class Audit:
    """Appends to the chain inside the transaction of what it records, and checks it."""

    def __init__(self, database: Database, seal: Seal, folder: Path) -> None:
        self._database = database
        self._seal = seal
        self._anchor = folder / ANCHOR_FILE
        self._has_same_key = False

    @asynccontextmanager
    async def entry(self) -> AsyncGenerator[Entry]:
        """A transaction that puts something on the audit; once it is committed, its head is anchored.

        Raises:
            JournalUnavailable: Nothing was written.
        """
        async with self._database.transaction() as connection:
            entry = Entry(connection)
            yield entry
        if entry.head is not None:
            self._keep_beside(entry.head)

    async def append(
        self,
        entry: Entry,
        event: str,
        *,
        action_id: str | None = None,
        principal: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a row, in the entry's transaction.

        Raises:
            JournalUnavailable: The store was begun with another key; two keys would make two chains.
        """
        connection = entry.connection
        await self._require_same_key(connection)
        number, before = await self._head(connection)
        text = storable(detail_text(_redacted(without_secrets(dict(detail or {})))))
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
        """Every row, oldest first, with times as they are kept; a part at a time, because rows are only ever added."""
        query = select(*_AS_KEPT).order_by(audit.c.number).limit(_AT_ONCE)
        if up_to is not None:
            query = query.where(audit.c.number <= up_to)
        part = query
        while True:
            async with self._database.reading() as connection:
                found = (await connection.execute(part)).mappings().all()
            for row in found:
                yield {str(name): value for name, value in row.items()}
            if len(found) < _AT_ONCE:
                return
            part = query.where(audit.c.number > found[-1]["number"])

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; names the first row that does not fit, and what was done.

        What is added meanwhile is left for the next time.

        Raises:
            JournalUnavailable: The store cannot be read, or was begun with another key.
        """
        anchored = self._anchored()
        async with self._database.reading() as connection:
            await self._require_same_key(connection, only_look=True)
            last, _ = await self._head(connection)
            head = read_head(await get_value(connection, _HEAD), self._key())
        rows = [row async for row in self.rows(up_to=last)]
        return check_chain(rows, self._key(), head=head, anchored=anchored)

    def verify_copy(self, rows: Sequence[Mapping[str, Any]]) -> Verdict:
        """Check rows that were exported, against the key and the anchor."""
        return check_chain(rows, self._key(), head=None, anchored=self._anchored())

    async def has_our_key(self) -> bool:
        """False where the store was begun with another key, so that nothing guarded can be done with this one.

        Raises:
            JournalUnavailable: The store cannot be read, or there is no key.
        """
        async with self._database.reading() as connection:
            first = await get_value(connection, _KEY)
        return first is None or hmac.compare_digest(first, self._mark())

    async def _require_same_key(self, connection: AsyncConnection, *, only_look: bool = False) -> None:
        if self._has_same_key:
            return
        mine, first = self._mark(), await get_value(connection, _KEY)
        if first is None:
            if not only_look:
                await connection.execute(insert(facts).values(name=_KEY, value=mine))
        elif hmac.compare_digest(first, mine):
            self._has_same_key = True
        else:
            raise JournalUnavailable(ANOTHER_KEY)

    async def _head(self, connection: AsyncConnection) -> tuple[int, str]:
        query = select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1)
        row = (await connection.execute(query)).first()
        return (int(row[0]), str(row[1])) if row else (0, NOTHING_BEFORE)

    def _mark(self) -> str:
        """What the store remembers the key by, and cannot make the key from."""
        return hmac.new(self._key(), b"key", "sha256").hexdigest()

    def _key(self) -> bytes:
        return self._seal.derive("audit")

    def _keep_beside(self, head: Head) -> None:
        """Write the head beside the store, where someone who can write the database cannot reach by it.

        What it anchors is committed already. A disk that fails now must not look as if it were not; the next head
        makes up for it.
        """
        try:
            if head.number > self._anchored().number:
                self._anchor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                aside = self._anchor.with_name(f"{ANCHOR_FILE}.{os.getpid()}")
                aside.write_text(f"{head.number} {head.mac}\n", encoding="utf-8")
                aside.replace(self._anchor)
        except OSError as failed:
            _log.warning("The audit's anchor %s cannot be written: %s", self._anchor, failed.strerror)

    def _anchored(self) -> Head:
        try:
            number, mac = self._anchor.read_text(encoding="utf-8").split()
            return Head(int(number), mac)
        except (OSError, ValueError):
            return Head(0, NOTHING_BEFORE)


def _redacted(value: Any) -> Any:
    """Text by text: what is taken out of a whole JSON text may take its quotes along."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _redacted(inner) for name, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in cast("Sequence[object]", value)]
    return value
