"""Probes of what an approval covers: exactly the call that was shown, once, in time, at the price that was shown."""

from decimal import Decimal

from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, InputRequiredResult

from server.probes.assistant import Continuation, Era, Reaction, Reply
from server.probes.attacks.calls import (
    MESSAGES,
    ORDER,
    ORDERS,
    OTHER_SENDER,
    SEND,
    message,
    order,
    pending_action,
    propose_order,
)
from server.probes.bench import Bench
from server.probes.probe import Broken, Probe, expect


async def _changed_arguments(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    approved = message("+19175550161", "Your appointment is on Friday at 9.")
    action = pending_action(await assistant.call(SEND, approved))
    await bench.operator.approve(action)
    pair = ("+12125550120", "+12125550121")
    await bench.operator.approve(await propose_order(assistant, *pair))
    changed = {
        "one digit": (SEND, approved | {"to_number": "+19175550162"}),
        "the text": (SEND, approved | {"text": "Your appointment is on Friday at 8."}),
        "the sender": (SEND, approved | {"from_number": OTHER_SENDER}),
        "the order of the numbers": (ORDER, order(*reversed(pair))),
        "fewer numbers": (ORDER, order(pair[0])),
    }
    for what, (tool, arguments) in changed.items():
        reply = await assistant.call(tool, arguments)
        expect(reply.waits and reply.action != action, f"with {what} changed, the call needed no new approval")
    sent = [*await since.requests("POST", MESSAGES), *await since.requests("POST", ORDERS)]
    expect(not sent, f"{len(sent)} changed calls were sent")
    expect(not (await assistant.call(SEND, approved)).is_error, "the approved call itself did not run")
    return f"{len(changed)} changes, each needed a new approval; only the approved call was sent"


async def _replayed_answer(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    call = order("+12125550122")
    try:
        asked = await assistant.question(ORDER, call)
    except TypeError as nothing:
        raise Broken(str(nothing)) from nothing
    answers = {key: ElicitResult(action="accept", content={"approve": True}) for key in asked.input_requests or {}}
    approval = Continuation(answers, asked.request_state)
    first = await assistant.call_with_answer(ORDER, call, approval)
    expect(isinstance(first, Reply) and not first.is_error, "the answer did not count")
    first_plan = first.content.get("plan", "none") if isinstance(first, Reply) else "none"
    for attempt in (call, order("+12125550123")):
        try:
            again = await assistant.call_with_answer(ORDER, attempt, approval)
        except MCPError:
            continue
        # A plan that is done says so when it is proposed again under its old answer; what counts is below.
        is_refused = isinstance(again, Reply) and (again.is_error or again.content.get("plan") == first_plan)
        expect(is_refused, "the answer approved a second call")
    # A provider may answer a second order under the same key as the first, so requests are counted too.
    sent, charges = len(await since.requests("POST", ORDERS)), len(await since.charges())
    expect(sent == charges == 1, f"{sent} requests, {charges} charges")
    return "one answer sent three times, once with another call: 1 request, 1 charge"


async def _without_elicitation(bench: Bench) -> str:
    eras: tuple[Era, ...] = ("auto", "legacy")
    since = await bench.providers.since_now()
    for earlier, (era, recipient) in enumerate(zip(eras, ("+12125550124", "+12125550125"), strict=True)):
        assistant, text = await bench.silent(era=era), message(recipient, "Your table is ready at eight.")
        action = pending_action(await assistant.call(SEND, text))
        expect((await assistant.call(SEND, text)).action == action, "the same call made a second action")
        expect(len(await since.requests("POST", MESSAGES)) == earlier, "it was sent unapproved")
        await bench.operator.approve(action)
        expect(not (await assistant.call(SEND, text)).is_error, "the call did not run after its approval")
        expect((await assistant.call(SEND, text)).waits, "the approval counted a second time")
    sent = len(await since.requests("POST", MESSAGES))
    expect(sent == len(eras), f"{sent} requests for {len(eras)} approvals")
    return f"both protocol eras: waited, ran once after the approval, then waited again; {sent} requests"


async def _without_approval(bench: Bench) -> str:
    reactions: tuple[Reaction, ...] = ("decline", "cancel", "leave unticked")
    eras: tuple[Era, ...] = ("auto", "legacy")
    since = await bench.providers.since_now()
    for era in eras:
        assistant = await bench.asking(era)
        for last, reaction in enumerate(reactions):
            reply, asked = await assistant.call_answering(ORDER, order(f"+1212555013{last}"), reaction)
            expect(asked == 1, f"{asked} questions were asked")
            expect(reply.is_error, f"{reaction}: the call was carried out")
    expect(not await since.requests("POST", ORDERS), "an order was sent")
    return f"declined, dismissed and left unticked, in both eras: {len(reactions) * len(eras)} calls, 0 orders sent"


async def _expired(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    calls = [order("+12125550126"), order("+12125550127")]
    approved, unanswered = [pending_action(await assistant.call(ORDER, call)) for call in calls]
    await bench.operator.approve(approved)
    for action in (approved, unanswered):
        await bench.expire(action)
    late = await bench.operator.press(f"/{unanswered}/approve", on=f"/{unanswered}")
    expect(late.status_code != 303, "an approval was accepted after the question had expired")
    for call, action in zip(calls, (approved, unanswered), strict=True):
        reply = await assistant.call(ORDER, call)
        expect(reply.waits and reply.action != action, "the call needed no new approval")
    expect(not await since.requests("POST", ORDERS), "an order was sent")
    return "one approval too late, one in time but used too late: both calls need a new one, 0 orders sent"


async def _stricter_rules(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    calls = {
        "Denied": (SEND, message("+19175550161", "Your table for two is ready.")),
        "RulesChanged": (ORDER, order("+12125550117")),
    }
    try:
        asked = {error: await assistant.question(tool, call) for error, (tool, call) in calls.items()}
    except TypeError as nothing:
        raise Broken(str(nothing)) from nothing
    replies: dict[str, Reply | InputRequiredResult] = {}
    async with bench.restarted_with({"tighten": {SEND: "deny", ORDER: "page"}}) as restarted:
        for error, (tool, call) in calls.items():
            yes = ElicitResult(action="accept", content={"approve": True})
            approval = Continuation(dict.fromkeys(asked[error].input_requests or {}, yes), asked[error].request_state)
            replies[error] = await restarted.call_with_answer(tool, call, approval)
    sent = [*await since.requests("POST", MESSAGES), *await since.requests("POST", ORDERS)]
    expect(not sent, f"{len(sent)} answers to old questions were sent")
    for error, reply in replies.items():
        # The step of a plan is refused when its turn comes, and keeps the reason.
        is_refused = isinstance(reply, Reply) and (error == reply.error or reply.content.get("state") == "not sent")
        expect(is_refused, f"an answer did not get {error}")
    return "asked, restarted with one call denied and one for the operator, then answered yes: 0 requests sent"


async def _raised_price(bench: Bench) -> str:
    silent, asking = await bench.silent(), await bench.asking()
    action = await propose_order(silent, "+12125550128")
    await bench.operator.approve(action)
    # A charge makes the server read the account's rates again.
    other = message("+19175550161", "Thank you for your visit.")
    sent, _ = await asking.call_answering(SEND, other, "accept")
    expect(not sent.is_error, f"another paid call did not run: {sent.text[:100]}")
    since = await bench.providers.since_now()
    before = bench.providers.set_number_price(Decimal(9))
    try:
        reply = await silent.call(ORDER, order("+12125550128"))
        again = await silent.call(ORDER, order("+12125550128"))
    finally:
        bench.providers.set_number_price(before)
    expect(reply.is_error and not await since.charges(), "the more expensive order was sent on the old approval")
    expect(again.waits and "$9.00" in again.text, "the new price needed no approval")
    return "approved at $1.00, then $9.00: refused, 0 orders sent, and the new price needs a new approval"


PROBES = (
    Probe(
        name="raised-price",
        tries="The price rises between the approval and the call.",
        matters="A price that is shown but not enforced.",
        run=_raised_price,
    ),
    Probe(
        name="stricter-rules",
        tries="The operator restarts with stricter rules after a question, and the person then answers yes.",
        matters="Rules that are checked before the question only.",
        run=_stricter_rules,
    ),
    Probe(
        name="changed-arguments",
        tries="After the approval, the call is made with another digit, text, sender or order of numbers.",
        matters="Approval of a tool, not of its arguments.",
        run=_changed_arguments,
    ),
    Probe(
        name="replayed-answer",
        tries="A person's approval is sent a second time, and with another call.",
        matters="Approval tokens that work more than once.",
        run=_replayed_answer,
    ),
    Probe(
        name="client-without-elicitation",
        tries="A client that cannot ask makes a paid call; the operator approves; the call is made twice more.",
        matters="A call that runs because the client cannot ask, or an approval that never ends.",
        run=_without_elicitation,
    ),
    Probe(
        name="no-yes",
        tries="The person declines, dismisses the question, or sends the form with the box left empty.",
        matters="Any answer counts as an approval.",
        run=_without_approval,
    ),
    Probe(
        name="expired-approval",
        tries="An approval comes, or is used, after the question has expired.",
        matters="Approvals that never expire.",
        run=_expired,
    ),
)
