"""Nobody is asked about a call that the state makes impossible, about a repetition of what no longer stands, or about a
dry run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, content_of, server_for
from tests.sandbox_control import Sandbox, sandboxes

FINISHED: Final = "66a0cbb4-4854-5b65-ad91-f0df2b2e07d4"
ORDERABLE: Final = [f"+1212555010{digit}" for digit in range(3)]

IMPOSSIBLE: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("routee_delete_campaign", {"campaign_id": FINISHED}, "the campaign is Finished"),
    (
        "routee_update_campaign",
        {"campaign_id": FINISHED, "sender": "Bluewater", "to": ["+306948530920"], "text": "Hello",
         "when": "2027-03-01T10:00:00+02:00"},
        "the campaign is Finished",
    ),
    ("routee_rent_number", {"number": "+306948530955"}, "+306948530955 is rented by this account already"),
    ("voicetel_order_numbers", {"numbers": ["+12015550142"]}, "+12015550142 is on this account already"),
    ("voicetel_order_numbers", {"numbers": ["+12015550143", *ORDERABLE]}, "+12015550143 is on this account already"),
    ("voicetel_add_number", {"number": "+12015550142"}, "+12015550142 is on this account already"),
    ("voicetel_delete_gateway", {"gateway_id": 1000}, "go to the gateway; route them elsewhere first"),
    (
        "voicetel_send_message",
        {"from_number": "+12015550143", "to_number": "+17185550187", "text": "Hello"},
        "messaging is off for +12015550143",
    ),
    ("convirza_order_number", {"number": "+12015550201"}, "+12015550201 is a number of this account already"),
    ("enswitch_delete_customer", {"id": 1}, "has customers below it"),
    ("enswitch_purge_customer", {"id": 2}, "is not deleted"),
)  # fmt: skip


@asynccontextmanager
async def _client(folder: Path, **settings: Any) -> AsyncGenerator[tuple[Client, Person, Sandbox]]:
    async with sandboxes() as sandbox:
        person = Person()
        _, server = server_for(for_sandbox(settings_class()(state_folder=folder, **settings), sandbox.url))
        async with connect(server, person=person) as client:
            yield client, person, sandbox


async def _call(client: Client, operation: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool("call_write_operation", {"operation": operation, "arguments": arguments})


def _text(result: CallToolResult) -> str:
    return " ".join(getattr(part, "text", "") for part in result.content)


async def test_a_call_that_the_state_makes_impossible_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, person, sandbox):
        for operation, arguments, why in IMPOSSIBLE:
            refused = await _call(client, operation, **arguments)
            content = content_of(refused)
            assert content.get("error") == "NotPossibleNow", (operation, _text(refused))
            assert why in _text(refused)
            assert "nothing was sent" in _text(refused)
        listed = await client.call_tool("list_actions", {})
        assert person.questions == []
        assert [row for row in await sandbox.writes() if row["path"].startswith(("v2", "numbers", "sms"))] == []
    assert content_of(listed)["actions"] == []


async def test_what_cannot_be_read_makes_no_call_impossible(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, person, sandbox):
        await sandbox.break_with("status", provider="voicetel", method="GET", path="numbers", status=500, times=None)
        await _call(client, "voicetel_order_numbers", numbers=["+12015550142"])
    assert len(person.questions) == 1


async def test_what_was_undone_or_replaced_may_be_done_again_without_a_word_about_the_first_time(
    tmp_path: Path,
) -> None:
    async with _client(tmp_path) as (client, person, _):
        forward = {"number": "+12015550143", "destination": "+16465550177"}
        first = await _call(client, "voicetel_set_forward", **forward)
        await client.call_tool("undo_action", {"action_id": content_of(first)["action"]})
        await _call(client, "voicetel_set_forward", **forward)  # set, undo, set
        await _call(client, "voicetel_set_forward", **{**forward, "destination": "+12125550142"})
        await _call(client, "voicetel_set_forward", **forward)  # another value in between
        tag = await _call(client, "convirza_create_tag", name="Spring")
        await client.call_tool("undo_action", {"action_id": content_of(tag)["action"]})
        await _call(client, "convirza_create_tag", name="Spring")
        order = await _call(client, "voicetel_order_numbers", numbers=["+12125550100"])
        assert not order.is_error
    assert len(person.questions) >= 5
    assert not [question for question in person.questions if "You already did exactly this" in question]


async def test_what_still_stands_is_said_when_it_is_done_again(tmp_path: Path) -> None:
    async with _client(tmp_path) as (client, person, _):
        for _ in range(2):
            await _call(client, "voicetel_set_forward", number="+12015550143", destination="+16465550177")
            await _call(
                client, "voicetel_send_message", from_number="+12015550142", to_number="+17185550187", text="Hello"
            )
    assert ["You already did exactly this" in question for question in person.questions] == [False, False, True, True]


@pytest.mark.parametrize("rules", [{}, {"operations": {"enswitch_create_plan_route": "ask"}}, {"destructive": "deny"}])
async def test_a_dry_run_runs_without_a_question_unless_a_rule_names_it(rules: dict[str, Any], tmp_path: Path) -> None:
    route = {"called_prefix": "49", "plan": 3}
    async with _client(tmp_path, policy=rules) as (client, person, _):
        checked = await _call(client, "enswitch_create_plan_route", **route, dry_run=True)
        assert not checked.is_error, _text(checked)
        asked_about_the_check = len(person.questions)
        await _call(client, "enswitch_create_plan_route", **route)
    assert asked_about_the_check == (1 if "operations" in rules else 0)
    assert len(person.questions) == asked_about_the_check + 1
    if asked_about_the_check:
        assert person.questions[0].startswith("Check only, without doing it: Add a route to plan 3: ")
    assert "You already did" not in person.questions[-1]
