"""The base of both parts of the demo: a server as a child process, a client, a person, and checks."""

import os
import sys
import textwrap
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.prompt import Confirm

from server.mcp.tabular import read_tables

Settings = Callable[[str], Mapping[str, str]]
"""Builds the settings of a part, as the environment names them, from the address of the sandbox."""

PASSCODE = "demo-passcode"
PATIENCE_SECONDS = 120


class DemoFailed(Exception):
    """A step did not do what it says."""


class SaidNo(Exception):
    """The person answered no: a step of its own, which showed what a refusal looks like."""


class DemoSession:
    """One client session over a real child process, explained step by step on the console."""

    def __init__(
        self, folder: Path, console: Console, url: str, *, settings: Mapping[str, str], answers_itself: bool
    ) -> None:
        self._console = console
        self._folder = folder
        self._url = url
        self._answers_itself = answers_itself
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")},
            "RINGFENCE_STATE_FOLDER": str(folder),
            "RINGFENCE_APPROVALS__PAGE": "off",
            **settings,
        }
        self._step = 0

    @abstractmethod
    async def run(self) -> None:
        """Run all steps in order.

        Raises:
            DemoFailed: A step did not do what it says.
        """

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Client]:
        """Run `ringfence serve` and a client of it as long as the block runs."""
        command = [sys.executable, "-m", "ringfence"]
        child = StdioServerParameters(
            command=command[0], args=[*command[1:], "serve"], env=self._environment, cwd=self._folder
        )
        async with Client(child, elicitation_callback=self._ask) as client:
            yield client

    async def _ask(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        agreed = await self.ask(params.message, by_itself=True)
        return ElicitResult(action="accept" if agreed else "decline", content={"approve": True} if agreed else None)

    async def ask(self, question: str, *, by_itself: bool) -> bool:
        """Put a question to the person; `by_itself` is the answer where the demo answers itself."""
        self._console.print(Panel(escape(question), title="Ringfence asks you", border_style="yellow"))
        if self._answers_itself:
            answer = "yes" if by_itself else "no"
            self._console.print(f"  Approve? {answer} (answered by the demo: --yes, or no terminal)", highlight=False)
            return by_itself
        return await anyio.to_thread.run_sync(lambda: Confirm.ask("  Approve?", console=self._console, default=False))

    async def call(
        self, client: Client, tool: str, arguments: dict[str, Any], *, show_progress: bool = False
    ) -> dict[str, Any]:
        """Call a tool; the call must succeed, or the person must have said no to it.

        Raises:
            DemoFailed: It failed otherwise.
            SaidNo: The person said no; what the assistant got was shown.
        """
        on_progress = self._progress if show_progress else None
        result: CallToolResult = await client.call_tool(tool, arguments, progress_callback=on_progress)
        content = dict(result.structured_content or {})
        if not result.is_error:
            return read_tables(content)
        text = str(getattr(result.content[0], "text", ""))
        if content.get("error") != "Declined":
            raise DemoFailed(f"{tool}: {text}")
        self.show_refusal(text)
        raise SaidNo(tool)

    def show_refusal(self, text: str) -> None:
        """Show what the assistant gets in place of a receipt."""
        self._console.print(Panel(escape(text), title="What the assistant gets", border_style="red"))

    async def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        of = f" of {total:g}" if total else ""
        self._console.print(f"    … {progress:g}{of}: {escape(message or '')}", highlight=False)

    async def operate(self, *words: str, typed: str = "") -> str:
        """Run a command of the operator in its own process, with the passcode on standard input."""
        with anyio.fail_after(PATIENCE_SECONDS):
            done = await anyio.run_process(
                [sys.executable, "-m", "ringfence", *words],
                input=f"{typed}\n".encode(),
                env=self._environment,
                cwd=self._folder,
                check=False,
            )
        if done.returncode != 0:
            raise DemoFailed(f"ringfence {' '.join(words)}: {done.stderr.decode('utf-8').strip()}")
        return done.stdout.decode("utf-8").rstrip()

    async def ledger(self) -> list[dict[str, Any]]:
        """Return what the simulated providers charged."""
        async with httpx2.AsyncClient() as http:
            charges: list[dict[str, Any]] = (await http.get(f"{self._url}/_control/ledger")).json()
        return charges

    def check(self, held: bool, what: str) -> None:
        """Stop the demo unless it holds."""
        if not held:
            raise DemoFailed(f"expected that {what}")

    def say(self, text: str) -> None:
        """Print one step."""
        self._step += 1
        lines = textwrap.wrap(text, self._console.width - 5)
        self._console.print(f"[bold]{self._step:>2}.[/] {escape(lines[0])}", highlight=False)
        for line in lines[1:]:
            self._console.print(f"    {escape(line)}", highlight=False)
