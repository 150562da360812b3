"""`ringfence serve --http` as a child process."""

import re
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Final

import anyio
from anyio.abc import Process

START_SECONDS = 60
STOP_SECONDS = 10
POLL_SECONDS = 0.05

_ADDRESS: Final = re.compile(rb"answers at (http://127\.0\.0\.1:[0-9]+)/mcp")

PROGRAM: Final = ("-m", "ringfence")
"""The arguments of Python that run Ringfence."""


class NotStarted(Exception):
    """The server process ended or does not listen."""


@asynccontextmanager
async def run_server(environment: Mapping[str, str], *, log: Path, program: Sequence[str]) -> AsyncGenerator[str]:
    """Run a server with every tool as long as the block runs; yield its address once it listens.

    Raises:
        NotStarted: It ended before it listened, or took too long.
    """
    command = [sys.executable, *program, "serve", "--toolsets", "all", "--http", "127.0.0.1:0"]
    with log.open("a", encoding="utf-8") as errors:
        begin = errors.tell()
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=DEVNULL, stderr=errors, env=environment)
        try:
            yield await _wait_until_listening(process, log, begin)
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(process)


async def _wait_until_listening(process: Process, log: Path, begin: int) -> str:
    """Return the address that the server says it listens on; the log may hold what earlier ones said, up to `begin`."""
    with anyio.move_on_after(START_SECONDS):
        while process.returncode is None:
            if found := _ADDRESS.search(await anyio.Path(log).read_bytes(), begin):
                return found[1].decode("ascii")
            await anyio.sleep(POLL_SECONDS)
    raise NotStarted(f"ringfence serve does not listen (exit code {process.returncode}).")


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    with anyio.move_on_after(STOP_SECONDS) as patience:
        await process.wait()
    if patience.cancelled_caught:
        process.kill()
        await process.wait()
