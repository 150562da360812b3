"""The keys that sign receipts: the private one sealed with the store's key, the public ones kept for good."""

from datetime import datetime

from cryptography.fernet import InvalidToken
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from guard.errors import JournalUnavailable
from guard.receipts.keys import PublicKey, PublicPasskey, PublishedKeys, SigningKey, decode, encode, thumbprint
from server.store.schema import passkeys, signing_keys
from server.store.sealed.seal import Seal


class SigningKeys:
    """Opens, creates and replaces the signing key, in the caller's transaction."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._opened: SigningKey | None = None
        """The key that this process opened last. The end of the chain says whether it still signs."""

    def open(self, connection: Connection, kid: str | None, at: datetime) -> SigningKey:
        """Return the key with this id; without one, the one in force, which is created where there is none.

        Raises:
            JournalUnavailable: It was destroyed, or cannot be opened.
        """
        if kid is not None and self._opened is not None and self._opened.kid == kid:
            return self._opened
        is_meant = signing_keys.c.until.is_(None) if kid is None else signing_keys.c.id == kid
        sealed = connection.execute(select(signing_keys.c.sealed).where(is_meant)).first()
        if sealed is None and kid is None:
            return self.create(connection, at)
        try:
            self._opened = SigningKey.of(decode(self._seal.open(sealed[0] if sealed else b"")))
        except (InvalidToken, TypeError, ValueError):
            raise JournalUnavailable(
                "The key that signs receipts cannot be opened: the store's key is another one, or its row was changed. "
                "Guarded calls are refused, because none would have a receipt."
            ) from None
        return self._opened

    def create(self, connection: Connection, at: datetime) -> SigningKey:
        """Create the key that signs from now on."""
        new = SigningKey.create()
        row = {"id": new.kid, "x": new.x, "sealed": self._seal.close(encode(new.raw)), "since": at}
        connection.execute(insert(signing_keys).values(row))
        return new

    def destroy(self, connection: Connection, kid: str, at: datetime) -> None:
        """Destroy a private key; its public key stays. SQLite overwrites what stood in its place."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        gone = update(signing_keys).where(signing_keys.c.id == kid).values(sealed=None, until=at)
        connection.execute(gone)
        self._opened = None


def published(connection: Connection, *, with_passkeys: bool = False) -> PublishedKeys:
    """Return the public keys, the oldest first; the id of a key that was changed in the store is another one.

    Those of the operators' passkeys name the operators.
    """
    rows = connection.execute(select(signing_keys)).mappings()
    keys = tuple(sorted(map(_public, rows), key=lambda key: key.since))
    if not with_passkeys:
        return PublishedKeys(keys=keys)
    enrolled = connection.execute(select(passkeys)).mappings()
    return PublishedKeys(keys=keys, passkeys=tuple(sorted(map(_passkey, enrolled), key=lambda key: key.since)))


def _passkey(row: RowMapping) -> PublicPasskey:
    facts = {name: row[name] for name in ("id", "operator", "public_key", "rp_id")}
    return PublicPasskey.model_validate(facts | {"from": row["created_at"], "until": row["removed_at"]})


def _public(row: RowMapping) -> PublicKey:
    facts = {"x": row["x"], "kid": thumbprint(row["x"]), "from": row["since"], "until": row["until"]}
    return PublicKey.model_validate(facts)
