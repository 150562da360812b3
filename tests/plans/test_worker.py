"""The worker carries out what was approved, without waiting for the assistant: each step once."""

from pathlib import Path

from server.worker.worker import open_worker
from tests.connecting import connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import content_of, customers, number, propose, run, states, texts
from tests.sandbox_control import Sandbox, sandboxes


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


async def _sent(sandbox: Sandbox) -> list[str]:
    return ["+1" + row["body"]["toNumber"] for row in await sandbox.requests(method="POST", path="messages")]


async def test_an_action_is_carried_out_and_the_repeated_call_shows_what_became_of_it(
    tmp_path: Path, operator: OperatorSide
) -> None:
    order = {"numbers": ["+12125550100"]}
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client, open_worker(services) as worker:
            action = content_of(await client.call_tool("voicetel_order_numbers", order))["action"]
            await operator.approve(action, "--run")
            await worker.work_off()
            assert (await operator.action(action))["state"] == "done"
            again = content_of(await client.call_tool("voicetel_order_numbers", order))
            assert (again["action"], again["state"]) == (action, "done")
            assert "by itself after it was approved" in again["notes"][0]
            once_more = content_of(await client.call_tool("voicetel_order_numbers", order))
            assert (once_more["state"], once_more["action"] == action) == ("proposed", False)
        assert len(await sandbox.requests(method="POST", path="orders")) == 1
