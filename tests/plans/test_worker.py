"""The worker carries out what was approved, without waiting for the assistant: each step once."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from guard.errors import OutcomePending
from server.mcp.call_parser import SessionCalls
from server.mcp.server import build_server
from server.services import Services
from server.worker.errands import Operator
from server.worker.worker import open_worker
from tests.clocks import ShiftedClock
from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.rates_proxy import proxy_rates
from tests.operator_side import OperatorSide
from tests.plans.jobs import (
    SENDER,
    between,
    content_of,
    customers,
    number,
    propose,
    run,
    states,
    text_of,
    texts,
    work_off,
)
from tests.plans.test_carrying_out import run_one_step
from tests.plans.test_page import signed_in
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.browsing import token_in, words_of


async def test_a_plan_is_carried_out_without_another_call_of_the_assistant(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client, open_worker(services) as worker:
            plan = (await propose(client, texts(customers(5))))["plan"]
            assert "carries it out now" in await operator.approve_plan(plan, "--run")
            await worker.work_off()
            shown = content_of(await client.call_tool("get_action", {"action_id": plan}))
            assert (shown["state"], states(shown)) == ("done", ["done"] * 5)
            assert states(await run(client, plan)) == ["done"] * 5
        assert await _sent(sandbox) == [number(place) for place in range(5)]
        await operator.require_whole_audit()


async def test_two_that_carry_out_a_plan_at_once_send_each_step_once(tmp_path: Path, operator: OperatorSide) -> None:
    """The operator runs it on the command line while the worker is at it, and the assistant looks how far it is."""
    async with sandboxes() as sandbox, between() as (way, http):
        settings = settings_for(tmp_path, sandbox.voicetel)
        services, server = server_for(settings, http=http)
        other = Services(settings)
        seen: list[str] = []
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(6))))["plan"]
            await operator.approve_plan(plan, "--run")

            async def run_too() -> None:
                seen.append((await run(client, plan))["state"])
                with pytest.raises(OutcomePending):
                    await _run(other, plan)

            way.before[2] = run_too
            await work_off(services)
            assert seen == ["running"]
            assert (await run(client, plan))["state"] == "done"
        await other.close()
        assert await _sent(sandbox) == [number(place) for place in range(6)]


async def test_what_stopped_for_a_freeze_is_carried_out_after_it(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        clock = ShiftedClock()
        services = Services(settings_for(tmp_path, sandbox.voicetel), given_http=http, clock=clock)
        way.before[2] = operator.freeze  # the second message is on its way already
        async with connect(build_server(services)) as client:
            plan = (await propose(client, texts(customers(4))))["plan"]
            await operator.approve_plan(plan, "--run")
            await work_off(services)
            clock.ahead = timedelta(minutes=2)
            await work_off(services)
            assert len(await _sent(sandbox)) == 2
            await operator.unfreeze()
            clock.ahead = timedelta(minutes=4)
            await work_off(services)
            assert (await run(client, plan))["state"] == "done"
        assert await _sent(sandbox) == [number(place) for place in range(4)]


async def test_an_unknown_outcome_is_looked_at_again_and_never_sent_again(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox, between() as (way, http):
        clock = ShiftedClock()
        services = Services(settings_for(tmp_path, sandbox.voicetel), given_http=http, clock=clock)
        way.before[2] = lambda: sandbox.break_with("drop_after", method="POST", path="messages")
        async with connect(build_server(services)) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await operator.approve_plan(plan, "--run")
            await sandbox.break_with("status", provider="voicetel", method="GET", path="messages", times=None)
            await work_off(services)
            stopped = content_of(await client.call_tool("get_action", {"action_id": plan}))
            assert (stopped["state"], states(stopped)) == ("stopped", ["done", "unknown", "waiting"])
            await sandbox.mend()
            clock.ahead = timedelta(minutes=2)
            await work_off(services)
            assert states(await run(client, plan)) == ["done"] * 3
        assert await _sent(sandbox) == [number(place) for place in range(3)]


async def test_a_step_that_became_more_expensive_is_not_sent_by_the_worker(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox, proxy_rates(sms=0.01) as (proxy, http):
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await operator.approve_plan(plan, "--run")
            await run_one_step(services, plan)
            proxy.rates["sms"] = 0.02
            await work_off(services)
            shown = content_of(await client.call_tool("get_action", {"action_id": plan}))
            assert (shown["state"], states(shown)) == ("failed", ["done", "not sent", "waiting"])
        assert await _sent(sandbox) == [number(0)]


async def test_an_action_that_may_not_be_made_any_more_is_closed_and_the_repeated_call_says_why(
    tmp_path: Path, operator: OperatorSide
) -> None:
    words = {"from_number": SENDER, "to_number": number(9), "text": "Your table is ready."}
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            action = content_of(await client.call_tool("voicetel_send_message", words))["action"]
            await operator.approve(action, "--run")
            await operator.opt_out(number(9))
            await work_off(services)
            again = text_of(await client.call_tool("voicetel_send_message", words))
            assert f"Not sent by the server: {number(9)} opted out" in again
        assert await _sent(sandbox) == []


async def test_only_what_was_approved_for_it_is_carried_out(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            waits, declined, left = [
                (await propose(client, texts(customers(1), text=f"Hello {{{{name}}}}, {word}.")))["plan"]
                for word in ("one", "two", "three")
            ]
            await operator.decline_plan(declined)
            assert "It waits for the assistant, until " in await operator.approve_plan(left)
            await work_off(services)
            shown = {plan["id"]: plan["state"] for plan in await operator.list_plans()}
            assert shown == {waits: "proposed", declined: "declined", left: "approved"}
        assert await _sent(sandbox) == []


async def test_a_setting_has_the_server_carry_out_whatever_is_approved(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel, approvals={"run": "server", "page": "off"})
        services, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            approved = await client.call_tool("propose_plan", texts(customers(2)))
            assert "is carried out by the server" in text_of(approved)
            await work_off(services)
            assert (await run(client, content_of(approved)["plan"]))["state"] == "done"
        assert len(await _sent(sandbox)) == 2


async def test_the_page_has_a_button_that_leaves_it_to_the_server(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        services, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(2))))["plan"]
            words = {"from_number": SENDER, "to_number": number(9), "text": "Your table is ready."}
            action = content_of(await client.call_tool("voicetel_send_message", words))["action"]
            release = {"number": "+12015550143"}
            final = content_of(await client.call_tool("voicetel_release_number", release))["action"]
            for one in (plan, action):
                text = (await page.open(f"/{one}")).text
                assert "Approve and run" in text
                await page.send(f"/{one}/approve", token=token_in(text), run="server")
                assert "server carries it out" in (await page.open(f"/{one}")).text
            token = token_in((await page.open(f"/{final}")).text)
            asked = (await page.send(f"/{final}/approve", token=token, run="server")).text
            assert "Approve for good and run" in asked
            sure = re.findall(r'name="(sure|run|up_to)" value="([^"]*)"', asked)
            await page.send(f"/{final}/approve", token=token, **dict(sure))
            await work_off(services)
            assert "2 of 2 steps done" in (await page.open(f"/{plan}")).text
            assert "it was carried out" in (await page.open(f"/{final}")).text, words_of(await page.open(f"/{final}"))
        assert await _sent(sandbox) == [number(9), *(number(place) for place in range(2))]
        assert len(await sandbox.requests(method="POST", path="release")) == 1


async def test_without_it_the_page_says_that_the_assistant_is_waited_for_and_how_long(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        _, server = server_for(settings)
        async with connect(server) as client, signed_in(settings) as page:
            plan = (await propose(client, texts(customers(2))))["plan"]
            words = {"from_number": SENDER, "to_number": number(9), "text": "Your table is ready."}
            action = content_of(await client.call_tool("voicetel_send_message", words))["action"]
            for one in (plan, action):
                await page.press(f"/{one}/approve", on=f"/{one}")
                text = " ".join((await page.open(f"/{one}")).text.split())
                assert "Approved, waiting for the assistant" in text
                assert re.search(r"with its next call, until [0-9:]{5} UTC", text)
            await page.press(f"/{plan}/decline", on=f"/{plan}")
            assert "it was cancelled, and nothing was sent" in (await page.open(f"/{plan}")).text
            assert (await run(client, plan))["error"] == "Declined"


async def _run(services: Services, plan_id: str) -> None:
    """Carry out a plan as `ringfence plans run` does."""
    plan = await services.plans.find(plan_id)
    assert plan is not None
    await services.plan_runner.run(plan, SessionCalls(Operator(services), services), Operator(services))


async def _sent(sandbox: Sandbox) -> list[str]:
    return ["+1" + row["body"]["toNumber"] for row in await sandbox.requests(method="POST", path="messages")]


async def test_an_action_is_carried_out_and_the_repeated_call_shows_what_became_of_it(
    tmp_path: Path, operator: OperatorSide
) -> None:
    words = {"from_number": SENDER, "to_number": number(0), "text": "Your table is ready."}
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client, open_worker(services) as worker:
            action = content_of(await client.call_tool("voicetel_send_message", words))["action"]
            await operator.approve(action, "--run")
            await worker.work_off()
            assert (await operator.action(action))["state"] == "done"
            again = content_of(await client.call_tool("voicetel_send_message", words))
            assert (again["action"], again["state"]) == (action, "done")
            assert "by itself after it was approved" in again["notes"][0]
            once_more = content_of(await client.call_tool("voicetel_send_message", words))
            assert (once_more["state"], once_more["action"] == action) == ("proposed", False)
        assert await _sent(sandbox) == [number(0)]
