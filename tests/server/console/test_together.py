"""Several alike calls are answered with one press, and each is still approved by its own record."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from guard.action import Action, State
from guard.money import Money
from guard.rules.quote import Quote
from server.console.waiting.pages import LISTED
from server.store.store import Store
from tests.server.console.browsing import (
    START,
    Browser,
    FixedClock,
    opened_record,
    operator,
    proposed,
    state_of,
    token_in,
    words_of,
)

PRICED = Quote(amount=Money(Decimal("0.50")))
RELEASE = "voicetel_release_number"


async def _waiting(record: Store, count: int = 3, **changes: object) -> list[Action]:
    return [
        await proposed(record, **{"quote": PRICED, "title": f"Order number {place}", **changes})
        for place in range(count)
    ]


async def _answer(page: Browser, actions: list[Action], answer: str, **more: str) -> str:
    """Tick calls and press a button; return what the page says then."""
    ticked = {action.id: action.digest for action in actions}
    sent = await page.send("/together", token=token_in((await page.open()).text), answer=answer, **{**ticked, **more})
    if sent.status_code != 303:
        return words_of(sent)
    return words_of(await page.http.get(sent.headers["location"]))


async def test_ticked_calls_are_approved_each_by_its_own_record(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        first, second, third = await _waiting(record)
        text = await _answer(page, [first, second], "approve")
        assert [await state_of(record, one) for one in (first, second, third)] == [
            State.APPROVED,
            State.APPROVED,
            State.PROPOSED,
        ]
        rows = [row async for row in record.audit.rows()]
    assert [row["action_id"] for row in rows if row["event"] == "approved"] == [first.id, second.id]
    assert "Order number 0" in text
    assert "Order number 2" not in text


async def test_ticked_calls_are_declined(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        actions = await _waiting(record)
        await _answer(page, actions, "decline")
        assert [await state_of(record, one) for one in actions] == [State.DECLINED] * 3


async def test_the_list_offers_to_tick_what_is_alike_and_says_what_it_costs_together(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        actions = await _waiting(record)
        await proposed(record, operation=RELEASE, title="Release one")
        text = words_of(await page.open())
        ids = re.search(r"tick=([a-z0-9_,]+)", text)
        assert ids
        ticked = words_of(await page.open(f"?tick={ids[1]}"))
    assert "3 alike: Order numbers at VoiceTel" in text
    assert "All of them together: $1.50." in text
    assert text.count('type="checkbox"') == 3
    assert " checked" not in text
    assert ticked.count(" checked") == 3
    assert all(f'name="{one.id}" value="{one.digest}"' in text for one in actions)


async def test_what_cannot_be_undone_keeps_its_second_press(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        actions = await _waiting(record, 2, operation=RELEASE, quote=Quote())
        asked = await _answer(page, actions, "approve")
        assert "Approve 2 calls for good?" in asked
        assert [await state_of(record, one) for one in actions] == [State.PROPOSED] * 2
        for sure in ("yes", actions[0].id, ""):
            await _answer(page, actions, "approve", sure=sure)
            assert [await state_of(record, one) for one in actions] == [State.PROPOSED] * 2
        found = re.search(r'name="sure" value="([^"]+)"', asked)
        assert found
        await _answer(page, actions, "approve", sure=found[1])
        assert [await state_of(record, one) for one in actions] == [State.APPROVED] * 2


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"quote": Quote(unknown="Nobody knows.")}, "A call of unknown price is approved by itself"),
        ({"operation": RELEASE}, "Only calls of one operation are approved together"),
    ],
    ids=["unknown price", "another operation"],
)
async def test_what_is_not_alike_is_not_approved_together(other: dict[str, object], why: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        first, second = (*await _waiting(record, 1), *await _waiting(record, 1, **other))
        assert why in await _answer(page, [first, second], "approve")
        assert [await state_of(record, one) for one in (first, second)] == [State.PROPOSED] * 2


async def test_a_call_of_unknown_price_cannot_be_ticked(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await _waiting(record, 2, quote=Quote(unknown="Nobody knows."))
        assert 'type="checkbox"' not in (await page.open()).text


async def test_only_what_the_page_showed_is_approved(tmp_path: Path) -> None:
    clock = FixedClock()
    async with opened_record(tmp_path) as record, operator(record, clock=clock) as page:
        first, second, late = await _waiting(record)
        token = token_in((await page.open()).text)
        answers = {first.id: "0" * 64, second.id: second.digest}
        await page.send("/together", token=token, answer="approve", **answers)
        assert [await state_of(record, one) for one in (first, second)] == [State.PROPOSED, State.APPROVED]
        clock.at = START + timedelta(minutes=20)
        text = await _answer(page, [late], "approve")
        assert await state_of(record, late) is State.EXPIRED
    assert "nobody answered in time" in text


async def test_nothing_ticked_and_everything_stopped_record_nothing(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        actions = await _waiting(record)
        assert "Tick the calls that you mean" in await _answer(page, [], "approve")
        await record.freeze.freeze("a test")
        assert "Everything is stopped" in await _answer(page, actions, "approve")
        assert [await state_of(record, one) for one in actions] == [State.PROPOSED] * 3
        unknown = {"act_nothere2": "0" * 64}
        token = token_in((await page.open()).text)
        assert (await page.send("/together", token=token, answer="decline", **unknown)).status_code == 404


async def test_the_list_is_narrowed_by_who_asks_by_provider_and_by_what_calls_do(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await proposed(record, title="Order numbers", principal="local:alice")
        await proposed(record, title="Release for good", operation=RELEASE, principal="token:reception")
        await proposed(record, title="Text Greece", operation="routee_send_sms", provider="routee")
        found = {
            query: [
                title
                for title in ("Order numbers", "Release for good", "Text Greece")
                if f">{title}</a>" in words_of(await page.open(query))
            ]
            for query in ("", "?who=token:reception", "?provider=routee", "?effect=destructive", "?provider=enswitch")
        }
        narrowed = words_of(await page.open("?provider=enswitch"))
    assert found == {
        "": ["Order numbers", "Release for good", "Text Greece"],
        "?who=token:reception": ["Release for good"],
        "?provider=routee": ["Text Greece"],
        "?effect=destructive": ["Release for good"],
        "?provider=enswitch": [],
    }
    assert "Nothing that fits waits for approval." in narrowed
    assert "<title>3 waiting" in narrowed


async def test_a_long_list_is_light_and_goes_on_page_by_page(tmp_path: Path) -> None:
    words = {"from_number": "+12015550142", "to_number": "+12125550100", "text": "Your table is ready. " * 7}
    async with opened_record(tmp_path) as record, operator(record) as page:
        made = [
            await proposed(
                record,
                operation="voicetel_send_message",
                arguments=words,
                quote=PRICED,
                created_at=START + timedelta(seconds=place),
                principal="token:reception" if place % 2 else "local:alice",
            )
            for place in range(LISTED + 5)
        ]
        first, second = (await page.open()).text, (await page.open("?page=2")).text
        loaded = [await page.open(path) for path in ("", "/page.css", "/page.js")]
        narrow = (await page.open("?who=local:alice")).text
    assert f"<title>{LISTED + 5} waiting" in first
    assert made[-1].id in first
    assert made[0].id not in first
    assert "?page=2" in first
    assert made[0].id in second
    assert "?page=1" in second
    assert "?page=2" not in narrow
    assert made[0].id in narrow
    assert sum(len(one.content) for one in loaded) < 100 * 1024
