"""Probes of access: the names that clients see, who can connect over HTTP, and which accounts a token reaches."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sandbox.accounts import other_accounts
from server.probes.attacks.calls import ORDER, ORDERS, SENDER, order, pending_action
from server.probes.bench import Bench
from server.probes.probe import Probe, expect

PROPERTY = re.compile(r"^[a-zA-Z0-9_.-]{1,64}$")
"""The strictest rule that a client has for the name of an argument."""

TOOL = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


OWN: Final = "clinic"
OTHER: Final = "voicetel"
"""Two accounts of one provider."""


async def _names(bench: Bench) -> str:
    tools = (await (await bench.silent()).client.list_tools()).tools
    count = 0
    for tool in tools:
        expect(TOOL.match(tool.name) is not None, f"clients reject the tool name {tool.name}")
        for name in _property_names(tool.input_schema):
            count += 1
            expect(PROPERTY.match(name) is not None, f"{tool.name} has an argument {name!r}")
    return f"{len(tools)} tools and {count} arguments: every name is valid"


async def _foreign_requests(bench: Bench) -> str:
    token = {"Authorization": f"Bearer {bench.tokens['alice']}"}
    attempts: tuple[tuple[Mapping[str, str], int], ...] = (
        ({}, 401),
        ({"Authorization": "Bearer guessed"}, 401),
        ({**token, "Host": "evil.example"}, 421),
        ({**token, "Origin": "https://evil.example"}, 403),
    )
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    statuses: list[int] = []
    async with bench.browser() as http:
        for headers, _ in attempts:
            accept = {"Accept": "application/json, text/event-stream"}
            statuses.append((await http.post("/mcp", json=body, headers={**accept, **headers})).status_code)
        elsewhere = (await http.get("/approvals", headers={"Host": "evil.example"})).status_code
    expect(statuses == [status for _, status in attempts], f"answered {statuses}")
    expect(elsewhere == 421, f"the approval page answered {elsewhere} to a foreign host")
    return "no token 401, a wrong one 401, a foreign Host 421 (the approval page too), a foreign Origin 403"


async def _another_account(bench: Bench) -> str:
    since = await bench.providers.since_now()
    call = order("+12125550141")
    elsewhere, here = {**call, "account": OTHER}, {**call, "account": OWN}
    step = {"operation": ORDER, "arguments": call, "account": OTHER}
    reaching = {
        "called": (ORDER, elsewhere),
        "called through another tool": ("call_write_operation", {"operation": ORDER, "arguments": elsewhere}),
        "named by a step of a plan": ("propose_plan", {"title": "Numbers", "steps": [step]}),
    }
    async with bench.restarted_for(_settings(bench), ("alice", "bob")) as (alice, bob):
        refused = {how: await bob.call(tool, arguments) for how, (tool, arguments) in reaching.items()}
        shown = await bob.call("list_all_numbers", {"limit": 100})
        asked = await alice.call(ORDER, here)
        if asked.waits:
            await bench.operator.approve(asked.action)
        other, unnamed = await alice.call(ORDER, elsewhere), await alice.call(ORDER, call)
    for how, reply in refused.items():
        expect(reply.error in {"BadArguments", "BadPlan"}, f"an account out of the token's reach could be {how}")
    expect(SENDER not in shown.text, "a view showed an account out of the token's reach")
    expect(other.waits and other.action != pending_action(asked), "the approval on one account counted on another")
    expect(unnamed.error == "AccountNotNamed", "a call that names no account was taken")
    sent = len(await since.requests("POST", ORDERS))
    expect(not sent, f"{sent} orders were sent")
    return f"{len(reaching)} ways to an account out of reach refused, and one approval not used on another: 0 orders"


def _settings(bench: Bench) -> dict[str, Any]:
    """Build the settings of two accounts, of which Bob's token reaches one."""
    clinic = {"provider": "voicetel", **other_accounts(bench.providers.url)["voicetel"]}
    bob = {"token": bench.tokens["bob"], "accounts": [OWN]}
    tokens = {"alice": bench.tokens["alice"], "bob": bob}
    return {"accounts": {OWN: clinic}, "http": {"tokens": tokens}, "policy": {"paid": "ask"}}


def _property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for inner in cast("list[object]", schema):
            yield from _property_names(inner)
    if not isinstance(schema, dict):
        return
    named = cast("dict[str, object]", schema)
    properties = named.get("properties")
    if isinstance(properties, dict):
        yield from cast("dict[str, object]", properties)
    for inner in named.values():
        yield from _property_names(inner)


PROBES = (
    Probe(
        name="valid-names",
        tries="Every tool and argument name is checked against the rule of the strictest client.",
        matters="One invalid name makes a client drop the whole server.",
        run=_names,
        ways=("calls",),
    ),
    Probe(
        name="http-doors",
        tries="The HTTP server is called without a token, with a wrong one, and by a foreign web page.",
        matters="Servers on localhost that any web page can call.",
        run=_foreign_requests,
        ways=("calls",),
    ),
    Probe(
        name="another-account",
        tries="A token's holder names an account out of its reach, and an approval is used on another account.",
        matters="Accounts that are kept apart in the list of tools only, or an approval that holds on all of them.",
        run=_another_account,
        ways=("calls",),
    ),
)
