"""Secrets that an action sent or received, kept encrypted for the operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row

from server.store.engine import Database
from server.store.schema import sealed_secrets
from server.store.sealed.audit import Audit, Entry
from server.store.sealed.seal import Seal


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """One decrypted secret."""

    action_id: str
    name: str
    value: str
    kept_at: datetime


class StoredVault:
    """Implements `guard.journal.Vault`."""

    def __init__(self, database: Database, seal: Seal, audit: Audit) -> None:
        self._database = database
        self._seal = seal
        self._audit = audit

    async def keep(self, action_id: str, name: str, secret: str) -> None:
        """Encrypt a secret and store it under the action that made it.

        Raises:
            JournalUnavailable: The store cannot be written.
        """
        values = {
            "action_id": action_id,
            "name": name,
            "sealed": self._seal.close(secret),
            "kept_at": datetime.now(UTC),
        }
        adding = insert(sealed_secrets).values(**values)
        await self._database.write(lambda connection: connection.execute(adding))

    async def secrets_of(self, action_id: str, *, by: str) -> list[KeptSecret]:
        """Decrypt the secrets of an action. The audit records who read them before they are decrypted."""
        query = select(sealed_secrets).where(sealed_secrets.c.action_id == action_id).order_by(sealed_secrets.c.number)

        def look(entry: Entry) -> Sequence[Row[Any]]:
            rows = entry.connection.execute(query).all()
            if rows:
                detail = {"names": [row.name for row in rows]}
                self._audit.append(entry, "secrets read", action_id=action_id, principal=by, detail=detail)
            return rows

        rows = await self._audit.write(look)
        return [KeptSecret(row.action_id, row.name, self._seal.open(row.sealed), row.kept_at) for row in rows]
