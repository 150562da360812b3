"""`ringfence demo`, act by act, each with a server and a store of its own."""

from pathlib import Path

from rich.console import Console

from sandbox.serving import serve_sandbox
from server.demo import other_providers as second_act
from server.demo import voicetel as first_act
from server.demo.other_providers import SecondAct
from server.demo.session import DemoFailed
from server.demo.voicetel import FirstAct


async def run_demo(folder: Path, console: Console, *, answers_yes: bool) -> None:
    """Run the demo against a sandbox on loopback.

    Raises:
        DemoFailed: A step did not do what it says.
    """
    failed: DemoFailed | None = None
    async with serve_sandbox() as url:
        try:
            for act, name, title, settings in (
                (FirstAct, "first", "Numbers at VoiceTel", first_act.settings),
                (SecondAct, "second", "Routee, Convirza and Enswitch", second_act.settings),
            ):
                console.rule(title)
                (folder / name).mkdir()
                stage = act(folder / name, console, url, settings=settings(url), answers_yes=answers_yes)
                await stage.play()
        except* DemoFailed as group:
            failed = _first(group)
    if failed is not None:
        raise failed


def _first(group: BaseExceptionGroup[DemoFailed]) -> DemoFailed:
    """Task groups wrap what is raised in them, some of them twice."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
