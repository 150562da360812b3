"""The page over real sockets: beside servers that speak stdio, inside the HTTP server, and in the foreground."""

import os
import re
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import uvicorn
from anyio.streams.text import TextReceiveStream
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from sandbox.serving import LoopbackServer
from server.http.app import http_app
from server.http.app import page_base as page_base_of
from server.http.stdio import page_on_loopback
from server.mcp.approval_page import ApprovalPage
from server.services import Services
from server.settings.model import ApprovalSettings, HttpSettings, Settings
from server.store.store import Store, open_store
from tests.connecting import settings_for
from tests.fork_server import forking_python
from tests.operator_side import CHEAP_HASH
from tests.ports import free_port
from tests.sandbox_control import sandboxes
from tests.server.console.operating import browsing, page_base, page_path

TOKEN = "a-long-token-of-alice"


@dataclass(frozen=True, slots=True)
class Local:
    """A page on loopback, and the store that it shows."""

    page: ApprovalPage
    store: Store


ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"


async def test_a_child_process_serves_the_page_once_something_waits_and_runs_what_is_approved_there(
    tmp_path: Path,
) -> None:
    await _set_passcode(tmp_path)
    async with sandboxes() as sandbox, Client(_child(tmp_path, sandbox.url)) as client:
        await client.call_tool("find_available_numbers", {"starts_with": "212", "limit": 1})
        assert await _kept_address(tmp_path) is None
        page = _page_in(await _waiting(client))
        async with browsing(page) as operator:
            assert "Order" in (await operator.open(page_path(page))).text
            await operator.press(f"{page_path(page)}/approve", on=page_path(page))
        assert not (await client.call_tool(TOOL, ORDER)).is_error
        assert len(await sandbox.charges()) == 1


async def test_two_child_processes_on_one_store_share_a_page(tmp_path: Path) -> None:
    await _set_passcode(tmp_path)
    async with (
        sandboxes() as sandbox,
        Client(_child(tmp_path, sandbox.url)) as one,
        Client(_child(tmp_path, sandbox.url)) as other,
    ):
        first = _page_in(await _waiting(one))
        second = _page_in(await _waiting(other, {"numbers": ["+12125550101"]}))
        assert page_base(first) == page_base(second)
        async with browsing(first) as operator:
            assert (await operator.open(page_path(second))).status_code == 200


async def test_a_page_whose_process_is_gone_is_replaced(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with _loopback(tmp_path) as services, httpx2.AsyncClient() as http:
        await _put_address(tmp_path, gone)
        found = await services.page.address_for("act_abcdefgh")
        assert found is not None
        assert (await http.get(found)).status_code == 401
        assert await _kept_address(tmp_path) == page_base(found)


async def test_the_page_ends_with_its_server(tmp_path: Path) -> None:
    async with _loopback(tmp_path) as services:
        page = await services.page.address_for("act_abcdefgh")
    assert page is not None
    async with httpx2.AsyncClient() as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(page)


async def test_several_processes_that_need_a_page_at_once_serve_one(tmp_path: Path) -> None:
    port = free_port()
    found: list[str | None] = []

    async def ask(local: Local) -> None:
        found.append(await local.page.address_for("act_abcdefgh"))

    async with _loopback(tmp_path, port) as one, _loopback(tmp_path, port) as two, _loopback(tmp_path, port) as three:
        await _together(*(partial(ask, local) for local in (one, two, three)))
    assert set(found) == {f"http://127.0.0.1:{port}/approvals/act_abcdefgh"}


async def test_a_port_that_something_else_has_is_left_to_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with _loopback(tmp_path, taken.getsockname()[1]) as services:
            found = await services.page.address_for("act_abcdefgh")
            assert found is not None
            assert page_base(found) != f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_the_page_of_another_store_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    port = free_port()
    async with _loopback(tmp_path / "one", port) as one, _loopback(tmp_path / "other", port) as other:
        first = await one.page.address_for("act_abcdefgh")
        second = await other.page.address_for("act_abcdefgh")
        assert first is not None
        assert second is not None
        assert page_base(first) == f"http://127.0.0.1:{port}"
        assert page_base(second) != page_base(first)


async def test_a_program_that_took_the_port_of_a_page_is_not_pointed_to(tmp_path: Path) -> None:
    """It may repeat what it heard from a true page elsewhere; the proof names the address that it is for."""
    async with _loopback(tmp_path) as services:
        true = page_base(await services.page.address_for("act_abcdefgh") or "")

        async def relay(scope: Any, receive: Any, send: Any) -> None:
            async with httpx2.AsyncClient() as http:
                headers = {"Host": true.removeprefix("http://")}
                heard = await http.get(f"{true}{scope['path']}?{scope['query_string'].decode()}", headers=headers)
            await send({"type": "http.response.start", "status": heard.status_code, "headers": []})
            await send({"type": "http.response.body", "body": heard.content})

        async with _served(relay) as false, _loopback(tmp_path) as other:
            await _put_address(tmp_path, false)
            assert page_base(await other.page.address_for("act_abcdefgh") or "") != false


async def test_without_a_page_the_command_line_is_named_and_nothing_listens(tmp_path: Path) -> None:
    settings = _settings(tmp_path).model_copy(update={"approvals": ApprovalSettings(page="off")})
    services = Services(settings)
    async with page_on_loopback(services) as page:
        assert await page.address_for("act_abcdefgh") is None
    assert await _kept_address(tmp_path) is None


async def test_http_serves_the_page_beside_the_protocol_and_keeps_their_doors_apart(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services = Services(_settings(tmp_path, sandbox.voicetel))
        async with _http(services) as base:
            await _set_passcode(tmp_path)
            async with _connected(base) as client:
                page = _page_in(await _waiting(client))
                assert page_base(page) == base
                with_token = {"Authorization": f"Bearer {TOKEN}"}
                async with httpx2.AsyncClient(base_url=base, headers=with_token) as agent:
                    assert (await agent.get(f"/approvals{page_path(page)}")).status_code == 401
                    answer = await agent.post(f"/approvals{page_path(page)}/approve", headers={"Origin": base})
                    assert answer.status_code == 401
                async with browsing(page) as operator:
                    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
                    assert (await operator.http.post("/mcp", json=listed)).status_code == 401
                    await operator.press(f"{page_path(page)}/approve", on=page_path(page))
                assert not (await client.call_tool(TOOL, ORDER)).is_error
        assert len(await sandbox.charges()) == 1


async def test_a_client_that_only_opens_pages_is_sent_to_the_page_for_what_others_are_asked_in_a_form(
    tmp_path: Path,
) -> None:
    async with sandboxes() as sandbox:
        services = Services(_settings(tmp_path, sandbox.voicetel))
        async with _http(services) as base:
            await _set_passcode(tmp_path)
            asked = await _call(base, {"elicitation": {"url": {}}})
            [[key, request]] = asked["inputRequests"].items()
            page = request["params"]["url"]
            assert page == f"{base}/approvals/{key.removeprefix('open_')}"
            async with browsing(page) as operator:
                await operator.press(f"{page_path(page)}/approve", on=page_path(page))
            answered = {"inputResponses": {key: {"action": "accept"}}, "requestState": asked["requestState"]}
            result = await _call(base, {"elicitation": {"url": {}}}, **answered)
            assert not result.get("isError"), result
        assert len(await sandbox.charges()) == 1


@pytest.mark.parametrize("path", ["/approvals", "/approvals/", "/approvals/history"])
@pytest.mark.parametrize("host", ["evil.example", "0.0.0.0:80"])
async def test_over_http_the_page_answers_only_to_its_own_names(path: str, host: str, tmp_path: Path) -> None:
    async with _http(Services(_settings(tmp_path))) as base, httpx2.AsyncClient(base_url=base) as http:
        assert (await http.get(path, headers={"Host": host})).status_code == 421
        assert (await http.get(path)).status_code == 401


async def test_over_http_the_page_can_be_left_out(tmp_path: Path) -> None:
    settings = _settings(tmp_path).model_copy(update={"approvals": ApprovalSettings(page="off")})
    async with _http(Services(settings)) as base, httpx2.AsyncClient(base_url=base) as http:
        assert (await http.get("/approvals")).status_code == 404


async def test_behind_a_proxy_the_public_address_is_given(tmp_path: Path) -> None:
    approvals = ApprovalSettings(address="https://ringfence.example.com/")
    services = Services(_settings(tmp_path).model_copy(update={"approvals": approvals}))
    assert page_base_of(services, "0.0.0.0", 80) == "https://ringfence.example.com/"  # noqa: S104 - nothing listens
    await services.close()


async def test_on_every_interface_no_address_is_invented(tmp_path: Path) -> None:
    services = Services(_settings(tmp_path))
    assert page_base_of(services, "0.0.0.0", 80) is None  # noqa: S104 - nothing listens
    await services.close()


async def test_the_command_serves_the_page_and_a_second_one_finds_it(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, *forking_python(), "-m", "ringfence", "approvals", "page", "--port", str(port)]
    environment = {**os.environ, "RINGFENCE_STATE_FOLDER": str(tmp_path)}
    async with await anyio.open_process(command, env=environment) as process:
        assert process.stdout is not None
        told = await TextReceiveStream(process.stdout).receive()
        assert told.strip() == f"http://127.0.0.1:{port}/approvals"
        second = await anyio.run_process(command, env=environment)
        assert "is already served" in second.stdout.decode("utf-8")
        async with _loopback(tmp_path) as services:
            assert await services.page.address_for("act_a") == f"http://127.0.0.1:{port}/approvals/act_a"
        process.terminate()


async def test_the_command_says_when_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, *forking_python(), "-m", "ringfence", "approvals", "page", "--port", port]
        environment = {**os.environ, "RINGFENCE_STATE_FOLDER": str(tmp_path)}
        done = await anyio.run_process(command, env=environment, check=False)
    assert done.returncode == 2
    assert f"Port {port} is taken by another program" in done.stderr.decode("utf-8")


def _child(folder: Path, url: str) -> StdioServerParameters:
    environment = {
        **os.environ,
        "RINGFENCE_STATE_FOLDER": str(folder),
        "RINGFENCE_APPROVALS__PAGE": "auto",
        "RINGFENCE_APPROVALS__PORT": "0",
        "RINGFENCE_VOICETEL__API_KEY": "0123456789abcdef0123456789abcdef",
        "RINGFENCE_VOICETEL__BASE_URL": f"{url}/voicetel",
    }
    serve = [*forking_python(), "-m", "ringfence", "serve"]
    return StdioServerParameters(command=sys.executable, args=serve, env=environment)


def _settings(folder: Path, voicetel: str = "http://unused.test", *, port: int = 0) -> Settings:
    folder.mkdir(exist_ok=True)
    more = {"approvals": ApprovalSettings(port=port), "state_folder": folder}
    http = HttpSettings(tokens={"alice": SecretStr(TOKEN)})
    return settings_for(folder, voicetel).model_copy(update={**more, "http": http})


@asynccontextmanager
async def _loopback(folder: Path, port: int = 0) -> AsyncGenerator[Local]:
    services = Services(_settings(folder, port=port))
    async with page_on_loopback(services) as page:
        yield Local(page, services.store)


@asynccontextmanager
async def _http(services: Services) -> AsyncGenerator[str]:
    port = free_port()
    async with _served(http_app(services, "127.0.0.1", port), port, lifespan=True) as base:
        yield base


@asynccontextmanager
async def _served(app: Any, port: int = 0, *, lifespan: bool = False) -> AsyncGenerator[str]:
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on" if lifespan else "off")
        server = LoopbackServer(config)
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            await server.listening.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.stopping.set()


@asynccontextmanager
async def _connected(base: str) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as http,
        Client(streamable_http_client(f"{base}/mcp", http_client=http)) as client,
    ):
        yield client


async def _call(base: str, capabilities: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Call the tool in the wire's own form, for capabilities that the SDK's client does not declare apart."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": TOOL, "arguments": ORDER, "_meta": meta, **more},
    }
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": TOOL,
    }
    async with httpx2.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{base}/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


async def _together(*deeds: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with anyio.create_task_group() as group:
        for deed in deeds:
            group.start_soon(deed)


async def _set_passcode(folder: Path) -> None:
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.key_values.put("passcode", CHEAP_HASH)
    await record.database.close()


async def _put_address(folder: Path, address: str) -> None:
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    await record.key_values.put("approval page", address)
    await record.database.close()


async def _kept_address(folder: Path) -> str | None:
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        return await record.key_values.get("approval page")
    finally:
        await record.database.close()


async def _waiting(client: Client, order: dict[str, Any] = ORDER) -> str:
    result = await client.call_tool(TOOL, order)
    content: dict[str, Any] = result.structured_content or {}
    assert content.get("state") == "proposed", result
    return "\n".join(getattr(block, "text", "") for block in result.content)


def _page_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/approvals/act_\w+", text)
    assert found, text
    return found[0]
