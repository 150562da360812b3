"""Records that are copied, and the commands that copy them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from sqlalchemy import Column, create_engine, delete, insert, make_url, select
from typer.testing import CliRunner

from server.cli.app import command_line
from server.store import schema
from server.store.engine import with_blocking_driver
from server.store.moving.address import Address
from server.store.moving.copying import Progress, compare_rows, copy_rows
from server.store.moving.move import ARRIVED, close_for_move, open_copy
from server.store.moving.rows import MOVE, Digest, digest_of, open_for_copy, tables
from server.store.store import Store, open_store
from tests.server.console.browsing import proposed

NOW: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)


async def move(folder: Path, one: str, other: str) -> None:
    """Move a record, as the command does without its words."""
    source, to = Address.of(one), Address.of(other)
    store = open_store(one, folder)
    copy_id = await close_for_move(store, to, by="a test", now=NOW)
    await store.database.close()
    copy_rows(source, to, copy_id, tell=keep_quiet)
    compare_rows(source, to)
    open_copy(to, source, copy_id)


def keep_quiet(_: Progress) -> None:
    """Say nothing of how far a copy is."""


async def small_record(folder: Path) -> Path:
    """Make a record with a row in every table, and return its file."""
    async with opened(folder) as record:
        action = await proposed(record)
        await record.vault.keep(action.id, "pin", "4711")
        await record.database.write(_fill_empty_tables_but_signed)
    return folder / "ringfence.db"


@asynccontextmanager
async def opened(folder: Path, address: str = "") -> AsyncGenerator[Store]:
    """Open the record of a folder, or one elsewhere."""
    store = open_store(address or f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        yield store
    finally:
        await store.database.close()


async def forget_processes(store: Store) -> None:
    """Forget the signs of life of servers."""
    facts = schema.facts
    await store.database.write(
        lambda connection: connection.execute(delete(facts).where(facts.c.name.startswith("server ")))
    )


SIGNED: Final = {"approvals", "receipts", "signing_keys"}
"""Tables whose rows are checked against the audit log."""


def _fill_empty_tables_but_signed(connection: Any) -> None:
    _fill(connection, SIGNED | {"actions", "audit", "facts"})


def fill_empty_tables(connection: Any) -> None:
    """Put a row into each table that has none."""
    _fill(connection, set())


def _fill(connection: Any, without: set[str]) -> None:
    for table in schema.metadata.sorted_tables:
        if table.name not in without and connection.execute(select(table).limit(1)).first() is None:
            connection.execute(insert(table).values({one.name: _some(one) for one in table.columns}))


def _some(column: Column[Any]) -> Any:
    if isinstance(column.type, schema.UtcTime):
        return NOW
    kind = str if isinstance(column.type, schema.StorableText) else column.type.python_type
    return {str: "é", int: 7, float: 0.1, bytes: b"\x00\xff", bool: True}.get(kind, {"b": [1.10, None], "a": "é"})


def insert_numbered(address: str) -> None:
    """Add a row to each table that numbers its rows."""
    engine = create_engine(with_blocking_driver(make_url(address)))
    with engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            if (number := table.autoincrement_column) is not None and table.name not in {"receipts", "audit"}:
                values = {one.name: _some(one) for one in table.columns if one is not number}
                if "digest" in values:
                    values["digest"] = "another"
                connection.execute(insert(table).values(values))
        connection.rollback()
    engine.dispose()


def digests_of(address: str) -> dict[str, Digest]:
    """Digest every table of a store."""
    engine = open_for_copy(with_blocking_driver(make_url(address)))
    with engine.connect() as connection:
        found = {table.name: digest_of(connection, table) for table in tables()}
    engine.dispose()
    return found


def facts_of(address: str) -> dict[str, str]:
    """Return the named values of a store, without those of a move."""
    engine = create_engine(with_blocking_driver(make_url(address)))
    with engine.connect() as connection:
        found = {row.name: row.value for row in connection.execute(select(schema.facts))}
    engine.dispose()
    return {name: value for name, value in found.items() if name not in {MOVE, ARRIVED}}


def unlike(one: dict[str, Digest], other: dict[str, Digest]) -> set[str]:
    """Return the tables in which two stores differ."""
    return {name for name in one if one[name] != other[name]}


async def run(folder: Path, *words: str, typed: str = "", **more: str) -> str:
    """Run a command, and return what it printed."""
    code, output = await _invoke(folder, words, typed, more)
    assert code == 0, output
    return output


async def refusal(folder: Path, *words: str, typed: str = "", **more: str) -> str:
    """Run a command that is refused, and return what it printed."""
    code, output = await _invoke(folder, words, typed, more)
    assert code == 2, output
    return output


async def _invoke(folder: Path, words: tuple[str, ...], typed: str, more: dict[str, str]) -> tuple[int, str]:
    environment = {"RINGFENCE_STATE_FOLDER": str(folder), **more}
    done = await anyio.to_thread.run_sync(
        lambda: CliRunner().invoke(command_line(list(words)), list(words), typed, env=environment)
    )
    return done.exit_code, done.output
