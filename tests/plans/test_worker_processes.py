"""The worker in processes of its own: beside servers on stdio and HTTP, alone, killed in the middle, on PostgreSQL."""

import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from threading import Event
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx2
from anyio.abc import Process
from mcp import Client

from server.probes.server_process import PROGRAM, run_server
from server.services import Services
from server.worker.work_queue import QueueSetup, WorkQueue
from server.worker.worker import open_worker
from tests.connecting import KEY, connect, server_for, settings_for
from tests.fork_server import forking_python
from tests.operator_side import OperatorSide
from tests.over_http import connect_over_http
from tests.plans.jobs import content_of, customers, number, propose, states, texts
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.browsing import Browser, token_in
from tests.server.test_transports import stdio_child

TOKEN = "a-long-token-of-alice"

PATIENCE: Final = 120.0
"""Seconds that a process may take to start on a busy machine, and to do its work."""


async def test_over_http_the_button_of_the_page_has_the_plan_carried_out(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        environment = _environment(sandbox, tmp_path) | {
            "RINGFENCE_APPROVALS__PAGE": "auto",
            "RINGFENCE_HTTP__TOKENS": json.dumps({"alice": TOKEN}),
        }
        log = tmp_path / "log"
        async with (
            run_server(environment, log=log, program=(*forking_python(), *PROGRAM)) as url,
            connect_over_http(url, TOKEN) as client,
        ):
            await operator.set_passcode()
            plan = (await propose(client, texts(customers(3))))["plan"]
            async with httpx2.AsyncClient(base_url=url) as http:
                page = Browser(http, origin=url)
                assert (await page.sign_in()).status_code == 303
                token = token_in((await page.open(f"/{plan}")).text)
                assert (await page.send(f"/{plan}/approve", token=token, run="server")).status_code == 303
            await _until(client, plan, "done")
        assert await _sent(sandbox) == [number(place) for place in range(3)]
        assert "Traceback" not in log.read_text(encoding="utf-8")


async def test_a_server_on_stdio_carries_out_what_was_approved_on_the_command_line_and_ends_with_its_client(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        child = stdio_child(tmp_path / "state", sandbox.url, "--toolsets", "all")
        with anyio.fail_after(PATIENCE):
            async with Client(child) as client:
                plan = (await propose(client, texts(customers(3))))["plan"]
                await operator.approve_plan(plan, "--run")
                await _until(client, plan, "done")
        assert await _sent(sandbox) == [number(place) for place in range(3)]


async def test_what_a_killed_worker_had_begun_is_carried_on_by_the_next_one(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path / "state", sandbox.voicetel))
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(5))))["plan"]
            await operator.approve_plan(plan, "--run")
            await sandbox.break_with("hold", provider="voicetel", method="POST", path="messages")
            async with _working(_environment(sandbox, tmp_path)) as process:
                with anyio.fail_after(PATIENCE):
                    await sandbox.until_held()
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
            await sandbox.mend()
            async with open_worker(services) as worker:
                await worker.work_off()
            assert await _until(client, plan, "done") == ["done"] * 5
        assert await _sent(sandbox) == [number(place) for place in range(5)]
        assert len(await sandbox.charges()) == 5
        await operator.require_whole_audit()


async def test_a_worker_that_ends_settles_the_request_under_way_and_leaves_the_rest_to_the_next_one(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path / "state", sandbox.voicetel))
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await operator.approve_plan(plan, "--run")
            await sandbox.break_with("hold", provider="voicetel", method="POST", path="messages")
            async with anyio.create_task_group() as group, open_worker(services) as worker:
                await worker.put_due()
                with anyio.fail_after(PATIENCE):
                    await sandbox.until_held()
                group.start_soon(sandbox.mend)
            shown = content_of(await client.call_tool("get_action", {"action_id": plan}))
            assert states(shown) == ["done", "waiting", "waiting"]
            async with open_worker(services) as worker:
                await worker.work_off()
            assert await _until(client, plan, "done") == ["done"] * 3
        assert await _sent(sandbox) == [number(place) for place in range(3)]


async def test_what_a_worker_of_another_machine_had_begun_is_taken_over_when_it_gives_no_sign_of_life(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """Whether a process of another machine runs cannot be seen; its sign of life on the record stands still."""
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path / "state", sandbox.voicetel))
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            await operator.approve_plan(plan, "--run")
            await _begin_elsewhere(services, plan)
            async with open_worker(services) as worker:
                worker.lost_after = 0
                await worker.take_over_from_dead()
                await worker.work_off()
            assert await _until(client, plan, "done") == ["done"] * 2
        assert await _sent(sandbox) == [number(place) for place in range(2)]


async def test_whatever_is_killed_each_step_is_sent_once_and_all_books_agree(tmp_path: Path) -> None:
    """A few kills; `python -m benchmarks.plan_crashes` does as many as one likes."""
    command = [sys.executable, *forking_python(), "-m", "benchmarks.plan_crashes", "--kills", "3"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    ran = await anyio.run_process(command, check=False, env=environment)
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["wrong"], report["kills"]) == (0, [], 3), ran.stderr.decode("utf-8")


async def _begin_elsewhere(services: Services, plan: str) -> None:
    """Take a plan out of the queue as a worker of another machine does that then stops without a word."""
    begun, given_up = Event(), Event()

    def begin(_: str) -> str:
        begun.set()
        given_up.wait()
        raise SystemExit

    queue = WorkQueue(QueueSetup(services.store.database.address_beside("worker"), "elsewhere 1 1"), begin)
    await anyio.to_thread.run_sync(queue.open)
    [(item, due_at)] = await services.store.plans.due(services.clock.now())
    assert item == plan
    await anyio.to_thread.run_sync(queue.put, item, due_at)
    assert await anyio.to_thread.run_sync(begun.wait, 30)
    await anyio.to_thread.run_sync(queue.close)
    given_up.set()


def _environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "RINGFENCE_STATE_FOLDER": str(folder / "state"),
        "RINGFENCE_VOICETEL__API_KEY": KEY,
        "RINGFENCE_VOICETEL__USERNAME": "2015550100",
        "RINGFENCE_VOICETEL__BASE_URL": sandbox.voicetel,
    }


@asynccontextmanager
async def _working(environment: dict[str, str]) -> AsyncGenerator[Process]:
    """Run `ringfence work` as long as the block runs."""
    command = [sys.executable, *PROGRAM, "work"]
    process = await anyio.open_process(command, stdin=DEVNULL, stdout=None, stderr=None, env=environment)
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _until(client: Client, plan: str, state: str) -> list[str]:
    """Look at a plan until it is in a state; return where its steps stand."""
    with anyio.fail_after(PATIENCE):
        while (shown := content_of(await client.call_tool("get_action", {"action_id": plan})))["state"] != state:  # noqa: ASYNC110
            await anyio.sleep(0.05)
    return states(shown)


async def _sent(sandbox: Sandbox) -> list[Any]:
    return ["+1" + row["body"]["toNumber"] for row in await sandbox.requests(method="POST", path="messages")]
