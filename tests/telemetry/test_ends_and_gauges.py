"""What a collector gets when a process ends, and of what stands in the record; a collector that is away or refuses."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from mcp.client.stdio import StdioServerParameters
from pydantic import SecretStr

from server.cli.health_checks import check_collector
from server.services import Services
from server.settings.sections.telemetry import TelemetrySettings
from server.telemetry.export import PATIENCE
from tests.connecting import Person, connect, server_for, settings_for
from tests.plans.jobs import customers, propose, texts
from tests.ports import free_port
from tests.sandbox_control import sandboxes
from tests.telemetry.collector import Received, collecting
from tests.telemetry.watched import BOUGHT, COLLECTOR_KEY, RECIPIENT, SENDER, TEXT, child

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="there, no signal asks a process to end")
TOKEN = "a-long-token-of-a-client"
BUDGET = [{"per": "day", "limit": "25"}]


class _Process:
    """A server that runs, and what it wrote so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.log: list[str] = []

    def send(self, message: Mapping[str, Any]) -> None:
        """Send it a message over stdio."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Read its next message over stdio."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def read_until(self, pattern: str) -> str:
        """Read the log until a line has it, and return the first group."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if (found := re.search(pattern, line)) is not None:
                return found[1]
        raise AssertionError("".join(self.log))

    def end(self, by: signal.Signals) -> int:
        """Send it a signal, and return the code that it ends with."""
        self.process.send_signal(by)
        assert self.process.stderr is not None
        self.log += self.process.stderr.readlines()
        return self.process.wait(30)


@contextmanager
def _started(server: StdioServerParameters) -> Generator[_Process]:
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own program
        [server.command, *server.args], env=server.env, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8"
    ) as process:
        try:
            yield _Process(process)
        finally:
            process.kill()


@POSIX_ONLY
def test_a_stdio_server_that_ctrl_c_ends_sends_what_is_left(tmp_path: Path) -> None:
    with collecting() as received, _watched(tmp_path, received.url) as server:
        _begin(server)
        _list_tools(server, 2)
        assert server.end(signal.SIGINT) == 130
        assert len(received.named("tools/list")) == 1


@POSIX_ONLY
def test_a_collector_that_is_away_holds_up_neither_a_call_nor_the_end_of_the_process_for_long(tmp_path: Path) -> None:
    with _watched(tmp_path, f"http://127.0.0.1:{free_port()}") as server:
        _begin(server)
        _list_tools(server, 2)
        before = time.monotonic()
        assert server.end(signal.SIGINT) == 130
        assert time.monotonic() - before < 3 * PATIENCE


@POSIX_ONLY
def test_a_collector_that_takes_nothing_is_told_of_once_and_once_more_when_it_does(tmp_path: Path) -> None:
    with collecting() as received, _watched(tmp_path, received.url) as server:
        received.status = 401
        _begin(server)
        assert server.read_until(r"The collector at (\S+) takes nothing;.*`ringfence doctor") == received.url
        _list_tools(server, 2)
        received.wait_for(lambda sent: len(sent.named("tools/list")) == 1)
        received.status = 200
        _list_tools(server, 3)
        assert server.read_until(r"The collector at (\S+) takes spans and measurements again") == received.url
        assert server.end(signal.SIGINT) == 130
    assert sum("collector" in line for line in server.log) == 2


@contextmanager
def _watched(folder: Path, collector: str) -> Generator[_Process]:
    with _started(child(folder, "http://127.0.0.1:1", RINGFENCE_TELEMETRY__ENDPOINT=collector)) as server:
        yield server


def _begin(server: _Process) -> None:
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    server.send({"id": 1, "method": "initialize", "params": client})
    assert server.answer()["id"] == 1
    server.send({"method": "notifications/initialized"})


def _list_tools(server: _Process, number: int) -> None:
    server.send({"id": number, "method": "tools/list", "params": {}})
    assert server.answer()["id"] == number


@POSIX_ONLY
async def test_what_waits_money_room_webhooks_and_notices_are_measured_over_http_and_sent_at_its_end(
    tmp_path: Path,
) -> None:
    async with sandboxes() as sandbox:
        services = await _record_with_something_of_everything(tmp_path / "state", sandbox.voicetel)
        with collecting() as received:
            server = child(
                tmp_path / "state",
                sandbox.voicetel,
                "--http",
                "127.0.0.1:0",
                RINGFENCE_BUDGET=json.dumps(BUDGET),
                RINGFENCE_ROUTEE__APPLICATION_ID="an-application",
                RINGFENCE_ROUTEE__APPLICATION_SECRET="a-secret-of-an-application",
                RINGFENCE_HTTP__TOKENS=json.dumps({"anna": TOKEN}),
                RINGFENCE_NOTIFY__CHANNELS__PHONE__WEBHOOK=f"http://127.0.0.1:{free_port()}/planted",
                RINGFENCE_NOTIFY__CHANNELS__PHONE__SIGNING_KEY="whsec_" + "QUJD" * 12,
                RINGFENCE_TELEMETRY__ENDPOINT=received.url,
                RINGFENCE_TELEMETRY__INTERVAL="1",
            )
            with _started(server) as running:
                url = await anyio.to_thread.run_sync(running.read_until, r"answers at (http://[^/]+)/mcp")
                secret = services.webhook_secret()
                async with httpx2.AsyncClient(base_url=url) as http:
                    assert (await http.post("/webhooks/routee/planted-secret/sms", json={})).status_code == 404
                    assert (await http.post(f"/webhooks/routee/{secret}/sms", json=["planted"])).status_code == 400
                await services.store.freeze.freeze("the operator")
                await anyio.to_thread.run_sync(received.wait_for, _shows_all)
                async with httpx2.AsyncClient(base_url=url) as http:
                    assert (await http.post(f"/webhooks/routee/{secret}/sms", json=[])).status_code == 400
                code = await anyio.to_thread.run_sync(running.end, signal.SIGTERM)
        await services.close()
    assert code in {0, -signal.SIGTERM}
    assert received.value("callbacks", account="routee", outcome="not as documented") == 2
    assert received.value("callbacks", outcome="no such address") == 1
    whose = {"provider": "voicetel", "account": "voicetel", "currency": "USD"}
    spent, room = received.value("money.spent", **whose), received.value("cap.room", currency="USD")
    assert spent > 0
    assert room == pytest.approx(25 - spent)
    assert received.value("money.set_aside", **whose) == 0
    assert received.value("actions.unknown") == 0
    assert not any(planted in raw for planted in (b"planted", TOKEN.encode(), secret.encode()) for raw in received.raw)


def _shows_all(received: Received) -> bool:
    value = received.value
    waiting = (value("actions.waiting"), value("plans.waiting"), value("frozen"))
    return waiting == (1, 1, 1) and value("notices", channel="phone", outcome="failed") >= 1


async def _record_with_something_of_everything(folder: Path, provider: str) -> Services:
    """Make a record in which something was spent, and in which an action and a plan wait."""
    person = Person()
    services, server = server_for(settings_for(folder.parent, provider, budget=BUDGET, state_folder=folder))
    async with connect(server, person=person) as client:
        assert not (await client.call_tool("voicetel_order_numbers", {"numbers": [BOUGHT]})).is_error
        person.answer = "cancel"
        await client.call_tool("voicetel_send_message", {"from_number": SENDER, "to_number": RECIPIENT, "text": TEXT})
        await propose(client, texts(customers(2)))
    return services


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [
        (200, "ok", "takes spans and measurements, as telephony"),
        (401, "fail", "/v1/traces answered 401"),
        (0, "fail", "/v1/traces cannot be reached"),
    ],
)
async def test_doctor_tries_the_collector(status: int, state: str, told: str) -> None:
    with collecting() as received:
        received.status = status
        url = received.url if status else f"http://127.0.0.1:{free_port()}"
        headers = {"x-api-key": SecretStr(COLLECTOR_KEY)}
        settings = TelemetrySettings(endpoint=url, service_name="telephony", headers=headers)
        [result] = await check_collector(settings)
    assert (result.subject, result.state) == ("telemetry", state)
    assert told in result.detail
    assert COLLECTOR_KEY not in result.detail
    assert received.keys == ({COLLECTOR_KEY} if status else set())
    assert await check_collector(TelemetrySettings()) == []
