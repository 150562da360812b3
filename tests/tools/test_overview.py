"""The tools over all providers: who has what, what it costs, and which provider could not be read."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import httpx2
import pytest
from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.sandbox_control import Sandbox, sandboxes

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}


@asynccontextmanager
async def _everything(folder: Path, era: Era = "auto", **more: Any) -> AsyncGenerator[tuple[Client, Sandbox]]:
    async with sandboxes() as sandbox:
        settings = for_sandbox(settings_class()(**more), sandbox.url)
        _, server = server_for(settings)
        async with connect(server, era=era, person=Person()) as client:
            yield client, sandbox


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return content_of(result)


def _text(result: CallToolResult) -> str:
    return getattr(result.content[0], "text", "")


async def test_the_numbers_of_all_providers_are_in_one_list_with_where_they_lead(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "list_all_numbers", limit=500)
    rows = content["numbers"]
    assert content["total"] == len(rows) == sum(content["by_provider"].values())
    assert set(content["by_provider"]) == {"voicetel", "routee", "convirza", "enswitch"}
    assert all(row["number"].startswith("+") for row in rows)
    by_place = {(row["number"], row["provider"]): row for row in rows}
    assert by_place["+12015550201", "convirza"]["calls_to"] == "+12015550142"
    assert by_place["+12015550142", "enswitch"]["calls_to"] == "queue 801"
    assert by_place["+306948530955", "routee"]["monthly"] == "€6.00"


async def test_pages_of_the_list_meet_without_gap_or_overlap(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        whole = (await _call(client, "list_all_numbers", limit=500))["numbers"]
        pages: list[Any] = []
        cursor: str | None = "0"
        while cursor is not None:
            content = await _call(client, "list_all_numbers", limit=10, cursor=cursor)
            pages += content["numbers"]
            cursor = content.get("next_cursor")
    assert pages == whole


async def test_a_number_is_found_wherever_it_lives_with_what_leads_to_it(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "find_number", number="(201) 555-0142")
    assert content["number"] == "+12015550142"
    found = {row["provider"]: row for row in content["found"]}
    assert found["voicetel"]["monthly"] == "$1.00"
    assert found["voicetel"]["e911_registered"] is True
    assert found["voicetel"]["campaign"]
    assert found["enswitch"]["calls_to"] == "queue 801"
    assert {"number": "+12015550201", "provider": "convirza"} in content["calls_come_from"]


async def test_what_is_no_number_is_refused_with_the_form_that_is_expected(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, sandbox):
        result = await client.call_tool("find_number", {"number": "front desk"})
        assert result.is_error
        assert "E.164, such as +12015550123" in _text(result)
        assert await sandbox.requests() == []


async def test_offers_stand_side_by_side_cheapest_first_and_no_unknown_price_is_free(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "find_available_numbers", starts_with="212", limit=5)
    rows = content["numbers"]
    assert {row["provider"] for row in rows} >= {"voicetel", "convirza"}
    prices = [row["monthly"] for row in rows]
    published = [price for price in prices if price != "price not published"]
    assert prices[: len(published)] == published
    assert all(row["number"].startswith("+1212") for row in rows)
    assert "enswitch_list_available_numbers" in str(content["missing"])


async def test_balances_of_different_currencies_are_not_added(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "account_overview")
    assert {row["provider"]: row["amount"] for row in content["balances"]} == {
        "voicetel": "$250.00",
        "routee": "€186.42",
        "enswitch": "-$412.75",
    }
    assert content["missing"] == [{"provider": "convirza", "why": "Convirza shows no amounts"}]


@pytest.mark.parametrize("fault", ["status", "malformed", "drop_after"])
async def test_a_provider_that_is_down_is_a_gap_with_its_reason(fault: str, tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, sandbox):
        await sandbox.break_with(fault, provider="routee", times=None)
        for tool in ("list_all_numbers", "account_overview"):
            content = await _call(client, tool)
            (gap,) = [gap for gap in content["missing"] if gap["provider"] == "routee"]
            assert len(gap["why"]) > 20
        assert "voicetel" in str(content["balances"])


async def test_what_was_bought_here_is_in_the_overview_and_the_report(tmp_path: Path) -> None:
    async with _everything(tmp_path, budget=[{"per": "month", "limit": "25", "currency": "USD"}]) as (client, _):
        await _call(client, "voicetel_order_numbers", **ORDER)
        overview = await _call(client, "account_overview")
        report = await _call(client, "spend_report")
    spent = [{"provider": "voicetel", "operation": "voicetel_order_numbers", "amount": "$1.00", "calls": 1}]
    assert overview["spent_here_this_month"] == report["recorded_by_this_server"] == spent
    assert overview["budgets"] == [{"budget": "$25.00 per month overall", "left": "$24.00"}]
    assert {row["provider"] for row in report["reported_by_providers"]} >= {"voicetel", "routee"}


async def test_what_waits_for_approval_is_in_the_overview_of_who_asked(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        waiting = await client.call_tool("voicetel_release_number", {"number": "+12015550142"})
        content = await _call(client, "account_overview")
    assert waiting.structured_content is not None
    action: str = waiting.structured_content["action"]
    assert content["waiting_for_approval"] == [{"action": action, "what": "Release +1 201 555 0142 for good"}]


async def test_the_state_of_messages_comes_without_their_text(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "message_status", number="+12015550142")
    assert {row["state"].split(";")[0] for row in content["messages"]} == {"received", "sent"}
    assert not any("text" in row for row in content["messages"])


async def test_the_state_of_messages_names_whom_each_went_to_and_when_but_no_stranger(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "message_status", number="+12015550142")
        listing = {"operation": "voicetel_list_messages", "arguments": {"number": "+12015550142"}}
        history = await _call(client, "call_read_operation", **listing)
    rows = [row for row in content["messages"] if row["provider"] == "voicetel"]
    assert {row["to"] for row in rows if row["state"] == "received"} == {"+12015550142"}
    assert {row["to"] for row in rows if row["state"] != "received"} == {
        *("+19175550161", "+19175550162", "+19175550163", "+16465550198"),
    }
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    who = {row["value"]["far_end"] for row in history["messages"] if row["value"]["direction"] == "in"}
    assert who == {"+19175550161", "+19175550163", "+19175550164"}


async def test_an_id_that_no_record_of_a_number_has_is_a_gap_and_no_empty_answer(tmp_path: Path) -> None:
    async with _everything(tmp_path) as (client, _):
        content = await _call(client, "message_status", number="+12015550142", message="abc123")
    (gap,) = [gap for gap in content["missing"] if gap["provider"] == "voicetel"]
    assert "leave `message` out" in gap["why"]


async def test_providers_that_are_not_set_up_are_named_once(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            content = await _call(client, "list_all_numbers")
    assert content["not_set_up"] == ["convirza", "enswitch", "routee"]
    assert "missing" not in content


@pytest.mark.parametrize("tool", ["voicetel_list_numbers", "list_all_numbers"])
async def test_a_list_of_ten_thousand_numbers_costs_under_2000_tokens(tool: str, tmp_path: Path) -> None:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(_ten_thousand)) as http:
        _, server = server_for(settings_for(tmp_path), http=http)
        async with connect(server) as client:
            result = await client.call_tool(tool, {})
    content: dict[str, Any] = content_of(result)
    assert content["total"] == 10_000
    assert content["next_cursor"]
    assert len(bpe_openai.get_encoding("o200k_base").encode(_text(result))) < 2_000


def _ten_thousand(request: httpx2.Request) -> httpx2.Response:
    """As VoiceTel answers, for an account of 10,000 numbers."""
    rows = [
        {
            "number": f"20155{number:05d}",
            "route": 1000 + number % 7,
            "gateway": "203.0.113.10:5060",
            "carrier": 17,
            "translated": f"20155{number:05d}",
            "forward": number % 9 == 0,
            "forwardTo": "2125550142",
            "cnam": True,
            "smsEnabled": number % 2 == 0,
            "faxEnabled": False,
        }
        for number in range(10_000)
    ]
    return httpx2.Response(200, content=json.dumps({"status": 200, "data": {"numbers": rows}}))


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_read_at_several_providers_reports_each_that_is_finished(tmp_path: Path, era: Era) -> None:
    reports: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, total, message))

    async with _everything(tmp_path, era) as (client, _):
        for tool in ("account_overview", "list_all_numbers", "find_number", "spend_report"):
            reports.clear()
            await client.call_tool(
                tool, {"number": "+12015550142"} if tool == "find_number" else {}, progress_callback=hear
            )
            assert [(done, total) for done, total, _ in reports] == [(1, 4), (2, 4), (3, 4), (4, 4)], tool
    assert {message for _, _, message in reports} == {
        f"{name} is finished." for name in ("voicetel", "routee", "convirza", "enswitch")
    }
