"""The history: what each call cost, what fits a filter, page by page by key; so does `actions list`; and as files."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients.shared.clock import SystemClock
from guard.action import Action, State
from guard.money import Money
from guard.operators.roles import on_page
from guard.rules.budget import Hold
from guard.rules.quote import Quote
from server.console.history.pages import HISTORY_LISTED
from server.reports.history_files import COLUMNS
from server.store.reports.filter import CRITERIA
from server.store.reports.finding import ReadLimits
from server.store.reports.history import StoredHistory
from server.store.store import Store
from tests.connecting import Person, connect, server_for, settings_for
from tests.plans.jobs import customers, propose, run, texts
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import START, hashed_passcode, opened_record, operator, proposed, words_of
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


async def test_the_history_goes_back_page_by_page_without_losing_or_repeating_one(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        made = [
            (await proposed(record, created_at=START - timedelta(minutes=number // 2), expires_at=START)).id
            for number in range(HISTORY_LISTED + 3)
        ]
        first = (await page.open("/history")).text
        newer = await proposed(record, created_at=START + timedelta(minutes=1))
        second = (await page.open(f"/history?before={_older(first)}")).text
        odd = await page.open("/history?before=act_nowhere9")
    on_first, on_second = ([action for action in made if f'/{action}"' in text] for text in (first, second))
    assert len(on_first) == HISTORY_LISTED
    assert sorted(on_first + on_second) == sorted(made)
    assert newer.id not in second
    assert "Older" not in second
    assert ">Newest<" in second
    assert odd.status_code == 400
    assert "There is no action or plan 'act_nowhere9' to go on from." in words_of(odd)


async def test_the_command_goes_back_by_the_key_that_it_names(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        made = [(await proposed(record, created_at=START - timedelta(minutes=number))).id for number in range(3)]
    listed = await _list(tmp_path, "--limit", "2")
    [key] = re.findall(r"--before (act_\w+)", listed)
    assert [one for one in made if one in listed] == made[:2]
    assert [one for one in made if one in await _list(tmp_path, "--before", key)] == made[2:]


FITTING: Mapping[str, tuple[str, str]] = {
    "search": ("front DESK", "no such words"),
    "since": ("2026-11-21", "2026-11-22"),
    "until": ("2026-11-21", "2026-11-20"),
    "state": ("declined", "done"),
    "provider": ("routee", "voicetel"),
    "account": ("clinic", "voicetel"),
    "principal": ("bob", "alice"),
    "operator": ("anna", "an"),
}
"""A value of each criterion that fits the action that is looked for, and one that does not."""


@pytest.mark.parametrize("name", CRITERIA)
async def test_each_criterion_finds_what_fits_on_the_page_and_on_the_command_line(name: str, tmp_path: Path) -> None:
    fits, misses = FITTING[name]
    async with opened_record(tmp_path) as record, operator(record) as page:
        wanted = await _wanted(record)
        found, none = await page.open(f"/history?{name}={fits}"), await page.open(f"/history?{name}={misses}")
    assert f'/approvals/{wanted.id}"' in found.text
    assert wanted.id not in none.text
    assert wanted.id in await _list(tmp_path, f"--{name}", fits)
    assert wanted.id not in await _list(tmp_path, f"--{name}", misses)


async def test_an_operator_is_found_beside_others_who_approved_the_same(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        together, alone = await proposed(record), await proposed(record)
        for action, by in ((together, on_page(["anna", "bob"])), (alone, on_page(["annabel"]))):
            await record.journal.move(action.id, {State.PROPOSED}, State.DECLINED, decided_by=by, decided_at=START)
        found = [(await page.open(f"/history?operator={name}")).text for name in ("anna", "bob")]
    assert [together.id in one for one in found] == [True, True]
    assert [alone.id in one for one in found] == [False, False]


async def test_criteria_narrow_each_other(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        wanted = await _wanted(record)
        like = [await _wanted(record, principal="local:eve"), await _wanted(record, provider="voicetel")]
        query = "&".join(f"{name}={value}" for name, (value, _) in FITTING.items())
        found = words_of(await page.open(f"/history?{query}"))
        several = (await page.open("/history?operator=anna&search=desk")).text
    assert wanted.id in found
    assert not [one.id for one in like if one.id in found]
    assert "Search: front DESK, From: 2026-11-21, To: 2026-11-21, State: Declined, Provider: routee" in found
    assert all(one.id in several for one in (wanted, *like))


@pytest.mark.parametrize("number", ["+1 (212) 555-0177", "2125550177", "+12125550177", "0177"])
async def test_a_telephone_number_is_found_however_it_is_written(number: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        wanted = await proposed(record, arguments={"number": "+12125550177"}, title="Release a number")
        other = await proposed(record)
        found = (await page.http.get("/approvals/history", params={"search": number})).text
    assert wanted.id in found
    assert other.id not in found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("state=finished", "There is no state 'finished'; there are proposed, approved, declined"),
        ("since=yesterday", "From: 'yesterday' is no time. A day such as 2026-11-30"),
        ("until=2026-13-01", "To: '2026-13-01' is no time."),
        (f"search={'x' * 201}", "Search is longer than 200 characters."),
    ],
)
async def test_what_cannot_be_read_is_named_and_nothing_is_shown(query: str, message: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        refused = await page.open(f"/history?{query}")
        file = await page.open(f"/history.csv?{query}")
    assert refused.status_code == file.status_code == 400
    assert message in words_of(refused)
    assert message in file.text
    assert action.id not in refused.text


async def test_every_field_has_a_label_and_keeps_what_was_asked(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await _wanted(record)
        shown = (await page.open("/history?state=declined&since=2026-11-21&principal=local:bob&search=desk")).text
    for name in CRITERIA:
        assert f'<label for="f-{name}">' in shown
        assert f'id="f-{name}" name="{name}"' in shown
    assert '<option value="declined" selected>' in shown
    assert '<option value="local:bob" selected>' in shown
    assert 'type="date" value="2026-11-21"' in shown
    assert 'type="text" value="desk"' in shown


TRICKS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1")


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_cell_of_the_csv_is_a_formula(trick: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await proposed(record, title=trick, principal=trick, account_name=trick)
        answer = await page.open("/history.csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert row["title"] == row["requested_by"] == row["account"]
    assert row["title"].startswith("'")
    assert row["title"].endswith(trick.strip())


async def test_files_hold_what_fits_and_what_it_cost(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        sent = await _sent(record, Quote(amount=QUOTED))
        await record.journal.settle(sent, Hold("voicetel", Money(Decimal("1.50"))))
        await record.journal.move(sent, {State.SENDING}, State.DONE, finished_at=START)
        other = await _wanted(record)
        table = await page.open("/history.csv?state=done")
        lines = await page.open("/history.jsonl")
    assert table.headers["content-disposition"] == 'attachment; filename="ringfence-history-2026-11-21.csv"'
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline=""))
    assert tuple(row) == COLUMNS
    assert [row[name] for name in ("id", "quoted", "charged", "currency", "booked")] == [
        sent, "2", "1.5", "USD", "settled",
    ]  # fmt: skip
    assert json.loads(row["arguments"])["route"] == 4
    rows = {one["id"]: one for one in map(json.loads, lines.text.splitlines())}
    assert rows.keys() == {sent, other.id}
    assert rows[other.id]["arguments"]["label"] == "Front desk"
    assert await _list(tmp_path, "--state", "done", "--csv") == table.content.decode("utf-8-sig").replace("\r\n", "\n")
    assert await _list(tmp_path, "--jsonl") == lines.text


async def test_a_file_holds_more_than_one_read_does(tmp_path: Path) -> None:
    few = ReadLimits(looked_through=3, searched_through=3, exported_at_once=3)
    async with opened_record(tmp_path) as record:
        made = [(await proposed(record, created_at=START + timedelta(seconds=number))).id for number in range(7)]
        short = replace(record, history=StoredHistory(record.database, few))
        async with operator(short) as page:
            everything = (await page.open("/history.jsonl")).text
            narrow = (await page.open("/history.jsonl?principal=alice&provider=voicetel&search=order")).text
            shown = await page.open("/history?search=nowhere")
    assert [json.loads(line)["id"] for line in everything.splitlines()] == made[::-1]
    assert [json.loads(line)["id"] for line in narrow.splitlines()] == made[::-1]
    assert "Look further back" in shown.text
    assert "Older ones may fit, too." in shown.text


async def test_plans_stand_among_the_calls_with_what_their_steps_cost(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            await run(client, plan)
            await services.store.key_values.put("passcode", hashed_passcode())
            async with operator(services.store, clock=SystemClock()) as page:
                shown = words_of(await page.open("/history?state=done&provider=voicetel&search=customer"))
                by_title = words_of(await page.open("/history?search=about+friday"))
                none = words_of(await page.open("/history?provider=routee"))
                file = (await page.open("/history.jsonl")).text
    assert re.search(rf'<a href="/approvals/{plan}">Plan «Tell customers about Friday»</a>', by_title)
    assert "$0.02 in all" in by_title
    assert [f'step {number} of <a href="/approvals/{plan}">' in shown for number in (1, 2)] == [True, True]
    assert plan not in none
    steps = {(one["plan"], one["step"], one["charged"]) for one in map(json.loads, file.splitlines())}
    assert steps == {(plan, 1, "0.01"), (plan, 2, "0.01")}


async def test_nobody_reads_a_file_without_signing_in(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        page.http.cookies.clear()
        for path in ("/history", "/history.csv", "/history.jsonl", "/money"):
            refused = await page.open(path)
            assert refused.status_code == 401
            assert action.id not in refused.text


async def _wanted(record: Store, **changes: Any) -> Action:
    """Have an action declined by somebody, with values of its own in everything that can be filtered by."""
    own = {
        "provider": "routee",
        "account_name": "clinic",
        "principal": "local:bob",
        "title": "Rename a number",
        "arguments": {"number": "+12015550142", "label": "Front desk"},
    }
    action = await proposed(record, **(own | changes))
    decided = {"decided_by": "anna, on the approval page", "decided_at": START}
    await record.journal.move(action.id, {State.PROPOSED}, State.DECLINED, **decided)
    return action


def _older(page: str) -> str:
    """Return the key of the link to older ones."""
    found = re.search(r"before=((?:act|plan)_\w+)", page)
    assert found, page
    return found[1]


async def _list(folder: Path, *words: str) -> str:
    address = {"RINGFENCE_STORE_URL": f"sqlite+aiosqlite:///{folder / 'page.db'}"}
    return await ringfence(folder, "actions", "list", *words, more=address)


async def _sent(record: Store, quote: Quote) -> str:
    """Have an action sent, with its money held."""
    action = await proposed(record, quote=quote)
    await record.journal.move(action.id, {State.PROPOSED}, State.APPROVED)
    await record.journal.begin(action.id, hold=Hold("voicetel", quote.most), caps=[], at=START)
    return action.id
