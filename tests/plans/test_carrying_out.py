"""A plan that was approved is carried out step by step: each step once, whatever happens in between."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, InputRequiredResult, InputResponses

from clients.spec import Spec
from guard.plans.run import PlanRunner, Run
from server.mcp.call_parser import SessionCalls
from server.mcp.server import build_server
from server.services import Services
from tests import record_file
from tests.clocks import ShiftedClock
from tests.connecting import Era, Person, connect, server_for, settings_for
from tests.guard.rates_proxy import proxy_rates
from tests.operator_side import OperatorSide
from tests.plans.jobs import SENDER, between, content_of, customers, number, propose, run, states, text_of, texts
from tests.sandbox_control import Sandbox, sandboxes

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


@ERAS
async def test_eight_customers_are_texted_with_one_question_and_one_yes(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, era=era, person=person) as client:
            approved = await propose(client, texts(customers(8)))
            assert approved["state"] == "approved"
            assert await _sent(sandbox) == []
            ran = await client.call_tool("run_plan", {"plan_id": approved["plan"]})
            [question] = person.questions
            assert all(f"{number(place)}; text: Hello Customer {place}," in question for place in range(8))
            assert "VoiceTel charges $0.08 in all, for 8 SMS segments" in question
            assert "Done: steps 1-8." in text_of(ran)
            assert states(content_of(ran)) == ["done"] * 8
            assert await _sent(sandbox) == [number(place) for place in range(8)]
            actions = await operator.list_actions()
            assert {action["state"] for action in actions} == {"done"}
            assert {action["id"] for action in actions} == {step["action"] for step in content_of(ran)["steps"]}
            await operator.require_whole_audit()


@ERAS
async def test_a_plan_that_is_run_again_sends_nothing_a_second_time(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era, person=Person()) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            assert states(await run(client, plan)) == ["done"] * 3
            assert states(await run(client, plan)) == ["done"] * 3
        assert len(await _sent(sandbox)) == 3


async def test_the_plan_of_a_client_that_cannot_ask_runs_after_the_operators_yes(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            asked = await client.call_tool("propose_plan", texts(customers(2)))
            plan = content_of(asked)["plan"]
            assert text_of(asked).startswith("NOT SENT.")
            assert content_of(await client.call_tool("run_plan", {"plan_id": plan}))["state"] == "proposed"
            assert await _sent(sandbox) == []
            await operator.approve_plan(plan)
            assert states(await run(client, plan)) == ["done"] * 2


@ERAS
async def test_nothing_of_a_plan_is_sent_after_a_no(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era, person=Person("decline")) as client:
            refused = content_of(await client.call_tool("propose_plan", texts(customers(2))))
            assert refused["error"] == "Declined"
        assert await _sent(sandbox) == []


@pytest.mark.parametrize(
    ("on_failure", "expected", "ends"),
    [("stop", ["done", "refused", "waiting"], "failed"), ("continue", ["done", "refused", "done"], "done")],
)
async def test_what_follows_a_failed_step_is_sent_only_where_the_question_said_so(
    on_failure: str, expected: list[str], ends: str, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        way.before[2] = lambda: sandbox.break_with("status", status=400, method="POST", path="messages")
        person = Person()
        async with connect(server, person=person) as client:
            plan = (await propose(client, texts(customers(3), on_failure=on_failure)))["plan"]
            ran = await run(client, plan)
            again = await run(client, plan)
        assert (states(ran), ran["state"]) == (expected, ends)
        assert (states(again), again["state"]) == (expected, ends)
        said = "those after it are not sent" if on_failure == "stop" else "the others are sent all the same"
        assert said in person.questions[0]


async def test_an_unknown_outcome_stops_a_plan_until_it_is_settled(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        way.before[2] = lambda: sandbox.break_with("drop_before", method="POST", path="messages")
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(3), on_failure="continue")))["plan"]
            stopped = await run(client, plan)
            assert (states(stopped), stopped["state"]) == (["done", "unknown", "waiting"], "stopped")
            assert states(await run(client, plan)) == ["done", "unknown", "waiting"]
            await operator.resolve(stopped["steps"][1]["action"], "refused")
            assert states(await run(client, plan)) == ["done", "refused", "done"]
        assert await _sent(sandbox) == [number(0), number(1), number(2)]  # the lost one left once


async def test_a_freeze_in_the_middle_stops_a_plan_which_goes_on_when_it_is_lifted(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        way.before[2] = operator.freeze  # the second message is on its way already
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(4))))["plan"]
            assert (await run(client, plan))["error"] == "Frozen"
            shown = content_of(await client.call_tool("get_action", {"action_id": plan}))
            assert (states(shown), shown["state"]) == (["done", "done", "waiting", "waiting"], "stopped")
            await operator.unfreeze()
            assert states(await run(client, plan)) == ["done"] * 4
        assert len(await _sent(sandbox)) == 4


async def test_whoever_opts_out_in_the_middle_gets_nothing(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        way.before[1] = lambda: operator.opt_out(number(2))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(4), on_failure="continue")))["plan"]
            result = await client.call_tool("run_plan", {"plan_id": plan})
            assert states(content_of(result)) == ["done", "done", "not sent", "done"]
            assert f"{number(2)} opted out" in text_of(result)
        assert number(2) not in await _sent(sandbox)


async def test_a_call_that_was_made_outside_the_plan_meanwhile_is_not_made_again_by_a_step(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2), on_failure="continue")))["plan"]
            one = {
                "from_number": SENDER,
                "to_number": number(0),
                "text": "Hello Customer 0, the clinic is closed on Friday.",
            }
            assert content_of(await client.call_tool("voicetel_send_message", one))["state"] == "done"
            assert states(await run(client, plan)) == ["not sent", "done"]
        assert await _sent(sandbox) == [number(0), number(1)]


@pytest.mark.parametrize("columns", [("given", "arguments"), ("given",), ("arguments",)])
async def test_a_plan_with_a_row_that_was_changed_after_the_yes_sends_nothing(
    columns: tuple[str, ...], tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            for column in columns:
                changed = f"UPDATE plan_steps SET {column} = replace({column}, ?, ?) WHERE position = 2"  # noqa: S608
                await record_file.change(settings.state_folder, changed, number(1), "+12125550199")
            assert (await run(client, plan))["error"] == "NotTheSameCall"
        assert await _sent(sandbox) == []


async def test_a_plan_belongs_to_whoever_proposed_it(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            await record_file.change(settings.state_folder, "UPDATE plans SET principal = 'token:somebody'")
            refused = await run(client, plan)
            assert refused["error"] == "NotTheSameCall"
            assert "no plan" in refused["message"]
        assert await _sent(sandbox) == []


async def test_steps_that_the_operator_strikes_are_not_sent(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(4))))["plan"]
            assert "3 steps, $0.03" in await operator.approve_plan(plan, "--strike", "2")
            assert states(await run(client, plan)) == ["done", "struck", "done", "done"]
        assert number(1) not in await _sent(sandbox)


async def test_a_step_that_became_more_expensive_is_not_sent(tmp_path: Path) -> None:
    async with sandboxes() as sandbox, proxy_rates(sms=0.01) as (proxy, http):
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await run_one_step(services, plan)
            proxy.rates["sms"] = 0.02
            ran = await client.call_tool("run_plan", {"plan_id": plan})
            assert states(content_of(ran)) == ["done", "not sent", "waiting"]
            assert "You approved $0.01, and it is now $0.02; nothing was sent." in text_of(ran)
        assert len(await _sent(sandbox)) == 1


async def test_a_run_of_many_steps_reads_prices_once(tmp_path: Path) -> None:
    """Six reads of the account an hour are all that there are, for its balance and call records too."""
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(8))))["plan"]
            assert states(await run(client, plan)) == ["done"] * 8
        assert len(await sandbox.requests(method="GET", path="account")) <= 2


async def test_what_is_left_when_the_time_of_a_plan_is_over_is_not_sent_and_its_money_is_free(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, plan_minutes=60)
        server = build_server(Services(settings, clock=clock))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            clock.ahead = timedelta(minutes=61)
            refused = await run(client, plan)
            assert refused["error"] == "Expired"
            assert "its time is over" in refused["message"]
        assert await _sent(sandbox) == []
        spent = await record_file.rows(settings.state_folder, "SELECT billionths FROM spending")
        assert {row["billionths"] for row in spent} == {0}


async def test_a_run_ends_before_its_client_gives_up_and_the_next_goes_on(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan_id = (await propose(client, texts(customers(3))))["plan"]
            for done in (1, 2):
                ran = await run_one_step(services, plan_id)
                assert (ran.is_paused, ran.plan.state.value, len(ran.actions)) == (True, "running", done)
            assert states(await run(client, plan_id)) == ["done"] * 3
        assert len(await _sent(sandbox)) == 3


async def test_an_answer_counts_only_for_the_steps_that_were_asked_about(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await client.session.call_tool("propose_plan", texts(customers(2)), allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            [key] = asked.input_requests or {}
            yes: InputResponses = {key: ElicitResult(action="accept", content={"approve": True})}
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await client.session.call_tool(
                    "propose_plan", texts(customers(3)), input_responses=yes, request_state=asked.request_state
                )
        assert await _sent(sandbox) == []


async def test_a_form_answers_no_plan_that_is_left_to_the_operator(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            plan = (await propose(client, texts(customers(11))))["plan"]
            assert (await run(client, plan))["state"] == "proposed"
        assert person.questions == []
        assert await _sent(sandbox) == []


async def run_one_step(services: Services, plan_id: str) -> Run:
    """Run a plan until its first step was sent, as if that had taken all of the time of a run."""
    plan = await services.plans.find(plan_id)
    assert plan is not None
    more = (services.guard, services.guard_dependencies, services.plans, services.shared_reads)
    anybody = Anybody()
    return await PlanRunner(*more, run_for=timedelta(0)).run(plan, SessionCalls(anybody, services), anybody)


class Anybody:
    """Whoever runs a plan without a client: reaches everything, and listens to no progress."""

    def may_use(self, account: str) -> bool:
        """Return True: every account is in reach."""
        return True

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return None: everything is in reach."""
        return None

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Nobody listens."""


async def _sent(sandbox: Sandbox) -> list[Any]:
    """Return who was texted, in order."""
    return ["+1" + row["body"]["toNumber"] for row in await sandbox.requests(method="POST", path="messages")]
