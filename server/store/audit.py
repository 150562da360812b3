"""The audit: a chain of rows, each bound by HMAC to the one before, with its head kept twice.

Whoever changes, removes, inserts or moves a row breaks the chain at that row, because the key does not lie in the
database. Rows cut off at the end are missed by the head, which is a row of its own under the same key, and by the
anchor, a file beside the store.
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import String, delete, insert, select, type_coerce
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.redaction import redact, without_secrets
from server.store.chain import NOTHING_BEFORE, Head, Verdict, check_chain, detail_text, mac_of, read_head, seal_head
from server.store.database import Database
from server.store.schema import audit, facts
from server.store.vault import Seal

ANCHOR_FILE = "audit.anchor"
_HEAD = "audit head"
_AS_KEPT = [type_coerce(audit.c.at, String).label("at") if column is audit.c.at else column for column in audit.c]
_EVERY_ROW = select(*_AS_KEPT).order_by(audit.c.number)
"""With times as text, so that one that is no time is found like any other change."""


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
        text = detail_text(_redacted(without_secrets(dict(detail or {}))))
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
        await connection.execute(insert(facts).values(name=_HEAD, value=seal_head(self._key(), Head(number + 1, mac))))

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
        if number > self._anchored().number:
            aside = self._anchor.with_name(f"{ANCHOR_FILE}.{os.getpid()}")
            aside.write_text(f"{number} {mac}\n", encoding="utf-8")
            aside.replace(self._anchor)

    async def rows(self) -> AsyncIterator[RowMapping]:
        """Every row, oldest first; times as they are kept, in ISO 8601."""
        async with self._database.transaction() as connection:
            found = await _rows(connection)
        for row in found:
            yield row

    async def verify(self) -> Verdict:
        """Check every row, the head and the anchor; names the first row that does not fit, and what was done."""
        anchored = self._anchored()
        async with self._database.transaction() as connection:
            rows = await _rows(connection)
            kept: str | None = (await connection.execute(select(facts.c.value).where(facts.c.name == _HEAD))).scalar()
        return check_chain(_plain(rows), self._key(), head=read_head(kept, self._key()), anchored=anchored)

    def verify_copy(self, rows: Sequence[Mapping[str, Any]]) -> Verdict:
        """Check rows that were exported, against the key and the anchor."""
        return check_chain(rows, self._key(), head=None, anchored=self._anchored())

    async def _head(self, connection: AsyncConnection) -> tuple[int, str]:
        query = select(audit.c.number, audit.c.mac).order_by(audit.c.number.desc()).limit(1)
        row = (await connection.execute(query)).first()
        return (int(row[0]), str(row[1])) if row else (0, NOTHING_BEFORE)

    def _key(self) -> bytes:
        return self._seal.derive("audit")

    def _anchored(self) -> Head:
        try:
            number, mac = self._anchor.read_text(encoding="utf-8").split()
            return Head(int(number), mac)
        except (OSError, ValueError):
            return Head(0, NOTHING_BEFORE)


async def _rows(connection: AsyncConnection) -> Sequence[RowMapping]:
    return (await connection.execute(_EVERY_ROW)).mappings().all()


def _plain(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows]


def _redacted(value: Any) -> Any:
    """Text by text: what is taken out of a whole JSON text may take its quotes along."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _redacted(inner) for name, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in cast("Sequence[object]", value)]
    return value
