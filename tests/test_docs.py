"""The documentation says what is: tables and counts are derived, and every name and file in it exists.

`RINGFENCE_WRITE_DOCS=1 uv run pytest tests/test_docs.py -n 0` writes the derived tables and counts anew.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable
from functools import cache, partial, reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import pytest
from typer.main import get_command

from benchmarks.tool_choice.published import published, table_of_gaps, table_of_requests
from benchmarks.tool_choice.scoring import Way
from clients.effects import Effect
from clients.telemetry.instruments import DECLARED
from guard.notices.event import Event
from prompts.library import guides
from server.cli.app import command_line
from server.cli.init.mcp_clients import MCP_CLIENTS, Launch, McpClient
from server.mcp.listing.cache import RegisteredTool
from server.mcp.listing.registry import ToolRegistry
from server.settings.keys import NESTED_BY, PREFIX, inner
from server.settings.model import settings_class
from server.settings.reference import settings_table
from server.settings.sandbox_settings import for_sandbox
from tools.reference import page, summary
from tools.registry import all_operations, operations_of

BUILTIN = {tool["name"] for tool in json.loads((Path(__file__).parent / "tools" / "builtin_tools.json").read_bytes())}

ROOT = Path(__file__).resolve().parents[1]
WRITES = os.environ.get("RINGFENCE_WRITE_DOCS") == "1"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *PAGES]
OUTSIDE_PROVIDER = ROOT / "tests" / "outside_provider"
METHODS = {"tools/list", "tools/call"}
"""Methods of the protocol that look like files of ours."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def snippet_block(client: McpClient) -> str:
    """Return a client's configuration as `ringfence init` prints it, for an installation whose command is found."""
    text, language = client.snippet(Launch())
    return f"```{language}\n{text}\n```"


def events_table() -> str:
    """Build the table of the events of which there are notices."""
    rows = [f"| `{event}` | {event.when} |" for event in Event]
    return "\n".join(["| event | you are told when |", "| --- | --- |", *rows])


def measurements_table() -> str:
    """Build the table of everything that a server measures."""
    rows = [
        f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} | {', '.join(map('`{}`'.format, one.attributes))} |"
        for one in DECLARED.values()
    ]
    header = ["| name | kind | unit | meaning | told apart by |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*header, *rows])


DERIVED: dict[str, dict[str, Callable[[], str]]] = {
    "docs/settings.md": {"settings": settings_table},
    "docs/notices.md": {"events": events_table},
    "docs/telemetry.md": {"measurements": measurements_table},
    "docs/search.md": {"search": table_of_requests, "gaps": table_of_gaps},
    "docs/operations.md": {
        "toolsets": lambda: summary(all_operations().values()),
        "operations": lambda: page(all_operations().values()),
    },
    "docs/clients.md": {f"client {one.name}": partial(snippet_block, one) for one in MCP_CLIENTS},
}


@cache
def default_list(*, all_providers: bool = True) -> tuple[RegisteredTool, ...]:
    """List the tools that a client of the simulated providers, or of VoiceTel alone, sees by default."""
    with TemporaryDirectory() as folder:
        values = {"state_folder": folder, "voicetel": {"api_key": "0" * 32}}
        settings = settings_class().model_validate(values)
        if all_providers:
            settings = for_sandbox(settings, "http://unused.test")
        return tuple(ToolRegistry(settings).listed.values())


def tokens(tools: tuple[RegisteredTool, ...]) -> int:
    """Count the o200k tokens of a list of tools as a client gets it."""
    listed = [one.tool.model_dump(mode="json", by_alias=True, exclude_none=True) for one in tools]
    text = json.dumps(listed, separators=(",", ":"), ensure_ascii=False)
    return len(bpe_openai.get_encoding("o200k_base").encode(text))


def found_first(way: Way, places: int) -> int:
    """Count, of 100 requests that nobody looked at, those that find what answers them among the first so many."""
    return int(100 * published(way).recall(places))


def listed_in(toolset: str) -> int:
    """Count the built-in tools of a toolset in the default list."""
    return sum(one.module is None and toolset in one.info.toolsets for one in default_list())


def in_words(number: int) -> str:
    """Write a small number as a word, a large one in figures."""
    return WORDS[number] if number < len(WORDS) else str(number)


def clients_described() -> int:
    """Count the sections of docs/clients.md, one a client."""
    return len(re.findall(r"^## ", (ROOT / "docs" / "clients.md").read_text(encoding="utf-8"), re.MULTILINE))


COUNTS: dict[str, dict[str, Callable[[], Any]]] = {
    "README.md": {
        r"\[(\w+) clients\]\(docs/clients\.md\)": lambda: in_words(clients_described()).capitalize(),
        r"^(\w+) guided jobs \(prompts\)": lambda: in_words(len(guides())).capitalize(),
        r"^## (\d+) tools that reach \d+ operations$": lambda: len(default_list()),
        r"^## \d+ tools that reach (\d+) operations$": lambda: len(all_operations()),
        r"The default surface is (\d+) tools": lambda: len(default_list()),
        r"about ([\d,]+) tokens with all": lambda: f"{round(tokens(default_list()), -2):,}",
        r"\((\d+) with VoiceTel alone\)": lambda: len(default_list(all_providers=False)),
        r"\b(\w+) over all providers": lambda: in_words(listed_in("overview")),
        r"\b(\w+) everyday ones": lambda: in_words(sum(one.module is not None for one in default_list())),
        r"\b(\w+) about actions": lambda: in_words(listed_in("actions")),
        r"\b(\w+) that find and call": lambda: in_words(listed_in("discovery")),
    },
    "docs/search.md": {
        r"Of (\d+) requests that nobody looked at": lambda: len(published("first call").places),
        r"it finds what is asked for first for (\d+) in 100": lambda: found_first("first call", 1),
        r"and among the first five for (\d+) in 100; in": lambda: found_first("first call", 5),
        r"in people's own words, first for (\d+) in 100": lambda: found_first("own words", 1),
        r"and among the first five for (\d+) in 100\. One": lambda: found_first("own words", 5),
        r"One first answer of the (\d+) would": lambda: len(published("own words").places),
    },
    "docs/comparison.md": {
        r"^\| tools by default \| (\d+) \|": lambda: len(default_list()),
        r"^\| tokens of the list \| ([\d,]+) \|": lambda: f"{tokens(default_list()):,}",
    },
    "docs/faq.md": {r"\*\*Why (\d+) tools": lambda: len(default_list())},
    "docs/recipes.md": {r"^(\w+) guided jobs \(prompts\)": lambda: in_words(len(guides())).capitalize()},
    "docs/providers.md": {
        r"^\| operations \| (\d+) \|": lambda: len(operations_of("voicetel")),
        r"^\| operations \| \d+ \| (\d+) \|": lambda: len(operations_of("routee")),
        r"^\| operations \| \d+ \| \d+ \| (\d+) \|": lambda: len(operations_of("convirza")),
        r"^\| operations \| \d+ \| \d+ \| \d+ \| (\d+) \|": lambda: len(operations_of("enswitch")),
    },
    "docs/threat-model.md": {r"\b(\d+) tools by default": lambda: len(default_list())},
}
"""Every sentence of a document that counts something of ours, as a pattern around the count."""

NAMES_A_COUNT = re.compile(
    rf"\b(\d[\d,]*|{'|'.join(WORDS[2:])}) (tools|operations|clients|prompts|guided jobs|probes|toolsets)\b",
    re.IGNORECASE,
)


def find_all(pattern: str, text: str) -> list[re.Match[str]]:
    """Find a pattern in a document, also where a line ends within it."""
    return list(re.finditer(pattern.replace(" ", r"\s+"), text, re.MULTILINE))


@pytest.mark.parametrize(("name", "pattern"), [(name, pattern) for name in COUNTS for pattern in COUNTS[name]])
def test_a_count_is_what_it_counts(name: str, pattern: str) -> None:
    file = ROOT / name
    text = file.read_text(encoding="utf-8")
    (found,) = find_all(pattern, text)
    wanted = str(COUNTS[name][pattern]())
    if WRITES:
        text = text[: found.start(1)] + wanted + text[found.end(1) :]
        file.write_text(text, encoding="utf-8")
        (found,) = find_all(pattern, text)
    assert found[1] == wanted


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_no_count_is_typed(file: Path) -> None:
    """Whoever counts tools or operations in a document adds the sentence to `COUNTS`."""
    text = file.read_text(encoding="utf-8")
    patterns = COUNTS.get(file.relative_to(ROOT).as_posix(), {})
    derived = {found.start(1) for pattern in patterns for found in find_all(pattern, text)}
    assert [found[0] for found in NAMES_A_COUNT.finditer(text) if found.start(1) not in derived] == []


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


def test_the_page_of_effects_says_what_is_declared() -> None:
    text = (ROOT / "docs" / "effects.md").read_text(encoding="utf-8")
    said = {
        tool: effects
        for tools, effects in re.findall(r"^\| (`\w+_\w+`(?:, `\w+`)*) \| ([a-z, ]+) \|", text, re.MULTILINE)
        for tool in re.findall(r"\w+", tools)
    }
    declared = {name: ", ".join(operation.spec.effect.labels) for name, operation in all_operations().items()}
    assert said == {tool: declared[tool] for tool in said}
    assert {tool for tool, effects in declared.items() if effects == "write"} <= said.keys()
    explained = re.findall(r"^\| ([a-z]+) \| (no|yes)\b", text, re.MULTILINE)
    assert explained == [(effect.labels[0], "yes" if effect.is_guarded else "no") for effect in Effect]


MOST_WORDS = 900
"""Of the README: whoever reads on finds the rest in the documentation."""


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < MOST_WORDS


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\* \[[^\]]+\]\((\w[\w-]*\.md)\): \S", index, re.MULTILINE))
    assert listed == {page.name for page in PAGES} - {"README.md"}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_file_it_names_exists(file: Path) -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]*)+|\w+\.(?:py|toml|json))`", file.read_text(encoding="utf-8"))
    ours = {path.name for path in ROOT.iterdir()} | {path.name for path in OUTSIDE_PROVIDER.iterdir()}
    ours_named = {name for name in named if name.partition("/")[0] in ours} - METHODS
    assert {
        name for name in ours_named if not any((root / name).exists() for root in (ROOT, OUTSIDE_PROVIDER))
    } == set()


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_what_it_names_in_a_file_is_defined_there(file: Path) -> None:
    for name, path in re.findall(r"`([\w.]+)` in\s+`([\w/]+\.py)`", file.read_text(encoding="utf-8")):
        source = (ROOT / path).read_text(encoding="utf-8")
        for part in name.split("."):
            defined = rf"(^|\s)(class|def) {part}\b|^\s*{part}\s*(:|=)"
            assert re.search(defined, source, re.MULTILINE), f"{name} in {path}"


def test_the_code_that_a_page_quotes_stands_in_its_file() -> None:
    page_of_code = ROOT / "docs" / "writing-a-provider.md"
    text = page_of_code.read_text(encoding="utf-8")
    if WRITES:
        text = QUOTED.sub(lambda found: found[0].replace(found[2], quoted_anew(found[1], found[2])), text)
        page_of_code.write_text(text, encoding="utf-8")
    quoted = QUOTED.findall(text)
    assert len(quoted) == len(re.findall(r"^```\w", text, re.MULTILINE))
    for name, code in quoted:
        assert code in source_of(name), f"{name}:\n{code}"


QUOTED = re.compile(r"<!-- from (\S+) -->\n```\w+\n(.*?)\n```", re.DOTALL)
"""A file, of the outside provider or of ours, and code that stands in it."""


def source_of(name: str) -> str:
    """Read a file that a page quotes."""
    return next(root / name for root in (OUTSIDE_PROVIDER, ROOT) if (root / name).exists()).read_text(encoding="utf-8")


def quoted_anew(name: str, code: str) -> str:
    """Quote the code as it is now, from its first line to its last; where one of them is gone, a person must look."""
    source, lines = f"\n{source_of(name)}\n", code.split("\n")
    if code in source:
        return code
    begin = source.find("\n" + "\n".join(lines[:2]) + "\n") + 1
    end = source.find(f"\n{lines[-1]}\n", begin) + 1
    return source[begin : end + len(lines[-1])] if begin and end else code


def _is_setting(variable: str) -> bool:
    """Return True for a variable that sets something, also within tables whose keys the operator names."""
    keys = variable.removeprefix(PREFIX).lower().split(NESTED_BY)
    return reduce(lambda annotation, key: annotation and inner(annotation, key), keys, settings_class()) is not None


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_setting_it_names_exists(file: Path) -> None:
    known = set(re.findall(r"`(RINGFENCE_[A-Z0-9_]+)`", settings_table()))
    named = set(re.findall(r"RINGFENCE_[A-Z0-9_]+", file.read_text(encoding="utf-8")))
    own = {
        "RINGFENCE_CONFIG",
        "RINGFENCE_TOKEN",
        "RINGFENCE_WRITE_DOCS",
        "RINGFENCE_WRITE_PLACES",
        "RINGFENCE_WRITE_SNAPSHOTS",
    }
    misspelled = {"RINGFENCE_POLCY__READ"}  # shows what a misspelled one is answered with
    entries = {name for name in named if _is_setting(name)}  # of settings that are tables
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


def test_every_guided_job_is_in_the_recipes() -> None:
    text = " ".join((ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").split())
    assert [guide.title for guide in guides() if f"*{guide.title}*" not in text] == []


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
