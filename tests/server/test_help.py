"""Every command's help has an example that works as it stands, and shells complete commands and options."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from server.cli.app import EXAMPLES, command_line

ROOT: Final = Path(__file__).parents[2]
NAMED: Final[dict[str, str]] = json.loads(EXAMPLES.read_bytes())


@cache
def _commands() -> dict[str, Any]:
    return dict(_leaves(get_command(command_line([]))))


def _leaves(command: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield " ".join(before), command
        return
    for name, inner in command.commands.items():
        yield from _leaves(inner, (*before, name))


def test_there_is_an_example_for_every_command_and_no_other() -> None:
    assert set(NAMED) == set(_commands())


@pytest.mark.parametrize("words", NAMED)
def test_an_example_is_what_its_command_takes(words: str) -> None:
    command = _commands()[words]
    typed = shlex.split(str(command.epilog).removeprefix("Example: "))
    assert typed[: len(words.split()) + 1] == ["ringfence", *words.split()]
    given = typed[len(words.split()) + 1 :]
    with command.make_context(words, list(given)) as context:
        assert len(given) == 0 or any(value not in (None, False, [], ()) for value in context.params.values())


def test_a_shell_is_offered_what_can_follow() -> None:
    asked = {"_RINGFENCE_COMPLETE": "complete_bash", "COMP_WORDS": "ringfence audit ", "COMP_CWORD": "2"}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(ROOT / "ringfence.py")],
        env={**os.environ, **asked},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.split() == ["verify", "accept", "export", "tail"]
