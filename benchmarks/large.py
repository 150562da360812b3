"""Measures an account of 10,000 numbers: the server's own CPU time, and the tokens that the model reads.

`python -m benchmarks.large PORT` is its provider: it answers every request with all numbers.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import uvicorn
from mcp import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.measuring import Row
from benchmarks.processes import OURS, Candidate, child, cpu_seconds, environment, newest_child, serve_over_http

NUMBERS = 10_000
CALLS = 10
PROVIDER = Candidate("a large account", ("-m", "benchmarks.large", "{port}"))


async def large_list(_url: str, folder: Path) -> list[Row]:
    """Measure both ways to list them: the provider's own tool, and the tool over all providers."""
    async with serve_over_http(PROVIDER, environment("", folder)) as (address, _):
        env = environment(address.removesuffix("/mcp"), folder, RINGFENCE_TOOLSETS="all")
        async with Client(child(OURS, env)) as client:
            pid = newest_child()
            return [await _cost(client, pid, tool) for tool in ("voicetel_list_numbers", "list_all_numbers")]


async def _cost(client: Client, pid: int, tool: str) -> Row:
    result = await client.call_tool(tool, {})
    content: dict[str, Any] = result.structured_content or {}
    assert content["total"] == NUMBERS  # noqa: S101 - a list of something else must not be measured
    text = "".join(getattr(block, "text", "") for block in result.content)
    structured = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    tokens = [len(bpe_openai.get_encoding("o200k_base").encode(form)) for form in (text, structured)]
    taken: list[float] = []
    for _ in range(CALLS):
        before = cpu_seconds(pid)
        await client.call_tool(tool, {})
        taken.append(cpu_seconds(pid) - before)
    ours = f"{1000 * sum(taken) / CALLS:.0f} ms, at most {1000 * max(taken):.0f} ms"
    ours += f"; {tokens[0]:,} tokens of text, {tokens[1]:,} of structured content"
    return Row(f"{tool}, {NUMBERS:,} numbers, server CPU", ours, aim="≤ 150 ms, < 2,000")


def _account() -> bytes:
    rows = [
        {
            "number": f"20155{number:05d}",
            "route": 1000 + number % 7,
            "gateway": "203.0.113.10:5060",
            "carrier": 17,
            "translated": f"20155{number:05d}",
            "forward": number % 9 == 0,
            "forwardTo": "2125550142",
            "cnam": True,
            "smsEnabled": number % 2 == 0,
            "faxEnabled": False,
        }
        for number in range(NUMBERS)
    ]
    return json.dumps({"status": 200, "data": {"numbers": rows}}).encode()


def main() -> None:
    """Serve the account."""
    content = _account()

    def answer(_: Request) -> Response:
        return Response(content, media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", answer)])
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
