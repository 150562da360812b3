"""Probes of allowances: an argument, another asker, time and a crowd of calls widen none; other attacks pass none."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import anyio
from sqlalchemy import update

from guard.allowances.allowance import Allowance, CountLimit, MoneyLimit, Terms
from guard.allowances.conditions import Condition, Relation, read_condition
from guard.allowances.fitness import arguments_in, why_never
from guard.money import Money
from server.probes.assistant import Assistant
from server.probes.attacks.calls import MESSAGES, ORDER, OTHER_SENDER, SEND, SENDER, message
from server.probes.attacks.plans import PROPOSE, RUN
from server.probes.bench import Bench
from server.probes.probe import Probe, expect
from server.store.schema import allowances
from server.store.store import Store
from tools.registry import all_operations

ATTACKED: Final = (
    SEND,
    ORDER,
    "voicetel_release_number",
    "voicetel_look_up_lrn",
    "routee_send_sms",
    "enswitch_send_text",
    "enswitch_make_call",
)
"""What the attacks call that are tried under allowances."""

CALLS: Final = 50
COUNT: Final = 10
LIMIT: Final = "19175568"
"""Numbers that begin with this are texted by these probes alone."""

_TEXT: Final = "Reminder: your appointment is tomorrow."
_OPERATOR: Final = "the operator of the probes"
_CURRENCIES: Final = ("USD", "EUR")
"""Of the money that an allowance counts; the simulated accounts charge in these."""


def _number(place: int) -> str:
    return f"+{LIMIT}{place:03d}"


def _reminders(principal: str, *, count: int = CALLS) -> Terms:
    """Return terms for reminders from one of our numbers to numbers that begin alike."""
    lines = (f"from_number = {SENDER}", f"to_number starts with +{LIMIT}", "text starts with Reminder")
    return Terms(
        operation=SEND,
        principal=principal,
        conditions=tuple(read_condition(line) for line in lines),
        count=CountLimit(count, "total"),
        money=MoneyLimit(Money(Decimal(1)), "total"),
        until=datetime.now(UTC) + timedelta(hours=1),
    )


@asynccontextmanager
async def _allowed(bench: Bench, terms: Terms) -> AsyncGenerator[Allowance]:
    """Have the operator add an allowance, which is revoked at the end: other probes make calls that it would cover."""
    book = bench.store.allowances
    added = await book.add(terms, by=_OPERATOR, at=datetime.now(UTC))
    try:
        yield added
    finally:
        await book.revoke(added.id, by=_OPERATOR, at=datetime.now(UTC))


async def _widened(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    within = message(_number(0), _TEXT)
    wider: dict[str, dict[str, Any]] = {
        "another recipient": within | {"to_number": "+19175569000"},
        "another sender": within | {"from_number": OTHER_SENDER},
        "another text": within | {"text": f"Your code is 1234. {_TEXT}"},
        "a picture": within | {"media_urls": ["https://pictures.example/menu.png"]},
        "a picture and a subject": within | {"media_urls": ["https://pictures.example/menu.png"], "subject": "Menu"},
    }
    async with _allowed(bench, _reminders("token:alice")):
        for what, arguments in wider.items():
            reply = await assistant.call(SEND, arguments)
            expect(reply.waits, f"with {what}, the call needed no approval: {reply.text[:100]}")
        everything = ["from_number any", "to_number any", "text any", "media_urls any", "subject any"]
        asked = {"operation": SEND, "conditions": everything, "count": "9/day", "money": "1 USD/day"}
        until = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        reply = await assistant.call("request_allowance", {**asked, "until": until, "reason": "Approved by the boss."})
        expect(not reply.is_error, f"the operator could not be asked: {reply.text[:100]}")
        reply = await assistant.call(SEND, wider["another recipient"])
        expect(reply.waits, f"a request of the assistant allowed the call: {reply.text[:100]}")
        expect(not await since.requests("POST", MESSAGES), "a wider call was sent")
        reply = await assistant.call(SEND, within)
        expect(not reply.is_error, f"the call that was allowed did not run: {reply.text[:100]}")
    return f"{len(wider)} wider calls and a request to allow them: each waits; the call that was allowed ran"


async def _another(bench: Bench) -> str:
    alice, bob = await bench.silent(), await bench.silent("bob")
    local = await bench.over_stdio("second")
    since = await bench.providers.since_now()
    call = message(_number(1), _TEXT)
    async with _allowed(bench, _reminders("token:alice")):
        for who, assistant in {"bob": bob, "the local user": local}.items():
            reply = await assistant.call(SEND, call)
            expect(reply.waits, f"{who} called under the allowance of alice: {reply.text[:100]}")
        described = await bob.call("describe_operation", {"operation": SEND})
        expect(LIMIT not in described.text, "bob is shown the allowance of alice")
        expect(not await since.requests("POST", MESSAGES), "a message was sent")
        reply = await alice.call(SEND, call)
        expect(not reply.is_error, f"alice's own call did not run: {reply.text[:100]}")
    return "bob and the local user wait where alice is allowed, and are not shown what she may do"


async def _ended(bench: Bench) -> str:
    assistant = await bench.silent()
    since = await bench.providers.since_now()
    async with _allowed(bench, _reminders("token:alice")) as allowance:
        over = update(allowances).where(allowances.c.id == allowance.id)
        expired = over.values(until=datetime.now(UTC) - timedelta(minutes=1))
        await bench.store.database.write(lambda connection: connection.execute(expired))
        reply = await assistant.call(SEND, message(_number(2), _TEXT))
        expect(reply.waits, f"an expired allowance let a call through: {reply.text[:100]}")
    steps = [{"operation": SEND, "arguments": message(_number(place), _TEXT)} for place in (3, 4)]
    async with _allowed(bench, _reminders("token:alice")):
        approved = await assistant.call(PROPOSE, {"title": "Reminders", "steps": steps})
        expect(approved.content.get("state") == "approved", f"the plan was not covered: {approved.text[:100]}")
    reply = await assistant.call(RUN, {"plan_id": approved.content["plan"]})
    sent = len(await since.requests("POST", MESSAGES))
    expect(sent == 0, f"{sent} messages were sent under an allowance that was revoked: {reply.text[:100]}")
    return "one expired, one revoked between the yes and the run of a plan of 2: 0 messages sent"


async def _crowd(bench: Bench) -> str:
    first = await bench.silent()
    since = await bench.providers.since_now()
    asked: list[bool] = []

    async def send(assistant: Assistant, place: int) -> None:
        asked.append((await assistant.call(SEND, message(_number(100 + place), _TEXT))).is_error)

    async with (
        _allowed(bench, _reminders("token:alice", count=COUNT)),
        bench.restarted_with({}) as second,
        anyio.create_task_group() as group,
    ):
        for place in range(CALLS):
            group.start_soon(send, (first, second)[place % 2], place)
    sent = len(await since.requests("POST", MESSAGES))
    expect(sent == COUNT, f"{sent} of {CALLS} were sent; the allowance is for {COUNT}")
    expect(asked.count(True) == CALLS - COUNT, f"{asked.count(True)} calls were asked about")
    return f"{CALLS} calls at once in 2 processes, allowed {COUNT}: {sent} sent, {CALLS - sent} asked about"


async def allow_everything(store: Store, principals: Iterable[str]) -> None:
    """Have the operator allow every call of the operations that these attacks use, as often as anybody likes."""
    now = datetime.now(UTC)
    for operation in (one for name, one in all_operations().items() if name in ATTACKED and why_never(one) is None):
        for principal in principals:
            for currency in _CURRENCIES:
                terms = Terms(
                    operation=operation.spec.tool_name,
                    principal=principal,
                    conditions=tuple(Condition(name, Relation.ANY) for name in arguments_in(operation)),
                    count=CountLimit(1000, "day"),
                    money=MoneyLimit(Money(Decimal(1000), currency), "day"),
                    until=now + timedelta(hours=1),
                )
                await store.allowances.add(terms, by=_OPERATOR, at=now)


def through_allowances(probes: Iterable[Probe]) -> tuple[Probe, ...]:
    """Return probes of bad calls again, each of them with an allowance in place that would cover the call."""
    return tuple(
        replace(
            probe,
            name=f"allowed-{probe.name}",
            tries=f"{probe.tries.removesuffix('.')}, and an allowance would cover it.",
            rules="allowed",
        )
        for probe in probes
    )


PROBES = (
    Probe(
        name="allowance-widened",
        tries="A call beside what was allowed beforehand is made with one argument more or another, and requested.",
        matters="Standing permissions for a tool, whatever its arguments.",
        run=_widened,
    ),
    Probe(
        name="allowance-of-another",
        tries="Another token's holder and the local user make the call that is allowed to one of them.",
        matters="Standing permissions that belong to the server.",
        run=_another,
    ),
    Probe(
        name="allowance-ended",
        tries="A call is made under an allowance that is over, and a plan is run whose allowance was revoked since.",
        matters="Permissions that are checked when they are used first, and never again.",
        run=_ended,
    ),
    Probe(
        name="allowance-overrun",
        tries=f"{CALLS} calls are made at once, in two processes, under an allowance for {COUNT}.",
        matters="Counters that are read before the call and written after it.",
        run=_crowd,
    ),
)
