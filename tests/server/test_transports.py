"""The server over its real transports: a child process on stdio, and streamable HTTP."""

import base64
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError
from pydantic import SecretStr

from guard.errors import JournalUnavailable
from server.cli.serve import address
from server.http.app import serve_http
from server.http.sockets import NotProtected
from server.services import Services
from server.settings.model import HttpSettings, Settings
from tests.connecting import Era, Person, settings_for
from tests.fork_server import COLD, forking_python
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import sandboxes

TOKEN = "a-long-token-of-alice"
OTHER = "a-long-token-of-bob"
ORDER = {"numbers": ["+12125550100"]}


def stdio_child(folder: Path, url: str, *options: str, python: Sequence[str] | None = None) -> StdioServerParameters:
    """Describe `ringfence serve` as a child process, with its own store and the sandbox as its provider.

    `python` is what stands before the program in the arguments of Python: `COLD`, or those of the fork server.
    """
    python = forking_python() if python is None else python
    environment = {
        **os.environ,
        "RINGFENCE_STATE_FOLDER": str(folder),
        "RINGFENCE_VOICETEL__API_KEY": "0123456789abcdef0123456789abcdef",
        "RINGFENCE_VOICETEL__USERNAME": "2015550100",
        "RINGFENCE_VOICETEL__BASE_URL": f"{url}/voicetel",
    }
    return StdioServerParameters(
        command=sys.executable, args=[*python, "-m", "ringfence", "serve", *options], env=environment
    )


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_child_process_lists_reads_asks_and_orders(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        person = Person()
        child = stdio_child(tmp_path, sandbox.url, python=COLD)
        async with Client(child, mode=era, elicitation_callback=person) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert "voicetel_order_numbers" in names
            result = await client.call_tool("voicetel_order_numbers", ORDER)
        assert not result.is_error
        assert len(person.questions) == 1
        assert len(await sandbox.charges()) == 1


async def test_read_only_shows_plain_reads_only(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        child = stdio_child(tmp_path, sandbox.url, "--read-only", "--toolsets", "all")
        async with Client(child) as client:
            tools = (await client.list_tools()).tools
            assert tools
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
            with pytest.raises(MCPError):
                await client.call_tool("voicetel_order_numbers", ORDER)
        assert await sandbox.writes() == []


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_http_serves_both_eras_behind_a_token(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox, serve_over_http(with_tokens(settings_for(tmp_path, sandbox.voicetel))) as url:
        async with connect_over_http(url, TOKEN, era=era) as client:
            result = await client.call_tool("voicetel_search_inventory", {"tn_mask": "212", "quantity": 1})
        assert not result.is_error


async def test_over_http_the_modern_client_is_asked_and_the_principal_is_the_tokens_holder(tmp_path: Path) -> None:
    person = Person()
    async with sandboxes() as sandbox, serve_over_http(with_tokens(settings_for(tmp_path, sandbox.voicetel))) as url:
        async with connect_over_http(url, TOKEN, person=person) as client:
            assert not (await client.call_tool("voicetel_order_numbers", ORDER)).is_error
        assert "Requested by alice (token)" in person.questions[0]
        assert len(await sandbox.charges()) == 1


async def test_an_approval_for_one_principal_does_not_open_the_call_of_another(tmp_path: Path) -> None:
    settings = with_tokens(settings_for(tmp_path, "http://unused.test"))
    async with sandboxes() as sandbox:
        settings = with_tokens(settings_for(tmp_path, sandbox.voicetel))
        services = Services(settings)
        async with (
            serve_over_http(settings, services) as url,
            connect_over_http(url, TOKEN) as alice,
            connect_over_http(url, OTHER) as bob,
        ):
            asked = await alice.call_tool("voicetel_order_numbers", ORDER)
            content: dict[str, Any] = asked.structured_content or {}
            action = str(content["action"])
            await services.guard.approve(action, by="the operator")
            other = await bob.call_tool("voicetel_order_numbers", ORDER)
            assert (other.structured_content or {})["state"] == "proposed"
            assert (other.structured_content or {})["action"] != action
        assert await sandbox.writes() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 421),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
    ],
    ids=["no token", "wrong token", "foreign host", "foreign origin"],
)
async def test_http_refuses(headers: dict[str, str], status: int, tmp_path: Path) -> None:
    async with serve_over_http(with_tokens(settings_for(tmp_path))) as url, httpx2.AsyncClient() as http:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"Accept": "application/json, text/event-stream"}
        answer = await http.post(f"{url}/mcp", json=body, headers={**accept, **headers})
    assert answer.status_code == status


async def test_it_does_not_listen_beyond_this_machine_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(NotProtected, match="bearer token"):
        await serve_http(settings_for(tmp_path), "0.0.0.0", 0, sandbox=False)  # noqa: S104 - it must refuse


@pytest.mark.parametrize(
    "words",
    [["serve", "--sandbox", "--http", "127.0.0.1:{}"], ["sandbox", "--port={}"]],
)
def test_a_port_in_use_is_reported_in_one_line(words: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = int(other.getsockname()[1])
        ended = _ran(*(word.format(port) for word in words))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"Cannot listen on 127.0.0.1, port {port}: Address already in use.\n"


def test_a_port_that_cannot_be_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="HOST:PORT is expected"):
        address("127.0.0.1:99999")
    assert address("[::1]:65535") == ("::1", 65535)


def test_a_name_that_does_not_exist_is_reported_in_one_line_with_the_sandbox_too() -> None:
    ended = _ran("serve", "--sandbox", "--toolsets", "nope")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("There is no toolset 'nope'")
    assert len(ended.stderr.splitlines()) == 1


def test_it_says_where_it_answers_once_it_listens() -> None:
    command = [sys.executable, "-m", "ringfence", "serve", "--http", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as running:  # noqa: S603 - our own
        try:
            assert running.stderr
            line = running.stderr.readline()
            said = re.fullmatch(r"Ringfence answers at http://127\.0\.0\.1:([0-9]+)/mcp\n", line)
            assert said, line
            socket.create_connection(("127.0.0.1", int(said[1])), timeout=5).close()
        finally:
            running.kill()


def test_over_http_it_says_where_to_approve_with_which_providers_and_under_which_caps(tmp_path: Path) -> None:
    caps = {
        "RINGFENCE_BUDGET": '[{"per": "day", "limit": "25"}]',
        "RINGFENCE_APPROVALS__PAGE": "auto",
        "RINGFENCE_STATE_FOLDER": str(tmp_path),
    }
    command = [sys.executable, *forking_python(), "-m", "ringfence", "serve", "--sandbox", "--http", "127.0.0.1:0"]
    with subprocess.Popen(  # noqa: S603 - our own
        command, stderr=subprocess.PIPE, encoding="utf-8", env={**os.environ, **caps}
    ) as running:
        try:
            assert running.stderr
            said = [running.stderr.readline() for _ in range(6)]
        finally:
            running.kill()
    port = said[0].removesuffix("/mcp\n").rpartition(":")[2]
    assert said[1].startswith("  SANDBOX: all providers are simulated")
    assert said[2] == f"  Approval page: http://127.0.0.1:{port}/approvals\n"
    assert said[3].startswith("  Passcode: not set yet")
    assert said[4] == "  Providers: convirza, enswitch, routee, voicetel\n"
    assert said[5] == "  Caps: 25 USD per day\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Pipes of other systems cannot be watched this way.")
def test_a_client_that_closes_stdout_ends_the_server_though_stdin_is_open(tmp_path: Path) -> None:
    with _serving(tmp_path, stdin=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        running.stdin.flush()
        assert running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=60) == 0
        assert running.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudoterminal.")
def test_in_a_terminal_it_says_what_it_waits_for_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        with _serving(tmp_path, stdin=theirs) as running:
            assert running.stderr
            assert "waits for an MCP client on stdin" in running.stderr.readline()
            assert "Ctrl-C ends it" in running.stderr.readline()
            os.write(ours, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
            assert running.stdout
            assert running.stdout.readline()
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 130
            assert running.stderr.read() == ""
    finally:
        os.close(ours)
        os.close(theirs)


async def test_it_does_not_start_over_http_on_a_store_with_another_key(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    services = Services(settings)
    await services.store.audit.note("looked", principal="the operator")
    await services.close()
    other = settings.model_copy(update={"state_key": SecretStr(base64.urlsafe_b64encode(bytes(32)).decode("ascii"))})
    with pytest.raises(JournalUnavailable, match="created with another key"):
        await serve_http(other, "127.0.0.1", 0, sandbox=False)


def _serving(folder: Path, *, stdin: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ringfence", "serve"],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "RINGFENCE_STATE_FOLDER": str(folder)},
    )


def _ran(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *forking_python(), "-m", "ringfence", *words],
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


def with_tokens(settings: Settings) -> Settings:
    """Return the settings of a server that alice and bob may use."""
    tokens = {"alice": SecretStr(TOKEN), "bob": SecretStr(OTHER)}
    return settings.model_copy(update={"http": HttpSettings(tokens=tokens)})
