"""What the operator sees of an action is all of it, and an answer counts once."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from clients.shared.clock import SystemClock
from clients.shared.inbound_texts import InboundText
from guard.action import State
from guard.rules.quote import Quote
from tests.connecting import connect, server_for, settings_for
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import (
    OWN_SCRIPT,
    SUBJECT,
    FixedClock,
    browser,
    opened_record,
    operator,
    page_over,
    proposed,
    state_of,
    token_in,
    words_of,
)

ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"


async def test_an_action_is_shown_with_its_price_balance_request_warnings_and_asker(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        text = words_of(await page.open(f"/{action.id}"))
    for part in (
        "<title>Order +1 212 555 0100 and +1 212 555 0101, $2.00 a month - Ringfence</title>",
        '<p class="amount">$2.00 a month</p>',
        "Order new telephone numbers",
        "Spends money",
        "This costs $2.00 now and every month (2 numbers), from the account's rates.did.",
        "Balance: $250.00 as of 2026-11-21 12:00 UTC; $248.00 after this call.",
        "An order may succeed in part.",
        "POST /v2.2/orders",
        "+12125550100",
        "+12125550101",
        "account 2015550100",
        "local:alice",
        "2026-11-21 12:00:00 UTC",
        "15 minutes left",
        "After 12:15 UTC",
        action.id,
        action.digest,
    ):
        assert part in text


async def test_an_unknown_price_is_said_to_be_unknown(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, quote=Quote(unknown="The account shows no rate."))
        for path in ("", f"/{action.id}"):
            text = (await page.open(path)).text
            assert '<p class="amount">Price unknown</p>' in text
            assert '<p class="source">The account shows no rate.</p>' in text


async def test_the_state_before_and_what_changes_are_shown(tmp_path: Path) -> None:
    before = {"number": "+12125550100", "route": 4, "forward": {"destination": "+12125550142", "enabled": True}}
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, arguments={"number": "+12125550100", "route": 9}, before=before)
        text = (await page.open(f"/{action.id}")).text
    assert _changes_in(text) == [("route", "4", "9")]
    assert "+12125550142" in text[text.index("How it is now") :]


async def test_what_changes_in_nested_settings_is_shown_leaf_by_leaf(tmp_path: Path) -> None:
    before = {
        "name": "Ads",
        "config": {
            "ring_to": "+12015550142",
            "record_call": True,
            "voicemail_rings": 4,
            "overflow_numbers": [{"number": "+12015550143", "rings": 3}, {"number": "+12015550144", "rings": 2}],
        },
    }
    wanted = {
        "name": "Ads",
        "config": {
            "ring_to": "+12015550149",
            "record_call": True,
            "whisper_message": "Ads",
            "overflow_numbers": [{"number": "+12015550143", "rings": 5}],
        },
    }
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, arguments=wanted, before=before)
        text = words_of(await page.open(f"/{action.id}"))
    assert _changes_in(text) == [
        ("config.ring_to", "+12015550142", "+12015550149"),
        ("config.whisper_message", "none", "Ads"),
        ("config.overflow_numbers.1.rings", "3", "5"),
        ("config.overflow_numbers.2", '{ "number": "+12015550144", "rings": 2 }', "none"),
    ]


async def test_what_the_call_does_stands_first_and_approve_behind_everything_that_it_approves(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, before={"route": 5})
        text = words_of(await page.open(f"/{action.id}"))
    parts = [
        f"<h1>{SUBJECT}</h1>",
        '<p class="amount">$2.00 a month</p>',
        "from the account's rates.did.",
        "An order may succeed in part.",
        "What changes",
        "The exact request",
        "How it is now",
        "Who asks",
        f'<p class="subject">{SUBJECT}, $2.00 a month</p>',
        ">Approve<",
    ]
    assert [text.find(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert text.count("/approve") == 1


async def test_a_long_list_is_opened_by_who_wants_it_and_nothing_is_cut_off(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, arguments={"numbers": [f"+1212555{number:04d}" for number in range(60)]})
        text = (await page.open(f"/{action.id}")).text
    in_sight, opened = text.split("<summary>40 more</summary>")
    assert "+12125550019" in in_sight
    assert "+12125550020" not in in_sight
    assert "+12125550059" in opened


async def test_what_cannot_be_undone_looks_different_and_takes_a_second_step(tmp_path: Path) -> None:
    final: dict[str, Any] = {"operation": "voicetel_release_number", "title": "Release +1 201 555 0142 for good"}
    async with opened_record(tmp_path) as record, operator(record) as page:
        usual, action, other = await proposed(record), await proposed(record, **final), await proposed(record, **final)
        assert "cannot be undone" not in (await page.open(f"/{usual.id}")).text
        assert 'class="card final"' in (await page.open()).text
        shown = words_of(await page.open(f"/{action.id}"))
        assert '<h1 class="final">Release +1 201 555 0142 for good</h1>' in shown
        assert "This cannot be undone." in shown
        second = await page.press(f"/{action.id}/approve", on=f"/{action.id}")
        assert '<h1 class="final">Release +1 201 555 0142 for good?</h1>' in words_of(second)
        assert "Nothing is approved yet." in second.text
        assert await state_of(record, action) is State.PROPOSED
        token = token_in(second.text)
        for sure in ("yes", "", other.digest):
            await page.send(f"/{action.id}/approve", token=token, sure=sure)
            assert await state_of(record, action) is State.PROPOSED
        assert (await page.approve_for_good(f"/{action.id}")).status_code == 303
        assert await state_of(record, action) is State.APPROVED
        assert (await page.press(f"/{other.id}/decline", on=f"/{other.id}")).status_code == 303
        assert await state_of(record, other) is State.DECLINED


async def test_texts_that_the_operator_has_to_read_are_listed_with_the_commands_that_settle_them(
    tmp_path: Path,
) -> None:
    texts = [
        InboundText(sender="+12015550177", text="Stop texting me\u200b <b>or more</b>", message="m1"),
        InboundText(sender="+12015550178", text="START", message="m2"),
        InboundText(sender="$(reboot) -rf", text="STOP", message="m3"),
        InboundText(sender="+12015550179", text="When do you open?", message="m4"),
    ]
    async with opened_record(tmp_path) as record, operator(record) as page:
        assert "no more messages" not in (await page.open()).text
        await record.optouts.take_in("routee", texts)
        shown = (await page.open()).text
        text = unescape(shown)
        await record.optouts.dismiss("+12015550178", by="a test")
        assert "+12015550178" not in (await page.open()).text
    assert "ringfence optouts add +12015550177" in text
    assert "ringfence optouts dismiss +12015550177" in text
    assert "ringfence optouts remove +12015550178" in text
    assert "ringfence optouts dismiss '$(reboot) -rf'" in text
    assert "+12015550179" not in text
    assert "&lt;b&gt;or more" in shown
    assert "\u200b" not in shown
    assert "<form" not in shown[shown.index("Who may want") : shown.index("Stop switch")]


async def test_nothing_is_cut_off(tmp_path: Path) -> None:
    numbers = [f"+1212555{number:04d}" for number in range(1000)]
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, arguments={"numbers": numbers, "body": "x" * 100_000 + "end"})
        text = (await page.open(f"/{action.id}")).text
    assert all(number in text for number in numbers)
    assert "x" * 100_000 + "end" in text


@pytest.mark.parametrize("field", ["title", "principal", "account", "operation", "provider"])
async def test_hostile_text_stays_text(field: str, tmp_path: Path) -> None:
    hostile = '"><script>alert(1)</script><form action="//evil">\u202e\u200b{{ 7331*7919 }}'
    async with opened_record(tmp_path) as record, operator(record) as page:
        shown_as_it_is = {"operation": "voicetel_gone"} if field == "provider" else {}
        action = await proposed(record, **{**shown_as_it_is, field: hostile})
        pages = [(await page.open(path)).text for path in ("", "/history", f"/{action.id}")]
    for text in pages:
        assert "<script" not in text.replace(OWN_SCRIPT, "")
        assert 'evil">' not in text
        assert "\u202e" not in text
        assert "\u200b" not in text
        assert "58054189" not in text  # the product: braces in a value are never worked out
    assert "&lt;script&gt;" in pages[2]
    assert "⟨U+202E⟩⟨U+200B⟩" in pages[2]


@pytest.mark.parametrize(
    "arguments",
    [
        {"body": "pay\u202eEVAS\u200b\x00 now\nand more"},
        {"list": ["pay\u202eEVAS\u200b\x00 now\nand more"]},
        {"deep": {"a": [{"b\u202e": "pay\u202eEVAS\u200b\x00"}]}},
        {"na\u202eme\u200b": 1},
        {"line": {"separator": "a\u2028b"}},
    ],
    ids=["text", "list", "deep", "name", "separators"],
)
async def test_invisible_characters_are_written_out(arguments: dict[str, object], tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record, arguments=arguments)
        text = (await page.open(f"/{action.id}")).text
    assert not any(char in text for char in "\u202e\u200b\x00")
    if "separator" in str(arguments):
        return
    assert "⟨U+202E⟩" in text


async def test_an_answer_by_button_is_recorded_with_who_gave_it(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        yes, no = await proposed(record), await proposed(record)
        answer = await page.press(f"/{yes.id}/approve", on=f"/{yes.id}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/approvals/{yes.id}")
        assert (await page.press(f"/{no.id}/decline", on=f"/{no.id}")).status_code == 303
        assert await state_of(record, yes) is State.APPROVED
        assert await state_of(record, no) is State.DECLINED
        history = words_of(await page.open("/history"))
        assert "answered by the operator, on the approval page" in history
        assert "/approve" not in (await page.open(f"/{yes.id}")).text
        assert "Nothing waits" in (await page.open()).text


async def test_an_action_that_was_answered_is_not_answered_again(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        token = token_in((await page.open()).text)
        await page.send(f"/{action.id}/decline", token=token)
        again = await page.send(f"/{action.id}/approve", token=token)
        assert again.status_code == 409
        assert "a person said no" in again.text
        assert await state_of(record, action) is State.DECLINED


async def test_an_action_that_waited_too_long_cannot_be_approved(tmp_path: Path) -> None:
    clock = FixedClock()
    async with opened_record(tmp_path) as record, operator(record, clock=clock) as page:
        action = await proposed(record)
        token = token_in((await page.open(f"/{action.id}")).text)
        clock.at += timedelta(minutes=16)
        late = await page.send(f"/{action.id}/approve", token=token)
        assert late.status_code == 409
        assert "nobody answered in time" in late.text
        assert "Nothing waits" in (await page.open()).text
        assert await state_of(record, action) is State.EXPIRED


async def test_two_operators_who_approve_at_once_give_one_approval(tmp_path: Path) -> None:
    statuses: list[int] = []
    async with opened_record(tmp_path) as record, operator(record) as one, operator(record) as other:
        action = await proposed(record)

        async def approve(page: object) -> None:
            assert page in (one, other)
            who = one if page is one else other
            token = token_in((await who.open(f"/{action.id}")).text)
            statuses.append((await who.send(f"/{action.id}/approve", token=token)).status_code)

        async with anyio.create_task_group() as group:
            group.start_soon(approve, one)
            group.start_soon(approve, other)
        assert sorted(statuses) == [303, 409]
        assert await state_of(record, action) is State.APPROVED


async def test_an_unknown_action_is_not_found(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        token = token_in((await page.open()).text)
        assert (await page.open("/act_nothere2")).status_code == 404
        assert (await page.send("/act_nothere2/approve", token=token)).status_code == 404


async def test_the_stop_switch_stops_and_resumes(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        assert (await page.press("/freeze")).status_code == 303
        assert await record.freeze.is_on()
        assert "Everything is stopped" in (await page.open()).text
        shown = (await page.open(f"/{action.id}")).text
        assert f"{action.id}/approve" not in shown
        refused = await page.send(f"/{action.id}/approve", token=token_in(shown))
        assert refused.status_code == 409
        assert await state_of(record, action) is State.PROPOSED
        assert (await page.press("/unfreeze")).status_code == 303
        assert not await record.freeze.is_on()
        assert (await page.press(f"/{action.id}/approve", on=f"/{action.id}")).status_code == 303


async def test_a_call_approved_on_the_page_runs_once_when_it_is_made_again(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        folder = settings.state_folder
        store = SecretStr(f"sqlite:///{folder / 'page.db'}")
        _, server = server_for(settings.model_copy(update={"store_url": store}))
        async with connect(server) as client, opened_record(folder) as record:
            waiting: dict[str, Any] = (await client.call_tool(TOOL, ORDER)).structured_content or {}
            async with browser(page_over(record, clock=SystemClock())) as page:
                answer = await page.sign_in()
                assert answer.status_code == 303, answer.text
                assert (
                    await page.press(f"/{waiting['action']}/approve", on=f"/{waiting['action']}")
                ).status_code == 303
                assert await sandbox.writes() == []
                assert not (await client.call_tool(TOOL, ORDER)).is_error
                assert "Done" in (await page.open(f"/{waiting['action']}")).text
            await client.call_tool(TOOL, ORDER)
        assert len(await sandbox.charges()) == 1


async def test_a_store_that_cannot_be_used_is_told_plainly(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await record.database.close()
        _spoil(tmp_path)
        answer = await page.open()
        assert answer.status_code == 503
        assert "Nothing was done" in answer.text


def _changes_in(text: str) -> list[tuple[str, str, str]]:
    """Read the changes on a page: field, value now, value after."""
    part = text[text.index("What changes") : text.index("The exact request")]
    entries = re.findall(r"<h3>(.*?)</h3>.*?<dt>Now</dt><dd>(.*?)</dd>.*?<dt>After</dt><dd>(.*?)</dd>", part, re.DOTALL)
    return [(_words(field, ""), _words(now, " "), _words(then, " ")) for field, now, then in entries]


def _words(html: str, between: str) -> str:
    return " ".join(re.sub("<[^>]*>", between, html).split())


def _spoil(folder: Path) -> None:
    for file in folder.glob("page.db*"):
        file.unlink()
    (folder / "page.db").write_bytes(b"this is no database" * 100)
