"""The documentation says what is: tables are derived, and every command, tool and setting it names exists.

`RINGFENCE_WRITE_DOCS=1 uv run pytest tests/test_docs.py` writes the derived tables anew.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from server.cli.app import command_line
from server.settings.reference import settings_table
from tools.reference import page, summary
from tools.registry import all_operations

BUILTIN = {tool["name"] for tool in json.loads((Path(__file__).parent / "tools" / "builtin_tools.json").read_bytes())}

ROOT = Path(__file__).resolve().parents[1]
WRITES = os.environ.get("RINGFENCE_WRITE_DOCS") == "1"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DERIVED: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"operations": lambda: summary(all_operations().values())},
    "docs/settings.md": {"settings": settings_table},
    "docs/operations.md": {"operations": lambda: page(all_operations().values())},
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
    first = "|".join(sorted({name.partition("_")[0] for name in {*all_operations(), *BUILTIN}}))
    named = set(re.findall(rf"`((?:{first})_[a-z0-9_]+)`", file.read_text(encoding="utf-8")))
    assert named - set(all_operations()) - BUILTIN == set()


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


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_and_picture_leads_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (file.parent / link).exists()] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_setting_it_names_exists(file: Path) -> None:
    known = set(re.findall(r"`(RINGFENCE_[A-Z0-9_]+)`", settings_table()))
    named = set(re.findall(r"RINGFENCE_[A-Z0-9_]+", file.read_text(encoding="utf-8")))
    own = {"RINGFENCE_CONFIG", "RINGFENCE_TOKEN", "RINGFENCE_WRITE_DOCS", "RINGFENCE_WRITE_SNAPSHOTS"}
    misspelled = {"RINGFENCE_POLCY__READ"}  # shows what a misspelled one is answered with
    entries = {name for name in named if name.rpartition("__")[0] in known}  # of settings that are tables
    assert named - known - own - misspelled - entries == set()


@pytest.mark.parametrize("language", ["json", "toml", "yaml"])
def test_the_configurations_for_clients_can_be_read(language: str) -> None:
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        if language == "json":
            json.loads(block)
        elif language == "toml":
            tomllib.loads(block)
        else:
            assert not re.search(r"^\t", block, re.MULTILINE)
        assert "ringfence" in block


def test_at_least_eight_clients_are_described() -> None:
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^## ", text, re.MULTILINE)) >= 8


def test_the_registrys_entry_fits_the_package_and_the_settings() -> None:
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (package,) = entry["packages"]
    assert entry["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(entry["description"]) <= 100
    known = settings_table()
    assert all(f"`{variable['name']}`" in known for variable in package["environmentVariables"])


def test_the_image_holds_every_package_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert [name for name in wanted if name not in text] == []
