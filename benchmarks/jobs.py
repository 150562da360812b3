"""Measures a job of forty texts: as one plan with one question, compared with forty calls with a question each."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult

from benchmarks.measuring import Row
from benchmarks.processes import OURS, child, cpu_seconds, environment, newest_child
from sandbox.serving import serve_sandbox

TEXTS: Final = 40
LONG: Final = 500
"""As many steps as a plan may have."""

SENDER: Final = "+12015550142"


class Job:
    """What a person was asked and a model read for one job, and how long it took."""

    def __init__(self) -> None:
        self.questions = 0
        self.tokens = 0
        self.seconds = 0.0
        self.cpu = 0.0

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Say yes, and count the question."""
        self.questions += 1
        return ElicitResult(action="accept", content={"approve": True})

    def read(self, arguments: dict[str, Any], result: CallToolResult) -> dict[str, Any]:
        """Count what a model writes and reads; return the result as data."""
        assert not result.is_error, result.content  # noqa: S101 - a failed job must not be measured as a fast one
        texts = [json.dumps(arguments, ensure_ascii=False), *(getattr(part, "text", "") for part in result.content)]
        self.tokens += sum(len(_ENCODING.encode(text)) for text in texts)
        content: dict[str, Any] = result.structured_content or {}
        return content


_ENCODING: Final = bpe_openai.get_encoding("o200k_base")


async def jobs(url: str, folder: Path) -> list[Row]:
    """Measure the job both ways, each with a provider of its own: VoiceTel shows its prices six times an hour."""
    singly = await _measure(folder / "singly", _send_singly)
    planned = await _measure(folder / "planned", lambda client, job: _send_as_plan(client, job, TEXTS))
    long = await _measure(folder / "long", lambda client, job: _send_as_plan(client, job, LONG))
    return [
        _row(f"{TEXTS} texts, questions", planned.questions, singly.questions, ""),
        _row(f"{TEXTS} texts, tokens written and read", planned.tokens, singly.tokens, ""),
        _row(f"{TEXTS} texts, seconds", planned.seconds, singly.seconds, " s"),
        _row(f"{TEXTS} texts, server CPU", planned.cpu, singly.cpu, " s"),
        Row(f"a plan of {LONG} texts", f"{long.seconds:.1f} s, {long.cpu:.1f} s CPU, {long.tokens:,} tokens"),
    ]


async def _measure(folder: Path, carry_out: Callable[[Client, Job], Awaitable[None]]) -> Job:
    limits = {"RINGFENCE_COMPLIANCE__BULK_LIMIT": str(LONG), "RINGFENCE_TOOLSETS": "all"}
    allowed = {"RINGFENCE_POLICY": '{"paid": "allow"}'} if folder.name == "long" else {}
    job = Job()
    async with serve_sandbox() as url:
        server = child(OURS, environment(url, folder, **limits, **allowed))
        async with Client(server, elicitation_callback=job.answer) as client:
            pid = newest_child()
            await client.call_tool("voicetel_list_numbers", {"limit": 1})
            began, before = time.perf_counter(), cpu_seconds(pid)
            await carry_out(client, job)
            job.seconds, job.cpu = time.perf_counter() - began, cpu_seconds(pid) - before
    return job


async def _send_singly(client: Client, job: Job) -> None:
    for place in range(TEXTS):
        text = {"from_number": SENDER, "to_number": _number(place), "text": f"Hello {place}, we are closed on Friday."}
        job.read(text, await client.call_tool("voicetel_send_message", text))


async def _send_as_plan(client: Client, job: Job, count: int) -> None:
    rows = "to,name\n" + "".join(f"{_number(place)},{place}\n" for place in range(count))
    arguments = {"from_number": SENDER, "to_number": "{{to}}", "text": "Hello {{name}}, we are closed on Friday."}
    step = {"operation": "voicetel_send_message", "arguments": arguments, "for_each": rows}
    plan = {"title": "Tell customers about Friday", "steps": [step]}
    run = {"plan_id": job.read(plan, await client.call_tool("propose_plan", plan))["plan"]}
    while job.read(run, await client.call_tool("run_plan", run))["state"] != "done":
        pass


def _number(place: int) -> str:
    return f"+1212555{place + 100:04d}"


def _row(what: str, planned: float, singly: float, unit: str) -> Row:
    form = ",.2f" if unit else ",.0f"
    return Row(what, f"{planned:{form}}{unit} as a plan", f"{singly:{form}}{unit} singly", planned / singly)
