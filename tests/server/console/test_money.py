"""The page of the money and `ringfence spend` say the same: spent against each cap, by what, reserved, and forecast."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from guard.action import State
from guard.money import Money
from guard.rules.budget import Cap, Hold
from guard.rules.quote import Quote
from guard.rules.rules import Rules
from server.console.pages import PageOptions
from server.store.store import Store
from tests.clocks import StoppedClock
from tests.connecting import Person, connect, server_for, settings_for
from tests.plans.jobs import customers, propose, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import opened_record, operator, proposed, words_of
from tests.server.operating import ringfence

MIDDLE = datetime(2026, 11, 21, 12, tzinfo=UTC)
CAPS = (
    Cap("action", Money(Decimal(10))),
    Cap("day", Money(Decimal(5))),
    Cap("month", Money(Decimal(40))),
    Cap("month", Money(Decimal(3), "EUR"), "routee"),
)
OPTIONS = PageOptions(rules=Rules(caps=CAPS))


async def test_the_page_shows_what_is_spent_and_reserved_against_each_cap(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record, options=OPTIONS) as page:
        await _spend(record, "1.50")
        await _spend(record, "0.50", outcome=None)
        await _spend(record, "9", outcome=State.REFUSED)
        await _spend(record, "2", at=MIDDLE - timedelta(days=3))
        await _spend(record, "0.75", provider="routee", currency="EUR")
        shown = words_of(await page.open("/money"))
    caps = re.findall(r"<h3>([^<]+)</h3>\n<p class=\"left\"><strong>([^<]+)</strong> left", shown)
    assert caps == [
        ("$5.00 per day overall", "$3.00"),
        ("$40.00 per month overall", "$36.00"),
        ("€3.00 per month at routee", "€2.25"),
    ]
    assert "40 % used: $1.50 spent, " in shown
    assert "$0.50 reserved" in shown
    assert "For one call: $10.00 per action overall." in shown
    assert re.findall(r'<p class="amount">([^<]+)</p>', shown) == ["€0.75", "$4.00"]
    assert "$2.00 of it today. $0.50 is reserved now." in shown


async def test_a_month_is_split_by_provider_account_operation_and_day(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record, options=OPTIONS) as page:
        await _spend(record, "2", account_name="clinic")
        await _spend(record, "3", at=MIDDLE - timedelta(days=1))
        await _spend(record, "1", provider="routee", operation="routee_send_sms", at=MIDDLE - timedelta(days=1))
        await _spend(record, "7", at=MIDDLE - timedelta(days=30))
        shown = words_of(await page.open("/money"))
        before = words_of(await page.open("/money?month=2026-10"))
    assert _rows(shown, "By provider") == [("voicetel", "2", "$5.00"), ("routee", "1", "$1.00")]
    assert _rows(shown, "By account") == [
        ("voicetel", "1", "$3.00"),
        ("clinic", "1", "$2.00"),
        ("routee", "1", "$1.00"),
    ]
    assert _rows(shown, "By operation") == [("Order numbers", "2", "$5.00"), ("Send SMS", "1", "$1.00")]
    assert _rows(shown, "Spent by day, in USD") == [("2026-11-20", "2", "$4.00"), ("2026-11-21", "1", "$2.00")]
    assert [amount for *_, amount in _rows(shown, "Largest items")] == ["$3.00", "$2.00", "$1.00"]
    assert _rows(before, "By provider") == [("voicetel", "1", "$7.00")]
    assert "Caps" not in before
    assert 'href="/approvals/money?month=2026-10"' in shown


async def test_a_chart_is_a_picture_of_the_table_without_script_or_style_of_its_own(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record, options=OPTIONS) as page:
        await _spend(record, "1", at=MIDDLE - timedelta(days=1))
        await _spend(record, "4")
        shown = (await page.open("/money")).text
    [chart] = re.findall(r'<svg class="days".*?</svg>', shown, re.DOTALL)
    bars = re.findall(r'<rect class="(\S+)" x="(\S+)" y="(\S+)" width="8" height="(\S+)"><title>([^<]+)</title>', chart)
    assert bars == [
        ("spent", "190", "75.0", "25.0", "20 November: $1.00, 1 call"),
        ("today", "200", "0.0", "100.0", "21 November: $4.00, 1 call"),
    ]
    assert not re.search(r"<script(?! src)|<style|style=|javascript:", shown)
    assert 'role="img" aria-label="Spent by day, in USD; the table below has the numbers"' in chart


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((), "No forecast yet"),
        ((9, 2, 1), "No forecast yet"),
        ((6, 5, 4, 3, 2, 1), "No forecast yet"),
        # $7 before today; $6 of them in the last 7 days, so 6/7 for today and each of the 9 days to come: 15.572.
        ((10, 6, 5, 4, 3, 2, 1), "$15.58"),
    ],
    ids=["nothing", "too few days with spending", "too short", "enough"],
)
async def test_the_forecast_says_how_it_is_computed_or_that_it_is_too_early(
    days: Sequence[int], expected: str, tmp_path: Path
) -> None:
    async with opened_record(tmp_path) as record, operator(record, options=OPTIONS) as page:
        for ago in days:
            await _spend(record, "1", at=MIDDLE - timedelta(days=ago))
        shown = words_of(await page.open("/money"))
    if expected.startswith("$"):
        assert f"<strong>{expected}</strong> by the end of the month" in shown
        assert "for 9 more days the average of the last 7 full days, $0.86; today counts at least as much" in shown
    else:
        assert expected in shown
        assert "by the end of the month" not in shown


@pytest.mark.parametrize("month", ["2026-13", "soon", "2027-01", "2026-11-01"])
async def test_what_is_no_month_is_named(month: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        refused = await page.open(f"/money?month={month}")
    assert refused.status_code == 404
    assert month in refused.text


async def test_an_empty_record_has_a_page_too(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        shown = words_of(await page.open("/money"))
    assert "Nothing was spent." in shown
    assert "No cap limits what is spent in a day or a month." in shown
    assert "Nothing was spent." in await _spend_command(tmp_path)


async def test_the_command_says_the_same_in_words_and_as_json(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    (tmp_path / "ringfence.toml").write_text(
        '[[budget]]\nper = "month"\nlimit = "40"\n[[budget]]\nper = "action"\nlimit = "10"\n', encoding="utf-8"
    )
    async with opened_record(tmp_path) as record, operator(record, clock=StoppedClock(now), options=OPTIONS) as page:
        charged = await _spend(record, "1.50", at=now)
        held = await _spend(record, "0.50", at=now, outcome=None)
        shown = words_of(await page.open("/money"))
    config = ("--config", str(tmp_path / "ringfence.toml"))
    told = await _spend_command(tmp_path, *config)
    facts = json.loads(await _spend_command(tmp_path, "--json", *config))
    assert re.search(r"\$40\.00 per month overall\s+█+░+\s+5 %\s+\$1\.50\s+\$0\.50\s+\$38\.00", told)
    assert re.search(r"USD: \$2\.00 spent, \$[0-9.]+ of it today; \$0\.50 is reserved now\.", told)
    assert facts["month"] == f"{now:%Y-%m}"
    assert facts["caps"] == [
        {
            "per": "month",
            "provider": None,
            "account": None,
            "currency": "USD",
            "limit": "40",
            "spent": "1.5",
            "reserved": "0.5",
            "left": "38",
        }
    ]
    [dollars] = facts["currencies"]
    assert dollars["by_operation"] == [{"name": "voicetel_order_numbers", "calls": 2, "amount": "2"}]
    assert [one["id"] for one in dollars["largest"]] == [charged, held]
    assert [one["id"] for one in facts["reserved"]] == [held]
    assert "$38.00</strong> left" in shown


async def test_what_a_plan_reserves_counts_until_it_is_over(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, budget=[{"per": "day", "limit": "5"}])
        services, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            plan = await propose(client, texts(customers(3)))
            approved = json.loads(await ringfence(settings.state_folder, "spend", "--json"))
            await services.plan_approvals.cancel(plan["plan"], by="anna")
            cancelled = json.loads(await ringfence(settings.state_folder, "spend", "--json"))
    [reserved] = approved["reserved"]
    assert reserved["id"] == plan["plan"]
    assert reserved["amount"] == "0.03"
    assert cancelled["reserved"] == []


async def _spend(
    record: Store,
    amount: str,
    *,
    at: datetime = MIDDLE,
    currency: str = "USD",
    outcome: State | None = State.DONE,
    **changes: Any,
) -> str:
    """Have a call sent, with its money held; it ends with `outcome`, or is still under way."""
    quote = Quote(amount=Money(Decimal(amount), currency))
    action = await proposed(record, quote=quote, created_at=at, expires_at=at + timedelta(minutes=15), **changes)
    await record.journal.move(action.id, {State.PROPOSED}, State.APPROVED)
    hold = Hold(action.provider, quote.amount, action.account_name)
    await record.journal.begin(action.id, hold=hold, caps=[], at=at)
    if outcome is not None:
        await record.journal.move(action.id, {State.SENDING}, outcome, finished_at=at)
    return action.id


def _rows(page: str, caption: str) -> list[tuple[str, ...]]:
    """Return the cells of the table of a caption, as they are read."""
    [body] = re.findall(rf"<caption[^>]*>{re.escape(caption)}</caption>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [tuple(re.sub(r"<[^>]+>", "", cell).strip() for cell in row) for row in cells]


async def _spend_command(folder: Path, *words: str) -> str:
    address: Mapping[str, str] = {"RINGFENCE_STORE_URL": f"sqlite+aiosqlite:///{folder / 'page.db'}"}
    return await ringfence(folder, "spend", *words, more=address)
