"""An unknown price is approved up to an amount, by the operator alone: bound to the action, held by caps, recorded."""

import json
import re
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult
from typer.testing import Result

from guard.action import State
from guard.money import Money
from guard.rules.budget import Cap
from guard.rules.quote import Quote
from guard.rules.rules import Rules
from server.console.pages import PageOptions
from server.settings.load import read_settings
from server.settings.sandbox_settings import sandbox_accounts
from tests import record_file
from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import CHEAP_HASH, PASSCODE, OperatorSide
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.browsing import opened_record, proposed, token_in
from tests.server.console.browsing import operator as signed_in

BRAND = {"brand_id": "BHARBOR1", "name": "Harbor Dental"}
CAPS = [{"per": "month", "limit": "10"}, {"per": "day", "limit": "10", "currency": "EUR", "provider": "routee"}]

E911 = {
    "number": "+12015550142",
    "caller_name": "Harbor",
    "address1": "411 Hackensack Ave",
    "city": "Hackensack",
    "state": "NJ",
    "zip": "07601",
}
PREPARES = re.compile(r"login|oauth|token|analyze")
"""Paths of requests that only prepare a call."""

UNPRICED: dict[str, dict[str, Any]] = {
    "voicetel_register_brand": BRAND,
    "enswitch_send_text": {"cnumber": "12125550142", "snumber": "12015550142", "message": "Hello"},
    "convirza_order_number": {"number": "+13035550111"},
    "routee_send_sms": {"sender": "Harbor", "to": "+306912345678", "text": "We open at ten."},
}
"""A call whose price nobody knows, at each provider; Routee's analysis is broken for it."""


@pytest.fixture
def operator(tmp_path: Path) -> OperatorSide:
    """Return an operator whose command line reads the same caps as the server."""
    return OperatorSide(tmp_path / "state", RINGFENCE_BUDGET=json.dumps(CAPS))


@asynccontextmanager
async def _client(tmp_path: Path, **more: Any) -> AsyncGenerator[tuple[Client, Sandbox, Person]]:
    person, countries = Person(), {"countries": ["US", "GR"]}
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path / "state", budget=CAPS, destinations=countries, **more)
        _, server = server_for(settings.model_copy(update=sandbox_accounts(sandbox.url)))
        async with connect(server, person=person) as client:
            yield client, sandbox, person


@pytest.mark.parametrize("tool", UNPRICED)
async def test_a_call_of_unknown_price_under_a_cap_waits_for_an_operator_who_names_the_most(
    tool: str, tmp_path: Path, operator: OperatorSide
) -> None:
    amount = "0.50 EUR" if tool.startswith("routee") else "2.50"
    async with _client(tmp_path) as (client, sandbox, person):
        await sandbox.break_with("status", provider="routee", path="analyze", status=500, times=None)
        waiting = await client.call_tool(tool, UNPRICED[tool])
        content = _content(waiting)
        assert content["state"] == "proposed", waiting
        assert person.questions == []
        assert "naming the most that it may cost" in content["approve"]
        command = shlex.split(re.findall(r"`(ringfence approvals [^`]*)`", content["approve"])[0])
        assert command[1:6] == ["approvals", "approve", content["action"], "--up-to", "2.50"]
        await operator.approve(content["action"], "--up-to", amount)
        assert not [row for row in await sandbox.writes() if PREPARES.search(row["path"]) is None]
        done = await client.call_tool(tool, UNPRICED[tool])
    # Two of the simulated accounts refuse these very numbers: what counts here is that the call left.
    assert _content(done)["state"] in {"done", "refused"}, done
    [row] = [row for row in await operator.audit_rows() if row["event"] == "approved"]
    bound = "€0.50" if tool.startswith("routee") else "$2.50"
    assert row["detail"]["up_to"] == bound
    newest = await operator.newest()
    assert newest["quote"]["amount"] is None
    assert str(newest["quote"]["up_to"]["amount"]) in {"2.50", "0.50"}


async def test_what_an_approval_names_is_held_by_the_caps_like_a_price(tmp_path: Path, operator: OperatorSide) -> None:
    async with _client(tmp_path) as (client, _, _):
        first = await _propose(client, BRAND)
        await operator.approve(first, "--up-to", "6")
        await client.call_tool("voicetel_register_brand", BRAND)
        other = {**BRAND, "brand_id": "BHARBOR2"}
        second = await _propose(client, other)
        refused = await _approve(operator, second, "6")
        assert refused.exit_code == 2
        assert "leaves $4.00" in refused.output
        await operator.approve(second, "--up-to", "$4.00")
        assert not (await client.call_tool("voicetel_register_brand", other)).is_error
    listed = (await operator.run("actions", "list")).output
    assert "up to $6.00" in listed


async def test_an_approval_that_names_no_amount_is_not_enough_wherever_it_was_given(tmp_path: Path) -> None:
    """The command line may read other settings than the server, whose caps count."""
    without_caps = OperatorSide(tmp_path / "state")
    async with _client(tmp_path) as (client, sandbox, _):
        await without_caps.approve(await _propose(client, BRAND))
        refused = await client.call_tool("voicetel_register_brand", BRAND)
        assert _content(refused)["error"] == "RulesChanged"
        await without_caps.approve(await _propose(client, BRAND), "--up-to", "11")
        over = await client.call_tool("voicetel_register_brand", BRAND)
        assert _content(over)["error"] == "OverBudget"
        assert await sandbox.writes() == []


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (None, "names the most that it may cost"),
        ("0", "An unknown price is not zero"),
        ("-1", "cannot be read"),
        ("2,50", "cannot be read"),
        ("abc", "cannot be read"),
        ("$2 EUR", "names two currencies"),
        ("2.50 EUR", "No budget cap is in EUR"),
        ("11", "leaves $10.00"),
        ("99999999999", "larger or smaller than any price"),
    ],
)
async def test_an_amount_that_does_not_fit_is_refused_and_the_call_still_waits(
    amount: str | None, why: str, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _client(tmp_path) as (client, sandbox, _):
        action = await _propose(client, BRAND)
        refused = await _approve(operator, action, amount)
        assert refused.exit_code == 2
        assert why in refused.output.replace("\n", " ")
        again = await client.call_tool("voicetel_register_brand", BRAND)
        assert _content(again)["state"] == "proposed"
        assert await sandbox.writes() == []


async def test_an_amount_is_bound_to_its_action_and_a_known_price_takes_none(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with _client(tmp_path, approvals={"form": "off"}) as (client, _, _):
        await operator.approve(await _propose(client, BRAND), "--up-to", "2.50")
        other = await client.call_tool("voicetel_register_brand", {**BRAND, "name": "Another"})
        assert _content(other)["state"] == "proposed"
        order = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
        refused = await _approve(operator, _content(order)["action"], "5")
    assert refused.exit_code == 2
    assert "is known" in refused.output


async def test_a_price_that_becomes_known_above_the_amount_is_asked_about_again(
    tmp_path: Path, operator: OperatorSide
) -> None:
    text = UNPRICED["routee_send_sms"]
    async with _client(tmp_path) as (client, sandbox, _):
        await sandbox.break_with("status", provider="routee", path="analyze", status=500, times=None)
        waiting = await client.call_tool("routee_send_sms", text)
        await operator.approve(_content(waiting)["action"], "--up-to", "0.01 EUR")
        await sandbox.mend()
        refused = await client.call_tool("routee_send_sms", text)
        assert _content(refused)["error"] == "PriceChanged"
        assert not await sandbox.charges()


async def test_no_tool_takes_the_amount_as_an_argument(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, sandbox, _):
        refused = await client.call_tool("voicetel_register_brand", {**BRAND, "up_to": "2.50"})
        assert _content(refused)["error"] == "BadArguments"
        tools = (await client.list_tools()).tools
        assert not [tool.name for tool in tools if {"up_to", "upTo"} & set(tool.input_schema.get("properties", {}))]
        assert await sandbox.writes() == []


@pytest.mark.parametrize("has_cap", [False, True], ids=["no cap", "a cap"])
async def test_the_operator_names_the_amount_on_the_page(*, has_cap: bool, tmp_path: Path) -> None:
    rules = Rules(caps=(Cap("month", Money(Decimal(10))),) if has_cap else ())
    async with opened_record(tmp_path) as record, signed_in(record, options=PageOptions(rules=rules)) as page:
        waiting = await proposed(record, quote=Quote(unknown="The account shows no rate."))
        shown = (await page.open(f"/{waiting.id}")).text
        assert 'name="up_to"' in shown
        assert ("required>" in shown) == has_cap
        token, address = token_in(shown), f"/{waiting.id}/approve"
        for wrong, why in (
            ("2,50", "cannot be read"),
            ("0", "not zero"),
            *([("", "names the most")] if has_cap else []),
        ):
            refused = await page.send(address, token=token, up_to=wrong)
            assert refused.status_code == 409
            assert why in refused.text
        assert (await page.send(address, token=token, up_to="2.50")).status_code == 303
        assert "Approved up to $2.50, for the whole call." in (await page.open(f"/{waiting.id}")).text
        found = await record.journal.find(waiting.id)
    assert found is not None
    assert str(found.quote.up_to) == "$2.50"


async def test_the_amount_goes_through_the_second_step_of_what_cannot_be_undone(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, signed_in(record) as page:
        waiting = await proposed(record, operation="voicetel_register_brand", quote=Quote(unknown="Nobody knows."))
        token, address = token_in((await page.open(f"/{waiting.id}")).text), f"/{waiting.id}/approve"
        sure = (await page.send(address, token=token, up_to="2.50 EUR")).text
        assert "You approve it up to €2.50, for the whole call." in sure
        assert 'name="up_to" value="2.50 EUR"' in sure
        await page.send(address, token=token, up_to="2.50 EUR", sure=waiting.digest)
        found = await record.journal.find(waiting.id)
    assert found is not None
    assert (found.state, str(found.quote.up_to)) == (State.APPROVED, "€2.50")


async def test_the_example_of_the_settings_blocks_nobody(tmp_path: Path, operator: OperatorSide) -> None:
    """A text in euros, an order in dollars and a documented worst case are asked about; the rest waits for a bound."""
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "ringfence.toml"
    file.write_text(example, encoding="utf-8")
    calls: dict[str, dict[str, Any]] = {
        "voicetel_order_numbers": {"numbers": ["+12125550100"]},
        "routee_send_campaign": {"sender": "Harbor", "to": ["+306912345678"], "text": "We open.", "when": "now"},
        "voicetel_create_e911_record": E911,
    }
    async with sandboxes() as sandbox:
        settings = read_settings(file).model_copy(update={**sandbox_accounts(sandbox.url), "toolsets": ["all"]})
        person = Person("decline")
        by_day = settings.compliance.model_copy(
            update={"quiet_hours": None}
        )  # this also runs when it is night in Greece
        _, server = server_for(settings.model_copy(update={"compliance": by_day}))
        async with connect(server, person=person) as client:
            for tool, arguments in calls.items():
                refused = await client.call_tool(tool, arguments)
                assert _content(refused).get("error") == "Declined", refused
            await operator.approve(await _propose(client, BRAND), "--up-to", "2.50")
            assert not (await client.call_tool("voicetel_register_brand", BRAND)).is_error
    assert len(person.questions) == len(calls)


def _content(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


async def _propose(client: Client, brand: dict[str, Any]) -> str:
    waiting = await client.call_tool("voicetel_register_brand", brand)
    return str(_content(waiting)["action"])


async def _approve(operator: OperatorSide, action: str, amount: str | None) -> Result:
    """Approve with an amount that does not fit; the passcode is set by then."""
    await record_file.change(operator.folder, "INSERT OR REPLACE INTO facts VALUES ('passcode', ?)", CHEAP_HASH)
    more = ("--up-to", amount) if amount is not None else ()
    return await operator.run("approvals", "approve", action, *more, typed=f"{PASSCODE}\n")
