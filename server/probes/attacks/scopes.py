"""The probe of access tokens: what a remote client reaches beyond the scopes of its own."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import httpx2

from server.probes.attacks.calls import ORDER, ORDERS, order
from server.probes.authorization_server import serve_authorization
from server.probes.bench import Bench
from server.probes.probe import Probe, expect

RESOURCE: Final = "http://127.0.0.1/mcp"
"""What tokens are for here, wherever the server of the probe listens."""

READS: Final = "read"
NARROWED: Final = "write voicetel.messaging"
ELSEWHERE: Final = "a token for another server"


async def _beyond_scopes(bench: Bench) -> str:
    since = await bench.providers.since_now()
    step = {"operation": ORDER, "arguments": order("+12125550141")}
    ways: Mapping[str, tuple[str, dict[str, Any]]] = {
        "by name": (ORDER, order("+12125550141")),
        "through another tool": ("call_write_operation", step),
        "as the step of a plan": ("propose_plan", {"title": "Numbers", "steps": [step]}),
    }
    async with serve_authorization() as authorization:
        oauth = {"issuer": authorization.issuer, "resource": RESOURCE}
        settings = {"http": {"tokens": dict(bench.tokens), "oauth": oauth}}
        async with bench.restarted_at(settings) as url, httpx2.AsyncClient(base_url=url, timeout=60) as http:
            tokens = {scope: authorization.token(RESOURCE, scope) for scope in (READS, NARROWED)}
            tokens[ELSEWHERE] = authorization.token("https://other.example/mcp", "write")
            answers = {
                (token, how): await _call(http, tokens[token], tool, arguments)
                for token in tokens
                for how, (tool, arguments) in ways.items()
            }
    for (token, how), answer in answers.items():
        expect(_is_refused(answer), f"with {token!r}, an order {how} was answered {answer.status_code}")
    asks = answers[READS, "by name"]
    expect(asks.status_code == 403, f"a client that may only read was answered {asks.status_code}, not 403")
    expect('scope="write"' in asks.headers.get("www-authenticate", ""), "the refusal names no scope to ask for")
    strangers = {answers[ELSEWHERE, how].status_code for how in ways}
    expect(strangers == {401}, f"a token for another server was answered {sorted(strangers)}")
    sent = len(await since.requests("POST", ORDERS))
    expect(not sent, f"{sent} orders were sent")
    return f"{len(answers)} calls beyond the scopes of 3 tokens refused, the first with the scope to ask for: 0 orders"


async def _call(http: httpx2.AsyncClient, token: str, tool: str, arguments: Mapping[str, Any]) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    return await http.post("/mcp", json=message, headers=headers)


def _is_refused(answer: httpx2.Response) -> bool:
    """Return True if nothing came of a call, whether the server or the tool refused it; what waits was not refused."""
    if answer.status_code in {401, 403}:
        return True
    lines = [line.removeprefix("data:") for line in answer.text.splitlines() if line.startswith("data:")]
    try:
        told = cast("dict[str, Any]", json.loads(lines[-1] if lines else answer.text))
    except ValueError:
        return False
    result = cast("dict[str, Any]", told.get("result", {}))
    return "error" in told or (result.get("isError") is True and "state" not in result.get("structuredContent", {}))


PROBES = (
    Probe(
        name="beyond-scopes",
        tries="A remote client orders numbers with access tokens that may only read, or are for something else.",
        matters="Scopes that narrow the list of tools only, and tokens that count at every server.",
        run=_beyond_scopes,
        ways=("calls",),
    ),
)
