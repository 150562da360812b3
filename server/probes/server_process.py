"""`ringfence serve --http` as a child process."""

import socket
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
    port = _free_port()
    address = f"127.0.0.1:{port}"
    command = [sys.executable, *program, "serve", "--toolsets", "all", "--http", address]
    with log.open("a", encoding="utf-8") as errors:
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=DEVNULL, stderr=errors, env=environment)
        try:
            await _wait_until_listening(process, port)
            yield f"http://{address}"
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def _wait_until_listening(process: Process, port: int) -> None:
    with anyio.move_on_after(START_SECONDS):
        while process.returncode is None:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(POLL_SECONDS)
            else:
                await stream.aclose()
                return
    raise NotStarted(f"ringfence serve does not listen (exit code {process.returncode}).")


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    with anyio.move_on_after(STOP_SECONDS) as patience:
        await process.wait()
    if patience.cancelled_caught:
        process.kill()
        await process.wait()
