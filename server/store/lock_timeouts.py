"""One writer at a time, in every process on the store: each transaction holds the write lock from its beginning.

SQLite has that lock. PostgreSQL gets one: an advisory lock that every transaction takes first. Each later statement of
it sees all that was committed before the lock was free (READ COMMITTED), so that sums of what is spent and the end of
the audit's chain are never read beside another writer, and no transaction has to be tried again.

A transaction that only reads takes no lock, sees the store as it was when it began, and waits for no writer.
"""

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_SECONDS: Final = 10
"""How long a writer waits for another one before it says that the store is locked; `?timeout=` in the address of an
SQLite store says otherwise."""

BEST_EFFORT_SECONDS: Final = 1
"""How long a write waits that may be left out, so that a locked store does not hold up a plain read."""

READING: Final = "ringfence_reading"
BEST_EFFORT: Final = "ringfence_sparing"
"""Execution options of a transaction."""

ABANDONED_SECONDS: Final = 60
"""After this long without a word PostgreSQL ends a transaction, and so gives back the lock of a process that hangs."""

WRITE_LOCK: Final = "SELECT pg_advisory_xact_lock(5285474177303151430)"
"""A number of our own: other programs in the same database take other locks."""


def is_file(url: URL) -> bool:
    """True for SQLite."""
    return url.get_backend_name() == "sqlite"


def engine_for(url: URL) -> AsyncEngine:
    """An engine whose transactions follow one another."""
    return _file_engine(url) if is_file(url) else _server_engine(url)


def lock_timeout(url: URL, *, sparing: bool = False) -> float:
    """How many seconds a write waits for its turn in a file."""
    patience = float(str(url.query.get("timeout", BUSY_SECONDS)))
    return min(BEST_EFFORT_SECONDS, patience) if sparing else patience


def _file_engine(url: URL) -> AsyncEngine:
    patience = lock_timeout(url)
    engine = create_async_engine(url, connect_args={"timeout": patience}, hide_parameters=True)

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(READING):
            connection.exec_driver_sql("BEGIN")
            return
        seconds = lock_timeout(url, sparing=bool(options.get(BEST_EFFORT)))
        if connection.info.get(BEST_EFFORT, patience) != seconds:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={round(seconds * 1000)}")
            connection.info[BEST_EFFORT] = seconds
        # The driver's own deferred transactions let two writers read before either writes.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _server_engine(url: URL) -> AsyncEngine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": BUSY_SECONDS}
    engine = create_async_engine(
        url, connect_args=patience, isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True
    )

    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in (
            f"lock_timeout = '{BUSY_SECONDS}s'",
            f"idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s'",
            "synchronous_commit = on",  # an intent that is forgotten would be sent a second time
        ):
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()

    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(READING):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        if options.get(BEST_EFFORT):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BEST_EFFORT_SECONDS}s'")
        connection.exec_driver_sql(WRITE_LOCK)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine
