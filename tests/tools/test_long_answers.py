"""What is long is said once and short: recipients in receipts and rows of lists. No provider is left out silently."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import httpx2
import pytest
from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.sandbox_control import Sandbox, sandboxes

PEOPLE: Final = [f"+1917555{number:04d}" for number in range(2000, 2040)]
CAMPAIGN: Final = "66a0cbb4-4854-5b65-ad91-f0df2b2e07d4"
SINCE: Final = "2025-01-01T00:00:00Z"


@asynccontextmanager
async def _client(folder: Path) -> AsyncGenerator[tuple[Client, Sandbox]]:
    async with sandboxes() as sandbox:
        settings = settings_class().model_validate({"state_folder": folder, "compliance": {"bulk_limit": 100}})
        _, server = server_for(for_sandbox(settings, sandbox.url))
        async with connect(server, person=Person()) as client:
            yield client, sandbox


async def _call(client: Client, operation: str, **arguments: Any) -> CallToolResult:
    result = await client.call_tool("call_write_operation", {"operation": operation, "arguments": arguments})
    assert not result.is_error, _text(result)
    return result


def _text(result: CallToolResult) -> str:
    return getattr(result.content[0], "text", "")


def _tokens(text: str) -> int:
    return len(bpe_openai.get_encoding("o200k_base").encode(text))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("routee_send_campaign", {"sender": "Bluewater", "to": PEOPLE, "text": "Hello", "when": "now"}),
        (
            "routee_send_voice_campaign",
            {"sender": "+447520630142", "to": PEOPLE, "text": "Hello", "language": "en-US", "when": "now"},
        ),
        (
            "convirza_create_broadcast",
            {"name": "Hours", "from_number": "+12015550201", "recipients": PEOPLE, "message": "Hello", "when": "now"},
        ),
    ],
)
async def test_a_receipt_counts_its_recipients_and_says_where_all_of_them_are(
    operation: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with _client(tmp_path) as (client, _):
        receipt = await _call(client, operation, **arguments)
        content = content_of(receipt)
        whole = await client.call_tool("get_action", {"action_id": content["action"]})
    for form in (_text(receipt), str(receipt.structured_content)):
        assert sum(number in form for number in PEOPLE) <= 3
        assert _tokens(form) < 450
    if "to" in content:
        assert content["to"] == {
            "count": 40, "first": PEOPLE[:3], "all": f"get_action (action_id={content['action']})"
        }  # fmt: skip
    assert all(number in _text(whole) for number in PEOPLE)


async def test_few_recipients_are_shown_whole(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, _):
        sent = {"sender": "Bluewater", "to": PEOPLE[:4], "text": "Hello", "when": "now"}
        receipt = await _call(client, "routee_send_campaign", **sent)
    assert content_of(receipt)["to"] == PEOPLE[:4]


async def test_messages_of_a_campaign_are_a_table_and_can_be_kept_to_one_state(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, _):
        whole = await _call(client, "routee_list_campaign_messages", campaign_id=CAMPAIGN)
        failed = await _call(client, "routee_list_campaign_messages", campaign_id=CAMPAIGN, status="Undelivered")
        delivered = await _call(client, "routee_list_campaign_messages", campaign_id=CAMPAIGN, status="Delivered")
    rows = content_of(whole)["messages"]
    assert len(rows) >= 4
    assert "a line each: message_id|" in _text(whole)
    lines = [line for line in _text(whole).splitlines() if line.startswith(rows[0]["message_id"])]
    assert _tokens(lines[0]) < 125
    states = [row["status"]["status"] for row in rows]
    for result, state in ((failed, "Undelivered"), (delivered, "Delivered")):
        assert len(content_of(result)["messages"]) == states.count(state)


@pytest.mark.parametrize(
    ("operation", "arguments", "rows"),
    [
        ("voicetel_list_call_records", {"since": SINCE}, "cdr"),
        ("voicetel_list_messages", {"number": "+12015550142", "since": SINCE}, "messages"),
        ("enswitch_list_call_records", {"since": SINCE, "customer": "3"}, "calls"),
        ("convirza_list_calls", {}, "calls"),
    ],
)
async def test_records_are_tables_in_both_forms(
    operation: str, arguments: dict[str, Any], rows: str, tmp_path: Path
) -> None:
    async with _client(tmp_path) as (client, _):
        result = await _call(client, operation, **arguments)
    content: dict[str, Any] = result.structured_content or {}
    listed: dict[str, Any] = content[rows]
    assert "a line each: " in _text(result)
    assert len(listed["rows"]) >= 4
    assert _tokens(_text(result)) / len(listed["rows"]) < 115


async def test_a_provider_that_reports_nothing_is_named(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, _):
        report = content_of(await client.call_tool("spend_report", {}))
        status = content_of(await client.call_tool("message_status", {"number": "+306948530920"}))
    named = {row["provider"] for row in (*report["reported_by_providers"], *report["missing"])}
    assert named | {*report["nothing_found_at"]} == {"voicetel", "routee", "convirza", "enswitch"}
    assert status["nothing_found_at"] == ["routee", "voicetel"]


async def test_a_figure_that_the_hourly_limit_refuses_is_the_last_known_one_with_its_age(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, sandbox):
        before = content_of(await client.call_tool("account_overview", {}))
        charges = await _call(client, "voicetel_list_recurring_charges")
        await _call(client, "voicetel_order_numbers", numbers=["+12125550100"])  # what is kept is out of date now
        await sandbox.break_with("status", provider="voicetel", path="account", status=429, times=None)
        after = content_of(await client.call_tool("account_overview", {}))
        report = content_of(await client.call_tool("spend_report", {}))
        again = await _call(client, "voicetel_list_recurring_charges")
    (balance,) = [row for row in after["balances"] if row["provider"] == "voicetel"]
    assert [row["amount"] for row in before["balances"] if row["provider"] == "voicetel"]
    assert balance["age"].startswith("As of 20")
    assert all("age" in row for row in report["reported_by_providers"] if row["provider"] == "voicetel")
    assert content_of(again)["charges"] == content_of(charges)["charges"]
    assert "because the provider limits calls per hour" in _text(again)


async def test_a_recipient_of_another_provider_is_no_refusal_of_voicetels(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, _):
        of_both = content_of(await client.call_tool("message_status", {"number": "+19175550162"}))
        message = next(row["message"] for row in of_both["messages"] if row["provider"] == "routee")
        of_routee = content_of(await client.call_tool("message_status", {"message": message}))
        nobody = content_of(await client.call_tool("message_status", {"number": "+12125559876"}))
    assert {row["provider"] for row in of_both["messages"]} == {"routee", "voicetel"}
    assert {row["to"] for row in of_both["messages"]} == {"+19175550162"}
    for content in (of_both, nobody):
        assert not [gap for gap in content["missing"] if gap["provider"] == "voicetel"]
    assert "missing" not in of_routee
    assert nobody["messages"] == []


@pytest.mark.parametrize(("rate", "shown"), [("example", "example"), ("0.01", "0.01 USD"), (0.02, "0.02 USD")])
async def test_a_rate_that_is_text_is_shown_as_voicetel_documents_it(rate: object, shown: str, tmp_path: Path) -> None:
    """The example of VoiceTel's document has `"rate": "example"`."""
    value: dict[str, object] = {"direction": "out", "rate": rate, "message": "Hello", "number": 0}
    messages: list[dict[str, object]] = [{"key": [], "value": value, "id": "41946b69"}]
    data: dict[str, object] = {"number": "2012548000", "type": "sms", "messages": messages}

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"status": "success", "data": data})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        _, server = server_for(settings_for(tmp_path), http=http)
        async with connect(server) as client:
            result = await client.call_tool("voicetel_list_messages", {"number": "+12012548000"})
    assert "Left out" not in _text(result)
    assert content_of(result)["messages"][0]["value"]["billed"] == shown
