"""A server killed between the request and its settlement: one charge at most, and the outcome is found by looking."""

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from guard.action import State
from tests.connecting import KEY, Person, connect, server_for, settings_for
from tests.fork_server import COLD
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.test_transports import stdio_child

ORDER: dict[str, Any] = {"numbers": ["+12125550100"]}
FORWARD: dict[str, Any] = {"number": "+12015550142", "destination": "+12125550142"}


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [("voicetel_order_numbers", ORDER, "orders"), ("voicetel_set_forward", FORWARD, "forward")],
    ids=["with an idempotency key", "without one"],
)
async def test_killed_after_the_effect_it_is_found_done_and_not_sent_again(
    tool: str, arguments: dict[str, Any], path: str, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("hold", provider="voicetel", path=path)
        await _kill_while_waiting(sandbox, tmp_path, tool, arguments)
        await sandbox.mend()
        operator = OperatorSide(
            tmp_path / "state",
            RINGFENCE_VOICETEL__API_KEY=KEY,
            RINGFENCE_VOICETEL__USERNAME="2015550100",
            RINGFENCE_VOICETEL__BASE_URL=sandbox.voicetel,
        )
        assert "Checked at the provider: it was done." in await operator.reconcile()
        assert (await operator.newest())["state"] == State.DONE
        assert len([row for row in await sandbox.requests(path=path) if row["method"] != "GET"]) == 1


async def test_killed_where_no_read_can_tell_it_stays_unknown_and_the_same_call_is_refused(tmp_path: Path) -> None:
    words = {"from_number": "+12015550142", "to_number": "+12125550142", "text": "Your table is ready."}
    async with sandboxes() as sandbox:
        await sandbox.break_with("hold", provider="voicetel", method="POST", path="messages")
        await _kill_while_waiting(sandbox, tmp_path, "voicetel_send_message", words)
        await sandbox.mend()
        await sandbox.break_with("status", provider="voicetel", method="GET", path="messages", times=None)
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            again = await client.call_tool("voicetel_send_message", words)
        assert "not sent a second time" in getattr(again.content[0], "text", "")
        assert len(await sandbox.charges()) == 1


async def _kill_while_waiting(sandbox: Sandbox, folder: Path, tool: str, arguments: dict[str, Any]) -> None:
    """Kill the server once the provider holds its answer back. What the client then says is not of interest."""
    before = set(children())
    state = folder / "state"  # where every test keeps its store
    child = stdio_child(state, sandbox.url, "--toolsets", "all", python=COLD)
    try:
        async with Client(child, elicitation_callback=Person()) as client, anyio.create_task_group() as group:
            killed = next(iter(set(children()) - before))
            group.start_soon(client.call_tool, tool, arguments)
            with anyio.fail_after(60):
                await sandbox.until_held()
            os.kill(killed, signal.SIGKILL)
    except* MCPError:
        pass


def children() -> list[int]:
    """Return the processes that this one started."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8")
    return [int(pid) for pid in listed.split()]
