"""Runs `ringfence demo` in two parts, each with its own server and store."""

from pathlib import Path

from rich.console import Console

from sandbox.serving import serve_sandbox
from server.demo import other_providers, voicetel
from server.demo.other_providers import OtherProvidersDemo
from server.demo.session import DemoFailed
from server.demo.voicetel import VoiceTelDemo


async def run_demo(folder: Path, console: Console, *, answers_yes: bool) -> None:
    """Run the demo against a sandbox on loopback.

    Raises:
        DemoFailed: A step did not do what it says.
    """
    failed: DemoFailed | None = None
    async with serve_sandbox() as url:
        try:
            for part, name, title, settings in (
                (VoiceTelDemo, "first", "Numbers at VoiceTel", voicetel.settings),
                (OtherProvidersDemo, "second", "Routee, Convirza and Enswitch", other_providers.settings),
            ):
                console.rule(title)
                (folder / name).mkdir()
                session = part(folder / name, console, url, settings=settings(url), answers_yes=answers_yes)
                await session.run()
        except* DemoFailed as group:
            failed = _first(group)
    if failed is not None:
        raise failed


def _first(group: BaseExceptionGroup[DemoFailed]) -> DemoFailed:
    """Return the first error; task groups wrap errors, some of them twice."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
