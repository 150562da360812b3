"""`uv run python -m benchmarks.plan_crashes --kills 200`: kills workers that carry out plans, and counts what was sent.

An assistant proposes plans of texts that policy allows, and two workers on one store carry them out. One of the two, by
lot, ends as a power cut would end it (SIGKILL), again and again. An operator settles what no read can settle, as the
simulated provider shows it. In the end every text left at most once, and what was sent, charged, held, and stands on
the journal and the audit log is the same.

Every process is forked from one that has loaded everything, so that a kill costs no start of Python.
"""

import argparse
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
from mcp import Client
from pydantic import SecretStr

from guard.action import State
from guard.money import Money
from guard.plans.plan import PlanState
from guard.rules.budget import Cap
from sandbox.serving import serve_sandbox
from sandbox.voicetel.seed import API_KEY
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import settings_class
from server.worker.worker import work
from tools.registry import operations_of

STEPS: Final = 8
"""Steps of a plan; with more than ten a person would have to approve it on the page."""

OPEN_PLANS: Final = 12
"""How many plans are under way at a time."""

LATENCY: Final = 0.15
"""Seconds that a text takes at the provider."""

PATIENCE: Final = 600.0
"""Seconds in which what is left is carried out after the last kill."""

LOADED: Final = (operations_of("voicetel"), Client)
"""What a process would load when it first needs it, loaded before the forks."""

BUDGET: Final = {"per": "month", "limit": "1000000"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run takes place: the simulated provider, the store, and a folder of its own."""

    url: str
    folder: Path
    store: str | None
    key: str | None

    def services(self) -> Services:
        """Build the services of one process."""
        account = {"api_key": API_KEY, "base_url": f"{self.url}/voicetel", "username": "2015550100"}
        given = {
            "voicetel": account,
            "state_folder": self.folder,
            "policy": {"paid": "allow"},
            "budget": [BUDGET],
            "approvals": {"run": "server", "page": "off"},
            "plan_minutes": 24 * 60,
            "store_url": SecretStr(self.store) if self.store else None,
            "state_key": SecretStr(self.key) if self.key else None,
        }
        return Services(settings_class().model_validate(given))

    async def texts(self) -> Counter[str]:
        """Count the texts that arrived at the provider, by what they say; half a request is none."""
        async with httpx2.AsyncClient() as http:
            rows = (await http.get(f"{self.url}/_control/requests")).json()
        sent = [row for row in rows if row["method"] == "POST" and row["path"].endswith("/messages") and row["body"]]
        return Counter(row["body"]["text"] for row in sent)

    async def charges(self) -> int:
        """Count the charges at the provider."""
        async with httpx2.AsyncClient() as http:
            return len((await http.get(f"{self.url}/_control/ledger")).json())


@dataclass(slots=True)
class Report:
    """What a run found."""

    kills: int = 0
    kills_in_a_request: int = 0
    """Kills after which an action was left without its outcome."""

    kills_with_work_taken: int = 0
    """Kills of a worker that had work of the queue."""

    plans: int = 0
    steps: int = 0
    done: int = 0
    refused: int = 0
    """Steps that were settled as not sent: the worker was killed before the request arrived."""

    texts: int = 0
    charges: int = 0
    spent: str = ""
    audit_rows: int = 0
    seconds: float = 0
    seed: int = 0
    wrong: list[str] = field(default_factory=list[str])
    """What does not add up; empty where everything does."""


async def propose(place: Place) -> None:
    """Propose plans, so that as many as are wanted are under way, until a file says that it is enough."""
    services, numbers = place.services(), iter(range(10**6))
    async with Client(build_server(services)) as client:
        while not (place.folder / "enough").exists():
            found = await services.store.plans.latest(OPEN_PLANS, states=[one for one in PlanState if one.is_open])
            for _ in range(OPEN_PLANS - len(found)):
                asked = await client.call_tool("propose_plan", _plan(next(numbers)))
                content: dict[str, Any] = asked.structured_content or {}
                if content.get("state") not in {"approved", "running", "done"}:
                    raise RuntimeError(f"The plan was not approved: {content}")
            await anyio.sleep(0.2)
    await services.close()


def _plan(number: int) -> dict[str, Any]:
    rows = [{"to": f"+1212555{1000 + place}", "name": f"{number}.{place}"} for place in range(STEPS)]
    arguments = {"from_number": "+12015550142", "to_number": "{{to}}", "text": "Order {{name}} is ready."}
    step = {"operation": "voicetel_send_message", "arguments": arguments, "for_each": rows}
    return {"title": f"Tell customers of day {number}", "steps": [step], "on_failure": "continue"}


async def settle(place: Place) -> None:
    """Do as an operator does: close what no read can settle as the provider shows it, until there is nothing to do."""
    services = place.services()
    seen: dict[str, float] = {}
    while True:
        unknown = await services.journal.latest(1000, states={State.UNKNOWN})
        texts = await place.texts() if unknown else Counter[str]()
        for action in unknown:
            if anyio.current_time() - seen.setdefault(action.id, anyio.current_time()) < 1:
                continue  # the request may still be on its way into the provider
            to = State.DONE if texts[action.arguments["text"]] else State.REFUSED
            now = services.clock.now()
            await services.journal.move(action.id, {State.UNKNOWN}, to, finished_at=now, outcome="By the operator.")
        if not unknown:
            for plan in await services.store.plans.latest(100, states={PlanState.STOPPED}):
                await services.plans.set_due(plan.id, services.clock.now())
        if (place.folder / "over").exists():
            break
        await anyio.sleep(0.3)
    await services.close()


async def finish(place: Place) -> None:
    """Wait until no plan is open."""
    services = place.services()
    with anyio.fail_after(PATIENCE):
        while await services.store.plans.latest(1, states=[one for one in PlanState if one.is_open]):  # noqa: ASYNC110
            await anyio.sleep(0.3)
    await services.close()


async def work_in(place: Place) -> None:
    """Work as `ringfence work` does."""
    await work(place.services())


async def count(place: Place, report: Report) -> None:
    """Compare what was sent, charged, held, and stands on the journal and the audit log."""
    services, wrong = place.services(), report.wrong
    texts = await place.texts()
    plans = await services.store.plans.latest(10**6)
    actions = await services.journal.latest(10**6)
    states = Counter(action.state for action in actions)
    expected = [step.arguments["text"] for plan in plans for step in plan.steps]
    report.plans, report.steps = len(plans), len(expected)
    report.done, report.refused = states[State.DONE], states[State.REFUSED]
    report.texts, report.charges = texts.total(), await place.charges()
    twice = [text for text, times in texts.items() if times > 1]
    wrong += [f"Sent more than once: {twice}"] if twice else []
    wrong += [f"Texts that no plan has: {set(texts) - set(expected)}"] if set(texts) - set(expected) else []
    done = Counter(action.arguments["text"] for action in actions if action.state is State.DONE)
    wrong += ["What the journal says was done is not what arrived."] if done != texts else []
    open_states = {state.value: number for state, number in states.items() if state.is_open}
    wrong += [f"Left open: {open_states}"] if open_states else []
    ended = Counter(plan.state for plan in plans)
    wrong += [f"Plans that did not end: {dict(ended)}"] if set(ended) != {PlanState.DONE} else []
    missing = [step for plan in plans for step in plan.steps if step.action_id is None]
    wrong += [f"{len(missing)} steps had no turn."] if missing else []
    [spent] = await services.journal.spent([Cap("month", Money(Decimal(BUDGET["limit"])))], services.clock.now())
    report.spent = f"{spent.amount:f}"
    per_text = Decimal("0.01")
    wrong += (
        [f"The caps count {spent.amount} for {report.charges} charges."]
        if (spent.amount != per_text * report.charges)
        else []
    )
    totals = await services.store.spending.totals(
        services.clock.now() - timedelta(days=2), services.clock.now() + timedelta(days=1)
    )
    ledger = sum((total.amount.amount for total in totals), Decimal(0))
    wrong += [f"The ledger has {ledger}, the caps {spent.amount}."] if ledger != spent.amount else []
    verdict = await services.store.audit.verify()
    report.audit_rows = verdict.rows
    wrong += [f"The audit log is not whole: {verdict.what}"] if not verdict.is_whole else []
    await services.close()


async def tell_state(place: Place, pipe: int) -> None:
    """Write how many actions are under way and how much work is taken, right after a kill."""
    services = place.services()
    under_way = await services.journal.latest(100, states={State.SENDING})
    running = await services.store.plans.latest(100, states={PlanState.RUNNING})
    await services.close()
    os.write(pipe, json.dumps([len(under_way), len(running)]).encode("utf-8"))


def fork(job: Callable[[], Awaitable[None]]) -> int:
    """Do a job in a process of its own, and return its id."""
    process = os.fork()
    if process == 0:
        try:
            anyio.run(job)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return process


def wait_for(process: int) -> None:
    """Wait until a process ends by itself.

    Raises:
        RuntimeError: It failed.
    """
    _, status = os.waitpid(process, 0)
    if status:
        raise RuntimeError(f"A process of the run failed ({os.waitstatus_to_exitcode(status)}).")


def serve(pipe: int) -> None:
    """Serve the simulated providers until the process is ended; their address is written to a pipe."""

    async def run() -> None:
        async with serve_sandbox() as url:
            os.write(pipe, url.encode("ascii"))
            await anyio.sleep_forever()

    anyio.run(run)


def slow_down(place: Place) -> None:
    """Have every text take a while at the provider, half of it before it takes effect and half after."""
    with httpx2.Client() as http:
        for after_effect in (False, True):
            fault = {"kind": "latency", "seconds": LATENCY / 2, "after_effect": after_effect, "times": None}
            where = {"method": "POST", "path": "messages"}
            http.post(f"{place.url}/_control/faults", json=fault | where).raise_for_status()


def kill_workers(place: Place, report: Report, kills: int, chance: random.Random) -> None:
    """Kill one of two workers by lot, and start another in its place, so many times; then let the rest be finished."""
    workers = [fork(partial(work_in, place)) for _ in range(2)]
    helpers = [fork(partial(propose, place)), fork(partial(settle, place))]
    try:
        _kill_and_finish(place, report, kills, chance, workers, helpers)
    finally:
        for process in (*workers, *helpers):
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def _kill_and_finish(
    place: Place, report: Report, kills: int, chance: random.Random, workers: list[int], helpers: list[int]
) -> None:
    time.sleep(2)
    for _ in range(kills):
        time.sleep(chance.uniform(0.6, 2.2))
        place_of_dead = chance.randrange(2)
        os.kill(workers[place_of_dead], signal.SIGKILL)
        os.waitpid(workers[place_of_dead], 0)
        report.kills += 1
        under_way, running = _state_after_kill(place)
        report.kills_in_a_request += under_way > 0
        report.kills_with_work_taken += running > 0
        workers[place_of_dead] = fork(partial(work_in, place))
    (place.folder / "enough").touch()
    wait_for(helpers.pop(0))
    wait_for(fork(partial(finish, place)))
    (place.folder / "over").touch()
    wait_for(helpers.pop(0))


def _state_after_kill(place: Place) -> tuple[int, int]:
    reads, writes = os.pipe()
    wait_for(fork(partial(tell_state, place, writes)))
    under_way, running = json.loads(os.read(reads, 1000))
    os.close(reads)
    os.close(writes)
    return under_way, running


def run(kills: int, *, seed: int, store: str | None, key: str | None) -> Report:
    """Kill so many workers on a new store, and return what was found."""
    report, began = Report(seed=seed), time.monotonic()
    gc.collect()
    gc.freeze()  # what is never collected is shared with the processes that are forked
    with tempfile.TemporaryDirectory() as folder:
        reads, writes = os.pipe()
        providers = os.fork()
        if providers == 0:
            serve(writes)
        place = Place(os.read(reads, 1000).decode("ascii"), Path(folder), store, key)
        try:
            slow_down(place)
            kill_workers(place, report, kills, random.Random(seed))  # noqa: S311 - the same seed gives the same moments
            anyio.run(count, place, report)
        finally:
            os.kill(providers, signal.SIGKILL)
            os.waitpid(providers, 0)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def main() -> None:
    """Run with the options of the command line; exit with 1 where something does not add up."""
    parser = argparse.ArgumentParser(description="Kill workers that carry out plans, and count what was sent.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--store", help="URL of an empty PostgreSQL database; SQLite if left out.")
    parser.add_argument("--key", help="State key for it.")
    options = parser.parse_args()
    report = run(options.kills, seed=options.seed, store=options.store, key=options.key)
    print(json.dumps(asdict(report), indent=2))
    sys.exit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
