"""The audit: a chain of rows, each bound by HMAC to the one before, with its head kept twice.

Whoever changes, removes or inserts a row breaks the chain at that row, because the key does not lie in the database.
Rows cut off at the end are missed by the head, which is a row of its own under the same key, and by the anchor, a file
beside the store.
"""

import hmac
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.redaction import redact, without_secrets
from guard.errors import JournalUnavailable
from server.store.database import Database
from server.store.facts import fact
from server.store.schema import audit, facts, storable
from server.store.vault import Seal

ANCHOR_FILE = "audit.anchor"
_HEAD = "audit head"
_KEY = "audit key"
_AT_ONCE = 1000
_log = logging.getLogger(__name__)
_NOTHING_BEFORE = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found."""

    rows: int
    broken_at: int | None = None
    """Number of the first row that was changed, removed or cut off."""

    what: str = ""

    @property
    def is_whole(self) -> bool:
        """True when nothing was touched."""
        return self.broken_at is None


class Entry:
    """A transaction of the store, and the head of the chain that it leaves behind."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.head: tuple[int, str] | None = None


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
            self._keep_beside(*entry.head)

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
        hidden = without_secrets(dict(detail or {}))
        text = storable(redact(json.dumps(hidden, ensure_ascii=False, sort_keys=True, default=str)))
        row = {
            "number": number + 1,
            "at": datetime.now(UTC),
            "event": event,
            "action_id": action_id,
            "principal": principal,
            "detail": text,
        }
        mac = self._mac(before, row)
        await connection.execute(insert(audit).values(**row, mac=mac))
        await connection.execute(delete(facts).where(facts.c.name == _HEAD))
        await connection.execute(insert(facts).values(name=_HEAD, value=self._sealed_head(number + 1, mac)))
        entry.head = number + 1, mac

    async def note(
        self, event: str, *, action_id: str | None = None, principal: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a row in a transaction of its own."""
        async with self.entry() as entry:
            await self.append(entry, event, action_id=action_id, principal=principal, detail=detail)

    async def rows(self, *, up_to: int | None = None) -> AsyncIterator[RowMapping]:
        """Every row, oldest first; a part at a time, because rows are only ever added."""
        last = -1
        while True:
            query = select(audit).where(audit.c.number > last).order_by(audit.c.number).limit(_AT_ONCE)
            if up_to is not None:
                query = query.where(audit.c.number <= up_to)
            async with self._database.reading() as connection:
                found = (await connection.execute(query)).mappings().all()
            for row in found:
                yield row
            if len(found) < _AT_ONCE:
                return
            last = found[-1]["number"]

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; names the first row that does not fit.

        What is added meanwhile is left for the next time.

        Raises:
            JournalUnavailable: The store cannot be read, or was begun with another key.
        """
        anchored, anchored_mac = self._anchored()
        async with self._database.reading() as connection:
            await self._require_same_key(connection, only_look=True)
            last, _ = await self._head(connection)
            kept = await fact(connection, _HEAD)
        number, before = 0, _NOTHING_BEFORE
        async for row in self.rows(up_to=last):
            number += 1
            if row["number"] != number:
                return Verdict(number, number, f"row {number} was removed")
            mac = self._mac(before, row)
            if not hmac.compare_digest(mac, row["mac"]):
                return Verdict(number, number, f"row {number} was changed")
            if number == anchored and mac != anchored_mac:
                return Verdict(number, number, f"row {number} is not the one that was anchored")
            before = mac
        is_the_end = kept == self._sealed_head(number, before) if number else kept is None
        if number < anchored or not is_the_end:
            return Verdict(number, number + 1, f"row {number + 1} and what came after it was cut off")
        return Verdict(number)

    async def _require_same_key(self, connection: AsyncConnection, *, only_look: bool = False) -> None:
        if self._has_same_key:
            return
        mine, first = self._keyed("key"), await fact(connection, _KEY)
        if first is None:
            if not only_look:
                await connection.execute(insert(facts).values(name=_KEY, value=mine))
        elif hmac.compare_digest(first, mine):
            self._has_same_key = True
        else:
            raise JournalUnavailable(
                "The store was begun with another key, so nothing that needs a record is done. All who share a store "
                "share one key: the setting state_key, or the file vault.key in the state folder."
            )

    async def _head(self, connection: AsyncConnection) -> tuple[int, str]:
        query = select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1)
        row = (await connection.execute(query)).first()
        return (int(row[0]), str(row[1])) if row else (0, _NOTHING_BEFORE)

    def _mac(self, before: str, row: Mapping[str, Any] | RowMapping) -> str:
        parts = [before, row["number"], row["at"].astimezone(UTC).isoformat(timespec="microseconds")]
        parts += [row["event"], row["action_id"], row["principal"], row["detail"]]
        return self._keyed(json.dumps(parts, ensure_ascii=False))

    def _sealed_head(self, number: int, mac: str) -> str:
        return f"{number} {mac} {self._keyed(f'head {number} {mac}')}"

    def _keyed(self, text: str) -> str:
        return hmac.new(self._seal.derive("audit"), text.encode("utf-8"), "sha256").hexdigest()

    def _keep_beside(self, number: int, mac: str) -> None:
        """Write the head beside the store, where someone who can write the database cannot reach by it.

        What it anchors is committed already. A disk that fails now must not look as if it were not; the next head
        makes up for it.
        """
        try:
            if number > self._anchored()[0]:
                self._anchor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                aside = self._anchor.with_name(f"{ANCHOR_FILE}.{os.getpid()}")
                aside.write_text(f"{number} {mac}\n", encoding="utf-8")
                aside.replace(self._anchor)
        except OSError as failed:
            _log.warning("The audit's anchor %s cannot be written: %s", self._anchor, failed.strerror)

    def _anchored(self) -> tuple[int, str]:
        try:
            number, mac = self._anchor.read_text(encoding="utf-8").split()
            return int(number), mac
        except (OSError, ValueError):
            return 0, ""
