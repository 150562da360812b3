"""The audit: a chain of rows, each bound by HMAC to the one before, with its head kept twice.

Whoever changes, removes or inserts a row breaks the chain at that row, because the key does not lie in the database.
Rows cut off at the end are missed by the head, which is a row of its own under the same key, and by the anchor, a file
beside the store.
"""

import hmac
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.redaction import redact, without_secrets
from server.store.database import Database
from server.store.schema import audit, facts
from server.store.vault import Seal

ANCHOR_FILE = "audit.anchor"
_HEAD = "audit head"
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


class Audit:
    """Appends to the chain inside the transaction of what it records, and checks it."""

    def __init__(self, database: Database, seal: Seal, folder: Path) -> None:
        self._database = database
        self._seal = seal
        self._anchor = folder / ANCHOR_FILE

    async def append(
        self,
        connection: AsyncConnection,
        event: str,
        *,
        action_id: str | None = None,
        principal: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a row, in the caller's transaction."""
        number, before = await self._head(connection)
        text = redact(json.dumps(without_secrets(dict(detail or {})), ensure_ascii=False, sort_keys=True, default=str))
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

    async def note(
        self, event: str, *, action_id: str | None = None, principal: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a row in a transaction of its own."""
        async with self._database.transaction() as connection:
            await self.append(connection, event, action_id=action_id, principal=principal, detail=detail)
        await self.anchor()

    async def anchor(self) -> None:
        """Write the head beside the store, where someone who can write the database cannot reach by it."""
        async with self._database.transaction() as connection:
            number, mac = await self._head(connection)
        if number > self._anchored()[0]:
            aside = self._anchor.with_name(f"{ANCHOR_FILE}.{os.getpid()}")
            aside.write_text(f"{number} {mac}\n", encoding="utf-8")
            aside.replace(self._anchor)

    async def rows(self) -> AsyncIterator[RowMapping]:
        """Every row, oldest first."""
        async with self._database.transaction() as connection:
            found = (await connection.execute(select(audit).order_by(audit.c.number))).mappings().all()
        for row in found:
            yield row

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; names the first row that does not fit."""
        number, before = 0, _NOTHING_BEFORE
        anchored, anchored_mac = self._anchored()
        async for row in self.rows():
            number += 1
            if row["number"] != number:
                return Verdict(number, number, f"row {number} was removed")
            mac = self._mac(before, row)
            if not hmac.compare_digest(mac, row["mac"]):
                return Verdict(number, number, f"row {number} was changed")
            if number == anchored and mac != anchored_mac:
                return Verdict(number, number, f"row {number} is not the one that was anchored")
            before = mac
        if number < anchored:
            return Verdict(number, number + 1, f"row {number + 1} and what came after it was cut off")
        return await self._verify_head(number, before)

    async def _verify_head(self, number: int, mac: str) -> Verdict:
        async with self._database.transaction() as connection:
            query = select(facts.c.value).where(facts.c.name == _HEAD)
            kept = (await connection.execute(query)).scalar()
        if number == 0 and kept is None:
            return Verdict(0)
        if kept is None or not hmac.compare_digest(kept, self._sealed_head(number, mac)):
            return Verdict(number, number + 1, f"row {number + 1} and what came after it was cut off")
        return Verdict(number)

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

    def _anchored(self) -> tuple[int, str]:
        try:
            number, mac = self._anchor.read_text(encoding="utf-8").split()
            return int(number), mac
        except (OSError, ValueError):
            return 0, ""
