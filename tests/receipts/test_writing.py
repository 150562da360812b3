"""Every approval, refusal and outcome has a receipt in the transaction of its audit row; a key can be replaced."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guard.action import State
from guard.errors import JournalUnavailable
from server.store.store import open_store
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.operator_side import OPERATOR, OperatorSide
from tests.plans.jobs import customers, propose, run, states, text_of, texts
from tests.receipts.exporting import call_and_settle, propose_with_digest
from tests.record_file import FILE, change, rows
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import START

ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"


async def test_a_call_and_a_plan_leave_receipts_that_the_model_can_name_and_anybody_can_check(
    operator: OperatorSide,
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(operator.folder, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            action = content_of(await client.call_tool(TOOL, ORDER))["action"]
            shown = await client.call_tool("get_action", {"action_id": action})
            plan = (await propose(client, texts(customers(2))))["plan"]
            assert states(await run(client, plan)) == ["done"] * 2
            plan_shown = await client.call_tool("get_action", {"action_id": plan})
    named = content_of(shown)["receipts"]
    assert f"Receipts: {', '.join(named)}." in text_of(shown)
    assert len(content_of(plan_shown)["receipts"]) == 2

    receipts = await _exported(operator)
    assert [(one["event"], one["about"]["id"] == action) for one in receipts] == [
        ("approved", True), ("done", True), ("plan approved", False), ("done", False), ("done", False),
        ("plan done", False),
    ]  # fmt: skip
    approved, done, plan_approved, step, _, _ = receipts
    assert approved["about"]["words"][0] == "Order +1 212 555 0100"
    assert json.loads(approved["about"]["covered"])["arguments"] == ORDER
    assert approved["answered"]["by"].endswith(", in the client's form")
    assert (done["charged"], done["price"]["amount"]) == (
        {"amount": "1", "currency": "USD", "state": "charged"}, "1.0",
    )  # fmt: skip
    assert done["outcome"].startswith("Carried out.")
    assert "balance" not in json.dumps(receipts).lower()
    assert plan_approved["about"]["words"][0] == (
        "«Tell customers about Friday», 2 calls as one job; when a step fails, stop."
    )
    assert (step["about"]["plan"], step["about"]["step"]) == (plan, 1)
    told = await operator.run("receipts", "show", named[1])
    assert f"Receipt {named[1]}, number 2: Carried out, " in told.output
    assert "  Charged: $1.00\n" in told.output
    assert f"Receipts: {', '.join(named)}." in (await operator.run("actions", "show", action)).output
    assert f"Receipts: {content_of(plan_shown)['receipts'][0]}, " in (await operator.run("plans", "show", plan)).output
    assert await _verified(operator) == 6


async def test_a_no_and_an_allowance_leave_receipts(operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(operator.folder, sandbox.voicetel, approvals={"form": "off"})
        _, server = server_for(settings)
        async with connect(server) as client:
            asked = {"operation": TOOL, "arguments": ORDER, "reason": "Ann wants a second line."}
            action = content_of(await client.call_tool("call_write_operation", asked))["action"]
            await operator.decline(action, "--reason", "Ask for area code 512.")
    terms = ("--for", "local:alice", "--where", "to_number starts with +1", "--where", "from_number any")
    limits = ("--where", "text any", "--count", "5/day", "--money", "1.00 USD/day", "--until", _in_a_month())
    allowed = await operator.allow("voicetel_send_message", *terms, *limits)
    receipts = await _exported(operator)
    assert [(one["event"], one["about"]["id"], one["answered"]["by"]) for one in receipts] == [
        ("declined", action, OPERATOR),
        ("allowance added", allowed, OPERATOR),
    ]
    assert receipts[0]["about"]["reason"] == "Ann wants a second line."
    assert receipts[0]["answered"]["reason"] == "Ask for area code 512."
    told = (await operator.run("receipts", "show", action)).output
    assert "«Ann wants a second line.»" in told
    assert "«Ask for area code 512.»" in told
    assert await _verified(operator) == 2


async def test_a_plan_without_some_steps_shows_all_and_what_was_left_out(operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(operator.folder, sandbox.voicetel, approvals={"form": "off"})
        _, server = server_for(settings)
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await operator.approve_plan(plan, "--strike", "2")
            assert states(await run(client, plan)) == ["done", "struck", "done"]
    approved = (await _exported(operator))[0]
    assert approved["about"]["without"] == [2]
    assert len(json.loads(approved["about"]["covered"])["steps"]) == 3
    assert approved["about"]["asked"] == approved["answered"]["statement"]["digest"] != approved["about"]["digest"]
    assert await _verified(operator) == 4


@pytest.mark.parametrize("table", ["receipts", "audit"])
async def test_what_cannot_have_both_its_row_and_its_receipt_is_not_done(table: str, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    record = open_store(f"sqlite:///{folder / FILE}", folder)
    try:
        waits = await propose_with_digest(record)
        before = await rows(folder, "SELECT number FROM audit")
        await change(folder, f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(JournalUnavailable):
            await record.journal.move(waits, {State.PROPOSED}, State.APPROVED, decided_by=OPERATOR)
        found = await record.journal.find(waits)
        assert found is not None
        assert found.state is State.PROPOSED
        assert await rows(folder, "SELECT number FROM audit") == before
        assert await rows(folder, "SELECT number FROM receipts") == []
        await change(folder, "DROP TRIGGER full")
        await record.journal.move(waits, {State.PROPOSED}, State.APPROVED, decided_by=OPERATOR, decided_at=START)
    finally:
        await record.database.close()
    await OperatorSide(folder).require_whole_audit()


TAMPERING = [
    ("DELETE FROM receipts WHERE number = 2", "Receipt 2 is missing: receipt 3 stands after receipt 1."),
    ("DELETE FROM receipts WHERE number = 4", "Row 8 of the audit log (done) has no receipt."),
    (
        "UPDATE receipts SET line = replace(line, 'Carried out', 'Carried off') WHERE number = 2",
        "Receipt 2 in line 2 was",
    ),
    ("UPDATE signing_keys SET x = 'AAAA'", "Receipt 1 in line 1 is signed with a key"),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERING)
async def test_the_audit_check_finds_what_was_done_to_receipts_in_the_store(
    statement: str, found: str, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    record = open_store(f"sqlite:///{folder / FILE}", folder)
    try:
        await call_and_settle(record)
        await call_and_settle(record, "+12125550101")
    finally:
        await record.database.close()
    operator = OperatorSide(folder)
    await operator.require_whole_audit()
    await change(folder, statement)
    checked = await operator.run("audit", "verify")
    assert checked.exit_code == 1
    assert f"The receipts were tampered with. {found}" in checked.output


async def test_a_replaced_key_is_destroyed_and_what_it_signed_still_fits(
    operator: OperatorSide,
) -> None:
    record = open_store(f"sqlite:///{operator.folder / FILE}", operator.folder)
    try:
        await call_and_settle(record)
        sealed = (await rows(operator.folder, "SELECT sealed FROM signing_keys"))[0]["sealed"]
        await operator.set_passcode()
        assert (await operator.run("receipts", "rotate", typed="wrong\n")).exit_code == 2
        told = await operator.rotate_receipt_key()
        await call_and_settle(record, "+12125550101")  # a process that signed with the old key goes on with the new one
    finally:
        await record.database.close()
    old, new = (await operator.receipt_keys())["keys"]
    assert (old["until"] is not None, new["until"]) == (True, None)
    assert f"Key {new['kid']} signs receipts from now on" in told
    receipts = await _exported(operator)
    assert [one["key"] for one in receipts] == [old["kid"]] * 3 + [new["kid"]] * 2
    assert (receipts[2]["event"], receipts[2]["next_key"]) == ("receipt key replaced", new["kid"])
    assert await _verified(operator) == 5
    await operator.require_whole_audit()
    with closing(sqlite3.connect(operator.folder / FILE)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert sealed not in (operator.folder / FILE).read_bytes()


async def test_an_export_since_a_day_says_what_is_not_in_it(operator: OperatorSide) -> None:
    record = open_store(f"sqlite:///{operator.folder / FILE}", operator.folder)
    try:
        await call_and_settle(record)
        await call_and_settle(record, "+12125550101")
    finally:
        await record.database.close()
    moment = (await _exported(operator))[2]["at"]
    checked = await _check(operator, "--since", moment)
    assert "Every receipt fits: 2, from number 3 of" in checked
    assert "Receipts 1 to 2 are not in this file, and were not checked." in checked
    assert "It holds no receipt" in await _check(operator, "--since", "2099-01-01")
    assert (await operator.run("receipts", "export", "x", "--since", "soon")).exit_code == 2


async def test_what_has_no_receipt_is_said(operator: OperatorSide) -> None:
    record = open_store(f"sqlite:///{operator.folder / FILE}", operator.folder)
    try:
        waits = await propose_with_digest(record)
    finally:
        await record.database.close()
    told = await operator.run("receipts", "show", waits)
    assert told.exit_code == 2
    assert f"There is no receipt of {waits}. Receipts are written for what is approved" in told.output
    assert (
        "There is no receipt rcp_0123456789abcdef."
        in (await operator.run("receipts", "show", "rcp_0123456789abcdef")).output
    )


def _in_a_month() -> str:
    return f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"


async def _exported(operator: OperatorSide) -> list[dict[str, Any]]:
    """Export the receipts; return what each says."""
    lines = (await operator.export_receipts()).read_text(encoding="utf-8").split("\n")[:-2]
    return [json.loads(line)["receipt"] for line in lines]


async def _check(operator: OperatorSide, *options: str) -> str:
    """Export the receipts, and check them as somebody else would; return what is printed."""
    file = await operator.export_receipts(*options)
    keys = file.with_name("keys.json")
    keys.write_text(json.dumps(await operator.receipt_keys()), encoding="utf-8")
    checked = await operator.run("verify", str(file), "--keys", str(keys))
    assert checked.exit_code == 0, checked.output
    return checked.output


async def _verified(operator: OperatorSide) -> int:
    """Return how many receipts fit."""
    return int((await _check(operator)).split("fits: ")[1].split(",")[0])
