"""A plan may run at a time, and be undone at another one that is approved in the same question."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mcp import Client

from server.mcp.server import build_server
from server.services import Services
from tests import record_file
from tests.clocks import ShiftedClock
from tests.connecting import Person, connect, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import content_of, customers, propose, run, states, text_of, texts, work_off
from tests.plans.test_undoing import FORWARDS, NUMBERS
from tests.sandbox_control import Sandbox, sandboxes


@dataclass(frozen=True, slots=True)
class Scene:
    """A server whose clock a test moves, and a client that cannot ask."""

    sandbox: Sandbox
    services: Services
    clock: ShiftedClock
    client: Client
    operator: OperatorSide

    async def approve(self, plan: dict[str, Any], *options: str) -> str:
        """Propose a plan and have the operator approve it; return its id."""
        asked = await propose(self.client, plan)
        assert asked.get("state") == "proposed", asked
        await self.operator.approve_plan(asked["plan"], *options)
        return str(asked["plan"])

    async def at(self, hours: float) -> None:
        """Move the clock so far ahead, and let a worker do what is due then."""
        self.clock.ahead = timedelta(hours=hours)
        await work_off(self.services)

    async def show(self, plan_id: str) -> tuple[dict[str, Any], str]:
        """Return a plan as its asker sees it, as data and as text."""
        result = await self.client.call_tool("get_action", {"action_id": plan_id})
        return content_of(result), text_of(result)

    async def forwarded(self) -> list[str]:
        """Return the numbers whose forwarding was set or removed, in order."""
        return ["+1" + row["path"].split("/")[-2] for row in await self.sandbox.writes() if "forward" in row["path"]]


@asynccontextmanager
async def _scene(folder: Path, operator: OperatorSide, **more: Any) -> AsyncGenerator[Scene]:
    async with sandboxes() as sandbox:
        clock = ShiftedClock()
        services = Services(settings_for(folder, sandbox.voicetel, **more), clock=clock)
        async with connect(build_server(services)) as client:
            yield Scene(sandbox, services, clock, client, operator)


def _in(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


async def test_a_plan_runs_at_its_time_and_is_undone_at_the_other(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator, time_zone="Asia/Tokyo") as scene:
        asked = await scene.client.call_tool("propose_plan", FORWARDS | {"at": _in(1), "until": _in(49)})
        tokyo = (datetime.now(UTC) + timedelta(hours=10)).strftime("%A")
        assert f"Runs on {tokyo}" in text_of(asked)
        assert "in Asia/Tokyo (" in text_of(asked)
        assert "`ringfence work`, must be running then" in text_of(asked)
        assert "1-2. Remove forward at VoiceTel, 2 times" in text_of(asked)
        plan = content_of(asked)["plan"]
        assert f"carries it out on {tokyo}" in await operator.approve_plan(plan)
        await scene.at(0.9)
        assert (await run(scene.client, plan))["state"] == "approved"
        assert await scene.forwarded() == []
        await scene.at(1)
        assert await scene.forwarded() == NUMBERS
        shown, _ = await scene.show(plan)
        await scene.at(48)
        assert await scene.forwarded() == NUMBERS
        await scene.at(49)
        assert await scene.forwarded() == [*NUMBERS, *reversed(NUMBERS)]
        assert (await scene.show(shown["undone_by"]))[0]["state"] == "done"
        await operator.require_whole_audit()


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"at": "tomorrow"}, "at: 'tomorrow' is no ISO 8601 time; write it like 20"),
        ({"at": "2099-07-01T18:00"}, "at: 2099-07-01T18:00 has no offset; write 2099-07-01T18:00:00-04:00 if that is"),
        ({"at": "2020-07-01T18:00Z"}, "at: 2020-07-01T18:00Z is in the past; now it is "),
        ({"at": "2099-07-01T18:00Z"}, "at: 2099-07-01T18:00Z is more than 31 days ahead"),
        ({"until": "2099-07-01T18:00Z"}, "until: 2099-07-01T18:00Z is more than 31 days ahead"),
        ({"at": _in(3), "until": _in(2)}, "the undo runs after the plan"),
    ],
)
async def test_what_is_no_time_to_come_is_refused_with_the_form_that_is(
    times: dict[str, str], said: str, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _scene(tmp_path, operator, time_zone="America/New_York") as scene:
        refused = await propose(scene.client, FORWARDS | times)
        assert refused["error"] == "BadPlan"
        assert said in refused["message"]
        assert "nothing was stored, nobody was asked, nothing was sent" in refused["message"]
        assert await operator.list_plans() == []


async def test_what_cannot_be_undone_has_no_time_for_its_undo(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator) as scene:
        refused = await propose(scene.client, texts(customers(2), until=_in(5)))
        assert "this step can be undone not" in refused["message"] or "cannot be undone" in refused["message"]
        assert await operator.list_plans() == []


async def test_what_nobody_ran_in_time_says_so_and_is_not_run_hours_later(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"at": _in(2), "until": _in(30)})
        scene.clock.ahead = timedelta(hours=2, minutes=10)
        assert "no worker is at it: is a server, or `ringfence work`, running" in (await scene.show(plan))[1]
        await scene.at(3.1)
        shown, text = await scene.show(plan)
        assert shown["state"] == "expired"
        assert "and no worker ran within 60 minutes; nothing was sent" in text
        assert (await scene.show(shown["undone_by"]))[0]["outcome"] == f"Nothing of {plan} was sent."
        await scene.at(30)
        assert await scene.forwarded() == []


async def test_a_plan_is_cancelled_before_it_runs_and_its_undo_with_it(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"at": _in(1), "until": _in(2)})
        await operator.decline_plan(plan)
        assert "it was cancelled, and nothing was sent" in (await scene.show(plan))[1]
        for hours in (1, 2):
            await scene.at(hours)
        assert await scene.forwarded() == []
        scene.clock.ahead = timedelta()
        again = await scene.approve(FORWARDS | {"at": _in(3)})
        await scene.at(3)
        assert (await scene.show(again))[0]["state"] == "done"
        assert "is done" in await operator.decline_plan(again, fails=True)


async def test_the_undo_alone_can_be_cancelled(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"until": _in(2)}, "--run")
        await scene.at(0)
        assert await scene.forwarded() == NUMBERS
        await operator.decline_plan((await scene.show(plan))[0]["undone_by"])
        await scene.at(2)
        assert await scene.forwarded() == NUMBERS


async def test_what_somebody_changed_meanwhile_is_not_undone(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"until": _in(5)}, "--run")
        await scene.at(0)
        other = {"number": NUMBERS[0], "destination": "+12125550177"}
        action = content_of(await scene.client.call_tool("voicetel_set_forward", other))["action"]
        await operator.approve(action, "--run")
        await scene.at(0.1)
        await scene.at(5)
        assert await scene.forwarded() == [*NUMBERS, NUMBERS[0], NUMBERS[1]]
        undo = (await scene.show(plan))[0]["undone_by"]
        shown, text = await scene.show(undo)
        assert states(shown) == ["done", "not sent"]
        assert "Somebody changed it meanwhile" in text


async def test_a_step_that_starts_from_another_state_than_was_approved_is_not_sent(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """Its undo was approved to restore the state that the question showed."""
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"at": _in(1), "until": _in(2), "on_failure": "continue"})
        other = {"number": NUMBERS[0], "destination": "+12125550177"}
        action = content_of(await scene.client.call_tool("voicetel_set_forward", other))["action"]
        await operator.approve(action, "--run")
        await scene.at(0)
        await scene.at(1)
        assert states((await scene.show(plan))[0]) == ["not sent", "done"]
        await scene.at(2)
        assert await scene.forwarded() == [NUMBERS[0], NUMBERS[1], NUMBERS[1]]


async def test_a_step_that_is_struck_is_not_undone(tmp_path: Path, operator: OperatorSide) -> None:
    async with _scene(tmp_path, operator) as scene:
        await scene.approve(FORWARDS | {"at": _in(1), "until": _in(2)}, "--strike", "1")
        for hours in (1, 2):
            await scene.at(hours)
        assert await scene.forwarded() == [NUMBERS[1], NUMBERS[1]]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE plans SET at = replace(at, '+00:00', '-01:00') WHERE undoes IS NULL",
        "UPDATE plans SET until = replace(until, '+00:00', '-01:00') WHERE undoes IS NULL",
        """UPDATE plan_steps SET given = replace(given, '0143', '0144'), arguments = replace(arguments, '0143', '0144')
           WHERE undoes = 2""",
    ],
    ids=["the time it runs at", "the time it is undone at", "the undo"],
)
async def test_a_yes_counts_for_the_times_and_the_undo_in_the_question_only(
    change: str, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"at": _in(1), "until": _in(30)})
        await record_file.change(scene.services.settings.state_folder, change)
        await scene.at(1)
        await scene.at(2.1)
        shown, text = await scene.show(plan)
        assert (shown["state"], "not those that were approved" in text) == ("failed", True)
        assert await scene.forwarded() == []


@pytest.mark.parametrize(("quiet", "is_refused"), [((0, 2), False), ((5, 2), True)])
async def test_quiet_hours_are_those_of_the_time_at_which_it_runs(
    quiet: Sequence[int], is_refused: bool, tmp_path: Path, operator: OperatorSide
) -> None:
    """`quiet` begins so many hours from now, less one, and lasts so many, where the text goes to."""
    start = datetime.now(ZoneInfo("America/New_York")) + timedelta(hours=quiet[0] - 1)
    hours = f"{start:%H:%M}-{start + timedelta(hours=quiet[1]):%H:%M}"
    async with _scene(tmp_path, operator, compliance={"quiet_hours": hours}) as scene:
        asked = await propose(scene.client, texts(customers(1), at=_in(5)))
        assert (asked.get("error") == "BadPlan") is is_refused, asked


async def test_the_same_job_at_another_time_is_another_plan_and_two_do_not_undo_the_same(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with _scene(tmp_path, operator) as scene:
        plan = await scene.approve(FORWARDS | {"at": _in(1), "until": _in(2)})
        other = await propose(scene.client, FORWARDS | {"at": _in(3), "until": _in(4)})
        assert f"is a step of {plan}, which is open" in other["message"]


async def test_the_answer_of_a_form_covers_the_times(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        clock = ShiftedClock()
        services = Services(settings_for(tmp_path, sandbox.voicetel), clock=clock)
        person = Person()
        async with connect(build_server(services), person=person) as client:
            plan = await propose(client, texts(customers(2), at=_in(1)))
            assert plan["state"] == "approved"
            assert "Runs on " in person.questions[0]
            assert (await run(client, plan["plan"]))["state"] == "approved"
            clock.ahead = timedelta(hours=1)
            await work_off(services)
            assert (await run(client, plan["plan"]))["state"] == "done"
