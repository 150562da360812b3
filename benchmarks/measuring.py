"""The measurements. Each returns rows of the table."""

import json
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from benchmarks.processes import (
    BY_HAND,
    BY_HAND_HTTP,
    EMPTY,
    OURS,
    OURS_HTTP,
    Candidate,
    child,
    cpu_seconds,
    environment,
    http_client,
    newest_child,
    serve_over_http,
)

STARTS = 9
TURNS = 40
CALLS_A_TURN = 15
"""Short turns, so that both sides meet the same load on the machine."""

SEARCH = {"tn_mask": "201", "quantity": 3}


Side = tuple[Client, int]
"""A client, and the process id of its server."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    what: str
    ours: str
    other: str = ""
    ratio: float | None = None
    aim: str = ""


async def start(url: str, folder: Path) -> list[Row]:
    """Measure from spawning the process to the answer of the first `tools/list`: the fastest of several turns."""
    taken: dict[str, list[float]] = {OURS.name: [], EMPTY.name: []}
    fresh: list[float] = []
    for _ in range(STARTS):
        for candidate in (EMPTY, OURS):
            taken[candidate.name].append(await _time_to_list(candidate, environment(url, folder)))
        first = environment(url, folder / f"fresh-{len(fresh)}")
        fresh.append(await _time_to_list(OURS, first))
    empty = min(taken[EMPTY.name])
    rows = (
        ("start to first tools/list, default selection", min(taken[OURS.name]), "≤ 1.25"),
        ("the same, the very first time", min(fresh), ""),
    )
    return [Row(what, _ms(ours), f"{_ms(empty)} empty", ours / empty, aim) for what, ours, aim in rows]


async def _time_to_list(candidate: Candidate, env: dict[str, str]) -> float:
    began = time.perf_counter()
    async with Client(child(candidate, env)) as client:
        await client.list_tools()
        return time.perf_counter() - began


async def read_call(url: str, folder: Path) -> list[Row]:
    """Measure the server CPU of one read, over stdio and over HTTP, in turns with a handwritten tool."""
    env = environment(url, folder, RINGFENCE_TOOLSETS="voicetel")

    @asynccontextmanager
    async def over_stdio(candidate: Candidate) -> AsyncGenerator[Side]:
        async with Client(child(candidate, env)) as client:
            yield client, newest_child()

    @asynccontextmanager
    async def over_http(candidate: Candidate) -> AsyncGenerator[Side]:
        async with serve_over_http(candidate, env) as (address, pid), http_client(address) as client:
            yield client, pid

    return [
        await _compare("read call over stdio, server CPU", over_stdio, OURS, BY_HAND),
        await _compare("read call over HTTP, server CPU", over_http, OURS_HTTP, BY_HAND_HTTP),
    ]


async def guarded_call(url: str, folder: Path) -> list[Row]:
    """Measure a guarded call (quote, question, answer, intent, request, settlement), compared with a plain read."""

    async def yes(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    env = environment(url, folder, RINGFENCE_TOOLSETS="all", RINGFENCE_COMPLIANCE__DUPLICATE_MINUTES="0")
    async with Client(child(OURS, env), elicitation_callback=yes) as client:
        owned = (await client.call_tool("voicetel_list_numbers", {})).structured_content["numbers"][0]["number"]
        arguments = {"number": owned, "destination": "+12125550142"}
        read = await _wall(lambda: client.call_tool("voicetel_get_number", {"number": owned}), 100)
        guarded = await _wall(lambda: client.call_tool("voicetel_set_forward", arguments), 60)
    return [Row("guarded call, question to receipt", _ms(guarded), f"{_ms(read)} plain read", guarded / read)]


async def listing(url: str, folder: Path) -> list[Row]:
    """Measure `tools/list`: time over stdio, bytes and o200k tokens."""
    rows: list[Row] = []
    for toolsets, aim in (("default", "≤ 8,000 tokens"), ("voicetel", "≤ 15,000 tokens"), ("all", "")):
        async with Client(child(OURS, environment(url, folder, RINGFENCE_TOOLSETS=toolsets))) as client:
            tools = (await client.list_tools()).tools
            took = await _wall(client.list_tools, 20)
        text = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
        compact = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
        tokens = len(bpe_openai.get_encoding("o200k_base").encode(compact))
        size = f"{len(tools)} tools, {len(compact):,} bytes, {tokens:,} tokens"
        rows.append(Row(f"tools/list, {toolsets}", f"{_ms(took)}; {size}", aim=aim))
    return rows


async def _compare(
    what: str, connect: Callable[[Candidate], AbstractAsyncContextManager[Side]], ours: Candidate, other: Candidate
) -> Row:
    async with connect(other) as theirs, connect(ours) as mine:
        for side in (theirs, mine):
            await _cpu_of_calls(side)
        turns = [(await _cpu_of_calls(mine), await _cpu_of_calls(theirs)) for _ in range(TURNS)]
    our_own, other_one = (sum(turn) / (TURNS * CALLS_A_TURN) for turn in zip(*turns, strict=True))
    return Row(what, _ms(our_own), f"{_ms(other_one)} by hand", our_own / other_one, "≤ 1.3")


async def _cpu_of_calls(side: Side) -> float:
    client, pid = side
    before = cpu_seconds(pid)
    for _ in range(CALLS_A_TURN):
        result = await client.call_tool("voicetel_search_inventory", SEARCH)
        assert not result.is_error  # noqa: S101 - a failed call must not be measured as a fast one
    return cpu_seconds(pid) - before


async def _wall(call: Callable[[], Awaitable[Any]], times: int) -> float:
    await call()
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
