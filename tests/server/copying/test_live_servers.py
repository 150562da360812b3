"""A call under way at a server of another process while its record is moved: it is on one record, and sent once."""

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from server.store.moving.address import Address
from server.store.moving.move import close_for_move
from tests.connecting import Person, connect, content_of, server_for, settings_for
from tests.fork_server import COLD
from tests.guard.test_killed_servers import children
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.copying.records import NOW, opened, refusal, run
from tests.server.test_transports import stdio_child

SEND = "voicetel_send_message"
PATIENCE = 60


async def test_a_call_under_way_when_its_record_is_moved_is_on_one_record_and_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_POLICY__PAID", "allow")
    old, new = tmp_path / "ringfence.db", tmp_path / "new.db"
    async with sandboxes() as sandbox:
        before = set(children())
        try:
            async with Client(stdio_child(tmp_path, sandbox.url, "--toolsets", "all", python=COLD)) as client:
                [server] = set(children()) - before
                await _copy_while_it_is_being_sent(client, sandbox, tmp_path, old, new)
                await _call_once_it_is_moved(client, sandbox, tmp_path, old, new)
                async with anyio.create_task_group() as group:
                    await _begin_to_send(sandbox)
                    group.start_soon(client.call_tool, SEND, _text("The third"))
                    await _until_held(sandbox)
                    os.kill(server, signal.SIGKILL)
        except* MCPError:
            pass
        await sandbox.mend()

        # Its process is gone, so nothing is written into the old record any more: the new one finds out what became.
        assert "The record is in" in await run(tmp_path, "store", "copy", str(old), str(new))
        settings = settings_for(tmp_path, sandbox.voicetel, store_url=f"sqlite:///{new}")
        settings = settings.model_copy(update={"state_folder": tmp_path})  # in place of that of the environment
        services, there = server_for(settings)
        person = Person("decline")
        async with connect(there, person=person) as client:
            await client.call_tool(SEND, _text("The third"))
            shown = content_of(await client.call_tool("list_actions", {}))["actions"]
        await services.close()
        assert "xactly this" in person.questions[0]  # it was found out that the lost one was done
        assert [action["state"] for action in shown] == ["declined", "done", "done", "done"]
        assert len(await sandbox.charges()) == 3


async def _copy_while_it_is_being_sent(client: Client, sandbox: Sandbox, folder: Path, old: Path, new: Path) -> None:
    """Try to copy: the call is named, and nobody waits for it; it ends on the record where it began."""
    await _begin_to_send(sandbox)
    ended: list[dict[str, Any]] = []
    refused = ""

    async def send() -> None:
        ended.append(content_of(await client.call_tool(SEND, _text("The first"))))

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        await _until_held(sandbox)
        refused = await refusal(folder, "store", "copy", str(old), str(new))
        assert not await anyio.Path(new).exists()
        await sandbox.mend()
    [done] = ended
    assert done["state"] == "done"
    assert f"their outcomes would be lost: {done['action']}. Nothing was changed" in refused


async def _call_once_it_is_moved(client: Client, sandbox: Sandbox, folder: Path, old: Path, new: Path) -> None:
    """Close the record that the server has open: it sends nothing more, and goes on once the record is open again."""
    async with opened(folder) as record:
        await close_for_move(record, Address.of(f"sqlite:///{new}"), by="a test", now=NOW)
    refused = await client.call_tool(SEND, _text("The second"))
    assert "was moved to another store" in getattr(refused.content[0], "text", "")
    assert len(await sandbox.charges()) == 1
    await run(folder, "store", "reopen", str(old), str(new))
    assert not (await client.call_tool(SEND, _text("The second"))).is_error
    assert len(await sandbox.charges()) == 2


async def _begin_to_send(sandbox: Sandbox) -> None:
    await sandbox.break_with("hold", provider="voicetel", method="POST", path="messages")


async def _until_held(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE):
        await sandbox.until_held()


def _text(words: str) -> dict[str, str]:
    return {"from_number": "+12015550142", "to_number": "+12125550142", "text": words}
