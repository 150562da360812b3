"""Moves a record to an empty store: closes the one, copies, proves that both hold the same, and opens the other.

At no moment may servers work on both, because caps would then allow twice what they say. So the old store is closed
before its first row is read, and the new one is open only once all is there and verified. The old one stays closed.

Each batch is one transaction of the new store together with how far the copy is, so a copy that was stopped at any
moment goes on where it stopped.
"""

import json
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, insert, inspect, select, text, update
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from server.store import schema
from server.store.closing.marks import COPYING, MOVED
from server.store.engine import create_tables, for_reading, is_file, make_engine, with_blocking_driver
from server.store.key_values import drop_value, get_value, put_value
from server.store.moving.rows import (
    Digest,
    continue_numbers,
    digest_of,
    key_of,
    open_for_copy,
    read_batches,
    tables,
    write_rows,
)
from server.store.private_files import create_database_file
from server.store.processes import is_gone
from server.store.sealed.audit import Entry
from server.store.store import Store
from server.store.transactions.locks import WHOLE_STORE, take_locks

MOVE: Final = "move"
"""The name under which a closed store holds which copy it was closed for, and where to."""

ARRIVED: Final = "move arrived"
"""The name under which a store holds the id of the copy that made it."""

STILL_SENDING: Final = timedelta(minutes=10)
"""A call of a process that cannot be looked at, because it is elsewhere, counts as under way for so long."""

ALL: Final = "all"

_VERSION: Final = text("SELECT version_num FROM alembic_version")

_progress: Final = Table(
    "copy_progress",
    MetaData(),
    Column("copy_id", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("last", Text, nullable=False),
    Column("rows", Integer, nullable=False),
)
"""How far each table is, in the new store, until it is open: the key of the last row that is there."""


class CannotCopy(Exception):
    """A record cannot be copied from one store to the other; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """A store that a record is copied from or to."""

    url: URL

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read the address of a store, in any form that the settings accept."""
        return cls(with_blocking_driver(make_url(text)))

    @property
    def whole(self) -> str:
        """The address with its password."""
        return self.url.render_as_string(hide_password=False)

    @property
    def file(self) -> Path | None:
        """The file of the store; None where it is no file."""
        return Path(self.url.database or "") if is_file(self.url) else None

    @property
    def name(self) -> str:
        """The database, in one form and without its user and password: it is printed, and stored."""
        if (file := self.file) is not None:
            return f"sqlite:///{file.resolve()}"
        host = self.url.host or self.url.query.get("host", "localhost")
        return f"postgresql://{host}:{self.url.port or 5432}/{self.url.database}"

    def version(self) -> str | None:
        """Return the version, or the mark, of the store; None where none of our tables is there.

        Raises:
            CannotCopy: There are such tables, of something else.
        """
        if (file := self.file) is not None and not file.exists():
            return None
        engine = make_engine(self.url)
        try:
            with for_reading(engine).begin() as connection:
                found = set(inspect(connection).get_table_names())
                if "alembic_version" in found:
                    return str(connection.execute(_VERSION).scalar())
        finally:
            engine.dispose()
        if ours := sorted(found & {*schema.metadata.tables, _progress.name}):
            raise CannotCopy(f"{self.name} has a table {ours[0]} that is not of a record. Nothing was written there.")
        return None


@dataclass(frozen=True, slots=True)
class Move:
    """What a closed store knows of the copy that it was closed for."""

    copy_id: str
    is_verified: bool
    """True from before the other store is opened, for good: only then may servers work there."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to."""

    rows: int
    tables: int


async def close_for_move(store: Store, to: Address, *, by: str, now: datetime) -> str:
    """Close a store, so that no server writes into it any more, and return the id of the copy that may follow.

    Raises:
        CannotCopy: A call is being sent.
        JournalUnavailable: Nothing was written.
    """
    copy_id = secrets.token_hex(16)

    def close(entry: Entry) -> None:
        connection = entry.connection
        if connection.dialect.name == "postgresql":
            # Waits for every transaction that looked at the version before: what it writes has to be copied, too.
            connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        _require_nothing_under_way(connection, now)
        put_value(connection, MOVE, json.dumps({"id": copy_id, "to": to.name, "is_verified": False}))
        store.audit.append(entry, "record moved", principal=by, detail={"to": to.name})
        _mark(connection, MOVED)

    await store.audit.write(close, needs_whole_log=True)
    return copy_id


def move_of(source: Address, to: Address) -> Move:
    """Return the copy that a closed store was closed for.

    Raises:
        CannotCopy: It was closed for a copy to somewhere else.
    """
    engine = make_engine(source.url)
    try:
        with for_reading(engine).begin() as connection:
            return _move_in(connection, source, to)
    finally:
        engine.dispose()


def holds_copy(to: Address, copy_id: str) -> bool:
    """Return True if a store was opened as the whole copy, by whatever happened to it since."""
    engine = make_engine(to.url)
    try:
        with for_reading(engine).begin() as connection:
            return get_value(connection, ARRIVED) == copy_id
    finally:
        engine.dispose()


def _move_in(connection: Connection, source: Address, to: Address) -> Move:
    stored: dict[str, Any] = json.loads(get_value(connection, MOVE) or "{}")
    if connection.execute(_VERSION).scalar() != MOVED or stored.get("to") != to.name:
        raise CannotCopy(
            f"{source.name} is closed for a copy to {stored.get('to')}, not to {to.name}. Nothing was changed. "
            "Name that one to go on with an unfinished copy; a finished one is copied from there."
        )
    return Move(str(stored["id"]), bool(stored["is_verified"]))


def copy_rows(source: Address, to: Address, copy_id: str, *, tell: Callable[[str, int], None]) -> Copied:
    """Copy what the new store lacks, and compare all values on both sides. The new store stays closed.

    Raises:
        CannotCopy: The new store holds something else, another process copies, or the values differ.
    """
    reading, writing = open_for_copy(source.url), _prepare(to, copy_id)
    try:
        for table in tables():
            tell(table.name, _copy_table(reading, writing, table, copy_id))
        return _compare(reading, writing)
    finally:
        reading.dispose()
        writing.dispose()


def open_copy(to: Address, source: Address, copy_id: str) -> None:
    """Open the new store to servers. The old one learns first that this is about to happen, and so stays closed.

    Raises:
        CannotCopy: The copy was given up, or finished by another process.
    """
    with _writing(source) as connection:
        if _move_in(connection, source, to).copy_id != copy_id:
            raise CannotCopy("The copy was given up meanwhile. The new store stays closed.")
        put_value(connection, MOVE, json.dumps({"id": copy_id, "to": to.name, "is_verified": True}))
    with _writing(to) as connection:
        _require_ours(connection, to, copy_id)
        continue_numbers(connection)
        drop_value(connection, MOVE)
        put_value(connection, ARRIVED, copy_id)
        _progress.drop(connection)
        _mark(connection, schema.HEAD)
    if (file := to.file) is not None and (source.file is None or Path(f"{source.file}-worker").exists()):
        create_database_file(Path(f"{file}-worker"))  # by it a server knows at its start that plans may be due


def give_up(source: Address, to: Address, *, is_lost: bool) -> None:
    """Open the old store again. An unfinished copy is never opened then; a finished one has to be lost.

    Raises:
        CannotCopy: The copy is finished, so that servers may have worked on it.
    """
    with _writing(source) as connection:
        move = _move_in(connection, source, to)
        if move.is_verified and (not is_lost or _is_there(to, move.copy_id)):
            raise CannotCopy(
                f"The copy in {to.name} is finished, and servers may have worked on it: with two records, caps would "
                "allow twice what they say. Nothing was changed. To go back, copy it from there into an empty store. "
                "If that store is lost, so that nobody can use it, add --lost."
            )
        drop_value(connection, MOVE)
        _mark(connection, schema.HEAD)


def _is_there(to: Address, copy_id: str) -> bool:
    try:
        return to.version() is not None and holds_copy(to, copy_id)
    except (SQLAlchemyError, OSError, CannotCopy):
        return False


@contextmanager
def _writing(address: Address) -> Generator[Connection]:
    engine = make_engine(address.url)
    try:
        with engine.begin() as connection:
            take_locks(connection, WHOLE_STORE)
            yield connection
    finally:
        engine.dispose()


def _prepare(to: Address, copy_id: str) -> Engine:
    """Open the new store, and create its tables where there are none."""
    version = to.version()
    if version not in {None, COPYING}:
        raise CannotCopy(f"{to.name} is not empty: it holds a record already. Nothing was written there.")
    if (file := to.file) is not None:
        create_database_file(file)
    engine = open_for_copy(to.url)
    try:
        with engine.begin() as connection:
            take_locks(connection, WHOLE_STORE)
            if not inspect(connection).has_table("alembic_version"):
                create_tables(connection, COPYING)
                _progress.create(connection)
                connection.execute(insert(_progress).values(copy_id=copy_id, name=ALL, last="", rows=0))
            _require_ours(connection, to, copy_id)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _copy_table(reading: Engine, writing: Engine, table: Table, copy_id: str) -> int:
    """Copy the rows behind the last one that is there; return how many there are."""
    place = (_progress.c.copy_id == copy_id, _progress.c.name == table.name)
    with for_reading(writing).begin() as connection:
        done = connection.execute(select(_progress.c.last, _progress.c.rows).where(*place)).first()
    after, rows = (json.loads(done.last), int(done.rows)) if done else (None, 0)
    with for_reading(reading).begin() as source:
        for batch in read_batches(source, table, after=after):
            with writing.begin() as target:
                take_locks(target, WHOLE_STORE)
                begun = target.execute(select(_progress.c.rows).where(*place)).scalar()
                if (begun or 0) != rows or target.execute(_VERSION).scalar() != COPYING:
                    raise CannotCopy("Another process copies into this store, or gave the copy up. This one stopped.")
                write_rows(target, table, batch)
                rows += len(batch)
                facts = {"last": json.dumps(key_of(table, batch[-1])), "rows": rows}
                if begun is None:
                    target.execute(insert(_progress).values(copy_id=copy_id, name=table.name, **facts))
                else:
                    target.execute(update(_progress).where(*place).values(**facts))
    return rows


def _compare(reading: Engine, writing: Engine) -> Copied:
    rows = 0
    for table in tables():
        one, other = _digest(reading, table), _digest(writing, table)
        if one != other:
            raise CannotCopy(
                f"The copy of the table {table.name} is not the same: {one.rows} rows there, {other.rows} here, or "
                "other values. The new store stays closed. Give the copy up with `ringfence store reopen`."
            )
        rows += one.rows
    return Copied(rows, len(tables()))


def _digest(engine: Engine, table: Table) -> Digest:
    """Digest a table in a transaction of its own: PostgreSQL ends one that waits long for the other store."""
    with for_reading(engine).begin() as connection:
        return digest_of(connection, table)


def _require_ours(connection: Connection, to: Address, copy_id: str) -> None:
    """Refuse a store that is open, given up, or holds a part of another copy."""
    version = connection.execute(_VERSION).scalar()
    ours = (
        version == COPYING
        and connection.execute(
            select(_progress.c.rows).where(_progress.c.copy_id == copy_id, _progress.c.name == ALL)
        ).first()
    )
    if not ours:
        raise CannotCopy(
            f"{to.name} holds something else than the beginning of this copy. Nothing was written there. "
            "Name an empty store."
        )


def _require_nothing_under_way(connection: Connection, now: datetime) -> None:
    actions = schema.actions.c
    query = select(actions.id, actions.owner, actions.sent_at).where(actions.state == "sending")
    for row in connection.execute(query):
        gone = is_gone(row.owner)
        if gone is False or (gone is None and row.sent_at is not None and now - row.sent_at < STILL_SENDING):
            raise CannotCopy(
                f"The call {row.id} is being sent, and its outcome would be lost. Nothing was changed. "
                "Stop the servers and copy again."
            )


def _mark(connection: Connection, version: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
