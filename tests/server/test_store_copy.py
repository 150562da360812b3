"""A record moves from SQLite to PostgreSQL and back: whole, and never open in two places."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
import pytest
from sqlalchemy import Column, create_engine, delete, insert, make_url, select
from typer.testing import CliRunner

from guard.errors import JournalUnavailable
from server.cli.app import command_line
from server.store import schema
from server.store.engine import with_blocking_driver
from server.store.moving.move import ARRIVED, MOVE, Address, CannotCopy, close_for_move, copy_rows, open_copy
from server.store.moving.rows import Digest, digest_of, open_for_copy, tables
from server.store.processes import this_process
from server.store.store import Store, open_store
from tests.connecting import connect, content_of, server_for, settings_for
from tests.fork_server import forking_python
from tests.plans.jobs import customers, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import proposed
from tests.server.console.full_record import served_full_record
from tests.server.operating import PASSCODE
from tests.server.postgres import PASSWORD, Postgres
from tests.server.test_postgres import postgres as postgres

NOW: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
TEXT: Final = {"from_number": "+12015550142", "to_number": "+12125550142", "text": "Your table is ready."}


async def test_a_full_record_is_the_same_after_postgresql_and_back_and_servers_go_on_with_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with served_full_record(tmp_path) as record:
        await _forget_processes(record.store)
        for name in ("sending", "later"):
            await proposed(record.store, digest=name)
    url = postgres.database()
    before = _digests(f"sqlite:///{tmp_path / 'ringfence.db'}")

    out = await _run(tmp_path, "store", "copy", "settings", "env:NEW_STORE", NEW_STORE=url)
    assert "Every value is the same on both sides" in out
    assert "The audit log is intact" in out
    assert PASSWORD not in out
    assert _unlike(before, _digests(url)) <= {"audit", "facts"}  # the move stands on the audit log
    there = _digests(url)
    assert there["audit"].rows == before["audit"].rows + 1

    async with sandboxes() as sandbox:
        settings = settings_for(
            tmp_path, sandbox.voicetel, store_url=url, policy={"paid": "allow"}, budget=[{"per": "day", "limit": "25"}]
        )
        settings = settings.model_copy(update={"state_folder": tmp_path})  # in place of that of the environment
        services, server = server_for(settings)
        async with connect(server) as client:
            sent = await client.call_tool("voicetel_send_message", TEXT)
            assert not sent.is_error, content_of(sent)
            assert content_of(await client.call_tool("propose_plan", texts(customers(2))))["plan"]
        await services.close()
    there = _digests(url)

    back = tmp_path / "back.db"
    await _run(tmp_path, "store", "copy", "settings", str(back), RINGFENCE_STORE_URL=url)
    assert _unlike(there, _digests(f"sqlite:///{back}")) <= {"audit", "facts"}
    assert "intact" in await _run(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=f"sqlite:///{back}")
    refused = await _refusal(tmp_path, "audit", "verify")
    assert "was moved to another store" in refused


async def test_every_table_is_copied_both_ways_with_every_value(postgres: Postgres, tmp_path: Path) -> None:
    async with served_full_record(tmp_path) as record:
        await record.store.database.write(_fill_empty_tables)
    stores = [f"sqlite:///{tmp_path / 'ringfence.db'}", postgres.database(), f"sqlite:///{tmp_path / 'back.db'}"]
    for one, other in pairwise(stores):
        await _move(tmp_path, one, other)
        before, after = _digests(one), _digests(other)
        assert all(digest.rows for digest in before.values()), "put a row of this table on the record"
        assert _unlike(before, after) == {"facts"}
        assert _facts(one).items() - _facts(other).items() == set()
        _insert_numbered(other)


@pytest.mark.parametrize("stop", ["actions", "audit", "holds", "tracked"])
async def test_a_copy_that_was_stopped_goes_on_where_it_stopped(tmp_path: Path, stop: str) -> None:
    old, new = await _small_record(tmp_path), tmp_path / "new.db"
    code = (
        "import os, signal\nfrom server.store.moving import move\nfrom server.cli import app\nimport sys\n"
        "inner = move.write_rows\n"
        "def write(connection, table, rows):\n"
        "    inner(connection, table, rows)\n"
        f"    if table.name == {stop!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "move.write_rows = write\n"
        f"sys.argv = ['ringfence', 'store', 'copy', {str(old)!r}, {str(new)!r}, '--state-folder', {str(tmp_path)!r}]\n"
        "app.run()\n"
    )
    killed = await anyio.to_thread.run_sync(
        lambda: subprocess.run(  # noqa: S603
            [sys.executable, *forking_python(), "-c", code], capture_output=True, encoding="utf-8", check=False
        )
    )
    assert killed.returncode == -9, killed.stderr
    assert "not finished" in await _refusal(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=f"sqlite:///{new}")
    assert "was moved" in await _refusal(tmp_path, "audit", "verify")
    assert "The record is in" in await _run(tmp_path, "store", "copy", str(old), str(new))
    assert _unlike(_digests(f"sqlite:///{old}"), _digests(f"sqlite:///{new}")) == {"facts"}
    again = await _run(tmp_path, "store", "copy", str(old), str(new))
    assert "nothing was left to do" in again


async def test_a_server_that_runs_writes_nothing_more_into_a_store_that_is_moved(tmp_path: Path) -> None:
    old = await _small_record(tmp_path)
    async with _opened(tmp_path) as running:
        await proposed(running, digest="before")
        await _run(tmp_path, "store", "copy", str(old), str(tmp_path / "new.db"))
        with pytest.raises(JournalUnavailable, match="was moved to another store"):
            await proposed(running, digest="after")


async def test_no_copy_begins_while_a_server_gives_signs_of_life_or_a_call_is_sent(tmp_path: Path) -> None:
    old, new = await _small_record(tmp_path), tmp_path / "new.db"
    async with _opened(tmp_path) as running:
        await running.processes.beat("server", datetime.now(UTC))
        assert "A server runs on" in await _refusal(tmp_path, "store", "copy", str(old), str(new))
        await _forget_processes(running)
        action = await proposed(running, digest="sending")
        await running.database.write(lambda connection: _send(connection, action.id))
        assert "is being sent" in await _refusal(tmp_path, "store", "copy", str(old), str(new))
        await proposed(running, digest="still open")
    assert not new.exists()


async def test_a_copy_that_is_given_up_can_never_be_opened(tmp_path: Path) -> None:
    old, new = await _small_record(tmp_path), tmp_path / "new.db"
    source, to = Address.of(f"sqlite:///{old}"), Address.of(f"sqlite:///{new}")
    async with _opened(tmp_path) as record:
        copy_id = await close_for_move(record, to, by="a test", now=NOW)
    copy_rows(source, to, copy_id, tell=lambda _name, _rows: None)
    assert "is open again" in await _run(tmp_path, "store", "reopen", str(old), str(new))
    with pytest.raises(CannotCopy):
        open_copy(to, source, copy_id)
    assert "is not empty" in await _refusal(tmp_path, "store", "copy", str(old), str(new))
    async with _opened(tmp_path) as record:
        await proposed(record, digest="goes on")


async def test_a_finished_copy_keeps_the_old_store_closed_unless_it_is_lost(tmp_path: Path) -> None:
    old, new = await _small_record(tmp_path), tmp_path / "new.db"
    reopen = ("store", "reopen", str(old), str(new))
    await _run(tmp_path, "approvals", "passcode", typed=f"{PASSCODE}\n")
    await _run(tmp_path, "store", "copy", str(old), str(new))
    assert "is finished" in await _refusal(tmp_path, *reopen)
    assert "is finished" in await _refusal(tmp_path, *reopen, "--lost", typed=f"{PASSCODE}\n")
    await anyio.Path(new).unlink()
    assert "is finished" in await _refusal(tmp_path, *reopen)
    await _refusal(tmp_path, *reopen, "--lost", typed="wrong\n")
    assert "is open again" in await _run(tmp_path, *reopen, "--lost", typed=f"{PASSCODE}\n")


async def test_nothing_is_written_into_a_store_that_holds_something(tmp_path: Path) -> None:
    old = await _small_record(tmp_path)
    other = tmp_path / "other"
    await _run(other, "freeze")
    held = _digests(f"sqlite:///{other / 'ringfence.db'}")
    refused = await _refusal(tmp_path, "store", "copy", str(old), str(other / "ringfence.db"))
    assert "is not empty" in refused
    assert _digests(f"sqlite:///{other / 'ringfence.db'}") == held
    assert "the same store" in await _refusal(tmp_path, "store", "copy", "settings", str(old))
    missing = await _refusal(tmp_path, "store", "copy", str(tmp_path / "none.db"), str(tmp_path / "new.db"))
    assert "There is no record" in missing
    assert not (tmp_path / "none.db").exists()


async def test_a_password_is_never_taken_from_an_argument(tmp_path: Path) -> None:
    for url in ("postgresql+psycopg://me:Harbor2026@db/x", "postgresql+psycopg://me@db/x?password=Harbor2026"):
        refused = await _refusal(tmp_path, "store", "copy", "settings", url)
        assert "env:NEW_STORE" in refused
        assert "Harbor2026" not in refused


async def _move(folder: Path, one: str, other: str) -> None:
    source, to = Address.of(one), Address.of(other)
    store = open_store(one, folder)
    copy_id = await close_for_move(store, to, by="a test", now=NOW)
    await store.database.close()
    copy_rows(source, to, copy_id, tell=lambda _name, _rows: None)
    open_copy(to, source, copy_id)


async def _small_record(folder: Path) -> Path:
    async with _opened(folder) as record:
        action = await proposed(record)
        await record.vault.keep(action.id, "pin", "4711")
        await record.database.write(_fill_empty_tables_but_signed)
    return folder / "ringfence.db"


@asynccontextmanager
async def _opened(folder: Path) -> AsyncGenerator[Store]:
    store = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        yield store
    finally:
        await store.database.close()


async def _forget_processes(store: Store) -> None:
    facts = schema.facts
    await store.database.write(
        lambda connection: connection.execute(delete(facts).where(facts.c.name.startswith("server ")))
    )


def _send(connection: Any, action_id: str) -> None:
    connection.execute(
        schema.actions.update().where(schema.actions.c.id == action_id).values(state="sending", owner=this_process())
    )


SIGNED: Final = {"approvals", "receipts", "signing_keys"}
"""Tables whose rows are checked against the audit log."""


def _fill_empty_tables_but_signed(connection: Any) -> None:
    _fill(connection, SIGNED | {"actions", "audit", "facts"})


def _fill_empty_tables(connection: Any) -> None:
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


def _insert_numbered(address: str) -> None:
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


def _digests(address: str) -> dict[str, Digest]:
    engine = open_for_copy(with_blocking_driver(make_url(address)))
    with engine.connect() as connection:
        found = {table.name: digest_of(connection, table) for table in tables()}
    engine.dispose()
    return found


def _facts(address: str) -> dict[str, str]:
    engine = create_engine(with_blocking_driver(make_url(address)))
    with engine.connect() as connection:
        found = {row.name: row.value for row in connection.execute(select(schema.facts))}
    engine.dispose()
    return {name: value for name, value in found.items() if name not in {MOVE, ARRIVED}}


def _unlike(one: dict[str, Digest], other: dict[str, Digest]) -> set[str]:
    return {name for name in one if one[name] != other[name]}


async def _run(folder: Path, *words: str, typed: str = "", **more: str) -> str:
    code, output = await _invoke(folder, words, typed, more)
    assert code == 0, output
    return output


async def _refusal(folder: Path, *words: str, typed: str = "", **more: str) -> str:
    code, output = await _invoke(folder, words, typed, more)
    assert code == 2, output
    return output


async def _invoke(folder: Path, words: tuple[str, ...], typed: str, more: dict[str, str]) -> tuple[int, str]:
    environment = {"RINGFENCE_STATE_FOLDER": str(folder), **more}
    done = await anyio.to_thread.run_sync(
        lambda: CliRunner().invoke(command_line(list(words)), list(words), typed, env=environment)
    )
    return done.exit_code, done.output
