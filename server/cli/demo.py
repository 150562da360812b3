"""`ringfence demo`: guarded calls from a chat's first question to the receipt, against the simulated providers.

Everything but the providers is real: `ringfence serve` runs as a child process, and the SDK's client connects to it
over stdio.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import anyio
import typer
from rich.console import Console

from server.cli.terminal import console, tell
from server.demo.run import run_demo
from server.demo.session import DemoFailed

WIDEST: Final = 100
"""Columns that the demo needs at most."""


class DemoConsole(Console):
    """Falls silent once its reader is gone, as in `ringfence demo | head`.

    What it is derived from ends the program there, in the middle of a session whose child process waits for an answer.
    """

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        with suppress(SystemExit):
            super().on_broken_pipe()


def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Answer by itself: yes, and no to what cannot be undone.")] = False,
    all_providers: Annotated[bool, typer.Option("--all", help="Show the other three providers, too.")] = False,
) -> None:
    """Show guarded calls in four questions, without any account. A no is a step, too."""

    async def run() -> None:
        with tempfile.TemporaryDirectory(prefix="ringfence-demo-") as folder:
            shown = DemoConsole(width=min(WIDEST, console.width))
            alone = yes or not sys.stdin.isatty()
            await run_demo(Path(folder), shown, answers_itself=alone, all_providers=all_providers)

    try:
        anyio.run(run)
    except DemoFailed as failed:
        console.print("[red]The demo stopped:[/]")
        tell(*str(failed).split("\n"))
        raise typer.Exit(1) from None
