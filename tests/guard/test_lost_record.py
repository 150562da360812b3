"""A record that lost rows stops guarded calls until an operator accepts that, whatever became of its files."""

import os
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.record_file import FILE, change, rows
from tests.sandbox_control import Sandbox, sandboxes

Damage = Callable[[Path, Path], None]
"""What is done to the store's files in a folder, where the second path is an older copy of the database."""

ACCEPT = "ringfence audit accept"


@dataclass(frozen=True, slots=True)
class Bench:
    """A server that runs, its operator, and the simulated provider."""

    client: Client
    operator: OperatorSide
    sandbox: Sandbox
    folder: Path

    async def order(self, last: int) -> CallToolResult:
        return await self.client.call_tool("voicetel_order_numbers", {"numbers": [f"+121255501{last:02}"]})

    async def is_refused(self, why: str, *, last: int) -> None:
        """Assert that an order is refused and nothing is sent, while plain reads still work."""
        sent = len(await self.sandbox.writes())
        refused = _text(await self.order(last))
        assert why in refused
        assert "Nothing was sent. Plain reads still work" in refused
        assert not (await self.client.call_tool("voicetel_list_numbers", {})).is_error
        assert len(await self.sandbox.writes()) == sent


def restore_into(folder: Path, older: Path) -> None:
    """Restore the older copy into the file, as `sqlite3 ringfence.db ".restore older.db"` does."""
    with closing(sqlite3.connect(older)) as source, closing(sqlite3.connect(folder / FILE)) as target:
        source.backup(target)


def put_in_place(folder: Path, older: Path) -> None:
    """Put the older copy in the place of the file, and remove the log that belonged to that."""
    _remove_log(folder)
    shutil.copy(older, folder / "copy.db")
    (folder / "copy.db").replace(folder / FILE)


def put_another(folder: Path, older: Path) -> None:
    """Put an empty file in the place of the store's."""
    _remove_log(folder)
    (folder / "copy.db").touch()
    (folder / "copy.db").replace(folder / FILE)


@pytest.mark.parametrize("damage", [restore_into, put_in_place, put_another])
async def test_a_running_server_refuses_until_the_gap_is_accepted(damage: Damage, tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        older = await _spend_and_copy(bench)
        damage(bench.folder, older)
        await bench.is_refused("The audit log has a gap: ", last=2)
        for number in range(4):  # rows more, as anybody may add them, mend nothing
            await bench.operator.opt_out(f"+1201555013{number}")
        assert (await bench.operator.run("audit", "verify")).exit_code == 1
        await bench.is_refused(ACCEPT, last=2)
        told = await bench.operator.accept_gap()
        assert "compare with the providers' own lists" in told
        assert "Guarded calls can be made again." in told
        assert not (await bench.order(2)).is_error
        checked = (await bench.operator.run("audit", "verify")).stdout
        assert "A gap was accepted in row " in checked
        assert ", by the operator, on the command line: " in checked
        assert "The audit log is intact: " in checked
        assert "nothing to accept" in await bench.operator.accept_gap()


async def test_the_acceptance_stands_on_the_audit_with_the_rows_on_both_sides(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        older = await _spend_and_copy(bench)
        newest, copied = await _last_row(bench.folder), _last_row_of(older)
        put_in_place(bench.folder, older)
        told = await bench.operator.accept_gap()
        last, ends = newest["number"], copied["number"]
        assert f"In the audit log, row {last}, which was written, is missing: the log ends with row {ends}." in told
        row = (await bench.operator.audit_rows())[-1]
        assert (row["number"], row["event"], row["principal"]) == (
            copied["number"] + 1,
            "gap accepted",
            "the operator, on the command line",
        )
        assert row["detail"] == {
            "missing": {"row": newest["number"], "mac": newest["mac"]},
            "last": {"row": copied["number"], "mac": copied["mac"]},
        }


async def test_a_crash_between_the_accepting_row_and_the_anchor_leaves_the_gap_accepted(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        older = await _spend_and_copy(bench)
        put_in_place(bench.folder, older)
        anchor = bench.folder / "audit.anchor"
        before = anchor.read_bytes()
        await bench.operator.accept_gap()
        anchor.write_bytes(before)
        await bench.operator.require_whole_audit()
        assert not (await bench.order(2)).is_error
        await bench.operator.require_whole_audit()
        newest = await _last_row(bench.folder)
        assert anchor.read_text(encoding="utf-8").split() == [str(newest["number"]), newest["mac"]]


async def test_rows_without_a_newer_anchor_are_no_gap(tmp_path: Path) -> None:
    """What a crash between the commit and the anchor leaves."""
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        anchor = bench.folder / "audit.anchor"
        before = anchor.read_bytes()
        assert not (await bench.order(1)).is_error
        anchor.write_bytes(before)
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(2)).is_error
        await bench.operator.require_whole_audit()
    (tmp_path / "state" / "audit.anchor").unlink()  # a second machine begins without one
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(3)).is_error
        assert (tmp_path / "state" / "audit.anchor").exists()


async def test_a_deleted_database_is_noticed_by_a_running_server_and_by_the_next_one(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        for file in bench.folder.glob(f"{FILE}*"):
            file.unlink()
        await bench.is_refused("was deleted or moved while this server ran", last=1)
        assert not list(bench.folder.glob(f"{FILE}*"))
    async with _open_bench(tmp_path / "state") as bench:
        await bench.is_refused("which was written, is missing: the log is empty.", last=1)
        refused = await bench.operator.run("audit", "accept", typed="wrong\n")
        assert (refused.exit_code, "No passcode is set" in refused.output) == (2, True)
        await bench.is_refused(ACCEPT, last=1)
        await bench.operator.accept_gap()
        assert not (await bench.order(1)).is_error


async def test_a_database_that_comes_back_is_used_again(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        (bench.folder / FILE).rename(tmp_path / "elsewhere.db")
        await bench.is_refused("was deleted or moved", last=1)
        (tmp_path / "elsewhere.db").rename(bench.folder / FILE)
        assert not (await bench.order(1)).is_error
        await bench.operator.require_whole_audit()


async def test_a_whole_copy_in_the_place_of_the_database_is_used(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        put_in_place(bench.folder, _copy(bench.folder, tmp_path / "whole.db"))
        assert not (await bench.order(1)).is_error
        await bench.operator.require_whole_audit()


async def test_a_state_folder_that_is_replaced_whole_is_noticed_by_a_running_server(tmp_path: Path) -> None:
    """The anchor in it fits the database in it, so only who ran before knows."""
    state, other = tmp_path / "state", tmp_path / "other"
    async with _open_bench(state) as bench:
        assert not (await bench.order(0)).is_error
        state.rename(tmp_path / "old")
        shutil.copytree(tmp_path / "old", other, ignore=shutil.ignore_patterns(f"{FILE}*", "audit.anchor"))
        other.rename(state)
        await OperatorSide(state).opt_out("+12015550130")
        await bench.is_refused("The audit log has a gap: ", last=1)


async def test_a_log_that_is_deleted_under_a_running_server_loses_nothing(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        _remove_log(bench.folder)
        assert not (await bench.order(1)).is_error
        await bench.operator.require_whole_audit()
        sent = [row for row in await bench.operator.audit_rows() if row["event"] == "done"]
        assert len(sent) == 2


async def test_a_log_that_is_deleted_after_a_crash_is_a_gap(tmp_path: Path) -> None:
    state, crashed = tmp_path / "state", tmp_path / "crashed"
    async with _open_bench(state) as bench:
        assert not (await bench.order(0)).is_error
        shutil.copytree(bench.folder, crashed)  # what a killed server leaves: its rows are in the log
        assert (crashed / f"{FILE}-wal").stat().st_size > 0
    _remove_log(crashed)
    shutil.rmtree(state)
    crashed.rename(state)
    async with _open_bench(state) as bench:
        await bench.is_refused("The audit log has a gap: ", last=1)


async def test_tables_of_a_newer_version_are_noticed_by_a_running_server(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        assert not (await bench.order(0)).is_error
        [before] = await rows(bench.folder, "SELECT version_num FROM alembic_version")
        await change(bench.folder, "UPDATE alembic_version SET version_num = '9999'")
        await bench.is_refused("upgraded by a newer Ringfence", last=1)
        await change(bench.folder, "UPDATE alembic_version SET version_num = ?", before["version_num"])
        assert not (await bench.order(1)).is_error


async def test_a_stop_is_obeyed_and_kept_although_rows_are_missing(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        put_in_place(bench.folder, await _spend_and_copy(bench))
        await bench.operator.freeze()
        await bench.operator.accept_gap()
        assert "froze" in _text(await bench.order(2))


async def test_an_acceptance_that_nobody_signed_is_none(tmp_path: Path) -> None:
    async with _open_bench(tmp_path / "state") as bench:
        put_in_place(bench.folder, await _spend_and_copy(bench))
        number, mac = (bench.folder / "audit.anchor").read_text(encoding="utf-8").split()
        detail = f'{{"last": {{"mac": "0", "row": 0}}, "missing": {{"mac": "{mac}", "row": {number}}}}}'
        copied = "SELECT max(number) + 1, max(at), 'gap accepted', NULL, 'somebody', ?, max(mac) FROM audit"
        await change(bench.folder, f"INSERT INTO audit {copied}", detail)
        await bench.is_refused(ACCEPT, last=2)


@asynccontextmanager
async def _open_bench(folder: Path) -> AsyncGenerator[Bench]:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(folder, sandbox.voicetel, budget=[{"per": "day", "limit": "100"}]))
        async with connect(server, person=Person()) as client:
            yield Bench(client, OperatorSide(folder), sandbox, folder)
        await services.close()


async def _spend_and_copy(bench: Bench) -> Path:
    """Make an order, copy the database, and make another; return the copy, which knows of the first alone."""
    assert not (await bench.order(0)).is_error
    older = _copy(bench.folder, bench.folder.parent / "older.db")
    assert not (await bench.order(1)).is_error
    return older


def _copy(folder: Path, to: Path) -> Path:
    with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def _remove_log(folder: Path) -> None:
    for ending in ("-wal", "-shm"):
        os.unlink(folder / f"{FILE}{ending}")


async def _last_row(folder: Path) -> dict[str, Any]:
    [row] = await rows(folder, "SELECT number, mac FROM audit ORDER BY number DESC LIMIT 1")
    return row


def _last_row_of(file: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(file)) as connection:
        number, mac = connection.execute("SELECT number, mac FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    return {"number": number, "mac": mac}


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
