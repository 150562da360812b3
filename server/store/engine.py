"""Opens the store: short transactions, one writer at a time across all processes, and tables that are up to date.

A transaction is a function of a connection, and runs as a whole in one worker thread: a database driver blocks, and a
change of threads for each statement costs more than the statement.

Every transaction that writes holds a lock from its start. SQLite has one, and lets one writer at a time in. In
PostgreSQL each transaction takes advisory locks first (`transactions.locks`): the whole store, or only what it names,
so that calls on unrelated accounts do not wait for each other. Every later statement then sees all that was committed
before the lock was free (READ COMMITTED), so sums of what is spent and the end of the audit log never miss another
writer's rows, and no transaction has to be retried. A transaction that only reads takes no lock and sees the store as
it was when it began.

A running process notices that its database was exchanged: a file that is gone or another one, a write-ahead log that
was deleted, tables of another version. It never writes on into a file that nobody else sees.
"""

import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import anyio
import anyio.to_thread
from sqlalchemy import Executable, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, RowMapping, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from clients.deferred import Deferred
from clients.redaction import redact
from guard.errors import JournalUnavailable
from server.store import schema
from server.store.closing.marks import refuse_marked
from server.store.private_files import close_state_folder, create_database_file
from server.store.transactions.files import OpenFiles
from server.store.transactions.locks import WHOLE_STORE, Locks, take_locks
from server.store.transactions.observation import Named, name_of_reader, observe_transaction
from server.store.transactions.statements import Row, Statement

BUSY_SECONDS: Final = 10
"""How long a writer waits for the write lock; `?timeout=` in the address of an SQLite store overrides it."""

BEST_EFFORT_SECONDS: Final = 5
"""How long an optional write waits for the write lock, so that a locked store does not delay a plain read."""

ABANDONED_SECONDS: Final = 60
"""PostgreSQL ends a transaction that is idle for this long, which frees the lock of a process that hangs."""

_CONNECTIONS: Final = 15
"""How many transactions of one process run at a time, each in its thread and over its connection."""

_SNAPSHOTS: Final = 5
"""How many jobs keep a connection for their reads at a time: what they do meanwhile needs another one."""

_POOL: Final = {"pool_size": 5, "max_overflow": _CONNECTIONS - 5}

T = TypeVar("T")

_DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error)
"""What a database raises. Statements that need no translation go to SQLite's driver, which costs a tenth."""

# Execution options of a transaction.
_READING: Final = "ringfence_reading"
_BEST_EFFORT: Final = "ringfence_best_effort"

_VERSION: Final = "SELECT version_num FROM alembic_version"

UPGRADE: Final = Deferred[Callable[[URL], None]]("server.store.migrations.upgrade:upgrade")
"""The only door to alembic."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A transaction that all reads of a job share, one after the other."""

    database: "Database"
    connection: Connection
    turn: anyio.Lock = field(default_factory=anyio.Lock)


_SNAPSHOT: Final = ContextVar[Snapshot | None]("snapshot", default=None)


def _read_in(connection: Connection, work: Callable[[Connection], T]) -> T:
    with _failures_told("read"):
        return work(connection)


@dataclass(frozen=True, slots=True)
class OpenEngine:
    """The engine of an open database, for each kind of transaction; making one of these each time costs too much."""

    writing: Engine
    hasty: Engine
    """For a transaction that waits for the lock only a moment."""

    reading: Engine

    @classmethod
    def of(cls, engine: Engine) -> "OpenEngine":
        """Prepare an engine for each kind."""
        hasty = engine.execution_options(**{_BEST_EFFORT: True})
        return cls(engine, hasty, for_reading(engine))


def _end_reading(connection: Connection) -> None:
    """Close a connection that only read; one that broke meanwhile is thrown away, since nothing is lost with it."""
    try:
        connection.close()
    except _DATABASE_ERRORS:
        if not connection.closed:
            connection.invalidate()
            connection.close()


class Database:
    """One store, opened on first use and shared by the whole process."""

    def __init__(self, url: str, state_folder: Path | None = None, *, version: str = schema.HEAD) -> None:
        """`state_folder` holds what lies beside the database; opening the store closes it to other users.

        `version` is another one only where a record is moved: the mark by which the store is closed to all others.
        """
        self._expected = version
        self._url = with_blocking_driver(make_url(url))
        if self._url.password:
            redact.learn(str(self._url.password))
        self._file = self._url.database if is_file(self._url) and not _is_in_memory(self._url) else None
        self._state_folder = state_folder
        self._engine: OpenEngine | None = None
        self._files: OpenFiles | None = None
        self._must_reopen = False
        self._opening = threading.Lock()
        self._writing = anyio.Lock()
        self._system = self._url.get_backend_name()
        self._threads = anyio.CapacityLimiter(_CONNECTIONS)
        self._snapshots = anyio.Semaphore(_SNAPSHOTS)

    def address_beside(self, name: str) -> str:
        """Return the URL of a database for other tables: a file beside the store's, or the same PostgreSQL database."""
        if not is_file(self._url):
            return self._url.render_as_string(hide_password=False)
        file = self._file or str((self._state_folder or Path()) / "ringfence.db")
        create_database_file(Path(f"{file}-{name}"))
        return f"sqlite:///{file}-{name}"

    async def write(
        self,
        work: Callable[[Connection], T],
        *,
        after: Callable[[T], None] | None = None,
        best_effort: bool = False,
        locks: Locks = WHOLE_STORE,
    ) -> T:
        """Run `work` in a transaction that holds the write lock, and return what it returns.

        `after` is called with that once it is committed; neither is broken off by a cancelled caller. A `best_effort`
        transaction waits for the lock only a moment. `locks` names what no other transaction may change meanwhile.

        Raises:
            JournalUnavailable: The store is locked, full or broken; nothing was written.
        """
        with observe_transaction("store write", self._system, work):
            async with self._wait_turn(best_effort=best_effort):
                return await self._in_thread(partial(self._write, work, after, best_effort, locks))

    async def read(self, work: Callable[[Connection], T], *, as_of_now: bool = False, at_one_moment: bool = True) -> T:
        """Run `work` in a transaction that only reads, and return what it returns; it does not wait for writers.

        `as_of_now` reads past a `snapshot`, for what is compared with something outside the store, which moves on.
        Without `at_one_moment` no transaction is opened: one query sees the store at one moment by itself, two may not.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        snapshot = _SNAPSHOT.get()
        if snapshot is not None and snapshot.database is self and not as_of_now:
            async with snapshot.turn:
                return await self._in_thread(partial(_read_in, snapshot.connection, work))
        with observe_transaction("store read", self._system, work):
            run = partial(self._read, work) if at_one_moment else partial(self._query, work)
            return await self._in_thread(run)

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[None]:
        """Let everything that the block reads come from the store as it is now, over one connection.

        For a job of many reads: opening a transaction for each costs more than what it reads. Writes are not affected.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        async with self._snapshots:
            connection = await self._in_thread(self._connect_to_read)
            before = _SNAPSHOT.set(Snapshot(self, connection))
            try:
                yield
            finally:
                _SNAPSHOT.reset(before)
                with anyio.CancelScope(shield=True):
                    await self._in_thread(partial(_end_reading, connection))

    def _connect_to_read(self) -> Connection:
        with _failures_told("read"):
            connection = self._open_once().reading.connect()
            connection.begin()
            return connection

    async def fetch(self, query: Executable) -> Sequence[RowMapping]:
        """Return all rows of one query.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        return await self.read(Named(lambda connection: connection.execute(query).mappings().all(), name_of_reader()))

    async def find(self, statement: Statement, values: Row) -> Sequence[Row]:
        """Return all rows of a query that is run often.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        work = Named(lambda connection: statement.all(connection, values), name_of_reader())
        return await self.read(work, at_one_moment=False)

    async def is_of_our_version(self) -> bool:
        """Return True if the tables are of the version of this server, which writes into no others.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        version: str | None = await self.read(lambda connection: _run(connection, _VERSION), as_of_now=True)
        return version == self._expected

    async def close(self) -> None:
        """Close every connection, also for a cancelled caller."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._dispose)

    @asynccontextmanager
    async def _wait_turn(self, *, best_effort: bool) -> AsyncGenerator[None]:
        """Queue the writers of this process to an SQLite file in their order.

        SQLite polls for the lock, so among many pollers one may starve.
        """
        if not is_file(self._url):
            yield
            return
        try:
            with anyio.fail_after(lock_timeout(self._url, best_effort=best_effort)):
                await self._writing.acquire()
        except TimeoutError as late:
            raise _unavailable("written", "other writers of this process hold it") from late
        try:
            yield
        finally:
            self._writing.release()

    async def _in_thread(self, run: Callable[[], T]) -> T:
        # A cancelled caller waits for the end of the transaction: no longer than the lock's timeout and its work.
        return await anyio.to_thread.run_sync(run, limiter=self._threads)

    def _write(
        self, work: Callable[[Connection], T], after: Callable[[T], None] | None, best_effort: bool, locks: Locks
    ) -> T:
        with _failures_told("written"):
            opened = self._open_once()
            with (opened.hasty if best_effort else opened.writing).begin() as connection:
                take_locks(connection, locks)
                self._require_our_version(connection)
                result = work(connection)
                self._require_same_files()
        if after is not None:
            after(result)
        return result

    def _read(self, work: Callable[[Connection], T]) -> T:
        with _failures_told("read"), self._open_once().reading.begin() as connection:
            return work(connection)

    def _query(self, work: Callable[[Connection], T]) -> T:
        with _failures_told("read"), self._open_once().reading.connect() as connection:
            return work(connection)

    def _open_once(self) -> "OpenEngine":
        if (engine := self._engine) is not None and not self._was_exchanged():
            return engine
        with self._opening:
            if self._engine is not None and self._was_exchanged():
                self._dispose()
            if self._engine is None:
                engine = OpenEngine.of(self._open())
                self._files = OpenFiles.of(self._file) if self._file is not None else None
                self._must_reopen = False
                self._engine = engine
            return self._engine

    def _dispose(self) -> None:
        if (engine := self._engine) is not None:
            self._engine, self._files = None, None
            engine.writing.dispose()

    def _open(self) -> Engine:
        if self._state_folder is not None:
            close_state_folder(self._state_folder)
        if self._file is not None:
            create_database_file(Path(self._file))
        engine = make_engine(self._url)
        try:
            with for_reading(engine).begin() as connection:
                current = _version(connection)
            if current is None:
                with engine.begin() as connection:
                    take_locks(connection, WHOLE_STORE)
                    current = _version(connection) or create_tables(connection, schema.HEAD)
            refuse_marked(current, expected=self._expected)
            if current != self._expected:
                self._upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _was_exchanged(self) -> bool:
        """Return True if the database has to be opened again: its file, its log or its tables are not those of before.

        SQLite holds on to its files by their names and their numbers; what it still writes then is lost to all others.

        Raises:
            JournalUnavailable: The file is gone. A new one is only made at a start, when nobody waits for the old one.
        """
        if self._files is None:
            return self._must_reopen
        if self._files.is_database_gone:
            raise _unavailable("used", f"its file {self._files.paths[0]} was deleted or moved while this server ran")
        return self._must_reopen or not self._files.are_same

    def _require_same_files(self) -> None:
        """Refuse to commit into files that were deleted or replaced since the transaction began."""
        if self._files is not None and not self._files.are_same:
            raise _unavailable("written", f"its file {self._files.paths[0]} was deleted or replaced at this moment")

    def _require_our_version(self, connection: Connection) -> None:
        """Refuse to write into tables that another version of Ringfence changed while this process ran."""
        try:
            version = _run(connection, _VERSION)
        except _DATABASE_ERRORS:
            self._must_reopen = True
            raise
        if version != self._expected:
            refuse_marked(version, expected=self._expected)
            self._must_reopen = True  # the next call finds out which of the two is newer
            raise _unavailable("written", f"its tables are of version {version}, and this server's of {schema.HEAD}")

    def _upgrade(self, engine: Engine) -> None:
        try:
            UPGRADE.load()(self._url)
        except SQLAlchemyError:
            # Another process may have been faster.
            with engine.connect() as connection:
                if _version(connection) != schema.HEAD:
                    raise


def is_file(url: URL) -> bool:
    """Return True if the store is an SQLite file."""
    return url.get_backend_name() == "sqlite"


def for_reading(engine: Engine) -> Engine:
    """Return an engine whose transactions only read, and see the store as it was when they began."""
    if is_file(engine.url):
        return engine.execution_options(**{_READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def make_engine(url: URL, **options: Any) -> Engine:
    """Make the connections to a store; `options` are those of SQLAlchemy's engine."""
    return _sqlite_engine(url, **options) if is_file(url) else _postgres_engine(url, **options)


def _is_in_memory(url: URL) -> bool:
    return url.database in {None, "", ":memory:"}


def with_blocking_driver(url: URL) -> URL:
    """Return the address for a driver that blocks; settings of 0.1 name one of SQLite that does not."""
    return url.set(drivername="sqlite") if is_file(url) else url


def lock_timeout(url: URL, *, best_effort: bool = False) -> float:
    """Return how many seconds a writer waits for the lock of an SQLite file."""
    seconds = float(str(url.query.get("timeout", BUSY_SECONDS)))
    return min(BEST_EFFORT_SECONDS, seconds) if best_effort else seconds


def _sqlite_engine(url: URL, **options: Any) -> Engine:
    timeout = lock_timeout(url)
    arguments: dict[str, Any] = {"timeout": timeout, "check_same_thread": False}
    # A database in memory is that of its one connection.
    pool: dict[str, Any] = {"poolclass": StaticPool} if _is_in_memory(url) else _POOL
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool, **options)

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_READING):
            _run(connection, "BEGIN")
            return
        seconds = lock_timeout(url, best_effort=bool(options.get(_BEST_EFFORT)))
        if connection.info.get(_BEST_EFFORT, timeout) != seconds:
            _run(connection, f"PRAGMA busy_timeout={round(seconds * 1000)}")
            connection.info[_BEST_EFFORT] = seconds
        # The driver's own deferred transactions let two writers read before either writes.
        _run(connection, "BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _postgres_engine(url: URL, **options: Any) -> Engine:
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": BUSY_SECONDS}
    engine = create_engine(
        url,
        connect_args=timeout,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        hide_parameters=True,
        **_POOL,
        **options,
    )

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in (
            f"lock_timeout = '{BUSY_SECONDS}s'",
            f"idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s'",
            "synchronous_commit = on",  # an intent that is forgotten would be sent a second time
        ):
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()

    def on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_BEST_EFFORT):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BEST_EFFORT_SECONDS}s'")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


@contextmanager
def _failures_told(use: str) -> Generator[None]:
    """Tell a failure of the database in our own words, without a password."""
    try:
        yield
    except (*_DATABASE_ERRORS, OSError) as failed:
        reason = redact(str(getattr(failed, "orig", None) or failed).splitlines()[0])
        raise _unavailable(use, reason) from failed


def _run(connection: Connection, statement: str) -> Any:
    """Run a statement without values, and return the first value that it finds, if any."""
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(statement).scalar()
    row = cast("sqlite3.Connection", connection.connection.driver_connection).execute(statement).fetchone()
    return row[0] if row else None


def _unavailable(use: str, reason: str) -> JournalUnavailable:
    return JournalUnavailable(f"The store cannot be {use} ({reason}), so guarded calls are refused.")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql(_VERSION).scalar()


def create_tables(connection: Connection, version: str) -> str:
    """Create the current tables, and name their version, or the mark that closes them; return it.

    A test compares the tables with what the migrations create.
    """
    for statement in schema.creating_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    return version
