"""A copy that is killed at any moment goes on where it stopped, and no server works on either store meanwhile."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import Connection

from server.store import schema
from server.store.moving.address import Address, CannotCopy
from server.store.moving.copying import Progress, copy_rows
from server.store.moving.move import close_for_move
from tests.server.copying.records import NOW, digests_of, keep_quiet, opened, refusal, run, small_record, unlike
from tests.server.postgres import Postgres
from tests.server.test_postgres import postgres as postgres

KILLED_AT_A_SIZE: Final = """\
import resource, signal, sys
from server.cli import app
size = int(sys.argv.pop(1))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
app.run()
"""
"""The command as it is; the kernel kills it in the middle of the write by which one of its files grows too large."""

REFUSED_AT_A_SIZE: Final = KILLED_AT_A_SIZE.replace("SIG_DFL", "SIG_IGN")
"""The same, where the write fails instead, as on a full disc."""

PATIENCE: Final = 60
"""Seconds after which a process does not come any more to where it is waited for."""

MANY: Final = 700
"""Rows of more than one batch."""


@pytest.mark.parametrize(
    ("more", "where"),
    [
        pytest.param(-1, "old store", id="while the old store is closed"),
        pytest.param(1, "tables", id="while the tables are created"),
        pytest.param(160, "rows", id="while the first rows are written"),
        pytest.param(400, "rows", id="while the last rows are written"),
    ],
)
async def test_a_copy_that_is_killed_while_it_writes_goes_on_where_it_stopped(
    tmp_path: Path, more: int, where: str
) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    killed = await _copy_with_larger_files(more, KILLED_AT_A_SIZE, tmp_path, old, new)
    assert killed.returncode == -signal.SIGXFSZ, killed.stderr
    assert _place(new) == where
    assert "was moved" in await refusal(tmp_path, "audit", "verify")
    if where == "rows":
        refused = await refusal(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=f"sqlite:///{new}")
        assert "not finished" in refused
    assert "The record is in" in await run(tmp_path, "store", "copy", str(old), str(new))
    assert unlike(digests_of(f"sqlite:///{old}"), digests_of(f"sqlite:///{new}")) == {"facts"}
    assert "nothing was left to do" in await run(tmp_path, "store", "copy", str(old), str(new))


async def test_a_full_disc_is_told_and_the_same_command_goes_on(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    full = await _copy_with_larger_files(160, REFUSED_AT_A_SIZE, tmp_path, old, new)
    assert full.returncode == 2
    assert full.stderr.startswith("A store cannot be used: ")
    assert full.stderr.endswith("The same command goes on where this one stopped.\n")
    assert "Traceback" not in full.stderr
    assert "The record is in" in await run(tmp_path, "store", "copy", str(old), str(new))


async def test_a_copy_that_is_killed_within_a_batch_or_before_it_opens_goes_on_where_it_stopped(
    postgres: Postgres, tmp_path: Path
) -> None:
    old, url = await small_record(tmp_path), postgres.database()
    source, to = Address.of(f"sqlite:///{old}"), Address.of(url)
    async with opened(tmp_path) as record:
        await record.database.write(_add_many)
        copy_id = await close_for_move(record, to, by="a test", now=NOW)

    def stop_behind_a_batch(done: Progress) -> None:
        if done.table == "optouts" and not done.is_whole:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        copy_rows(source, to, copy_id, tell=stop_behind_a_batch)
    begun = digests_of(url)["optouts"].rows
    assert 0 < begun < MANY

    # The rows of the next batch are written then, and how far the copy is, is not.
    bookmark = "SELECT * FROM copy_progress WHERE name = 'optouts' FOR UPDATE"
    await _kill_where_it_waits(tmp_path, old, url, bookmark, "UPDATE copy_progress")
    assert digests_of(url)["optouts"].rows == begun
    copy_rows(source, to, copy_id, tell=keep_quiet)

    # All rows are there and verified, and the old store knows that the new one is about to be opened.
    await _kill_where_it_waits(tmp_path, old, url, "LOCK TABLE facts IN SHARE MODE", "facts")
    for store in (f"sqlite:///{old}", url):
        assert "guarded calls are refused" in await refusal(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=store)
    assert "The record is in" in await run(tmp_path, "store", "copy", str(old), "env:NEW_STORE", NEW_STORE=url)
    assert unlike(digests_of(f"sqlite:///{old}"), digests_of(url)) == {"facts"}


async def test_of_two_copies_at_once_one_stops_and_the_other_goes_on(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    source, to = Address.of(f"sqlite:///{old}"), Address.of(f"sqlite:///{new}")
    async with opened(tmp_path) as record:
        await record.database.write(_add_many)
        copy_id = await close_for_move(record, to, by="a test", now=NOW)

    def let_another_one_in(done: Progress) -> None:
        if done.table == "optouts" and not done.is_whole:
            copy_rows(source, to, copy_id, tell=keep_quiet)

    with pytest.raises(CannotCopy, match="Another process copies into this store"):
        copy_rows(source, to, copy_id, tell=let_another_one_in)
    assert "The record is in" in await run(tmp_path, "store", "copy", str(old), str(new))


async def test_of_two_copies_that_end_at_once_both_say_that_the_record_is_there(
    postgres: Postgres, tmp_path: Path
) -> None:
    old, url = await small_record(tmp_path), postgres.database()
    source, to = Address.of(f"sqlite:///{old}"), Address.of(url)
    async with opened(tmp_path) as record:
        copy_id = await close_for_move(record, to, by="a test", now=NOW)
    copy_rows(source, to, copy_id, tell=keep_quiet)
    engine = create_engine(url)
    with engine.connect() as holding, engine.connect() as looking:
        holding.execute(text("LOCK TABLE facts IN SHARE MODE"))
        both = [await _start_copy(tmp_path, old, url) for _ in range(2)]
        with anyio.fail_after(PATIENCE):
            while len(_waiting(looking)) < 2:  # noqa: ASYNC110 - over a socket
                await anyio.sleep(0.02)
        holding.rollback()
    engine.dispose()
    told = [await anyio.to_thread.run_sync(one.communicate) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert sorted("Another process finished this copy" in out for out, _ in told) == [False, True]
    assert all("The record is in" in out for out, _ in told)
    await run(tmp_path, "audit", "verify", RINGFENCE_STORE_URL=url)


async def _copy_with_larger_files(
    more: int, code: str, folder: Path, old: Path, new: Path
) -> subprocess.CompletedProcess[str]:
    """Copy where no file may be larger than the old store by more than so many KiB."""
    size = (await anyio.Path(old).stat()).st_size + more * 1024
    words = [str(size), "store", "copy", str(old), str(new), "--state-folder", str(folder)]
    return await anyio.to_thread.run_sync(
        lambda: subprocess.run(  # noqa: S603
            [sys.executable, "-c", code, *words],
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    )


def _place(new: Path) -> str:
    """Return what a copy was writing when it stopped."""
    if not new.exists():
        return "old store"
    with closing(sqlite3.connect(new)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "copy_progress" not in names:
            return "tables"
        return "rows" if connection.execute("SELECT count(*) FROM copy_progress").fetchone()[0] > 1 else "tables"


async def _start_copy(folder: Path, old: Path, url: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    environment = {**os.environ, "RINGFENCE_STATE_FOLDER": str(folder), "NEW_STORE": url}
    return await anyio.to_thread.run_sync(
        lambda: subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "ringfence", "store", "copy", str(old), "env:NEW_STORE"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
        )
    )


async def _kill_where_it_waits(folder: Path, old: Path, url: str, locking: str, statement: str) -> None:
    """Hold a lock in the new store, start the copy, and kill it once a statement of its waits for that lock."""
    engine = create_engine(url)
    with engine.connect() as holding, engine.connect() as looking:
        holding.execute(text(locking))
        process = await _start_copy(folder, old, url)
        with anyio.fail_after(PATIENCE):
            while not any(statement in waiting for waiting in _waiting(looking)):  # noqa: ASYNC110 - over a socket
                await anyio.sleep(0.02)
        process.kill()
        await anyio.to_thread.run_sync(process.communicate)
        assert process.returncode == -signal.SIGKILL
        holding.rollback()
        while _transactions(looking):  # noqa: ASYNC110 - the server ends the transaction of whoever is gone
            await anyio.sleep(0.02)
    engine.dispose()


def _waiting(connection: Connection) -> list[str]:
    """Return the statements that wait for a lock."""
    query = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND pid <> pg_backend_pid()"
    )
    found = connection.execute(text(query)).scalars().all()
    connection.rollback()
    return list(found)


def _transactions(connection: Connection) -> int:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
        "AND pid <> pg_backend_pid()"
    )
    found = connection.execute(text(query)).scalar()
    connection.rollback()
    return int(found or 0)


def _add_many(connection: Connection) -> None:
    rows = [{"number": f"+1212555{number:04d}", "at": NOW, "source": "a test"} for number in range(MANY)]
    connection.execute(insert(schema.optouts), rows)
