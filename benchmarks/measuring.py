"""A row of the table of a measurement, and the measurement of what a model is shown at first."""

import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
from mcp import Client

from benchmarks.processes import OURS, child, environment


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    what: str
    ours: str
    other: str = ""
    ratio: float | None = None
    aim: str = ""


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
