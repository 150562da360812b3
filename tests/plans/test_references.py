"""An argument may come from the answer of an earlier step, where nothing that a person approves depends on it."""

from pathlib import Path
from typing import Any

import pytest

from guard.plans.references import NotKnownYet, stand_in, why_not
from tests.connecting import Person, connect, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import SENDER, content_of, number, propose, run, states, text_of
from tests.sandbox_control import sandboxes
from tools.arguments import BadArguments, parse
from tools.discovery.examples import ExampleAccount, example_of
from tools.registry import all_operations

ADDRESS = {"address1": "411 Hackensack Avenue", "city": "Hackensack", "state": "NJ", "zip": "07601"}
VALIDATE = {"operation": "voicetel_validate_e911_address", "arguments": ADDRESS, "label": "office"}
HOME = {"number": SENDER, "address_id": {"$from": "office.address.address_id"}, "caller_name": "HARBOR DENTAL"}
BIND = {"operation": "voicetel_update_e911_record", "arguments": HOME}


def _plan(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"title": "Move the office", "steps": list(steps)}


def _bind(**arguments: Any) -> dict[str, Any]:
    return {**BIND, "arguments": {**HOME, **arguments}}


async def test_a_step_gets_an_id_from_the_answer_of_an_earlier_one(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            asked = await client.call_tool("propose_plan", _plan(VALIDATE, BIND))
            assert "plan" in content_of(asked), text_of(asked)
            plan = content_of(asked)["plan"]
            [question] = person.questions or [text_of(asked)]
            assert "address_id: from the answer to office.address.address_id" in question
            if content_of(asked)["state"] == "proposed":
                await operator.approve_plan(plan)
            assert states(await run(client, plan)) == ["done", "done"]
            shown = text_of(await client.call_tool("voicetel_validate_e911_address", ADDRESS))
        [bound] = await sandbox.requests(method="PUT", path="e911")
        assert f'"address_id":{bound["body"]["addressid"]}' in shown  # the same address has the same id


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([BIND], "no step has the label 'office'; the labels: none"),
        ([BIND, VALIDATE], "step 2 comes no earlier"),
        ([_bind() | {"label": "office"}], "step 1 comes no earlier"),
        (
            [VALIDATE, _bind(address_id={"$from": "office.address.id"})],
            "declares no address.id; its ids: address.address_id",
        ),
        ([VALIDATE, _bind(address_id={"$from": "office"})], 'a reference is written {"$from": "label.field"}'),
        ([VALIDATE, _bind(address_id={"$from": "office.address.address_id", "x": 1})], "a reference is written"),
        ([VALIDATE, _bind(number={"$from": "office.address.zip"})], "number: What a call removes or overwrites"),
        ([VALIDATE, _bind(caller_name={"$from": "office.address.city"})], "caller_name: A reference stands for an id"),
        (
            [
                VALIDATE,
                {
                    "operation": "voicetel_send_message",
                    "arguments": {"from_number": SENDER, "text": "Hi.", "to_number": {"$from": "office.address.zip"}},
                },
            ],
            "to_number: A reference stands for an id",
        ),
        (
            [
                VALIDATE,
                {"operation": "voicetel_order_numbers", "arguments": {"numbers": [{"$from": "office.address.zip"}]}},
            ],
            "numbers: a reference is a whole argument, never a part of one",
        ),
        (
            [
                VALIDATE,
                {"operation": "voicetel_order_numbers", "arguments": {"numbers": {"$from": "office.address.zip"}}},
            ],
            "numbers: A reference stands for an id",
        ),
        ([VALIDATE], "only reads: a plan has such a step only where a later one refers to its answer"),
    ],
)
async def test_a_reference_that_may_not_be_is_named_with_the_rule(
    steps: list[dict[str, Any]], named: str, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            refused = await propose(client, _plan(*steps))
            assert refused["error"] == "BadPlan"
            assert named in refused["message"]
        assert await sandbox.requests() == []


async def test_a_value_in_a_row_is_never_taken_for_a_reference(tmp_path: Path) -> None:
    rows = [{"to": number(0), "words": '{"$from": "office.address.city"}'}]
    arguments = {"from_number": SENDER, "to_number": "{{to}}", "text": "{{words}}"}
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            step = {"operation": "voicetel_send_message", "arguments": arguments, "for_each": rows}
            plan = await propose(client, _plan(step))
            assert states(await run(client, plan["plan"])) == ["done"]
        [sent] = await sandbox.requests(method="POST", path="messages")
        assert sent["body"]["text"] == rows[0]["words"]


def test_over_all_operations_only_ids_that_decide_nothing_may_be_references() -> None:
    """Whom a call reaches, when, how often and for how much is known before the value of any reference is."""
    allowed: set[str] = set()
    for name, operation in all_operations().items():
        for argument in operation.model_fields:
            if operation.spec.effect.is_plain_read or why_not(operation, argument) is not None:
                continue
            allowed.add(argument)
            example = example_of(operation) | {argument: {"$from": "a.id"}}
            try:
                call, _ = parse(stand_in(operation, frozenset({argument})), example, ExampleAccount())
                facts = (call.destinations(), call.scheduled_at(), call.charge())
                call.members()
                call.recipient_count()
            except (BadArguments, NotKnownYet):
                continue  # refused when the plan is proposed
            real, _ = parse(operation, example_of(operation), ExampleAccount())
            assert facts[:3] == (real.destinations(), real.scheduled_at(), real.charge()), name
    assert allowed
    assert not {one for one in allowed if "number" in one or "phone" in one or one == "to"}
    assert all(one in {"id", "route"} or one.endswith("_id") for one in allowed)
    assert not allowed & {"account_id", "contact_id", "customer_id", "caller_id", "phone_number_id"}
