"""Lost calls are reconciled beside the requests: no call waits for it, and no caller who gives up stops it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from guard.action import Action, Principal, State
from guard.background import Reconciliation
from guard.dependencies import GuardDependencies
from guard.errors import JournalUnavailable
from guard.pipeline import Guard
from server.services import Services
from server.store.store import Store, open_store
from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.fake_provider import Buy, Depot, DepotCatalog
from tests.sandbox_control import Sandbox, sandboxes

FORWARD = {"number": "+12015550142", "destination": "+12125550142"}
MESSAGE = {"from_number": "+12015550142", "to_number": "+12125550142", "text": "Your table is ready."}
ANN = Principal("local:ann")


async def test_a_first_caller_who_gives_up_does_not_stop_it(tmp_path: Path) -> None:
    async with _slow_provider_with_a_lost_call(tmp_path) as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era="legacy") as client:  # one that does not wait for a call that it cancelled
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "voicetel_send_message", MESSAGE)
                with anyio.fail_after(60):
                    await sandbox.until_held()
                group.cancel_scope.cancel()
            await sandbox.mend()
            assert (await _closed(services)).outcome == "Checked at the provider: it was done."


async def test_a_slow_provider_delays_no_other_guarded_call(tmp_path: Path) -> None:
    async with _slow_provider_with_a_lost_call(tmp_path) as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            with anyio.fail_after(60):
                asked = await client.call_tool("voicetel_send_message", MESSAGE)
                await sandbox.until_held()
            assert "NOT SENT" in getattr(asked.content[0], "text", "")
            assert len(await services.store.journal.latest(10, states={State.UNKNOWN})) == 1
            await sandbox.mend()
            assert (await _closed(services)).state is State.DONE


async def test_the_next_server_finds_out_what_one_that_ended_did_not(tmp_path: Path) -> None:
    async with _slow_provider_with_a_lost_call(tmp_path) as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            with anyio.fail_after(60):
                await client.call_tool("voicetel_send_message", MESSAGE)
                await sandbox.until_held()
        await sandbox.mend()
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            await client.call_tool("voicetel_send_message", MESSAGE)
            assert (await _closed(services)).state is State.DONE


async def test_where_nobody_serves_the_same_call_is_still_looked_up_before_it_is_made_again(tmp_path: Path) -> None:
    async with _guard_of_the_depot(tmp_path) as (guard, depot, store):
        depot.fate = "lost after"
        approved = await guard.approve((await guard.propose(Buy(item="lamp"), ANN)).id, by="the operator")
        assert (await guard.execute(approved, Buy(item="lamp"))).action.state is State.UNKNOWN
        again = await guard.propose(Buy(item="lamp"), ANN)
        assert again.id != approved.id
        assert (await store.journal.find(approved.id) or again).state is State.DONE
        assert depot.writes == [approved.id]


async def test_one_that_was_cancelled_is_started_again_without_another_request() -> None:
    job, reconciliation = _Job(), Reconciliation()
    reconciliation.request(job)
    async with anyio.create_task_group() as group:
        group.start_soon(reconciliation.run)
        await job.started.wait()
        group.cancel_scope.cancel()
    job.may_end.set()
    with anyio.fail_after(60):
        await reconciliation.run()
    assert (job.starts, job.ends) == (2, 1)


async def test_servers_that_run_it_side_by_side_do_the_work_once_and_each_takes_over_from_the_other() -> None:
    job, reconciliation = _Job(), Reconciliation()
    first = anyio.CancelScope()

    async def run_first() -> None:
        with first:
            await reconciliation.run()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(run_first)
            group.start_soon(reconciliation.run)
            reconciliation.request(job)
            await job.started.wait()
            assert job.starts == 1
            first.cancel()
            job.may_end.set()
    assert job.ends == 1


async def test_one_that_failed_is_repeated_at_the_next_request_and_not_before() -> None:
    job, reconciliation = (
        _Job(JournalUnavailable("The store is locked."), RuntimeError("A fault of ours.")),
        Reconciliation(),
    )
    job.may_end.set()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(reconciliation.run)
            for starts in (1, 2, 3):
                reconciliation.request(job)
                await job.started.wait()
                job.started = anyio.Event()
                await anyio.wait_all_tasks_blocked()
                assert job.starts == starts
    assert job.ends == 1


async def test_one_that_is_finished_is_not_repeated() -> None:
    job, reconciliation = _Job(), Reconciliation()
    job.may_end.set()
    reconciliation.request(job)
    await reconciliation.run()
    reconciliation.request(job)
    await reconciliation.run()
    assert job.starts == 1


class _Job:
    """Raises the given errors first, one at each start, and then works until it may end."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.started = anyio.Event()
        self.may_end = anyio.Event()
        self.starts = self.ends = 0

    async def run(self) -> None:
        self.starts += 1
        self.started.set()
        if self._errors:
            raise self._errors.pop(0)
        await self.may_end.wait()
        self.ends += 1


@asynccontextmanager
async def _slow_provider_with_a_lost_call(folder: Path) -> AsyncGenerator[Sandbox]:
    """Lose a call of a server, and hold back the read that shows its outcome until the sandbox is mended."""
    async with sandboxes() as sandbox:
        await sandbox.break_with("drop_after", provider="voicetel", method="PUT", path="forward")
        _, server = server_for(settings_for(folder, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            lost = await client.call_tool("voicetel_set_forward", FORWARD)
        assert (lost.structured_content or {})["state"] == "unknown"
        await sandbox.break_with("hold", provider="voicetel", method="GET", path="numbers/")
        yield sandbox


async def _closed(services: Services) -> Action:
    """Wait until the lost call is closed although nobody asks for it, and return it."""
    with anyio.fail_after(60):
        while await services.store.journal.latest(1, states={State.UNKNOWN}):
            pass
    [found] = await services.store.journal.latest(10, states={State.DONE, State.REFUSED})
    return found


@asynccontextmanager
async def _guard_of_the_depot(folder: Path) -> AsyncGenerator[tuple[Guard, Depot, Store]]:
    """Build a guard that nobody serves, as a program without a task group uses it."""

    async def arrives(_: str) -> None:
        """Nothing is checked on the way."""

    store, depot = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder), Depot(arrives)
    dependencies: dict[str, Any] = {
        "journal": store.journal,
        "vault": store.vault,
        "tracker": store.events,
        "optouts": store.optouts,
        "taint": store.taint,
    }
    try:
        yield (
            Guard(GuardDependencies(**dependencies, accounts={"depot": depot}, prices={}, catalog=DepotCatalog())),
            depot,
            store,
        )
    finally:
        await store.database.close()
