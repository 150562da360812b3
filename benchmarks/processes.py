"""Child processes to measure: starts them, connects to them, and reads their CPU time."""

import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import SocketAttribute
from mcp.client.stdio import StdioServerParameters

from sandbox.voicetel.seed import API_KEY

_CPU_CLOCK: Final = 2
"""CPUCLOCK_SCHED of Linux: the last three bits of the id of a process's clock, before which its id stands inverted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server to measure."""

    name: str
    arguments: tuple[str, ...]
    """Arguments of the interpreter; `{port}` is filled in for HTTP."""


OURS = Candidate("ringfence", ("-m", "ringfence", "serve"))


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of every candidate. All keep what they compile, as installed programs do."""
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("RINGFENCE_") and name != "PYTHONDONTWRITEBYTECODE"
        },
        "RINGFENCE_STATE_FOLDER": str(folder),
        "RINGFENCE_VOICETEL__API_KEY": API_KEY,
        "RINGFENCE_VOICETEL__BASE_URL": f"{url}/voicetel",
        "RINGFENCE_APPROVALS__PAGE": "off",
        "BARE_URL": f"{url}/voicetel",
        "BARE_KEY": API_KEY,
        **more,
    }


def child(candidate: Candidate, env: dict[str, str]) -> StdioServerParameters:
    """Return the parameters of a child process that speaks stdio."""
    return StdioServerParameters(command=sys.executable, args=list(candidate.arguments), env=env)


@asynccontextmanager
async def serve_over_http(candidate: Candidate, env: dict[str, str]) -> AsyncGenerator[tuple[str, int]]:
    """Start a child process that listens; yield its URL and process id."""
    port = await _free_port()
    command = [sys.executable, *(argument.format(port=port) for argument in candidate.arguments)]
    async with await anyio.open_process(command, env=env, stdout=None, stderr=None) as process:
        try:
            await _wait_until_listening(port)
            yield f"http://127.0.0.1:{port}/mcp", process.pid
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used, with those of threads that have ended.

    It reads the kernel's CPU clock of the process, which is exact to the nanosecond; /proc/PID/stat counts hundredths.
    """
    return time.clock_gettime(~pid << 3 | _CPU_CLOCK)


def newest_child() -> int:
    """Return the id of the process that this one started last."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()
    return max(int(pid) for pid in children)


async def _free_port() -> int:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        return int(listener.extra(SocketAttribute.local_port))  # noqa: S610 - not Django


async def _wait_until_listening(port: int) -> None:
    with anyio.fail_after(30):
        while True:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(0.02)
            else:
                await stream.aclose()
                return
