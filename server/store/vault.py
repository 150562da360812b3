"""Secrets kept for the operator, sealed with a key that lies beside the store and is readable by its owner alone."""

import hmac
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from sqlalchemy import insert, select

from guard.errors import JournalUnavailable
from server.store.engine import Database
from server.store.schema import sealed_secrets

if TYPE_CHECKING:
    from server.store.audit import Audit

KEY_FILE = "vault.key"


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """One secret, opened for the operator."""

    action_id: str
    name: str
    value: str
    kept_at: datetime


class Seal:
    """Encrypts with the store's key: the one that is given, else a file, which is made when it is first needed."""

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._path = folder / KEY_FILE
        self._given = key.encode("ascii") if key else None
        self._fernet: Fernet | None = None

    def close(self, text: str) -> bytes:
        """Encrypt."""
        return self._opened().encrypt(text.encode("utf-8"))

    def open(self, sealed: bytes) -> str:
        """Decrypt."""
        return self._opened().decrypt(sealed).decode("utf-8")

    def derive(self, purpose: str) -> bytes:
        """A key for another purpose, which tells nothing of the one it is made from."""
        return hmac.digest(self._key(), purpose.encode("utf-8"), "sha256")

    def _opened(self) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(self._key())
        return self._fernet

    def _key(self) -> bytes:
        if self._given is not None:
            return self._given
        try:
            if not self._path.exists():
                self._make_key()
            return self._path.read_bytes()
        except OSError as failed:
            raise JournalUnavailable(
                f"The key of the store cannot be read or made ({self._path}: {failed.strerror}), so nothing that needs "
                "a record is done."
            ) from failed

    def _make_key(self) -> None:
        """Written aside and linked into place, so that another process never reads half a key."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = self._path.with_name(f"{KEY_FILE}.{os.getpid()}")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key())
            with suppress(FileExistsError):
                os.link(aside, self._path)
        finally:
            aside.unlink(missing_ok=True)


class StoredVault:
    """Implements `guard.journal.Vault`."""

    def __init__(self, database: Database, seal: Seal, audit: "Audit") -> None:
        self._database = database
        self._seal = seal
        self._audit = audit

    async def keep(self, action_id: str, name: str, secret: str) -> None:
        values = {
            "action_id": action_id,
            "name": name,
            "sealed": self._seal.close(secret),
            "kept_at": datetime.now(UTC),
        }
        async with self._database.transaction() as connection:
            await connection.execute(insert(sealed_secrets).values(**values))

    async def secrets_of(self, action_id: str, *, by: str) -> list[KeptSecret]:
        """The secrets that an action sent or brought back. That they were opened is on the audit before they are."""
        query = select(sealed_secrets).where(sealed_secrets.c.action_id == action_id).order_by(sealed_secrets.c.number)
        async with self._audit.entry() as entry:
            rows = (await entry.connection.execute(query)).all()
            if rows:
                detail = {"names": [row.name for row in rows]}
                await self._audit.append(entry, "secrets read", action_id=action_id, principal=by, detail=detail)
        return [KeptSecret(row.action_id, row.name, self._seal.open(row.sealed), row.kept_at) for row in rows]
