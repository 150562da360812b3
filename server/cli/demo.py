"""`ringfence demo`: guarded calls from a chat's first question to the receipt, against the simulated providers.

Everything but the providers is real: `ringfence serve` runs as a child process, and the SDK's client connects to it
over stdio.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import anyio
import typer

from server.cli.terminal import console, tell
from server.demo.run import run_demo
from server.demo.session import DemoFailed


def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Approve what the demo asks.")] = False,
) -> None:
    """Show guarded calls at all four providers, without any account."""

    async def run() -> None:
        with tempfile.TemporaryDirectory(prefix="ringfence-demo-") as folder:
            await run_demo(Path(folder), console, answers_yes=yes or not sys.stdin.isatty())

    try:
        anyio.run(run)
    except DemoFailed as failed:
        console.print("[red]The demo stopped:[/]")
        tell(*str(failed).split("\n"))
        raise typer.Exit(1) from None
