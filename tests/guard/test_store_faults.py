"""A store that cannot be written stops guarded calls and nothing else, and nothing that happened is lost by it."""

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult

from server.services import Services
from server.settings.sandbox_settings import sandbox_accounts
from server.store.store import open_store
from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.store_faults import Fault, address, full, locked, read_only, small_disk
from tests.over_http import connected, served
from tests.sandboxed import Sandbox, sandboxes
from tests.server.test_transports import TOKEN, stdio_child, with_tokens
from tools.webhooks import Callback

ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"
READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("voicetel_list_numbers", {}),
    ("voicetel_get_account", {}),  # counted against a limit and kept, both in the store
    ("voicetel_list_messages", {"number": "+12015550142"}),  # remembered, because strangers wrote it
)
GROWS_NO_FILE = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40 * 1024, 40 * 1024))  # SQLite's index of the log needs 32 KiB
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
FAULTS = pytest.mark.parametrize("fault", [locked, full])


@dataclass(frozen=True, slots=True)
class Desk:
    """A client of a server whose store can be broken."""

    client: Client
    person: Person
    services: Services
    sandbox: Sandbox
    folder: Path

    async def order(self) -> CallToolResult:
        return await self.client.call_tool(TOOL, ORDER)

    async def is_refused(self) -> None:
        """The call is refused with a reason and with what to do, and nothing is sent."""
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
        assert (await self.services.store.audit.verify()).is_whole


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Path]:
    """Where the store lies: a disk of its own where the fault is one of the disk."""
    if request.node.callspec.params.get("fault") is locked:
        yield tmp_path
    else:
        with small_disk(tmp_path / "disk") as disk:
            yield disk


@FAULTS
async def test_before_the_question_the_call_is_refused_and_made_when_the_store_is_well(
    fault: Fault, folder: Path
) -> None:
    async with _desk(folder) as desk:
        await desk.client.call_tool("voicetel_set_forward", {"number": "+12015550142", "destination": "+12125550142"})
        with fault(folder):
            await desk.is_refused()
            await desk.reads_go_on()
            assert not (await desk.client.call_tool("list_actions", {})).is_error
        assert not (await desk.order()).is_error
        assert len(await desk.sandbox.charges()) == 1
        await desk.chain_is_whole()


@FAULTS
async def test_after_the_yes_the_call_is_refused_and_made_by_that_yes_when_the_store_is_well(
    fault: Fault, folder: Path
) -> None:
    async with _desk(folder, can_ask=False) as desk:
        action = str((await desk.order()).structured_content["action"])
        await desk.services.guard.approve(action, by="the operator")
        with fault(folder):
            await desk.is_refused()
            await desk.reads_go_on()
            shown = await desk.client.call_tool("get_action", {"action_id": action})
            assert "a person said yes, and nothing was sent yet" in _text(shown)
        done = await desk.order()
        assert done.structured_content["action"] == action
        assert len(await desk.sandbox.charges()) == 1
        await desk.chain_is_whole()


@FAULTS
async def test_after_the_answer_the_caller_is_told_and_the_record_is_made_up_for(fault: Fault, folder: Path) -> None:
    async with _desk(folder) as desk:
        told = await _answered_during(fault, desk, TOOL, ORDER)
        assert not told.is_error
        assert told.structured_content["state"] == "done"
        assert "Not on the record yet: The store cannot be written" in _text(told)
        action = told.structured_content["action"]
        shown = await desk.client.call_tool("get_action", {"action_id": action})
        assert "Carried out." in _text(shown)
        kept = await desk.services.store.journal.find(action)
        assert kept is not None
        assert "amountCharged" in (kept.answer or "")
        desk.person.answer = "decline"
        await desk.order()
        assert "You already did exactly this" in desk.person.questions[-1]
        assert len(await desk.sandbox.charges()) == 1
        await desk.chain_is_whole()


@FAULTS
async def test_a_password_that_was_answered_meanwhile_is_kept_as_soon_as_it_can_be(fault: Fault, folder: Path) -> None:
    async with _desk(folder) as desk:
        account = {"name": "Harbor Dental", "email": "office@harbor.example"}
        told = await _answered_during(fault, desk, "voicetel_create_account", account)
        assert "Kept from this conversation: password" in _text(told)
        action = told.structured_content["action"]
        await desk.client.call_tool("get_action", {"action_id": action})
        kept = await desk.services.store.vault.secrets_of(action, by="a test")
        assert [secret.name for secret in kept] == ["password"]
        assert kept[0].value not in told.model_dump_json()


@FAULTS
async def test_the_id_of_a_text_that_went_out_meanwhile_is_kept_for_its_receipt(fault: Fault, folder: Path) -> None:
    text = {"sender": "Bluewater", "to": "+306971234567", "text": "Hello"}
    async with _desk(folder, destinations={"countries": ["GR", "US"]}, with_routee=True) as desk:
        await desk.order()  # makes the store
        told = await _answered_during(fault, desk, "routee_send_sms", text, path="sms$")
        assert not told.is_error
        message, action = told.structured_content["tracking_id"], told.structured_content["action"]
        await desk.client.call_tool("get_action", {"action_id": action})
        price = Decimal("0.04")
        receipt = Callback(provider="routee", kind="sms", subject=message, identity="1", state="Delivered", price=price)
        await desk.services.store.events.take_in(receipt)
        assert await desk.services.store.events.settled_price(receipt) == (action, price)


@pytest.mark.parametrize("fault", [read_only, full])
async def test_a_server_starts_where_it_can_write_nothing_and_reads(fault: Fault, folder: Path) -> None:
    async with sandboxes() as sandbox:
        with fault(folder):
            settings = with_tokens(settings_for(folder, sandbox.voicetel)).model_copy(update={"state_folder": folder})
            services = Services(settings)
            async with served(settings, services) as url, connected(url, TOKEN, person=Person()) as client:
                desk = Desk(client, Person(), services, sandbox, folder)
                await desk.reads_go_on()
                await desk.is_refused()


async def test_where_no_file_may_grow_the_call_is_refused_and_the_next_server_makes_it(tmp_path: Path) -> None:
    """What a full disk does, where none can be mounted: a limit on the size of files, which holds for one process."""
    record = open_store(f"sqlite+aiosqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    await record.key_values.put("a store", "that is there")
    await record.database.close()
    async with sandboxes() as sandbox:
        child = stdio_child(tmp_path, sandbox.url, "--toolsets", "all")
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
        assert (await record.audit.verify()).is_whole
        await record.database.close()


async def test_while_a_call_waits_for_its_answer_the_store_serves_others(tmp_path: Path) -> None:
    async with _desk(tmp_path) as desk:
        await desk.sandbox.break_with("hold", provider="voicetel", method="POST", path="orders")
        async with anyio.create_task_group() as group:
            group.start_soon(desk.order)
            with anyio.fail_after(60):
                await desk.sandbox.until_held()
            other = await desk.client.call_tool(TOOL, {"numbers": ["+12125550101"]})
            assert not other.is_error
            await desk.sandbox.mend()
        assert len(await desk.sandbox.charges()) == 2


@asynccontextmanager
async def _desk(
    folder: Path, *, can_ask: bool = True, with_routee: bool = False, **settings: Any
) -> AsyncGenerator[Desk]:
    async with sandboxes() as sandbox:
        person = Person()
        if with_routee:
            settings["routee"] = sandbox_accounts(sandbox.url)["routee"]
        services, server = server_for(settings_for(folder, sandbox.voicetel, store_url=address(folder), **settings))
        async with connect(server, person=person if can_ask else None) as client:
            yield Desk(client, person, services, sandbox, folder)


async def _answered_during(
    fault: Fault, desk: Desk, tool: str, arguments: dict[str, Any], *, path: str = "orders|accounts"
) -> CallToolResult:
    """What a caller is told whose answer comes while the store is broken."""
    await desk.sandbox.break_with("hold", provider=tool.partition("_")[0], method="POST", path=path)
    told: list[CallToolResult] = []

    async def call() -> None:
        told.append(await desk.client.call_tool(tool, arguments))

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        with anyio.fail_after(60):
            await desk.sandbox.until_held()
        with fault(desk.folder):
            await desk.sandbox.mend()
            with anyio.fail_after(60):
                while not told:  # noqa: ASYNC110 - the answer comes over a socket
                    await anyio.sleep(0.02)
            await desk.reads_go_on()
    return told[0]


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
