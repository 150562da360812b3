"""Several servers on one store: caps, the audit and the freeze hold across them."""

import json
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.fork_server import forking_python
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes

ALLOWED: dict[str, Any] = {"policy": {"paid": "allow"}, "budget": [{"per": "day", "limit": "0.10"}]}
PASSCODE = "harbor lights 26"
LONGEST_LINE = 1_000_000

Call = tuple[str, dict[str, Any]]


class Assistant:
    """An assistant in another process."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)

    async def make(self, *calls: Call) -> list[dict[str, Any]]:
        """Make calls side by side; what each gave back."""
        await self.ask(*calls)
        return await self.told()

    async def ask(self, *calls: Call) -> None:
        """Have calls made without waiting for them."""
        await self._stream.send(json.dumps(calls).encode() + b"\n")

    async def told(self) -> list[dict[str, Any]]:
        """Return what the calls gave back."""
        with anyio.fail_after(120):
            line = await self._lines.receive_until(b"\n", LONGEST_LINE)
        told: list[dict[str, Any]] = json.loads(line)
        return told


async def test_fifty_sends_from_four_processes_against_a_cap_for_ten_let_exactly_ten_through(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """The same run shows that four processes write one audit, without a gap."""
    calls = [_sms(f"+1212555{number:04}") for number in range(100, 150)]
    async with sandboxes() as sandbox, _assistants(4, sandbox, tmp_path, ALLOWED) as assistants:
        for place, assistant in enumerate(assistants):
            await assistant.ask(*calls[place::4])
        told = [answer for assistant in assistants for answer in await assistant.told()]
        assert len(told) == 50
        assert len([answer for answer in told if not answer["is_error"]]) == 10
        assert {answer["error"] for answer in told if answer["is_error"]} <= {"OverBudget"}
        assert len(await sandbox.charges()) == 10
        await operator.require_whole_audit()
        rows = await operator.audit_rows()
        events = [row["event"] for row in rows]
        assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
        assert events.count("sending") == events.count("done") == 10
        assert events.count("proposed") == events.count("approved")
        never_proposed = [row for row in rows if row["event"] == "denied" and "action" not in row["detail"]]
        assert len(never_proposed) + events.count("proposed") == 50


async def test_a_freeze_stops_a_server_in_another_process_at_its_next_call_and_only_the_passcode_lifts_it(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """Also a call that has its approval already. The operator is on the command line, in this process."""
    order: Call = ("voicetel_order_numbers", {"numbers": ["+12125550100"]})
    look: Call = ("voicetel_list_numbers", {})
    async with sandboxes() as sandbox, _assistants(1, sandbox, tmp_path, {}) as [assistant]:
        [pending] = await assistant.make(order)
        assert (await operator.run("approvals", "passcode", typed=f"{PASSCODE}\n")).exit_code == 0
        approved = await operator.run("approvals", "approve", pending["action"], typed=f"{PASSCODE}\n")
        assert approved.exit_code == 0
        await operator.freeze()
        stopped = await assistant.make(order, _sms("+12125550142"), look)
        assert sorted(answer.get("error", "") for answer in stopped) == ["", "Frozen", "Frozen"]
        refused = await operator.run("unfreeze", typed="a guess of the agent\n")
        assert refused.exit_code != 0
        assert (await assistant.make(order))[0]["error"] == "Frozen"
        assert await sandbox.writes() == []
        assert (await operator.run("unfreeze", typed=f"{PASSCODE}\n")).exit_code == 0
        [done] = await assistant.make(order)
        assert done["state"] == "done"
        assert len(await sandbox.charges()) == 1
        await operator.require_whole_audit()


async def test_a_freeze_counts_between_the_yes_and_the_request(tmp_path: Path, operator: OperatorSide) -> None:
    """The call is past every check and waits for its price when another process freezes the store."""
    order: Call = ("voicetel_order_numbers", {"numbers": ["+12125550100"]})
    forward: Call = ("voicetel_set_forward", {"number": "+12015550142", "destination": "+12125550142"})
    allowed = {"policy": {"paid": "allow", "reroutes": "allow"}}
    async with sandboxes() as sandbox, _assistants(1, sandbox, tmp_path, allowed) as [assistant]:
        await sandbox.break_with("hold", provider="voicetel", method="GET", path="numbers")
        await assistant.ask(forward)
        with anyio.fail_after(60):
            await sandbox.until_held()
        await operator.freeze()
        await sandbox.mend()
        [stopped] = await assistant.told()
        assert stopped["error"] == "Frozen"
        assert (await assistant.make(order))[0]["error"] == "Frozen"
        assert await sandbox.writes() == []


def _sms(to: str) -> Call:
    words = {"from_number": "+12015550142", "to_number": to, "text": "Your table is ready."}
    return "voicetel_send_message", words


@asynccontextmanager
async def _assistants(
    count: int, sandbox: Sandbox, folder: Path, rules: Mapping[str, Any]
) -> AsyncGenerator[Sequence[Assistant]]:
    """Start assistants in other processes, and yield them once all wait for calls."""
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(await anyio.create_tcp_listener(local_host="127.0.0.1"))
        port = str(listener.extra(SocketAttribute.local_port))  # noqa: S610 - not Django
        program = [sys.executable, *forking_python(), "-m", "tests.guard.assistant_process", str(count), port]
        process = await anyio.open_process([*program, sandbox.voicetel, str(folder), json.dumps(rules)], stderr=None)
        await stack.enter_async_context(process)
        [waiting] = listener.listeners
        assert isinstance(waiting, SocketListener)
        with anyio.fail_after(120):
            streams = [await stack.enter_async_context(await waiting.accept()) for _ in range(count)]
        yield [Assistant(stream) for stream in streams]
