"""Opens the store: the engine, short transactions, and the schema brought up to date."""

import stat
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy import inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from clients.redaction import redact
from guard.errors import JournalUnavailable
from server.store import schema
from server.store.lock_timeouts import BEST_EFFORT, READING, engine_for, is_file, lock_timeout

_ALEMBIC_IS_ONE = threading.Lock()
"""Alembic keeps what it is doing in global names, so that threads must take turns."""


class Database:
    """One store, opened when it is first needed and shared by everything in the process."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        if self._url.password:
            redact.learn(str(self._url.password))
        self._engine: AsyncEngine | None = None
        self._opening = anyio.Lock()
        self._writing = anyio.Lock()

    @property
    def folder(self) -> Path | None:
        """Where the file lies; None for a server database."""
        return Path(self._url.database).parent if is_file(self._url) and self._url.database else None

    @asynccontextmanager
    async def transaction(self, *, sparing: bool = False) -> AsyncGenerator[AsyncConnection]:
        """A transaction that holds the write lock from its start. A `sparing` one does not wait long for it.

        Raises:
            JournalUnavailable: The store is locked, full or broken; nothing was written.
        """
        async with self._in_turn(sparing=sparing), self._begun("written", {BEST_EFFORT: sparing}) as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads, and goes on while another one holds the write lock.

        Raises:
            JournalUnavailable: The store is broken or cannot be opened.
        """
        async with self._begun("read", {READING: True}) as connection:
            yield connection

    @asynccontextmanager
    async def _in_turn(self, *, sparing: bool) -> AsyncGenerator[None]:
        """The writers of this process one after the other, as they came. The lock of a file is polled, and the more
        poll it, the longer one of them may be passed over.
        """
        if not is_file(self._url):
            yield
            return
        try:
            with anyio.fail_after(lock_timeout(self._url, sparing=sparing)):
                await self._writing.acquire()
        except TimeoutError as late:
            raise _unavailable("written", "others of this process write to it") from late
        try:
            yield
        finally:
            self._writing.release()

    @asynccontextmanager
    async def _begun(self, what: str, options: dict[str, Any]) -> AsyncGenerator[AsyncConnection]:
        try:
            # Shielded for SQLite: a cancelled statement goes on in its thread, and keeps the write lock from everybody.
            # It waits no longer than the lock's timeout.
            with anyio.CancelScope(shield=is_file(self._url)):
                engine = await self._opened()
                async with engine.execution_options(**options).begin() as connection:
                    yield connection
        except (SQLAlchemyError, OSError) as failed:
            reason = redact(str(getattr(failed, "orig", None) or failed).splitlines()[0])
            raise _unavailable(what, reason) from failed

    async def close(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    async def _opened(self) -> AsyncEngine:
        if self._engine is None:
            async with self._opening:
                if self._engine is None:
                    self._engine = await self._open()
        return self._engine

    async def _open(self) -> AsyncEngine:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
        engine = engine_for(self._url)
        try:
            async with engine.execution_options(**{READING: True}).begin() as connection:
                current = await connection.run_sync(_version)
            if current is None:
                async with engine.begin() as connection:
                    current = await connection.run_sync(_version) or await connection.run_sync(_create)
            if current != schema.HEAD:
                await self._bring_up_to_date(engine)
            if self.folder is not None and self._url.database:
                _make_private(Path(self._url.database))
        except BaseException:
            await engine.dispose()
            raise
        return engine

    async def _bring_up_to_date(self, engine: AsyncEngine) -> None:
        try:
            await anyio.to_thread.run_sync(_upgrade, self._url)
        except SQLAlchemyError:
            # Another process may have been faster.
            async with engine.connect() as connection:
                if await connection.run_sync(_version) != schema.HEAD:
                    raise


def _unavailable(what: str, reason: str) -> JournalUnavailable:
    return JournalUnavailable(f"The store cannot be {what} ({reason}), so nothing that needs a record is done.")


def _make_private(file: Path) -> None:
    """For its owner alone. One that is, is left alone: it may lie where nothing can be changed."""
    if stat.S_IMODE(file.stat().st_mode) != stat.S_IRUSR | stat.S_IWUSR:
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> str:
    """A new store gets its tables as they stand, which a test compares with what the migrations make."""
    schema.metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": schema.HEAD})
    return schema.HEAD


def _upgrade(url: URL) -> None:
    """Bring an older store up to date. Imported here: alembic is seldom needed and takes a second to load."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["url"] = url.set(drivername="sqlite" if is_file(url) else url.drivername)
    try:
        with _ALEMBIC_IS_ONE:
            command.upgrade(config, "head")
    except CommandError:
        raise JournalUnavailable(
            "The store was brought up to date by a newer Ringfence than this one, so nothing that needs a record is "
            "done. Install the newer version."
        ) from None
