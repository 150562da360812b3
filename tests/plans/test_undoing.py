"""A plan is undone as a plan: its steps in reverse order, with what is not restored in the one question."""

from pathlib import Path
from typing import Any

from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import content_of, customers, propose, run, states, text_of, texts
from tests.sandbox_control import Sandbox, sandboxes

NUMBERS = ["+12015550142", "+12015550143"]
FORWARDS = {
    "title": "Holiday forwarding",
    "steps": [
        {
            "operation": "voicetel_set_forward",
            "arguments": {"number": "{{number}}", "destination": "+12125550142"},
            "for_each": [{"number": number} for number in NUMBERS],
        }
    ],
}


async def test_the_steps_of_a_plan_are_undone_in_reverse_order_with_one_question(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            plan = await _approved(client, operator, await client.call_tool("propose_plan", FORWARDS))
            assert states(await run(client, plan)) == ["done", "done"]
            asked = await client.call_tool("undo_action", {"action_id": plan})
            question = person.questions[-1] if content_of(asked)["state"] == "approved" else text_of(asked)
            assert f"This undoes 2 steps of {plan}, the last one first." in question
            reverse = await _approved(client, operator, asked)
            assert states(await run(client, reverse)) == ["done", "done"]
        sent = await _forwarded(sandbox)
        assert sent == [*NUMBERS, *reversed(NUMBERS)]


async def test_texts_that_were_sent_cannot_be_undone_and_the_reason_is_said_once(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(3))))["plan"]
            await run(client, plan)
            refused = content_of(await client.call_tool("undo_action", {"action_id": plan}))
        assert refused["error"] == "CannotBeUndone"
        assert refused["message"].startswith(f"{plan} cannot be undone. Steps 1-3: not undone.")


async def test_a_plan_that_was_not_carried_out_needs_no_undo(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            refused = content_of(await client.call_tool("undo_action", {"action_id": plan}))
        assert "No step of it was carried out" in refused["message"]


async def test_plans_are_listed_and_the_steps_of_one_are_looked_up_by_its_id(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            plan = (await propose(client, texts(customers(2))))["plan"]
            ran = await run(client, plan)
            [listed] = content_of(await client.call_tool("list_actions", {}))["plans"]
            assert (listed["plan"], listed["state"], listed["steps"]) == (plan, "done", 2)
            steps = content_of(await client.call_tool("list_actions", {"plan_id": plan}))["actions"]
            assert [step["action"] for step in steps] == [step["action"] for step in ran["steps"]]
            shown = text_of(await client.call_tool("get_action", {"action_id": steps[0]["action"]}))
            assert f"(step 1 of {plan})" in shown


async def _approved(client: Any, operator: OperatorSide, asked: Any) -> str:
    """Return the id of a plan that was asked about, approved by the operator where the client was not asked."""
    plan: str = content_of(asked)["plan"]
    if content_of(asked)["state"] == "proposed":
        await operator.approve_plan(plan)
    return plan


async def _forwarded(sandbox: Sandbox) -> list[str]:
    """Return the numbers whose forwarding was set or removed, in order."""
    rows = [row for row in await sandbox.writes() if "forward" in row["path"]]
    return ["+1" + row["path"].split("/")[-2] for row in rows]
