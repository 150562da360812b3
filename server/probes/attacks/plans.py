"""Probes of plans: nothing gets past the guard in a crowd of steps, by a reference, or under another approval."""

from collections.abc import Sequence
from typing import Any, Final

from server.probes.assistant import Reply
from server.probes.attacks.calls import MESSAGES, ORDER, ORDERS, SEND, SENDER
from server.probes.bench import Bench
from server.probes.probe import Probe, expect

PROPOSE: Final = "propose_plan"
RUN: Final = "run_plan"
TEXT: Final = "Your order {{order}} is ready."


def _numbers(count: int, *, first: int) -> list[str]:
    return [f"+1917555{number:04d}" for number in range(first, first + count)]


def _job(numbers: Sequence[str], *, text: str = TEXT, sender: str = SENDER, on_failure: str = "stop") -> dict[str, Any]:
    """Build a plan that texts every number."""
    rows = [{"to": number, "order": str(place)} for place, number in enumerate(numbers)]
    arguments = {"from_number": sender, "to_number": "{{to}}", "text": text}
    steps = [{"operation": SEND, "arguments": arguments, "for_each": rows}]
    return {"title": "Tell customers about their orders", "steps": steps, "on_failure": on_failure}


async def _bad_destination(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    bad = ("+19005550100", "+18765550100", "911", "+12125550199; +12125550198")
    crowd = _numbers(199, first=2000)
    for number in bad:
        refused = await assistant.call(PROPOSE, _job([*crowd[:120], number, *crowd[120:]]))
        expect(refused.error == "BadPlan", f"{number} among 200 rows was not refused: {refused.text[:100]}")
        expect("row 121" in refused.text, f"the row of {number} was not named: {refused.text[:200]}")
    listed = (await assistant.call("list_actions", {})).content.get("plans", [])
    expect(not any(plan["steps"] == 200 for plan in listed), "a refused plan was stored")
    expect(not await since.requests("POST", MESSAGES), "a message was sent")
    return f"{len(bad)} plans of 200 rows with one bad number each: refused as a whole, the row named, nothing stored"


async def _changed_row(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    numbers = _numbers(4, first=3000)
    approved = _job(numbers)
    plan = _waiting_plan(await assistant.call(PROPOSE, approved))
    await bench.operator.approve(plan)
    changes = {
        "a number": _job([*numbers[:3], "+19175553900"]),
        "one more row": _job([*numbers, "+19175553901"]),
        "the order of the rows": _job(list(reversed(numbers)), text="Order {{order}} is ready."),
        "the text": _job(numbers, text="Your order {{order}} was lost."),
        "what a failure does": _job(numbers, on_failure="continue"),
    }
    for what, changed in changes.items():
        reply = await assistant.call(PROPOSE, changed)
        needs_another = reply.waits and reply.content.get("plan") != plan
        expect(needs_another or reply.error == "BadPlan", f"with {what} changed, it needed no new approval")
    expect(not await since.requests("POST", MESSAGES), "a changed plan was sent")
    ran = await assistant.call(RUN, {"plan_id": plan})
    again = await assistant.call(RUN, {"plan_id": plan})
    sent = len(await since.requests("POST", MESSAGES))
    expect(not ran.is_error and sent == len(numbers), f"the approved plan sent {sent} of {len(numbers)} messages")
    expect(not again.is_error, f"a second run failed: {again.text[:100]}")
    return f"{len(changes)} changes, none under the approval given; the approved plan, run twice, sent {sent} messages"


async def _reference(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    address = {"address1": "411 Hackensack Avenue", "city": "Hackensack", "state": "NJ", "zip": "07601"}
    source = {"operation": "voicetel_validate_e911_address", "arguments": address, "label": "found"}
    hidden = {"$from": "found.address.zip"}
    calls = {
        "a recipient": (SEND, {"from_number": SENDER, "to_number": hidden, "text": "Hello."}),
        "the sender": (SEND, {"from_number": hidden, "to_number": "+19175554000", "text": "Hello."}),
        "what it says": (SEND, {"from_number": SENDER, "to_number": "+19175554000", "text": hidden}),
        "numbers to buy": (ORDER, {"numbers": hidden}),
        "one number to buy": (ORDER, {"numbers": [hidden]}),
        "a destination": ("voicetel_set_forward", {"number": SENDER, "destination": hidden}),
        "an amount": ("enswitch_add_customer_balance", {"id": 3, "amount": hidden}),
    }
    for what, (operation, arguments) in calls.items():
        job = {"title": "A job", "steps": [source, {"operation": operation, "arguments": arguments}]}
        refused = await assistant.call(PROPOSE, job)
        expect(refused.error == "BadPlan", f"{what} was left to an earlier answer: {refused.text[:100]}")
    writes = [*await since.requests("POST", MESSAGES), *await since.requests("POST", ORDERS)]
    expect(not writes, "something was sent")
    return f"{len(calls)} arguments left to an earlier answer, from recipients to amounts: all refused"


async def _other_principal(bench: Bench) -> str:
    alice, bob = await bench.silent(), await bench.silent("bob")
    since = await bench.providers.since_now()
    plan = _waiting_plan(await alice.call(PROPOSE, _job(_numbers(2, first=5000))))
    await bench.operator.approve(plan)
    for tool, arguments in (
        (RUN, {"plan_id": plan}),
        ("get_action", {"action_id": plan}),
        ("undo_action", {"action_id": plan}),
    ):
        reply = await bob.call(tool, arguments)
        expect(reply.is_error and "of yours" in reply.text, f"{tool} of bob reached it: {reply.text[:100]}")
    same = await bob.call(PROPOSE, _job(_numbers(2, first=5000)))
    expect(same.waits and same.content.get("plan") != plan, "the same job of bob ran under alice's approval")
    expect(not await since.requests("POST", MESSAGES), "a message was sent")
    expect(not (await alice.call(RUN, {"plan_id": plan})).is_error, "alice could not run her plan")
    return (
        "bob could neither run, read nor undo alice's approved plan, and the same job of his waits for its own approval"
    )


def _waiting_plan(reply: Reply) -> str:
    """Return the id of the plan that waits for approval."""
    expect(reply.waits, f"the plan did not wait for approval: {reply.text[:100]}")
    return str(reply.content["plan"])


PROBES = (
    Probe(
        name="plan-bad-destination",
        tries="One bad number stands among 200 rows of a plan.",
        matters="Bulk calls that are checked by their first rows, or sent up to the bad one.",
        run=_bad_destination,
        ways=("calls",),
    ),
    Probe(
        name="plan-changed-row",
        tries="After the yes to a plan, it is proposed with another row, text or order, and then run twice.",
        matters="Approval of a job, not of its calls.",
        run=_changed_row,
        ways=("calls",),
    ),
    Probe(
        name="plan-reference",
        tries="A plan leaves a recipient, a destination, a number to buy or an amount to an earlier answer.",
        matters="Approval of a call whose content is decided afterwards.",
        run=_reference,
        ways=("calls",),
    ),
    Probe(
        name="plan-of-another",
        tries="Another token's holder runs, reads, undoes and proposes again a plan that was approved.",
        matters="Approvals that belong to a session or to nobody.",
        run=_other_principal,
        ways=("calls",),
    ),
)
