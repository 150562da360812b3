"""What policy, an exclusion or a client's headers keep from a model, no built-in tool reads for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import PromptReference
from pydantic import SecretStr

from server.settings.model import HttpSettings, Settings, settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Era, Person, connect, content_of, server_for
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import Sandbox, sandboxes
from tools.builtin import BuiltinEffect
from tools.builtin_list import all_builtin_tools

TOKEN = "a-long-token-of-alice"
NUMBER = "+12015550142"

EVERY_READ: list[tuple[str, dict[str, Any]]] = [
    ("list_all_numbers", {}),
    ("find_number", {"number": NUMBER}),
    ("find_available_numbers", {"starts_with": "212"}),
    ("account_overview", {}),
    ("spend_report", {}),
    ("message_status", {"number": NUMBER}),
    ("find_number_use", {"days": 2}),
    ("list_failed_texts", {}),
]
"""The tools over all providers, with arguments for which every provider is read."""

FORBIDDEN_TO_ROUTEE: list[tuple[str, dict[str, Any], str]] = [
    ("list_all_numbers", {}, "routee_list_numbers"),
    ("find_number", {"number": "+306948530955"}, "routee_list_numbers"),
    ("find_available_numbers", {"country": "GR"}, "routee_list_available_numbers"),
    ("account_overview", {}, "routee_get_balance"),
    ("spend_report", {}, "routee_report_spending"),
    ("message_status", {}, "routee_list_messages"),
    ("message_status", {"message": "m-1"}, "routee_track_sms"),
    ("list_failed_texts", {}, "routee_list_messages"),
]


@asynccontextmanager
async def _opened(folder: Path, *, person: Person | None = None, **more: Any) -> AsyncGenerator[tuple[Client, Sandbox]]:
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(folder, sandbox, **more))
        async with connect(server, person=person) as client:
            yield client, sandbox


def _settings(folder: Path, sandbox: Sandbox, **more: Any) -> Settings:
    settings = settings_class().model_validate({"state_folder": folder, "toolsets": ["all"], **more})
    return for_sandbox(settings, sandbox.url)


async def _missing(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, str]:
    """By provider, why it is missing from an answer."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    content: dict[str, Any] = content_of(result)
    return {gap["provider"]: gap["why"] for gap in content.get("missing", [])}


async def _offered(client: Client, prompt: str, argument: str, typed: str) -> list[str]:
    offered = await client.complete(PromptReference(name=prompt), {"name": argument, "value": typed})
    return offered.completion.values


def test_every_builtin_tool_that_reads_at_providers_is_tried_here() -> None:
    reading = {tool.name for tool in all_builtin_tools() if tool.effect is BuiltinEffect.PROVIDER_READ}
    # A list of people is checked and priced by the guard, whose own reads no policy for models rules on.
    by_the_guard = {"check_people"}
    assert reading == {*(tool for tool, _ in EVERY_READ), "routee_watch_campaign", "call_read_operation"} | by_the_guard


@pytest.mark.parametrize("decision", ["deny", "ask", "page"])
async def test_where_reads_need_approval_no_built_in_tool_reads(decision: str, tmp_path: Path) -> None:
    person = Person()
    async with _opened(tmp_path, person=person, policy={"read": decision}) as (client, sandbox):
        for tool, arguments in EVERY_READ:
            missing = await _missing(client, tool, arguments)
            assert set(missing) == {"voicetel", "routee", "convirza", "enswitch"}, tool
            assert f"policy.read = {decision}" in missing["routee"], tool
        watched = await client.call_tool("routee_watch_campaign", {"campaign_id": "c-1", "seconds": 1})
        assert watched.is_error
        assert await _offered(client, "retire_number", "number", "+1") == []
        assert await _offered(client, "launch_campaign", "audience", "pat") == []
        assert await sandbox.requests() == []
    assert person.questions == []


@pytest.mark.parametrize(("tool", "arguments", "read"), FORBIDDEN_TO_ROUTEE)
@pytest.mark.parametrize("how", ["denied", "excluded"])
async def test_one_read_that_a_model_may_not_have_is_missing_with_the_rule(
    how: str, tool: str, arguments: dict[str, Any], read: str, tmp_path: Path
) -> None:
    rules: dict[str, Any] = {"policy": {"operations": {read: "deny"}}} if how == "denied" else {"exclude_tools": [read]}
    rule = f"policy.operations.{read} = deny" if how == "denied" else f"{read} is excluded from this session"
    async with _opened(tmp_path, **rules) as (client, _):
        missing = await _missing(client, tool, arguments)
    assert missing["routee"] == f"{read} was not read: {rule}."
    assert "not read" not in missing.get("voicetel", "")


async def test_a_provider_of_which_only_part_was_read_is_missing_from_what_leads_to_a_number(tmp_path: Path) -> None:
    async with _opened(tmp_path, exclude_tools=["voicetel_list_numbers"]) as (client, _):
        result = await client.call_tool("find_number", {"number": NUMBER})
    content: dict[str, Any] = content_of(result)
    assert "voicetel" in {row["provider"] for row in content["found"]}
    assert content["missing"] == [
        {
            "provider": "voicetel",
            "what": "calls_come_from",
            "why": "voicetel_list_numbers was not read: voicetel_list_numbers is excluded from this session.",
        }
    ]


async def test_an_excluded_read_completes_nothing_and_the_others_complete(tmp_path: Path) -> None:
    async with _opened(tmp_path, exclude_tools=["routee_list_groups", "routee_list_numbers"]) as (client, _):
        assert await _offered(client, "launch_campaign", "audience", "pat") == []
        assert await _offered(client, "retire_number", "number", "+3069") == []
        assert await _offered(client, "retire_number", "number", "+1201")


@pytest.mark.parametrize("how", ["denied", "excluded"])
async def test_a_campaign_that_may_not_be_read_is_not_watched(how: str, tmp_path: Path) -> None:
    read = "routee_get_campaign"
    rules: dict[str, Any] = {"policy": {"operations": {read: "deny"}}} if how == "denied" else {"exclude_tools": [read]}
    async with _opened(tmp_path, **rules) as (client, sandbox):
        result = await client.call_tool("routee_watch_campaign", {"campaign_id": "c-1", "seconds": 60})
        assert await sandbox.requests() == []
    assert result.is_error
    text = getattr(result.content[0], "text", "")
    assert text.startswith("routee_get_campaign was not read: ")
    assert "only the operator can change it" in text


async def test_a_watched_campaign_is_shown_without_its_cost_where_the_account_may_not_be_read(tmp_path: Path) -> None:
    plan = {"to": ["+306912345678"], "sender": "Harbor", "text": "We open at nine.", "when": "now"}
    async with _opened(tmp_path, person=Person(), exclude_tools=["routee_get_balance"]) as (client, sandbox):
        sent: dict[str, Any] = content_of(await client.call_tool("routee_send_campaign", plan))
        await sandbox.advance(3600)
        watching = {"campaign_id": sent["tracking_id"], "seconds": 1}
        result = await client.call_tool("routee_watch_campaign", watching)
    content: dict[str, Any] = content_of(result)
    assert content["state"] == "Finished"
    assert "cost_so_far" not in content
    assert "routee_get_balance is excluded" in getattr(result.content[0], "text", "")


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_what_a_clients_headers_exclude_is_not_read_for_it_and_is_for_another(era: Era, tmp_path: Path) -> None:
    headers = {"X-MCP-Exclude-Tools": "voicetel_list_numbers,voicetel_get_account"}
    async with sandboxes() as sandbox:
        http = HttpSettings(tokens={"alice": SecretStr(TOKEN)})
        async with serve_over_http(_settings(tmp_path, sandbox, http=http)) as url:
            async with connect_over_http(url, TOKEN, era=era) as client:
                assert "voicetel" not in await _missing(client, "list_all_numbers", {})
                whole = await _offered(client, "retire_number", "number", "+12015550142")
            async with connect_over_http(url, TOKEN, era=era, headers=headers) as client:
                numbers = await _missing(client, "list_all_numbers", {"provider": "voicetel"})
                account = await _missing(client, "account_overview", {})
                narrowed = await _offered(client, "retire_number", "number", "+1646")
            async with connect_over_http(url, TOKEN, era=era) as client:
                again = await _offered(client, "retire_number", "number", "+1646")
    assert whole
    assert "voicetel_list_numbers is excluded" in numbers["voicetel"]
    assert "voicetel_get_account is excluded" in account["voicetel"]
    assert set(narrowed) < set(again)


async def test_what_the_guard_reads_for_a_quote_does_not_depend_on_what_a_model_may_read(tmp_path: Path) -> None:
    person = Person()
    async with _opened(tmp_path, person=person, exclude_tools=["voicetel_get_account"]) as (client, _):
        result = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
    assert not result.is_error
    assert "charges $1.00" in person.questions[0]
