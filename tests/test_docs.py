"""The documentation says what is: tables are derived, and every command, tool and setting it names exists.

`RINGFENCE_WRITE_DOCS=1 uv run pytest tests/test_docs.py` writes the derived tables anew.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from server.cli import command_line
from server.settings_reference import settings_table
from tools.catalog import catalogue
from tools.reference import page, summary

ROOT = Path(__file__).resolve().parents[1]
WRITES = os.environ.get("RINGFENCE_WRITE_DOCS") == "1"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DERIVED: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"operations": lambda: summary(catalogue().values())},
    "docs/settings.md": {"settings": settings_table},
    "docs/operations.md": {"operations": lambda: page(catalogue().values())},
}


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_derived_tables_are_as_the_declarations_are(name: str) -> None:
    file = ROOT / name
    text = wanted = file.read_text(encoding="utf-8")
    for block, make in DERIVED[name].items():
        begin, end = f"<!-- {block} -->\n", f"\n<!-- end of {block} -->"
        assert begin in wanted
        head, rest = wanted.split(begin, 1)
        wanted = head + begin + make() + end + rest.split(end, 1)[1]
    if WRITES:
        file.write_text(wanted, encoding="utf-8")
        text = wanted
    assert text == wanted


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_tool_it_names_exists(file: Path) -> None:
    named = set(re.findall(r"`((?:voicetel|routee|convirza|enswitch)_[a-z0-9_]+)`", file.read_text(encoding="utf-8")))
    assert named - set(catalogue()) == set()


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_command_it_names_exists(file: Path) -> None:
    group = get_command(command_line([]))
    commands = getattr(group, "commands", {})
    text = file.read_text(encoding="utf-8")
    for words in re.findall(r"(?:uv run |`)ringfence ((?:[a-z][a-z-]*)(?: [a-z][a-z-]+)?)", text):
        first, _, second = words.partition(" ")
        assert first in commands, f"ringfence {words}"
        within = getattr(commands[first], "commands", None)
        if second and within is not None:
            assert second in within, f"ringfence {words}"
