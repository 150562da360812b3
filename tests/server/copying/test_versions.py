"""A copy that another version of Ringfence began can be given up, and an older record is brought up to date first."""

import json
from pathlib import Path

import anyio.to_thread
import pytest
from alembic import command
from sqlalchemy import create_engine, text

from server.store.moving.address import Address, CannotCopy
from server.store.moving.copying import copy_rows
from server.store.moving.move import close_for_move, open_copy
from server.store.schema import HEAD
from tests.server.console.browsing import opened_record, proposed
from tests.server.copying.records import (
    NOW,
    digests_of,
    keep_quiet,
    opened,
    refusal,
    run,
    small_record,
    unlike,
)
from tests.server.postgres import Postgres
from tests.server.test_migrations import config_of, fill_as_0_1, write_as_0_1
from tests.server.test_postgres import postgres as postgres

EARLIER = "0015"
LATER = "0999"
"""Of a version that does not exist yet."""


@pytest.mark.parametrize("is_verified", [False, True], ids=["half done", "not open yet"])
@pytest.mark.parametrize("tables", [EARLIER, LATER])
async def test_a_copy_that_another_version_began_is_given_up_and_not_gone_on_with(
    tmp_path: Path, tables: str, is_verified: bool
) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    copy_id = await _copy_but_do_not_open(tmp_path, old, new, is_verified=is_verified)
    await anyio.to_thread.run_sync(_make_of_version, old, new, tables)

    refused = await refusal(tmp_path, "store", "copy", str(old), str(new))
    assert f"its tables are of version {tables}, and this one's of {HEAD}" in refused
    assert "Go on with that version; or give the copy up with `ringfence store reopen FROM TO" in refused
    assert "is open again" in await run(tmp_path, "store", "reopen", str(old), str(new))
    assert _version(old) == tables
    with pytest.raises(CannotCopy):
        open_copy(_address(new), _address(old), copy_id)
    assert "is not finished" in await refusal(tmp_path, "store", "copy", str(new), str(tmp_path / "third.db"))
    if tables == LATER:
        assert "upgraded by a newer Ringfence" in await refusal(tmp_path, "audit", "verify")
        return
    await run(tmp_path, "audit", "verify")
    assert _version(old) == HEAD
    exported = await run(tmp_path, "audit", "export")
    assert [exported.count(event) for event in ("record moved", "record reopened")] == [1, 1]
    await run(tmp_path, "store", "copy", str(old), str(tmp_path / "another.db"))


async def test_a_whole_copy_that_is_given_up_before_it_is_open_can_never_be_opened(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    copy_id = await _copy_but_do_not_open(tmp_path, old, new, is_verified=True)
    await run(tmp_path, "store", "reopen", str(old), str(new))
    with pytest.raises(CannotCopy):
        open_copy(_address(new), _address(old), copy_id)
    assert "is not empty" in await refusal(tmp_path, "store", "copy", str(old), str(new))
    async with opened(tmp_path) as record:
        await proposed(record, digest="goes on")


async def test_a_finished_copy_stays_finished_after_an_upgrade(tmp_path: Path) -> None:
    old, new = await small_record(tmp_path), tmp_path / "new.db"
    await run(tmp_path, "store", "copy", str(old), str(new))
    await anyio.to_thread.run_sync(_make_of_version, old, None, EARLIER)
    assert "nothing was left to do" in await run(tmp_path, "store", "copy", str(old), str(new))
    assert "is finished, and servers may have" in await refusal(tmp_path, "store", "reopen", str(old), str(new))


async def test_a_store_of_a_newer_version_is_neither_copied_nor_copied_into(tmp_path: Path) -> None:
    old, newer = await small_record(tmp_path), tmp_path / "newer"
    later = await small_record(newer)
    await anyio.to_thread.run_sync(_set_version, later, LATER)
    assert "is not empty" in await refusal(tmp_path, "store", "copy", str(old), str(later))
    refused = await refusal(newer, "store", "copy", str(later), str(tmp_path / "new.db"))
    assert "upgraded by a newer Ringfence" in refused
    assert _version(old) == HEAD
    assert _version(later) == LATER


@pytest.mark.parametrize("begins_in", ["SQLite", "PostgreSQL"])
async def test_a_record_of_0_1_is_brought_up_to_date_and_copied(
    postgres: Postgres, tmp_path: Path, begins_in: str
) -> None:
    files = [f"sqlite:///{tmp_path / name}" for name in ("one.db", "other.db")]
    first, second = (files[0], postgres.database()) if begins_in == "SQLite" else (postgres.database(), files[0])
    async with opened_record(tmp_path) as record:
        states = await fill_as_0_1(record)
    await anyio.to_thread.run_sync(write_as_0_1, tmp_path / "page.db", first)

    out = await run(tmp_path, "store", "copy", "env:OLD_STORE", "env:NEW_STORE", OLD_STORE=first, NEW_STORE=second)
    assert f"is brought up to date first: its tables are of version 0001, and this one's of {HEAD}" in out
    assert "The audit log is intact" in out
    async with opened(tmp_path, second) as record:
        found = {action.id: action.state for action in await record.journal.latest(100)}
        assert {action: found[action] for action in states} == states
        new = await proposed(record, digest="new")
        assert await record.journal.find(new.id) == new
    before = digests_of(second)
    await run(tmp_path, "store", "copy", "env:OLD_STORE", files[1], OLD_STORE=second)
    assert unlike(before, digests_of(files[1])) <= {"audit", "facts"}


async def _copy_but_do_not_open(folder: Path, old: Path, new: Path, *, is_verified: bool) -> str:
    """Leave what a copy leaves that is killed before it opens the new store."""
    async with opened(folder) as record:
        copy_id = await close_for_move(record, _address(new), by="a test", now=NOW)
    copy_rows(_address(old), _address(new), copy_id, tell=keep_quiet)
    if is_verified:
        moved = json.dumps({"id": copy_id, "to": _address(new).name, "is_verified": True})
        _execute(old, "UPDATE facts SET value = :value WHERE name = 'move'", value=moved)
    return copy_id


def _make_of_version(old: Path, new: Path | None, tables: str) -> None:
    """Make two stores what another version left: one that is closed for a copy, and the beginning of this copy."""
    if tables < HEAD:
        _set_version(old, HEAD)
        command.downgrade(config_of(f"sqlite:///{old}"), tables)
    _set_version(old, f"moved {tables}")
    if new is not None:
        _set_version(new, f"copying {tables}")


def _set_version(file: Path, version: str) -> None:
    _execute(file, "UPDATE alembic_version SET version_num = :version", version=version)


def _execute(file: Path, statement: str, **values: str) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def _version(file: Path) -> str:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    engine.dispose()
    return found


def _address(file: Path) -> Address:
    return Address.of(f"sqlite:///{file}")
