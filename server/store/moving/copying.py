"""Copies the rows of a closed store into one that is not open yet, and proves that both hold the same.

Each batch is one transaction of the new store together with how far the copy is, so a copy that was stopped at any
moment goes on where it stopped.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, delete, insert, inspect, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from server.store.closing.marks import COPYING, read_mark
from server.store.engine import create_tables, for_reading, make_engine
from server.store.moving.address import PROGRESS_TABLE, VERSION, Address, CannotCopy
from server.store.moving.rows import Digest, digest_of, key_of, open_for_copy, read_batches, tables, write_rows
from server.store.private_files import create_database_file
from server.store.transactions.locks import WHOLE_STORE, take_locks

ALL: Final = "all"
"""The name of the row by which a store is the beginning of a copy; without it, that copy can never be opened."""

_progress: Final = Table(
    PROGRESS_TABLE,
    MetaData(),
    Column("copy_id", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("last", Text, nullable=False),
    Column("rows", Integer, nullable=False),
)
"""How far each table is, in the new store, until it is open: the key of the last row that is there."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to."""

    rows: int
    tables: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy is with a table."""

    table: str
    rows: int
    """How many rows are there."""

    is_whole: bool
    """True if no row of the table is missing."""


def copy_rows(source: Address, to: Address, copy_id: str, *, tell: Callable[[Progress], None]) -> None:
    """Copy what the new store lacks. It stays closed.

    `tell` is called for each batch once it is there, and for each table once all of it is.

    Raises:
        CannotCopy: The new store holds something else, or another process copies.
    """
    reading, target = open_for_copy(source.url), _prepare(to, copy_id)
    try:
        for table in tables():
            rows = _copy_table(reading, target, table, copy_id, tell)
            tell(Progress(table.name, rows, is_whole=True))
    finally:
        reading.dispose()
        target.dispose()


def compare_rows(source: Address, to: Address) -> Copied:
    """Compare all values on both sides.

    Raises:
        CannotCopy: They differ.
    """
    one, other = open_for_copy(source.url), open_for_copy(to.url)
    try:
        return _compare(one, other)
    finally:
        one.dispose()
        other.dispose()


@contextmanager
def writing(address: Address) -> Generator[Connection]:
    """Write into a store that is closed to servers, in one transaction."""
    engine = make_engine(address.url)
    try:
        with engine.begin() as connection:
            take_locks(connection, WHOLE_STORE)
            yield connection
    finally:
        engine.dispose()


def require_ours(connection: Connection, to: Address, copy_id: str) -> None:
    """Refuse a store that is open, given up, or holds a part of another copy.

    Raises:
        CannotCopy: It is.
    """
    version = connection.execute(VERSION).scalar()
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


def forget_copy(to: Address, copy_id: str) -> bool:
    """Take from a store that holds this copy, and is not open yet, that it can ever be opened; False for any other."""
    try:
        if not _is_being_copied(to.version()):
            return False
        with writing(to) as connection:
            ours = connection.execute(select(_progress.c.name).where(_progress.c.copy_id == copy_id)).first()
            if ours is None or not _is_being_copied(connection.execute(VERSION).scalar()):
                return False
            connection.execute(delete(_progress).where(_progress.c.copy_id == copy_id, _progress.c.name == ALL))
            return True
    except (SQLAlchemyError, OSError, CannotCopy):
        return False


def forget_progress(connection: Connection) -> None:
    """Drop the table that says how far the copy is: from here on, the store is as any other."""
    _progress.drop(connection)


def _is_being_copied(version: str | None) -> bool:
    mark = read_mark(version)
    return mark is not None and not mark.is_moved


def _prepare(to: Address, copy_id: str) -> Engine:
    """Open the new store, and create its tables where there are none."""
    version = to.version()
    if version is not None and not _is_being_copied(version):
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
            require_ours(connection, to, copy_id)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _copy_table(reading: Engine, writing: Engine, table: Table, copy_id: str, tell: Callable[[Progress], None]) -> int:
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
                if (begun or 0) != rows or target.execute(VERSION).scalar() != COPYING:
                    raise CannotCopy("Another process copies into this store, or gave the copy up. This one stopped.")
                write_rows(target, table, batch)
                rows += len(batch)
                facts = {"last": json.dumps(key_of(table, batch[-1])), "rows": rows}
                if begun is None:
                    target.execute(insert(_progress).values(copy_id=copy_id, name=table.name, **facts))
                else:
                    target.execute(update(_progress).where(*place).values(**facts))
            tell(Progress(table.name, rows, is_whole=False))
    return rows


def _compare(reading: Engine, writing: Engine) -> Copied:
    rows = 0
    for table in tables():
        one, other = _digest(reading, table), _digest(writing, table)
        if one != other:
            raise CannotCopy(
                f"The copy of the table {table.name} is not the same: {one.rows} rows there, {other.rows} here, or "
                "other values. The new store stays closed. Give the copy up with `ringfence store reopen FROM TO`."
            )
        rows += one.rows
    return Copied(rows, len(tables()))


def _digest(engine: Engine, table: Table) -> Digest:
    """Digest a table in a transaction of its own: PostgreSQL ends one that waits long for the other store."""
    with for_reading(engine).begin() as connection:
        return digest_of(connection, table)
