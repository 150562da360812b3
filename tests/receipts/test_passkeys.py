"""What an operator's passkey signed stands in the receipt, and shows when the server itself lies about an approval."""

import json
import re
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from guard.operators.roles import Role
from guard.receipts.keys import PublishedKeys
from server.cli.app import command_line
from server.store.receipts.signing_keys import SigningKeys
from server.store.store import Store
from tests.receipts.exporting import propose_with_digest
from tests.server.console.browsing import START, opened_record, token_in, words_of
from tests.server.console.test_operators import TWO, approve, signed_in


@pytest.fixture
async def record(tmp_path: Path) -> AsyncGenerator[Store]:
    async with opened_record(tmp_path) as store:
        yield store


async def test_what_a_passkey_signed_is_checked_with_its_published_key(record: Store, tmp_path: Path) -> None:
    await _approve_two(record)
    lines, keys = await record.receipts.export(), await record.receipts.published_keys(with_passkeys=True)
    checked = _verify(tmp_path, lines, keys)
    assert checked.exit_code == 0, checked.output
    assert "Approved or declined: 2, of which the passkey of a named operator signed 2." in checked.output
    for_everybody = _verify(tmp_path, lines, replace_passkeys(keys))
    assert for_everybody.exit_code == 0
    assert "Signed by passkeys and not checked: 2, because this list of keys names no passkeys." in for_everybody.output


async def test_each_of_several_operators_has_a_receipt_with_a_signature(record: Store, tmp_path: Path) -> None:
    action_id = await propose_with_digest(record)
    action = await record.journal.find(action_id)
    assert action is not None
    for name in ("anna", "ben"):
        async with signed_in(record, name, rules=TWO) as (tab, key):
            assert (await approve(tab, action, key)).status_code == 303
            receipts = await record.receipts.of(action_id)
            shown = words_of(await tab.open(f"/receipts/{receipts[-1].id}"))
            assert f" of {name}" in shown
            assert "the passkey " in shown
    said = [one.content for one in receipts]
    assert [(one.event, one.answered.by if one.answered else "") for one in said] == [
        ("one approval", "anna, on the approval page"),
        ("approved", "anna and ben, on the approval page"),
    ]
    keys = await record.receipts.published_keys(with_passkeys=True)
    checked = _verify(tmp_path, await record.receipts.export(), keys)
    assert "Approved or declined: 2, of which the passkey of a named operator signed 2." in checked.output


async def test_an_allowance_has_a_receipt_with_the_signature_under_its_terms(record: Store, tmp_path: Path) -> None:
    terms = {"operation": "voicetel_send_message", "principal": "token:bot", "count": "5/day", "money": "1.00 USD/day"}
    terms |= {"conditions": "from_number any\nto_number = +12015550123\ntext any", "until": "2026-12-20"}
    async with signed_in(record, "anna", Role.ADMIN) as (tab, key):
        form = (await tab.open("/allowances/new")).text
        [allowance] = re.findall(r'name="id" value="(al_\w+)"', form)
        fields = {**terms, "id": allowance, "token": token_in(form), "do": "save"}
        options = (await tab.send("/allowances/new/sign", **fields)).json()
        assert (await tab.send("/allowances/new", credential=key.get(options), **fields)).status_code == 303
    [receipt] = await record.receipts.of(allowance)
    assert receipt.content.about
    assert json.loads(receipt.content.about.covered or "")["count"] == "5/day"
    keys = await record.receipts.published_keys(with_passkeys=True)
    checked = _verify(tmp_path, await record.receipts.export(), keys)
    assert "Approved or declined: 1, of which the passkey of a named operator signed 1." in checked.output


def _other_digest(said: dict[str, Any], _: dict[str, Any]) -> None:
    said["about"]["digest"] = "0" * 64
    del said["about"]["covered"]


def _no_signature(said: dict[str, Any], _: dict[str, Any]) -> None:
    del said["answered"]["assertion"]


def _other_operator(said: dict[str, Any], _: dict[str, Any]) -> None:
    said["answered"]["statement"]["operator"] = "ben"


def _other_choice(said: dict[str, Any], _: dict[str, Any]) -> None:
    said["answered"]["statement"]["run_by_server"] = True


def _signature_of_another(said: dict[str, Any], other: dict[str, Any]) -> None:
    said["answered"]["assertion"] = other["answered"]["assertion"]


def _approval_of_another(said: dict[str, Any], other: dict[str, Any]) -> None:
    said["answered"] = other["answered"]


LIES: list[tuple[Callable[[dict[str, Any], dict[str, Any]], None], str]] = [
    (_other_digest, "the approval of anna is for something else: its digest is"),
    (_no_signature, "the approval of anna is not signed, though anna had a passkey."),
    (_other_operator, "the approval of ben is signed with a passkey that was not enrolled for ben then."),
    (_other_choice, "the approval of anna is not what the passkey signed. The signature does not fit"),
    (_signature_of_another, "the approval of anna is not what the passkey signed. The signature does not fit"),
    (_approval_of_another, "the approval of anna is for something else: its digest is"),
]


@pytest.mark.parametrize(("lie", "found"), LIES)
async def test_whoever_holds_the_servers_key_cannot_make_up_an_operators_yes(
    lie: Callable[[dict[str, Any], dict[str, Any]], None], found: str, record: Store, tmp_path: Path
) -> None:
    await _approve_two(record)
    lines, keys = await record.receipts.export(), await record.receipts.published_keys(with_passkeys=True)
    said = [json.loads(line) for line in lines]
    lie(said[0]["receipt"], said[1]["receipt"])
    own, kid = SigningKeys(record.seal), keys.keys[0].kid
    key = await record.database.read(lambda connection: own.open(connection, kid, START))
    forged = key.sign("receipt", said[0]["receipt"])
    checked = _verify(tmp_path, [forged, *lines[1:]], keys)
    assert checked.exit_code == 1
    assert f"In receipt 1, {found}" in checked.output


async def _approve_two(record: Store) -> None:
    """Have an operator with a passkey approve two actions."""
    async with signed_in(record, "anna") as (tab, key):
        for number in ("+12125550100", "+12125550101"):
            action = await record.journal.find(await propose_with_digest(record, number))
            assert action is not None
            assert (await approve(tab, action, key)).status_code == 303


def replace_passkeys(keys: PublishedKeys) -> PublishedKeys:
    """Return the list for everybody, which names no operator."""
    return keys.model_copy(update={"passkeys": None})


def _verify(folder: Path, lines: list[str], keys: PublishedKeys) -> Result:
    """Check a file as somebody does who has only that and the list of keys."""
    (folder / "receipts.jsonl").write_bytes("".join(f"{line}\n" for line in lines).encode())
    (folder / "keys.json").write_text(json.dumps(keys.as_json()), encoding="utf-8")
    words = ["verify", str(folder / "receipts.jsonl"), "--keys", str(folder / "keys.json")]
    return CliRunner().invoke(command_line(words), words)
