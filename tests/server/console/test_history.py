"""The history shows what each call cost, not what was quoted, and goes back page by page; so does `actions list`."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from guard.action import State
from guard.money import Money
from guard.rules.budget import Hold
from guard.rules.quote import Quote
from server.console.pages import HISTORY_LISTED
from server.store.store import Store
from tests.server.console.browsing import START, opened_record, operator, proposed
from tests.server.operating import ringfence

QUOTED = Money(Decimal(2))


@pytest.mark.parametrize(
    ("outcome", "cost", "shown"),
    [
        (State.DONE, Decimal("1.50"), "$1.50"),
        (State.DONE, None, "$2.00"),
        (State.UNKNOWN, None, "$2.00 held"),
        (State.REFUSED, None, "nothing"),
    ],
    ids=["less than quoted", "as quoted", "not known yet", "refused"],
)
async def test_the_amount_is_what_was_charged(outcome: State, cost: Decimal | None, shown: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await _sent(record, Quote(amount=QUOTED))
        if cost is not None:
            await record.journal.settle(action, Hold("voicetel", Money(cost)))
        await record.journal.move(action, {State.SENDING}, outcome, finished_at=START)
        history, whole = (await page.open("/history")).text, (await page.open(f"/{action}")).text
    assert f">Charged: {shown}</span>" in history
    assert f"Charged: {shown}<" in whole
    address = {"RINGFENCE_STORE_URL": f"sqlite+aiosqlite:///{tmp_path / 'page.db'}"}
    assert f"  {shown}  " in await ringfence(tmp_path, "actions", "list", more=address)
    assert f"Charged: {shown}." in await ringfence(tmp_path, "actions", "show", action, more=address)


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        (Quote(), "nothing"),
        (Quote(unknown="Nobody knows."), "unknown"),
        (Quote(unknown="Nobody knows.", up_to=Money(Decimal("2.50"))), "$2.50"),
    ],
    ids=["free", "unknown", "approved up to an amount"],
)
async def test_an_unknown_charge_is_not_said_to_be_nothing(quote: Quote, shown: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await _sent(record, quote)
        await record.journal.move(action, {State.SENDING}, State.DONE, finished_at=START)
        assert f">Charged: {shown}</span>" in (await page.open("/history")).text


async def test_the_history_goes_back_page_by_page(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        made = [
            (await proposed(record, created_at=START - timedelta(minutes=number), expires_at=START)).id
            for number in range(HISTORY_LISTED + 1)
        ]
        first, second = (await page.open("/history")).text, (await page.open("/history?page=2")).text
        beyond, odd = (await page.open("/history?page=3")).text, (await page.open("/history?page=-1")).text
    assert made[0] in first
    assert made[-1] not in first
    assert "history?page=2" in first
    assert [action for action in made if action in second] == [made[-1]]
    assert "history?page=1" in second
    assert "No older action was requested." in beyond
    assert made[0] in odd
    address = {"RINGFENCE_STORE_URL": f"sqlite+aiosqlite:///{tmp_path / 'page.db'}"}
    listed = await ringfence(tmp_path, "actions", "list", "--limit", "50", "--page", "2", more=address)
    assert [action for action in made if action in listed] == [made[-1]]


async def _sent(record: Store, quote: Quote) -> str:
    """Have an action sent, with its money held."""
    action = await proposed(record, quote=quote)
    await record.journal.move(action.id, {State.PROPOSED}, State.APPROVED)
    await record.journal.begin(action.id, hold=Hold("voicetel", quote.most), caps=[], at=START)
    return action.id
