"""The audit shows what was done to it, row by row, in the store and in its export."""

import hmac
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.connecting import connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.record_file import FILE, change

NUMBERS = [f"+1201555012{place}" for place in range(6)]
COPIED = "at, event, action_id, principal, detail, mac FROM audit WHERE number"
CUT_OFF_AT_3 = "row 3 and what came after it was cut off"
HEAD_IS_OFF = "the head, after row 6, was changed or removed"

TAMPERING: list[tuple[str, list[str], str]] = [
    ("what a row says", ["UPDATE audit SET detail = '{}' WHERE number = 3"], "row 3 was changed"),
    ("who a row names", ["UPDATE audit SET principal = 'somebody' WHERE number = 1"], "row 1 was changed"),
    ("when a row was", ["UPDATE audit SET at = 'yesterday' WHERE number = 6"], "row 6 was changed"),
    ("a code", ["UPDATE audit SET mac = 'ä' WHERE number = 2"], "row 2 was changed"),
    ("a row in the middle", ["DELETE FROM audit WHERE number = 4"], "row 4 was removed"),
    ("the first row", ["DELETE FROM audit WHERE number = 1"], "row 1 was removed"),
    (
        "a row, with the others moved up",
        [
            "DELETE FROM audit WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 6",
        ],
        "row 4 was removed, and those after it moved up",
    ),
    ("the last row", ["DELETE FROM audit WHERE number = 6"], "row 6 and what came after it was cut off"),
    ("the last rows", ["DELETE FROM audit WHERE number >= 3"], CUT_OFF_AT_3),
    (
        "the end, and the head with it",
        ["DELETE FROM audit WHERE number >= 3", "DELETE FROM facts"],
        CUT_OFF_AT_3,
    ),
    ("everything", ["DELETE FROM audit", "DELETE FROM facts"], "row 1 and what came after it was cut off"),
    ("the head", ["DELETE FROM facts WHERE name = 'audit head'"], HEAD_IS_OFF),
    ("the head's text", ["UPDATE facts SET value = '6 ü ü' WHERE name = 'audit head'"], HEAD_IS_OFF),
    (
        "two rows against each other",
        [
            "UPDATE audit SET number = 99 WHERE number = 2",
            "UPDATE audit SET number = 2 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 99",
        ],
        "row 2 was moved there from 5",
    ),
    (
        "a row more in the middle",
        [
            "UPDATE audit SET number = 7 WHERE number = 6",
            "UPDATE audit SET number = 6 WHERE number = 5",
            "UPDATE audit SET number = 5 WHERE number = 4",
            "INSERT INTO audit SELECT 4, " + COPIED + " = 2",
        ],
        "row 4 was inserted",
    ),
    (
        "a row more at the end",
        ["INSERT INTO audit SELECT 7, " + COPIED + " = 6"],
        "row 7 was inserted",
    ),
    (
        "a row before the first",
        ["INSERT INTO audit SELECT 0, " + COPIED + " = 1"],
        "row 0 was inserted",
    ),
]


@pytest.fixture
async def operator(tmp_path: Path) -> OperatorSide:
    """Return an operator whose store has six rows in the audit log."""
    operator = OperatorSide(tmp_path / "state")
    for number in NUMBERS:
        await operator.opt_out(number)
    return operator


@pytest.mark.parametrize(
    ("statements", "found"),
    [pytest.param(*case[1:], id=case[0]) for case in TAMPERING],
)
async def test_what_was_done_to_a_row_is_named(
    statements: Sequence[str], found: str, tmp_path: Path, operator: OperatorSide
) -> None:
    await operator.require_whole_audit()
    for statement in statements:
        await change(tmp_path / "state", statement)
    checked = await operator.run("audit", "verify")
    assert (checked.exit_code, checked.stdout) == (1, f"The audit log was tampered with: {found}.\n")


async def test_an_older_state_of_the_store_is_found_out_by_the_anchor(tmp_path: Path, operator: OperatorSide) -> None:
    file = tmp_path / "state" / FILE
    older = file.read_bytes()
    await operator.opt_out("+12015550130")
    file.write_bytes(older)
    checked = await operator.run("audit", "verify")
    assert checked.stdout == "The audit log was tampered with: row 7 and what came after it was cut off.\n"


async def test_an_audit_is_whole_while_others_write_to_it(tmp_path: Path, operator: OperatorSide) -> None:
    denies: dict[str, Any] = {"policy": {"operations": {"voicetel_order_numbers": "deny"}}}
    _, server = server_for(settings_for(tmp_path, **denies))
    async with connect(server) as client:
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(_order, client, f"+121255501{number:02}")
            for _ in range(10):
                await operator.require_whole_audit()
        await operator.require_whole_audit()
    assert [row["event"] for row in await operator.audit_rows()] == ["opted out"] * 6 + ["denied"] * 20


async def test_the_export_can_be_checked_by_itself(tmp_path: Path, operator: OperatorSide) -> None:
    """With no more than the key and a few lines: what is exported is what is bound."""
    key = hmac.digest((tmp_path / "state" / "vault.key").read_bytes(), b"audit", "sha256")
    lines = await operator.audit_rows()
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    before = "0" * 64
    for line in lines:
        detail = json.dumps(line["detail"], ensure_ascii=False, sort_keys=True)
        bound = [before, line["number"], line["at"], line["event"], line["action_id"], line["principal"], detail]
        before = hmac.new(key, json.dumps(bound, ensure_ascii=False).encode(), "sha256").hexdigest()
        assert line["mac"] == before


async def test_the_command_checks_the_store_and_an_export_and_names_what_was_touched(
    tmp_path: Path, operator: OperatorSide
) -> None:
    file = tmp_path / "audit.jsonl"
    await operator.run("audit", "export", str(file))
    assert "The audit log is intact: 6 rows." in (await operator.run("audit", "verify", str(file))).stdout
    rows = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([rows[0], *rows[2:]]) + "\n", encoding="utf-8")
    touched = await operator.run("audit", "verify", str(file))
    assert (touched.exit_code, touched.stdout) == (1, "The audit log was tampered with: row 2 was removed.\n")
    file.write_text("no JSON\n", encoding="utf-8")
    assert (await operator.run("audit", "verify", str(file))).exit_code == 2
    await change(tmp_path / "state", "UPDATE audit SET detail = 'no JSON', at = '' WHERE number = 5")
    assert "row 5 was changed" in (await operator.run("audit", "verify")).stdout
    assert '"detail": "no JSON"' in (await operator.run("audit", "export")).stdout
    assert (await operator.run("audit", "tail")).exit_code == 0
    assert (tmp_path / "state" / "audit.anchor").exists()


async def test_what_is_taken_out_of_a_row_leaves_it_readable(tmp_path: Path, operator: OperatorSide) -> None:
    """A text that ends where a secret would begin does not take the rest of the row along."""
    denies: dict[str, Any] = {"policy": {"operations": {"voicetel_send_message": "deny"}}}
    _, server = server_for(settings_for(tmp_path, **denies))
    async with connect(server) as client:
        for words in ("Your password: Harbor2026", "Your PIN: "):
            text = {"from_number": "+12015550142", "text": words, "to_number": "+12125550142"}
            assert (await client.call_tool("voicetel_send_message", text)).is_error
    secret, last = [row["detail"]["arguments"] for row in (await operator.audit_rows())[-2:]]
    assert "Harbor2026" not in secret["text"]
    assert last["to_number"] == "+12125550142"


async def _order(client: Client, number: str) -> None:
    assert (await client.call_tool("voicetel_order_numbers", {"numbers": [number]})).is_error
