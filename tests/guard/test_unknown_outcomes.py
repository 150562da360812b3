"""While nobody knows what became of a call, everybody is told what to look at, and asking makes the server look."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import CallToolResult

from server.mcp.server import build_server
from server.services import Services
from tests.clocks import ShiftedClock
from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.record_file import change
from tests.sandbox_control import Sandbox, sandboxes
from tools.registry import all_operations
from tools.related_reads import related_reads

FORWARD = {"number": "+12015550142", "destination": "+12125550142"}
TRANSLATION = {"number": "+12015550142", "translation": "+12125550142"}
MESSAGE = {"from_number": "+12015550142", "to_number": "+12125550142", "text": "Your table is ready."}
LOOK_AT_NUMBER = "Check with voicetel_get_number (number=+12015550142)."


async def test_the_answer_the_refusal_and_get_action_name_the_read_that_shows_it(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_before", provider="voicetel", method="PUT", path="forward")
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
            again = await client.call_tool("voicetel_set_forward", FORWARD)
            shown = await client.call_tool("get_action", {"action_id": _content(lost)["action"]})
        assert _content(lost)["state"] == "unknown"
        for told in (lost, again, shown):
            assert LOOK_AT_NUMBER in _text(told)
        assert "not sent a second time" in _text(again)
        assert "get_action checks again" in _text(again)


async def test_get_action_looks_and_says_what_it_found(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_after", provider="voicetel", method="PUT", path="forward")
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
            shown = await client.call_tool("get_action", {"action_id": _content(lost)["action"]})
        assert _content(shown)["state"] == "done"
        assert "Checked at the provider: it was done." in _text(shown)


async def test_an_effect_that_is_not_seen_proves_nothing_while_the_request_may_still_be_worked_on(
    tmp_path: Path,
) -> None:
    clock = ShiftedClock()
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_before", provider="voicetel", method="PUT", path="forward")
        settings = settings_for(tmp_path, sandbox.voicetel, timeout_seconds=20)
        services = Services(settings, clock=clock)
        async with connect(build_server(services), person=Person()) as client:
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
            states: list[str] = []
            for seconds in (0, 30, 41):
                clock.ahead = timedelta(seconds=seconds)
                shown = await client.call_tool("get_action", {"action_id": _content(lost)["action"]})
                states.append(_content(shown)["state"])
        assert states == ["unknown", "unknown", "refused"]


async def test_a_server_of_another_account_on_the_same_store_neither_settles_nor_takes_back(tmp_path: Path) -> None:
    """What its own account does not show says nothing about a call on this one."""
    async with sandboxes() as sandbox, sandboxes() as elsewhere:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        other = Services(settings_for(tmp_path, elsewhere.voicetel), clock=ShiftedClock(timedelta(hours=1)))
        async with (
            connect(server, person=Person()) as client,
            connect(build_server(other), person=Person()) as stranger,
        ):
            done = await client.call_tool("voicetel_set_dnis_translation", TRANSLATION)
            await sandbox.break_with("drop_before", provider="voicetel", method="PUT", path="forward")
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
            await stranger.call_tool("voicetel_send_message", MESSAGE)  # makes it look after what was lost
            shown = await stranger.call_tool("get_action", {"action_id": _content(lost)["action"]})
            undone = await stranger.call_tool("undo_action", {"action_id": _content(done)["action"]})
        assert _content(shown)["state"] == "unknown"
        assert "Its account is not set up here" in _text(undone)
        assert all("translation" not in row["path"] for row in await elsewhere.writes())


async def test_what_is_there_proves_nothing_where_the_state_before_could_not_be_read(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with sandboxes() as sandbox:
        await sandbox.break_with("status", provider="voicetel", method="GET", path="numbers/", status=500, times=None)
        await sandbox.break_with("drop_before", provider="voicetel", method="POST", path="numbers")
        services = Services(settings_for(tmp_path, sandbox.voicetel), clock=clock)
        async with connect(build_server(services), person=Person()) as client:
            lost = await client.call_tool("voicetel_add_number", {"number": "+12015550142"})  # it was there before
            await sandbox.mend()
            clock.ahead = timedelta(hours=1)
            shown = await client.call_tool("get_action", {"action_id": _content(lost)["action"]})
        assert _content(shown)["state"] == "unknown"


async def test_a_server_that_has_looked_before_still_finds_the_calls_of_one_that_ended_since(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client:
            await client.call_tool("voicetel_send_message", MESSAGE)  # from here on it has looked
            async with _under_way(client, sandbox, operator) as action:
                started_at_another_time = "UPDATE actions SET owner = owner || '0' WHERE id = ?"
                await change(settings.state_folder, started_at_another_time, action)
                again = await client.call_tool("voicetel_set_forward", FORWARD)
                shown = await client.call_tool("get_action", {"action_id": action})
        assert "The process ended while the request was under way." in _text(again)
        assert LOOK_AT_NUMBER in _text(again)
        assert _content(shown)["state"] == "unknown"


async def test_a_call_that_takes_long_is_not_given_up_while_its_process_runs(
    tmp_path: Path, operator: OperatorSide
) -> None:
    clock = ShiftedClock()
    async with sandboxes() as sandbox:
        services = Services(settings_for(tmp_path, sandbox.voicetel), clock=clock)
        async with connect(build_server(services)) as client, _under_way(client, sandbox, operator) as action:
            clock.ahead = timedelta(hours=1)
            again = await client.call_tool("voicetel_set_forward", FORWARD)
            shown = await client.call_tool("get_action", {"action_id": action})
        assert "the request is under way" in _text(again)
        assert _content(shown)["state"] == "sending"


async def test_actions_show_names_the_read_and_the_command_that_closes_it(
    tmp_path: Path, operator: OperatorSide
) -> None:
    action = await _lost_message(tmp_path)
    printed = " ".join((await operator.run("actions", "show", action)).output.split())
    assert "Check with voicetel_list_messages (number=+12015550142, type=sms, since=" in printed
    assert f"ringfence actions resolve {action} done" in printed


def test_every_guarded_operation_of_a_provider_has_related_reads_it_or_touches_nothing_that_can_be_read() -> None:
    unseen = {
        operation.spec.tool_name
        for operation in all_operations().values()
        if operation.spec.effect.is_guarded and not related_reads(operation.spec.tool_name)
    }
    assert unseen == {
        "voicetel_create_subaccount",
        "voicetel_fetch_api_key",
        "voicetel_look_up_cnam",
        "voicetel_look_up_lrn",
        "voicetel_request_password_recovery",
    }
    named = {name for tool in all_operations() for name in related_reads(tool)}
    assert all(all_operations()[name].spec.effect.is_plain_read for name in named)


async def _lost_message(folder: Path) -> str:
    """Lose a message before it reaches the provider, and return the id of its action, whose outcome is unknown."""
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_before", provider="voicetel", method="POST", path="messages")
        _, server = server_for(settings_for(folder, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            return str(_content(await client.call_tool("voicetel_send_message", MESSAGE))["action"])


@asynccontextmanager
async def _under_way(client: Client, sandbox: Sandbox, operator: OperatorSide) -> AsyncGenerator[str]:
    """Hold an approved forward back at the provider, before its effect; the id of its action."""
    action = str(_content(await client.call_tool("voicetel_set_forward", FORWARD))["action"])
    await operator.approve(action)
    await sandbox.break_with("hold", provider="voicetel", method="PUT", path="forward", before_effect=True)
    async with anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "voicetel_set_forward", FORWARD)
        with anyio.fail_after(60):
            await sandbox.until_held()
        yield action
        await sandbox.mend()


def _content(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
