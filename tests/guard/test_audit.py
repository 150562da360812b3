"""The audit shows what was done to it, row by row, in the store and in its export."""

import hmac
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from server.cli.app import command_line
from server.store.audit import ANCHOR_FILE
from server.store.hash_chain import Kind
from server.store.store import Store, open_store
from tests.connecting import settings_for

COPIED = "at, event, action_id, principal, detail, mac FROM audit WHERE number"

TAMPERING: list[tuple[str, list[str], int, Kind]] = [
    ("what a row says", ["UPDATE audit SET detail = '{}' WHERE number = 3"], 3, "changed"),
    ("who a row names", ["UPDATE audit SET principal = 'somebody' WHERE number = 1"], 1, "changed"),
    ("when a row was", ["UPDATE audit SET at = 'yesterday' WHERE number = 6"], 6, "changed"),
    ("a code", ["UPDATE audit SET mac = 'ä' WHERE number = 2"], 2, "changed"),
    ("a row in the middle", ["DELETE FROM audit WHERE number = 4"], 4, "removed"),
    ("the first row", ["DELETE FROM audit WHERE number = 1"], 1, "removed"),
    (
        "a row, with the others moved up",
        [
            "DELETE FROM audit WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 6",
        ],
        4,
        "removed",
    ),
    ("the last row", ["DELETE FROM audit WHERE number = 6"], 6, "cut off"),
    ("the last rows", ["DELETE FROM audit WHERE number >= 3"], 3, "cut off"),
    ("the end, and the head with it", ["DELETE FROM audit WHERE number >= 3", "DELETE FROM facts"], 3, "cut off"),
    ("everything", ["DELETE FROM audit", "DELETE FROM facts"], 1, "cut off"),
    ("the head", ["DELETE FROM facts WHERE name = 'audit head'"], 6, "changed"),
    ("the head's text", ["UPDATE facts SET value = '6 ü ü' WHERE name = 'audit head'"], 6, "changed"),
    (
        "two rows against each other",
        [
            "UPDATE audit SET number = 99 WHERE number = 2",
            "UPDATE audit SET number = 2 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 99",
        ],
        2,
        "moved",
    ),
    (
        "a row more in the middle",
        [
            "UPDATE audit SET number = 7 WHERE number = 6",
            "UPDATE audit SET number = 6 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 4",
            "INSERT INTO audit SELECT 4, " + COPIED + " = 2",
        ],
        4,
        "inserted",
    ),
    (
        "a row more at the end",
        ["INSERT INTO audit SELECT 7, " + COPIED + " = 6"],
        7,
        "inserted",
    ),
    (
        "a row before the first",
        ["INSERT INTO audit SELECT 0, " + COPIED + " = 1"],
        0,
        "inserted",
    ),
]


@pytest.mark.parametrize(
    ("statements", "row", "kind"),
    [pytest.param(*case[1:], id=case[0]) for case in TAMPERING],
)
async def test_what_was_done_to_a_row_is_named(statements: Sequence[str], row: int, kind: Kind, tmp_path: Path) -> None:
    async with _written(tmp_path) as record:
        assert (await record.audit.verify()).is_whole
        async with record.database.transaction() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        verdict = await record.audit.verify()
    assert (verdict.broken_at, verdict.kind) == (row, kind), verdict.what


async def test_an_older_state_of_the_store_is_found_out_by_the_anchor(tmp_path: Path) -> None:
    async with _written(tmp_path) as record:
        await record.database.close()
        store = tmp_path / "state" / "ringfence.db"
        older = store.read_bytes()
        await record.audit.note("denied", principal="local:ann", detail={"why": "the newest"})
        await record.database.close()
        store.write_bytes(older)
        verdict = await record.audit.verify()
    assert (verdict.broken_at, verdict.kind) == (7, "cut off")


async def test_an_audit_is_whole_while_others_write_to_it(tmp_path: Path) -> None:
    async with _written(tmp_path) as record, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(_note, record, number)
        for _ in range(10):
            assert (await record.audit.verify()).is_whole


async def test_the_export_can_be_checked_by_itself(tmp_path: Path) -> None:
    """With no more than the key and a few lines: what is exported is what is bound."""
    file = tmp_path / "audit.jsonl"
    async with _written(tmp_path) as record:
        assert (await _ringfence("audit", "export", str(file))).exit_code == 0
        key = record.seal.derive("audit")
    before = "0" * 64
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    for line in lines:
        detail = json.dumps(line["detail"], ensure_ascii=False, sort_keys=True)
        bound = [before, line["number"], line["at"], line["event"], line["action_id"], line["principal"], detail]
        before = hmac.new(key, json.dumps(bound, ensure_ascii=False).encode(), "sha256").hexdigest()
        assert line["mac"] == before


async def test_the_command_checks_the_store_and_an_export_and_names_what_was_touched(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with _written(tmp_path) as record:
        await _ringfence("audit", "export", str(file))
        assert "The audit log is intact: 6 rows." in (await _ringfence("audit", "verify", str(file))).stdout
        rows = file.read_text(encoding="utf-8").splitlines()
        file.write_text("\n".join([rows[0], *rows[2:]]) + "\n", encoding="utf-8")
        touched = await _ringfence("audit", "verify", str(file))
        assert (touched.exit_code, touched.stdout) == (1, "The audit log was tampered with: row 2 was removed.\n")
        file.write_text("no JSON\n", encoding="utf-8")
        assert (await _ringfence("audit", "verify", str(file))).exit_code == 2
        async with record.database.transaction() as connection:
            await connection.execute(text("UPDATE audit SET detail = 'no JSON', at = '' WHERE number = 5"))
        assert "row 5 was changed" in (await _ringfence("audit", "verify")).stdout
        assert '"detail": "no JSON"' in (await _ringfence("audit", "export")).stdout
        assert (await _ringfence("audit", "tail")).exit_code == 0
    assert (tmp_path / "state" / ANCHOR_FILE).exists()


async def test_what_is_taken_out_of_a_row_leaves_it_readable(tmp_path: Path) -> None:
    """A text that ends where a secret would begin does not take the rest of the row along."""
    async with _written(tmp_path) as record:
        detail = {"arguments": {"text": "Your PIN: ", "to_number": "+12125550142"}, "password": "Harbor2026"}
        await record.audit.note("denied", principal="local:ann", detail=detail)
        exported = (await _ringfence("audit", "export")).stdout
        last = json.loads(exported.splitlines()[-1])
    assert last["detail"]["arguments"]["to_number"] == "+12125550142"
    assert "Harbor2026" not in exported


@asynccontextmanager
async def _written(folder: Path) -> AsyncGenerator[Store]:
    """A store whose audit has six rows."""
    settings = settings_for(folder)
    record = open_store(settings.store_address, settings.state_folder)
    try:
        for number in range(6):
            await _note(record, number)
        yield record
    finally:
        await record.database.close()


async def _note(record: Store, number: int) -> None:
    await record.audit.note("denied", principal="local:ann", detail={"why": f"reason {number} · no"})


async def _ringfence(*arguments: str) -> Result:
    run = CliRunner()
    return await anyio.to_thread.run_sync(lambda: run.invoke(command_line(list(arguments)), list(arguments)))
