"""A bearer token that is bound to accounts, toolsets or reads narrows what its holder sees and calls, everywhere."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from sandbox import accounts as simulated
from server.services import Services
from server.settings.model import Settings
from tests.accounts.two_accounts import CLINIC, OF_CLINIC, OF_OFFICE, OFFICE, two_accounts
from tests.connecting import Era, Person, content_of
from tests.operator_side import OperatorSide
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import Sandbox, sandboxes
from tools.routee.settings import RouteeSettings

ALICE: Final = "a-long-token-of-alice"
BOB: Final = "a-long-token-of-bob"
ORDER: Final = {"numbers": ["+12125550100"]}
AT_CLINIC: Final = {"token": ALICE, "accounts": [CLINIC]}


def settings_with(folder: Path, sandbox: Sandbox, alice: dict[str, Any], **more: Any) -> Settings:
    """Build the settings of two VoiceTel accounts and one of Routee; Alice's token is bound, Bob's is not."""
    routee = RouteeSettings.model_validate(simulated.simulated_accounts(sandbox.url)["routee"])
    http = {"tokens": {"alice": alice, "bob": BOB}}
    return two_accounts(folder, sandbox.voicetel, http=http, routee=routee, **more)


@asynccontextmanager
async def serving(folder: Path, alice: dict[str, Any], **more: Any) -> AsyncGenerator[tuple[str, Sandbox]]:
    async with sandboxes() as sandbox:
        settings = settings_with(folder, sandbox, alice, **more)
        async with serve_over_http(settings, Services(settings)) as url:
            yield url, sandbox


async def tools_of(client: Client) -> dict[str, dict[str, Any]]:
    return {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_token_shows_and_reaches_its_accounts_alone(era: Era, tmp_path: Path) -> None:
    async with serving(tmp_path, AT_CLINIC) as (url, sandbox):
        async with connect_over_http(url, ALICE, era=era) as client:
            tools = await tools_of(client)
            own = await client.call_tool("voicetel_list_numbers", {"limit": 50})
            named = await client.call_tool("voicetel_list_numbers", {"limit": 50, "account": CLINIC})
            other = await client.call_tool("voicetel_list_numbers", {"account": OFFICE})
            indirect = await client.call_tool(
                "call_read_operation", {"operation": "voicetel_list_numbers", "arguments": {"account": OFFICE}}
            )
            routee = await client.call_tool("call_read_operation", {"operation": "routee_get_balance"})
            views = content_of(await client.call_tool("list_all_numbers", {"limit": 100}))
            overview = content_of(await client.call_tool("account_overview", {}))
        async with connect_over_http(url, BOB, era=era) as client:
            all_tools = await tools_of(client)
        requests = await sandbox.requests()
    assert "account" not in tools["voicetel_list_numbers"]["properties"]
    assert all_tools["voicetel_list_numbers"]["properties"]["account"]["enum"] == [OFFICE, CLINIC]
    assert not [name for name in tools if name.startswith("routee_")]
    assert [name for name in all_tools if name.startswith("routee_")]
    for shown in (own, named):
        assert OF_CLINIC in str(shown.structured_content)
        assert OF_OFFICE not in str(shown.structured_content)
    for refused in (other, indirect):
        assert "is one of: clinic." in text_of(refused)
    assert "Routee is not set up here; nothing was sent." in text_of(routee)
    assert {row["account"] for row in views["numbers"]} == {CLINIC}
    assert {row["account"] for row in overview["balances"]} == {CLINIC}
    assert OF_OFFICE not in str(views)
    assert not [row for row in requests if row["provider"] == "routee"]


async def test_a_restricted_token_proposes_no_call_or_plan_on_another_account(tmp_path: Path) -> None:
    async with serving(tmp_path, AT_CLINIC) as (url, sandbox):
        async with connect_over_http(url, ALICE, person=Person()) as client:
            call = await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **ORDER})
            step = {"operation": "voicetel_order_numbers", "arguments": ORDER, "account": OFFICE}
            plan = await client.call_tool("propose_plan", {"title": "Numbers", "steps": [step]})
        assert await sandbox.writes() == []
    assert "is one of: clinic" in text_of(call)
    assert "step 1: account: one of clinic is expected, and 'voicetel' is none of them." in text_of(plan)


async def test_what_was_made_on_an_account_that_the_token_may_no_longer_use_is_not_shown(
    tmp_path: Path, operator: OperatorSide
) -> None:
    everywhere = {"token": ALICE}
    folder = tmp_path / "state"
    async with sandboxes() as sandbox:
        settings = settings_with(folder, sandbox, everywhere)
        async with serve_over_http(settings, Services(settings)) as url, connect_over_http(url, ALICE) as client:
            asked = content_of(await client.call_tool("voicetel_order_numbers", {"account": OFFICE, **ORDER}))
            step = {"operation": "voicetel_order_numbers", "arguments": ORDER, "account": OFFICE}
            plan = content_of(await client.call_tool("propose_plan", {"title": "Numbers", "steps": [step]}))
        await operator.approve(asked["action"])
        await operator.approve_plan(plan["plan"])
        narrowed = settings_with(folder, sandbox, AT_CLINIC)
        async with serve_over_http(narrowed, Services(narrowed)) as url, connect_over_http(url, ALICE) as client:
            for tool, arguments in (
                ("get_action", {"action_id": asked["action"]}),
                ("get_action", {"action_id": plan["plan"]}),
                ("undo_action", {"action_id": plan["plan"]}),
                ("run_plan", {"plan_id": plan["plan"]}),
            ):
                refused = await client.call_tool(tool, arguments)
                assert refused.is_error
                assert "There is no" in text_of(refused)
            listed = content_of(await client.call_tool("list_actions", {}))
            overview = content_of(await client.call_tool("account_overview", {}))
            with pytest.raises(MCPError):
                await client.read_resource(f"ringfence://actions/{asked['action']}")
        assert await sandbox.writes() == []
    assert not listed["actions"]
    assert "plans" not in listed
    assert not overview["waiting_for_approval"]


async def test_a_token_may_be_bound_to_toolsets_and_to_reads(tmp_path: Path) -> None:
    bound = {"token": ALICE, "toolsets": ["numbers", "discovery"], "read_only": True}
    async with serving(tmp_path, bound) as (url, sandbox):
        async with connect_over_http(url, ALICE, person=Person()) as client:
            tools = await tools_of(client)
            order = {"operation": "voicetel_order_numbers", "arguments": {**ORDER, "account": OFFICE}}
            write = await client.call_tool("call_read_operation", order)
            outside = await client.call_tool("call_read_operation", {"operation": "voicetel_list_tickets"})
            builtin = await client.call_tool("call_read_operation", {"operation": "account_overview"})
            found = content_of(await client.call_tool("search_operations", {"query": "list support tickets"}))
            with pytest.raises(MCPError):
                await client.call_tool("account_overview", {})
            inside = await client.call_tool("voicetel_list_numbers", {"account": CLINIC})
        assert await sandbox.writes() == []
    assert "voicetel_list_numbers" in tools
    assert not {"voicetel_order_numbers", "voicetel_list_tickets", "account_overview", "propose_plan"} & tools.keys()
    assert "this token may only read" in text_of(write)
    assert "this token may only use the toolsets numbers, discovery" in text_of(outside)
    assert "this token may only use the toolsets numbers, discovery" in text_of(builtin)
    assert "voicetel_list_tickets" not in str(found)
    assert not inside.is_error


async def test_the_headers_of_a_client_widen_no_token(tmp_path: Path) -> None:
    bound = {"token": ALICE, "toolsets": ["numbers"], "read_only": True}
    headers = {"X-MCP-Toolsets": "all", "X-MCP-Readonly": "false"}
    async with serving(tmp_path, bound) as (url, _), connect_over_http(url, ALICE, headers=headers) as client:
        tools = await tools_of(client)
    assert "voicetel_list_numbers" in tools
    assert not {"voicetel_order_numbers", "voicetel_list_tickets", "call_write_operation"} & tools.keys()


async def test_a_plain_token_and_one_without_bounds_reach_everything(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, {"token": ALICE}) as (url, _),
        connect_over_http(url, ALICE) as alice,
        connect_over_http(url, BOB) as bob,
    ):
        assert await tools_of(alice) == await tools_of(bob)


def text_of(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
