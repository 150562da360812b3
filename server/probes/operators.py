"""The operator, who uses the approval page as a browser does, and the command line."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio
import httpx2

from server.console.urls import ROOT

PATIENCE_SECONDS = 90


class NotAnswered(Exception):
    """The operator could not approve, so the probe proves nothing."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit code and output of a command."""

    code: int
    text: str


class Operator:
    """Signs in and approves with the passcode, which no assistant knows."""

    def __init__(
        self, page: httpx2.AsyncClient, passcode: str, environment: Mapping[str, str], program: Sequence[str]
    ) -> None:
        self._page = page
        self._program = program
        self._passcode = passcode
        self._environment = environment
        self._is_signed_in = False

    async def approve(self, action: str) -> None:
        """Approve an action on the approval page.

        Raises:
            NotAnswered: The page refused.
        """
        answer = await self.press(f"/{action}/approve", on=f"/{action}")
        if answer.status_code != 303:
            raise NotAnswered(f"the approval page answered {answer.status_code} to an approval")

    async def press(self, button: str, *, on: str = "") -> httpx2.Response:
        """Post the form of a button of a page, as a browser does."""
        page = await self.open(on)
        token = re.search(r'name="token" value="([0-9a-f]+)"', page)
        return await self._send(button, {"token": token[1] if token else ""})

    async def open(self, path: str = "") -> str:
        """Return a page as the operator's browser gets it."""
        await self._sign_in()
        return (await self._page.get(f"{ROOT}{path}")).text

    async def command(self, *words: str, typed: str) -> CommandResult:
        """Run `ringfence …` in a process of its own, with a line on standard input."""
        with anyio.fail_after(PATIENCE_SECONDS):
            done = await anyio.run_process(
                [sys.executable, *self._program, *words],
                input=f"{typed}\n".encode(),
                env=self._environment,
                check=False,
            )
        return CommandResult(done.returncode, (done.stdout + done.stderr).decode("utf-8"))

    async def _sign_in(self) -> None:
        if self._is_signed_in:
            return
        answer = await self._send("/sign-in", {"passcode": self._passcode, "wanted": ""})
        if answer.status_code != 303:
            raise NotAnswered(f"the approval page answered {answer.status_code} to the right passcode")
        self._is_signed_in = True

    async def _send(self, path: str, form: Mapping[str, str]) -> httpx2.Response:
        origin = str(self._page.base_url).rstrip("/")
        return await self._page.post(f"{ROOT}{path}", data=dict(form), headers={"Origin": origin})
