"""A store that cannot be written stops guarded calls and nothing else, and nothing that happened is lost by it."""

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult

from server.settings.sandbox_settings import sandbox_accounts
from tests.connecting import Person, connect, server_for, settings_for
from tests.fork_server import COLD
from tests.guard.store_faults import Fault, address, fill_disk, lock_store, remount_read_only, small_disk
from tests.operator_side import OperatorSide
from tests.over_http import connect_over_http, serve_over_http
from tests.record_file import rows
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.test_transports import TOKEN, stdio_child, with_tokens

ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"
READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("voicetel_list_numbers", {}),
    ("voicetel_get_account", {}),  # counted against a limit and kept, both in the store
    ("voicetel_list_messages", {"number": "+12015550142"}),  # remembered, because strangers wrote it
)
GROWS_NO_FILE = """
import os, resource, sys
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # Python keeps what was cut short, and later processes fail on it
resource.setrlimit(resource.RLIMIT_FSIZE, (40 * 1024, 40 * 1024))  # SQLite's index of the log needs 32 KiB
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
FAULTS = pytest.mark.parametrize("fault", [lock_store, fill_disk])


@dataclass(frozen=True, slots=True)
class Bench:
    """A client of a server whose store can be broken."""

    client: Client
    person: Person
    operator: OperatorSide
    sandbox: Sandbox
    folder: Path

    async def order(self) -> CallToolResult:
        return await self.client.call_tool(TOOL, ORDER)

    async def is_refused(self) -> None:
        """Assert that a call is refused with a reason and a next step, and that nothing is sent."""
        sent = len(await self.sandbox.writes())
        refused = await self.order()
        assert refused.is_error
        assert "The store cannot be" in _text(refused)
        assert "Nothing was sent. Plain reads still work" in _text(refused)
        assert len(await self.sandbox.writes()) == sent

    async def reads_go_on(self) -> None:
        for tool, arguments in READS:
            result = await self.client.call_tool(tool, arguments)
            assert not result.is_error, _text(result)

    async def chain_is_whole(self) -> None:
        await self.operator.require_whole_audit()


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Path]:
    """Where the store lies: a disk of its own where the fault is one of the disk."""
    if request.node.callspec.params.get("fault") is lock_store:
        yield tmp_path
    else:
        with small_disk(tmp_path / "disk") as disk:
            yield disk


@FAULTS
async def test_before_the_question_the_call_is_refused_and_made_when_the_store_is_well(
    fault: Fault, folder: Path
) -> None:
    async with _open_bench(folder) as bench:
        await bench.client.call_tool("voicetel_set_forward", {"number": "+12015550142", "destination": "+12125550142"})
        with fault(folder):
            await bench.is_refused()
            await bench.reads_go_on()
            assert not (await bench.client.call_tool("list_actions", {})).is_error
        assert not (await bench.order()).is_error
        assert len(await bench.sandbox.charges()) == 1
        await bench.chain_is_whole()


@FAULTS
async def test_after_the_yes_the_call_is_refused_and_made_by_that_yes_when_the_store_is_well(
    fault: Fault, folder: Path
) -> None:
    async with _open_bench(folder, can_ask=False) as bench:
        action = str((await bench.order()).structured_content["action"])
        await bench.operator.approve(action)
        with fault(folder):
            await bench.is_refused()
            await bench.reads_go_on()
            shown = await bench.client.call_tool("get_action", {"action_id": action})
            assert "a person said yes, and nothing was sent yet" in _text(shown)
        done = await bench.order()
        assert done.structured_content["action"] == action
        assert len(await bench.sandbox.charges()) == 1
        await bench.chain_is_whole()


@FAULTS
async def test_after_the_answer_the_caller_is_told_and_the_record_is_made_up_for(fault: Fault, folder: Path) -> None:
    async with _open_bench(folder) as bench:
        told = await _answered_during(fault, bench, TOOL, ORDER)
        assert not told.is_error
        assert told.structured_content["state"] == "done"
        assert "Not on the record yet: The store cannot be written" in _text(told)
        action = told.structured_content["action"]
        shown = await bench.client.call_tool("get_action", {"action_id": action})
        assert "Carried out." in _text(shown)
        assert "amountCharged" in (await bench.operator.action(action))["answer"]
        assert "is on this account already; nothing was sent" in _text(await bench.order())
        assert len(await bench.sandbox.charges()) == 1
        await bench.chain_is_whole()


@FAULTS
async def test_a_password_that_was_answered_meanwhile_is_kept_as_soon_as_it_can_be(fault: Fault, folder: Path) -> None:
    async with _open_bench(folder) as bench:
        account = {"name": "Harbor Dental", "email": "office@harbor.example"}
        told = await _answered_during(fault, bench, "voicetel_create_account", account)
        assert "Kept from this conversation: password" in _text(told)
        action = told.structured_content["action"]
        await bench.client.call_tool("get_action", {"action_id": action})
        kept = await bench.operator.secrets(action)
        assert list(kept) == ["password"]
        assert kept["password"] not in told.model_dump_json()


@FAULTS
async def test_the_id_of_a_text_that_went_out_meanwhile_is_kept_for_its_receipt(fault: Fault, folder: Path) -> None:
    text = {"sender": "Bluewater", "to": "+306971234567", "text": "Hello"}
    async with _open_bench(folder, destinations={"countries": ["GR", "US"]}, with_routee=True) as bench:
        await bench.order()  # makes the store
        told = await _answered_during(fault, bench, "routee_send_sms", text, path="sms$")
        assert not told.is_error
        message, action = told.structured_content["tracking_id"], told.structured_content["action"]
        await bench.client.call_tool("get_action", {"action_id": action})
        tracked = await rows(folder, "SELECT provider, subject FROM tracked WHERE action_id = ?", action)
        assert tracked == [{"provider": "routee", "subject": message}]


@pytest.mark.parametrize("fault", [remount_read_only, fill_disk])
async def test_a_server_starts_where_it_can_write_nothing_and_reads(fault: Fault, folder: Path) -> None:
    async with sandboxes() as sandbox:
        with fault(folder):
            settings = with_tokens(settings_for(folder, sandbox.voicetel)).model_copy(update={"state_folder": folder})
            async with serve_over_http(settings) as url, connect_over_http(url, TOKEN, person=Person()) as client:
                bench = Bench(client, Person(), OperatorSide(folder), sandbox, folder)
                await bench.reads_go_on()
                await bench.is_refused()


async def test_where_no_file_may_grow_the_call_is_refused_and_the_next_server_makes_it(tmp_path: Path) -> None:
    """What a full disk does, where none can be mounted: a limit on the size of files, which holds for one process."""
    operator = OperatorSide(tmp_path)
    await operator.opt_out("+12015550199")  # makes the store
    async with sandboxes() as sandbox:
        child = stdio_child(tmp_path, sandbox.url, "--toolsets", "all", python=COLD)
        limited = StdioServerParameters(
            command=sys.executable, args=["-c", GROWS_NO_FILE, *child.args], env=child.env or {}
        )
        async with Client(limited, elicitation_callback=Person()) as client:
            refused = await client.call_tool(TOOL, ORDER)
            assert "The store cannot be written" in _text(refused)
            assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
        assert await sandbox.writes() == []
        async with Client(child, elicitation_callback=Person()) as client:
            assert not (await client.call_tool(TOOL, ORDER)).is_error
        assert len(await sandbox.charges()) == 1
        await operator.require_whole_audit()


async def test_while_a_call_waits_for_its_answer_the_store_serves_others(tmp_path: Path) -> None:
    async with _open_bench(tmp_path) as bench:
        await bench.sandbox.break_with("hold", provider="voicetel", method="POST", path="orders")
        async with anyio.create_task_group() as group:
            group.start_soon(bench.order)
            with anyio.fail_after(60):
                await bench.sandbox.until_held()
            other = await bench.client.call_tool(TOOL, {"numbers": ["+12125550101"]})
            assert not other.is_error
            await bench.sandbox.mend()
        assert len(await bench.sandbox.charges()) == 2


@asynccontextmanager
async def _open_bench(
    folder: Path, *, can_ask: bool = True, with_routee: bool = False, **settings: Any
) -> AsyncGenerator[Bench]:
    async with sandboxes() as sandbox:
        person = Person()
        if with_routee:
            settings["routee"] = sandbox_accounts(sandbox.url)["routee"]
        read = settings_for(folder, sandbox.voicetel, store_url=address(folder), **settings)
        _, server = server_for(read)
        async with connect(server, person=person if can_ask else None) as client:
            operator = OperatorSide(read.state_folder, store_folder=folder)
            yield Bench(client, person, operator, sandbox, folder)


async def _answered_during(
    fault: Fault, bench: Bench, tool: str, arguments: dict[str, Any], *, path: str = "orders|accounts"
) -> CallToolResult:
    """Return the result of a call whose answer comes while the store is broken."""
    await bench.sandbox.break_with("hold", provider=tool.partition("_")[0], method="POST", path=path)
    told: list[CallToolResult] = []

    async def call() -> None:
        told.append(await bench.client.call_tool(tool, arguments))

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        with anyio.fail_after(60):
            await bench.sandbox.until_held()
        with fault(bench.folder):
            await bench.sandbox.mend()
            with anyio.fail_after(60):
                while not told:  # noqa: ASYNC110 - the answer comes over a socket
                    await anyio.sleep(0.02)
            await bench.reads_go_on()
    return told[0]


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
