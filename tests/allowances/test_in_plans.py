"""A plan of which allowances cover every step needs no question; all of it counts at once, and each step once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.allowances.terms import SEND, SENDER, options
from tests.connecting import connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import TEXT, Between, between, customers, propose, run, states, texts
from tests.sandbox_control import Sandbox, sandboxes

TO_CUSTOMERS = (f"from_number = {SENDER}", "to_number starts with +1212555", "text any")


@dataclass(frozen=True)
class Site:
    """A server with an allowance to text customers, and a client that cannot ask."""

    client: Client
    operator: OperatorSide
    sandbox: Sandbox
    way: Between
    allowance: str

    async def used(self) -> int:
        """Return how many calls the allowance counts."""
        return int((await self.operator.list_allowances())[0]["used"])

    async def sent(self) -> int:
        """Return how many messages left."""
        return len(await self.sandbox.requests(method="POST", path="messages"))


@asynccontextmanager
async def site(folder: Path, *, count: str = "50/day", money: str = "1.00 USD/day") -> AsyncGenerator[Site]:
    async with sandboxes() as sandbox, between() as (way, http):
        settings = settings_for(folder, sandbox.voicetel)
        services, server = server_for(settings, http=http)
        await services.store.freeze.is_on()  # opens the store, which the operator's passcode goes into
        operator = OperatorSide(settings.state_folder)
        allowance = await operator.allow(SEND, *options(*TO_CUSTOMERS, count=count, money=money))
        async with connect(server) as client:
            yield Site(client, operator, sandbox, way, allowance)
        await services.close()


async def test_a_plan_of_covered_steps_runs_without_a_question_and_each_step_counts_once(tmp_path: Path) -> None:
    async with site(tmp_path, count="8/day") as here:
        plan = await propose(here.client, texts(customers(8)))
        assert plan["state"] == "approved", plan
        assert await here.used() == 8
        assert states(await run(here.client, plan["plan"])) == ["done"] * 8
        assert states(await run(here.client, plan["plan"])) == ["done"] * 8
        assert await here.used() == await here.sent() == 8
        [recorded] = await here.operator.list_plans()
        assert recorded["decided_by"] == f"allowance {here.allowance}"
        assert {action["decided_by"] for action in await here.operator.list_actions()} == {
            f"allowance {here.allowance}"
        }
        await here.operator.require_whole_audit()


@pytest.mark.parametrize(
    ("limits", "rows"),
    [
        ({"count": "2/day"}, customers(3)),
        ({"money": "0.02 USD/day"}, customers(3)),
        ({}, customers(2) + "+19175550100,Somebody else\n"),
        ({}, customers(11)),
        ({}, customers(1) + customers(1).split("\n")[1]),
    ],
    ids=["count", "money", "a step outside", "more people than the bulk limit", "the same step twice"],
)
async def test_a_plan_that_is_not_covered_whole_is_asked_about_and_counts_nothing(
    tmp_path: Path, limits: dict[str, Any], rows: str
) -> None:
    async with site(tmp_path, **limits) as here:
        assert (await propose(here.client, texts(rows)))["state"] == "proposed"
        assert await here.used() == 0


async def test_parallel_plans_do_not_overrun_the_count(tmp_path: Path) -> None:
    async with site(tmp_path, count="7/day") as here:
        found: list[str] = []

        async def one(place: int) -> None:
            job = texts(customers(3), text=f"Job {place}: {TEXT}")
            found.append(str((await propose(here.client, job))["state"]))

        async with anyio.create_task_group() as group:
            for place in range(4):
                group.start_soon(one, place)
        assert sorted(found) == ["approved", "approved", "proposed", "proposed"]
        assert await here.used() == 6


async def test_an_allowance_that_is_revoked_in_the_middle_ends_the_plan_and_gives_back_what_is_left(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as here:
        plan = (await propose(here.client, texts(customers(4))))["plan"]

        async def revoke() -> None:
            await here.operator.run("allowances", "revoke", here.allowance)

        here.way.before[2] = revoke
        ended = await run(here.client, plan)
        assert ended["state"] == "failed"
        assert states(ended) == ["done", "done", "waiting", "waiting"]
        assert await here.sent() == await here.used() == 2
        assert (await propose(here.client, texts(customers(4))))["state"] == "proposed"


async def test_a_step_that_the_provider_refused_counts_no_more(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        plan = (await propose(here.client, texts(customers(3), on_failure="continue")))["plan"]
        await here.sandbox.break_with("status", provider="voicetel", method="POST", path="messages", status=422)
        assert states(await run(here.client, plan)).count("refused") == 1
        assert await here.used() == 2
