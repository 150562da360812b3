"""Probes of money: an unknown price is not zero, no race exceeds a cap, no lost answer is charged twice."""

from decimal import Decimal
from functools import partial
from typing import Final

import anyio

from server.probes.assistant import Assistant, Reply
from server.probes.attacks.calls import MESSAGES, ORDER, ORDERS, SEND, SENDER, message, order
from server.probes.bench import Bench
from server.probes.probe import Probe, expect

CAP: Final = Decimal("0.10")
"""The daily cap at VoiceTel under the permissive rules."""

TEXT_PRICE: Final = Decimal("0.01")
CALLS: Final = 50

SHOW_NOTHING = ("empty", "empty_object", "error_object", "page")


async def _unknown_price(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    text = {"cnumber": "12125550142", "snumber": "12015550142", "message": "Hello"}
    reply = await assistant.call("enswitch_send_text", text)
    expect(not await since.requests("POST", "/messages/text/send"), "it was sent")
    expect(_needs_bound(reply), f"it did not wait for the operator: {reply.text[:100]}")
    return "paid calls are allowed, a cap is set and the price is unknown: only the operator may name a bound; 0 sent"


async def _negative_price(bench: Bench) -> str:
    assistant = await bench.silent("bob")
    since = await bench.providers.since_now()
    before = bench.providers.set_rate("lrn", Decimal(-5))
    try:
        reply = await assistant.call("voicetel_look_up_lrn", {"number": "+19175550161", "caller": SENDER})
    finally:
        bench.providers.set_rate("lrn", before)
    expect(not await since.charges(), "it was carried out")
    expect(_needs_bound(reply, "below zero"), f"it did not wait for the operator: {reply.text[:100]}")
    return "the account shows a rate of -5 under a cap: an unknown price, which only the operator may bound; 0 charges"


def _needs_bound(reply: Reply, why: str = "names the most that it may cost") -> bool:
    """Return True if a call waits for the operator to bound its price, or a plan was refused because nobody can."""
    return (reply.waits and why in reply.text) or (
        reply.is_error and "has to name the most that it may cost" in reply.text
    )


async def _parallel_overrun(bench: Bench) -> str:
    # Not alice: other probes show her text from outside, and a call that uses it needs approval.
    servers = (await bench.silent("bob"), await bench.over_stdio("second"))
    spent = sum((Decimal(row["amount"]) for row in await bench.providers.charges()), Decimal(0))
    room = int((CAP - spent) / TEXT_PRICE)
    since = await bench.providers.since_now()
    replies: list[Reply] = []

    async def send(assistant: Assistant, number: int) -> None:
        text = f"Reminder {number}: your appointment is tomorrow."
        replies.append(await assistant.call(SEND, message("+19175550161", text)))

    async with anyio.create_task_group() as group:
        for number in range(CALLS):
            group.start_soon(partial(send, servers[number % len(servers)], number))
    sent, charges = len(await since.requests("POST", MESSAGES)), await since.charges()
    expect(sent == len(charges) == room, f"{sent} of {CALLS} were sent, {len(charges)} charged; the cap is for {room}")
    others = [reply for reply in replies if reply.is_error and reply.error != "OverBudget"]
    expect(not others, f"{len(others)} got another error: {others[0].text[:200] if others else ''}")
    return f"{CALLS} calls at once in 2 processes, room for {room}: {sent} sent and charged, {CALLS - sent} refused"


async def _lost_answer(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    text = message("+19175550161", "We have moved to 350 Fifth Avenue.")
    await bench.providers.break_with("drop_after", provider="voicetel", method="POST", path="/messages")
    await bench.providers.break_with(
        "status", status=503, provider="voicetel", method="GET", path="/messages", times=99
    )
    try:
        lost, _ = await assistant.call_answering(SEND, text, "accept")
        again, asked = await assistant.call_answering(SEND, text, "accept")
    finally:
        await bench.providers.mend()
    expect(lost.is_error and lost.content.get("state") == "unknown", f"the model got: {lost.text[:100]}")
    expect(again.error == "OutcomePending" and asked == 0, f"the same call was not refused: {again.text[:100]}")
    found = await assistant.call("get_action", {"action_id": lost.action})
    sent, charges = len(await since.requests("POST", MESSAGES)), len(await since.charges())
    expect(sent == charges == 1, f"{sent} requests and {charges} charges for one message")
    return f"2 attempts: 1 request, 1 charge, outcome {found.content.get('state')}; the same call was refused"


async def _lost_order(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    await bench.providers.break_with("drop_after", provider="voicetel", method="POST", path="/orders")
    try:
        reply, _ = await assistant.call_answering(ORDER, order("+12125550129"), "accept")
    finally:
        await bench.providers.mend()
    requests, charges = await since.requests("POST", ORDERS), await since.charges()
    keys = {row["headers"].get("idempotency-key") for row in requests}
    expect(len(charges) == 1, f"{len(charges)} charges for one order")
    expect(not reply.is_error, f"there was no receipt: {reply.text[:100]}")
    expect(len(keys) == 1 and None not in keys, f"{len(keys)} keys for one order")
    return f"{len(requests)} requests under 1 idempotency key: 1 charge, and a receipt"


async def _unshown_outcome(bench: Bench) -> str:
    assistant = await bench.asking()
    for number, shape in enumerate(SHOW_NOTHING):
        text = message("+19175550161", f"We have moved to {450 + number} Fifth Avenue.")
        await bench.providers.break_with("malformed", shape=shape, provider="voicetel", method="POST", path="/messages")
        await bench.providers.break_with(
            "malformed", shape=shape, provider="voicetel", method="GET", path="/messages", times=99
        )
        try:
            reply, _ = await assistant.call_answering(SEND, text, "accept")
            found = await assistant.call("get_action", {"action_id": reply.action})
        finally:
            await bench.providers.mend()
        states = [reply.content.get("state"), found.content.get("state")]
        evidence = f"after {shape}, the action was {' and then '.join(map(str, states))}: {reply.text[:100]}"
        expect(states == ["unknown", "unknown"], evidence)
    return f"{len(SHOW_NOTHING)} calls, whose answers and later reads show nothing: each outcome is unknown"


async def _empty_success(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    number = "+12125550146"
    reply, _ = await assistant.call_answering("voicetel_remove_forward", {"number": number}, "accept")
    requests = await since.requests("DELETE", "/forward")
    expect([row["status"] for row in requests] == [204], f"the provider answered {[row['status'] for row in requests]}")
    expect(not reply.is_error and reply.content.get("state") == "done", f"the model got: {reply.text[:100]}")
    return "1 DELETE, answered 204 without a body: reported as done"


async def _repeated_call(bench: Bench) -> str:
    assistant = await bench.asking()
    since = await bench.providers.since_now()
    text = message("+19175550162", "Your invoice is ready.", sender=SENDER)
    first, _ = await assistant.call_answering(SEND, text, "accept")
    again, asked = await assistant.call_answering(SEND, text, "decline")
    expect(not first.is_error and again.is_error and asked == 1, "the second call needed no approval")
    question = assistant.person.questions[-1] if assistant.person else ""
    expect("already did exactly this" in question, "the question does not say that it was done before")
    charges = len(await since.charges())
    expect(charges == 1, f"{charges} charges")
    return "the second question says that exactly this call was just made; 1 charge"


NEGATIVE_PRICE = Probe(
    name="negative-price",
    tries="The account shows a rate below zero while a cap is set and paid calls are allowed.",
    matters="A price below zero counts, and makes room under every cap.",
    run=_negative_price,
    rules="permissive",
)
"""Runs before any other probe reads the account, whose rates a server keeps for a while."""

PROBES = (
    Probe(
        name="unknown-price",
        tries="A call without a published price is made while a cap is set and paid calls are allowed.",
        matters="An unknown price counts as zero.",
        run=_unknown_price,
        rules="permissive",
    ),
    Probe(
        name="parallel-overrun",
        tries=f"{CALLS} paid calls are made at once, in two processes, with room for ten under the cap.",
        matters="Budgets that are checked before the call and counted after it.",
        run=_parallel_overrun,
        rules="permissive",
    ),
    Probe(
        name="lost-answer",
        tries="The provider carries out a paid POST and the connection breaks; the call is made again.",
        matters="Blind retries, or an error that invites one.",
        run=_lost_answer,
    ),
    Probe(
        name="lost-answer-with-key",
        tries="The answer to an order is lost, and the provider accepts an idempotency key.",
        matters="A new key for each attempt, or none.",
        run=_lost_order,
    ),
    Probe(
        name="unshown-outcome",
        tries="The provider answers a paid POST and the reads after it with 200, and shows no outcome.",
        matters="An empty body, an error object or a proxy's page under 200 is taken for success.",
        run=_unshown_outcome,
    ),
    Probe(
        name="empty-204",
        tries="The provider answers a DELETE with 204 and no body.",
        matters="Success without a body is reported as an error and repeated.",
        run=_empty_success,
    ),
    Probe(
        name="repeated-call",
        tries="The same message is sent a second time right after the first.",
        matters="An assistant that repeats itself is charged twice without warning.",
        run=_repeated_call,
    ),
)
