"""What a writing transaction keeps others from changing: the whole store, or only what it names.

SQLite has one lock, and lets one writer at a time in. In PostgreSQL, transactions that name what they lock run side by
side unless they name the same; one that names nothing runs alone. The order is the same everywhere, so that no two wait
for each other: the store, the names, the rows, and at last the end of the audit log, which is held only from the first
row that is added until the commit.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class Locks:
    """The names of what a transaction locks."""

    names: tuple[str, ...] = ()
    is_whole_store: bool = False

    @classmethod
    def on(cls, *names: str) -> "Locks":
        """Lock what these names stand for; without any, nothing but rows."""
        return cls(names)


WHOLE_STORE: Final = Locks(is_whole_store=True)
"""For every transaction that does not say what it needs."""

# A number of our own, because other programs in the same database take other advisory locks.
_STORE: Final = 5285474177303151430

LOCK_WHOLE_STORE: Final = f"SELECT pg_advisory_xact_lock({_STORE})"
_SHARE_STORE: Final = f"SELECT pg_advisory_xact_lock_shared({_STORE})"


def take_locks(connection: Connection, locks: Locks) -> None:
    """Take the locks of a transaction that begins; they are free again when it ends."""
    if connection.dialect.name == "sqlite":
        return
    if locks.is_whole_store:
        connection.exec_driver_sql(LOCK_WHOLE_STORE)
    else:
        connection.exec_driver_sql("; ".join((_SHARE_STORE, *_statements(locks.names))))


def lock_end_of_audit(connection: Connection, locks: Locks) -> None:
    """Lock the end of the audit log, after everything else that the transaction locks."""
    if connection.dialect.name != "sqlite" and not locks.is_whole_store:
        connection.exec_driver_sql(LOCK_END_OF_AUDIT)


def _statements(names: Iterable[str]) -> list[str]:
    """Return what takes the locks of these names, always in the same order."""
    return [f"SELECT pg_advisory_xact_lock({number})" for number in sorted({_number(name) for name in names})]


def _number(name: str) -> int:
    digest = hashlib.sha256(f"ringfence {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


[LOCK_END_OF_AUDIT] = _statements(["end of the audit log"])
