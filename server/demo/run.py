"""Runs `ringfence demo`: the part of four questions, and if asked for the one of the other providers."""

import os
from collections.abc import Sequence
from pathlib import Path

import anyio
from rich.console import Console

from guard.operator_commands import OperatorCommands
from sandbox.serving import serve_sandbox
from server.demo import other_providers, voicetel
from server.demo.other_providers import OtherProvidersDemo
from server.demo.session import DemoFailed, DemoSession, Settings
from server.demo.voicetel import VoiceTelDemo

Part = tuple[type[DemoSession], str, Settings]
FIRST: Part = (VoiceTelDemo, "Numbers at VoiceTel", voicetel.settings)
SECOND: Part = (OtherProvidersDemo, "Routee, Convirza and Enswitch", other_providers.settings)


async def run_demo(folder: Path, console: Console, *, answers_itself: bool, all_providers: bool) -> None:
    """Run the demo against a sandbox on loopback.

    Raises:
        DemoFailed: A step did not do what it says.
    """
    failed: DemoFailed | None = None
    parts: Sequence[Part] = (FIRST, SECOND) if all_providers else (FIRST,)
    async with serve_sandbox() as url:
        try:
            for number, (part, title, settings) in enumerate(parts):
                console.rule(title)
                home = anyio.Path(folder / str(number))
                await home.mkdir()
                session = part(Path(home), console, url, settings=settings(url), answers_itself=answers_itself)
                await session.run()
        except* DemoFailed as group:
            failed = _first(group)
    if failed is not None:
        raise failed
    _say_how_to_go_on(console, all_providers=all_providers)


def _say_how_to_go_on(console: Console, *, all_providers: bool) -> None:
    """Print the next commands, the approval page last, as they have to be typed where the demo was."""
    program = "uv run " if os.environ.get("UV_RUN_RECURSION_DEPTH") else ""
    commands = OperatorCommands(is_sandbox=True)
    lines = [
        ("Connect an assistant to the same simulated providers:", f"{program}ringfence serve --sandbox"),
        *([] if all_providers else [("See the other three providers:", f"{program}ringfence demo --all")]),
        ("Open the approval page: choose a passcode,", f"{program}{commands.line('approvals', 'passcode')}"),
        ("then serve the page; it prints its address:", f"{program}{commands.line('approvals', 'page')}"),
    ]
    console.rule("Go on yourself")
    for what, command in lines:
        console.print(f"{what:<54} [bold]{command}[/]", highlight=False, soft_wrap=True)


def _first(group: BaseExceptionGroup[DemoFailed]) -> DemoFailed:
    """Return the first error; task groups wrap errors, some of them twice."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
