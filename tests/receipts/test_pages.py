"""The approval page links receipts, shows them in plain words, and hands out what others need to check them."""

import re
from pathlib import Path

from typer.testing import CliRunner

from guard.action import State
from server.cli.app import command_line
from tests.receipts.exporting import TITLE_TOO, call_and_settle
from tests.server.console.browsing import browser, opened_record, operator, page_over, proposed, words_of


async def test_an_action_links_its_receipts_and_each_says_itself_in_plain_words(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        waits = await proposed(record)
        assert "Receipts" not in (await page.open(f"/{waits.id}")).text
        await page.press(f"/{waits.id}/approve", on=f"/{waits.id}")
        shown = await page.open(f"/{waits.id}")
        [receipt] = re.findall(r'href="/approvals/receipts/(rcp_[0-9a-f]{16})">Receipt: Approved</a>', shown.text)
        words = words_of(await page.open(f"/receipts/{receipt}"))
    assert "Order +1 212 555 0100 and +1 212 555 0101" in words
    assert "the operator, on the approval page, " in words
    assert f'href="/approvals/{waits.id}"' in words
    assert "Signed with key" in words


async def test_what_the_page_hands_out_is_checked_elsewhere(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        await call_and_settle(record)
        action = await call_and_settle(record, "+12125550101", title=TITLE_TOO, to=State.UNKNOWN)
        sent = (await record.receipts.of(action))[1]
        async with operator(record) as page:
            shown = await page.open(f"/receipts/{sent.id}")
            file = await page.open(f"/receipts/{sent.id}.jsonl")
        async with browser(page_over(record)) as anybody:
            keys = await anybody.open("/keys.json")
    assert "⟨U+202E⟩" in shown.text
    assert "\u202e" not in shown.text
    assert file.headers["content-disposition"] == f'attachment; filename="{sent.id}.jsonl"'
    (tmp_path / "one.jsonl").write_bytes(file.content)
    (tmp_path / "keys.json").write_bytes(keys.content)
    words = ["verify", str(tmp_path / "one.jsonl"), "--keys", str(tmp_path / "keys.json"), "--known", sent.id]
    checked = CliRunner().invoke(command_line(words), words)
    assert checked.exit_code == 0, checked.output
    assert "Every receipt fits: 1, from number 4 of" in checked.output
    assert "Receipts 1 to 3 are not in this file" in checked.output


async def test_receipts_are_for_operators_and_public_keys_for_everybody(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        async with browser(page_over(record)) as anybody:
            assert (await anybody.open("/keys.json")).json() == {"keys": []}
            stored = (await record.receipts.of(await call_and_settle(record)))[0]
            for path in (f"/receipts/{stored.id}", f"/receipts/{stored.id}.jsonl"):
                refused = await anybody.open(path)
                assert refused.status_code == 401
                assert "212 555" not in refused.text
            [key] = (await anybody.open("/keys.json")).json()["keys"]
            assert set(key) == {"kty", "crv", "x", "kid", "from", "until"}
        async with operator(record) as page:
            for path in ("/receipts/rcp_0123456789abcdef", "/receipts/x.jsonl"):
                missed = await page.open(path)
                assert (missed.status_code, "There is no such receipt." in missed.text) == (404, True)
