"""Opens the store: the engine, short transactions, and the schema brought up to date."""

import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy import event, inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from guard.errors import JournalUnavailable
from server.store import schema

BUSY_SECONDS = 10.0
"""How long a writer waits for another process before it says that the store is locked."""


class Database:
    """One store, opened when it is first needed and shared by everything in the process."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine: AsyncEngine | None = None
        self._opening = anyio.Lock()

    @property
    def folder(self) -> Path | None:
        """Where the file lies; None for a server database."""
        return Path(self._url.database).parent if _is_file(self._url) and self._url.database else None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that holds the write lock from its start.

        Raises:
            JournalUnavailable: The store is locked, full or broken; nothing was written.
        """
        try:
            # Shielded: a cancelled caller would leave the connection with the write lock, and the store locked for all.
            with anyio.CancelScope(shield=True):
                engine = await self._opened()
                async with engine.begin() as connection:
                    yield connection
        except (SQLAlchemyError, OSError) as failed:
            reason = str(getattr(failed, "orig", None) or failed).splitlines()[0]
            raise JournalUnavailable(
                f"The store cannot be written ({reason}), so nothing that needs a record is done."
            ) from failed

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
        engine = create_async_engine(self._url, connect_args=_connect_args(self._url))
        if _is_file(self._url):
            _take_write_lock_at_begin(engine)
        try:
            async with engine.begin() as connection:
                current = await connection.run_sync(_version) or await connection.run_sync(_create)
            if current != schema.HEAD:
                await self._bring_up_to_date(engine)
            if self.folder is not None and self._url.database:
                os.chmod(self._url.database, stat.S_IRUSR | stat.S_IWUSR)
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


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _connect_args(url: URL) -> dict[str, Any]:
    return {"timeout": BUSY_SECONDS} if _is_file(url) else {}


def _take_write_lock_at_begin(engine: AsyncEngine) -> None:
    """Begin for writing: the driver's own deferred transactions let two writers read before either writes."""

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)


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

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["url"] = url.set(drivername="sqlite" if _is_file(url) else url.drivername)
    command.upgrade(config, "head")
