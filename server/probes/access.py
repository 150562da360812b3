"""Probes of access: the names that clients see, and who can connect over HTTP."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from server.probes.bench import Bench
from server.probes.probe import Probe, expect

PROPERTY = re.compile(r"^[a-zA-Z0-9_.-]{1,64}$")
"""The strictest rule that a client has for the name of an argument."""

TOOL = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


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
)
