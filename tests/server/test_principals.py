"""What one principal did and spent is shown to no other, unless the operator allows it."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.connecting import content_of, settings_for
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import sandboxes
from tests.server.test_transports import OTHER, TOKEN, with_tokens

RULES: dict[str, Any] = {"policy": {"paid": "allow"}, "budget": [{"per": "month", "limit": "25"}]}
SPENT = [{"provider": "voicetel", "operation": "voicetel_order_numbers", "amount": "$1.00", "calls": 1}]


@pytest.mark.parametrize("is_shared", [False, True])
async def test_spending_of_others_is_shown_only_if_the_operator_shares_it(is_shared: bool, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = with_tokens(settings_for(tmp_path, sandbox.voicetel, share_spending=is_shared, **RULES))
        async with (
            serve_over_http(settings) as url,
            connect_over_http(url, TOKEN) as alice,
            connect_over_http(url, OTHER) as bob,
        ):
            ordered = await _content(alice, "voicetel_order_numbers", numbers=["+12125550100"])
            for client, is_own in ((alice, True), (bob, False)):
                overview, report = await _content(client, "account_overview"), await _content(client, "spend_report")
                shown = SPENT if is_own or is_shared else []
                assert overview["spent_here_this_month"] == report["recorded_by_this_server"] == shown
                left = {"left": "$24.00"} if is_own or is_shared else {}
                assert overview["budgets"] == [{"budget": "$25.00 per month overall", **left}]
            assert (await _content(bob, "list_actions"))["actions"] == []
            for tool in ("get_action", "undo_action"):
                refused = await bob.call_tool(tool, {"action_id": ordered["action"]})
                assert refused.is_error
                assert "order" not in refused.model_dump_json().replace("ordered", "").lower()


async def _content(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return content_of(result)


@pytest.mark.parametrize("is_shared", [False, True])
async def test_a_question_names_the_room_under_a_cap_only_to_those_who_may_see_what_others_spend(
    is_shared: bool, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        rules = {"budget": RULES["budget"], "share_spending": is_shared}
        settings = with_tokens(settings_for(tmp_path, sandbox.voicetel, **rules))
        async with serve_over_http(settings) as url, connect_over_http(url, TOKEN) as alice:
            waits = content_of(await alice.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]}))
            plan = {"title": "Order", "steps": [{"operation": "voicetel_order_numbers", "arguments": ORDER}]}
            planned = await alice.call_tool("propose_plan", plan)
    line = "Budget of $25.00 per month overall: $25.00 left now, $24.00 after this."
    assert (line in waits["question"]) is is_shared
    assert ("left now" in planned.model_dump_json()) is is_shared


ORDER = {"numbers": ["+12125550101"]}
