"""A command that an answer, a page or a document prints works as it is printed, on the store of whoever prints it."""

import ast
import html
import re
import shlex
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from mcp import Client
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from guard.operator_commands import NAMES, OperatorCommands
from guard.rules.quote import Quote
from server.cli.app import command_line
from server.console.pages import PageOptions
from server.settings.load import read_settings
from server.settings.sandbox_settings import for_sandbox
from server.store.store import open_store
from tests.connecting import connect, server_for
from tests.sandbox_control import sandboxes
from tests.server.console.browsing import browser, opened_record, operator, page_over, proposed

ROOT = Path(__file__).parents[2]
PASSCODE = "harbor lights 26"
WITHOUT_STORE = {"demo", "probe", "sandbox", "serve", "tools", "verify"}
"""Commands that work on no store that exists: they serve, make one of their own, or check a file of another's."""

COMMAND = re.compile(r"ringfence (?!-)[a-z][^`\n]*")
PRINTED = re.compile(r"`(ringfence [^`]*)`")


def test_every_command_of_the_operator_takes_config_and_sandbox() -> None:
    for words, command in _leaves(_app()):
        options = {name for parameter in command.params for name in parameter.opts}
        if words[0] not in WITHOUT_STORE:
            assert {"--config", "--sandbox", "--state-folder"} <= options, words
    assert {"--config", "--sandbox"} <= {name for one in _app().commands["serve"].params for name in one.opts}
    assert set(NAMES) == {words[0] for words, _ in _leaves(_app())} - WITHOUT_STORE


def test_every_command_that_the_sources_print_exists() -> None:
    found = [line for file in _sources() for line in _printed_in(file)]
    assert len(found) > 20
    for line in found:
        _require_command(line)


def test_every_command_that_a_document_shows_exists() -> None:
    for file in [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = file.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL))
        lines = [line.split("#")[0] for line in blocks.splitlines() if line.startswith("ringfence ")]
        for line in [*lines, *PRINTED.findall(" ".join(text.split()))]:
            _require_command(line, may_be_group=True)


@pytest.mark.parametrize(
    ("commands", "line"),
    [
        (OperatorCommands(), "ringfence unfreeze"),
        (OperatorCommands(is_sandbox=True), "ringfence unfreeze --sandbox"),
        (OperatorCommands(config="/srv/a b/it's.toml"), "ringfence unfreeze --config '/srv/a b/it'\"'\"'s.toml'"),
    ],
    ids=["plain", "sandbox", "a file with blanks"],
)
def test_a_sentence_of_ours_is_completed_and_other_text_is_not(commands: OperatorCommands, line: str) -> None:
    told = commands.complete("Only `ringfence unfreeze` lifts it; `ringfence demo` and `approvals` stay.")
    assert told == f"Only `{line}` lifts it; `ringfence demo` and `approvals` stay."


async def test_what_answers_pages_and_commands_print_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the sandbox, with a settings file in a folder whose name has to be quoted."""
    monkeypatch.delenv("RINGFENCE_STATE_FOLDER")
    file = tmp_path / "the operator's folder" / "ring fence.toml"
    file.parent.mkdir()
    file.write_text(f"state_folder = '''{tmp_path / 'the state'}'''\n", encoding="utf-8")
    async with _sandboxed(file) as client:
        release = {"number": "+12015550142"}
        first = await client.call_tool("voicetel_release_number", release)
        no_passcode = await _run_as_printed(first, typed="")
        assert no_passcode.exit_code == 2
        assert (await _run_as_printed(no_passcode, typed=f"{PASSCODE}\n")).exit_code == 0
        assert "is approved" in (await _run_as_printed(first)).output

        doctor = await _run(["doctor", "--config", str(file), "--sandbox"])
        assert doctor.exit_code == 0, doctor.output
        frozen = await _run(["freeze", "--config", str(file), "--sandbox"])
        refused = await client.call_tool("voicetel_release_number", release)
        for printed in (frozen, refused):
            assert "resumed" in (await _run_as_printed(printed)).output
        assert not (await client.call_tool("voicetel_release_number", release)).is_error

        await client.call_tool("voicetel_release_number", {"number": "+12015550143"})
        newest = await _run(["actions", "list", "--limit", "1", "--config", str(file), "--sandbox"])
        assert "Release +1 201 555 0143" in newest.output
        assert "done" in (await _run_as_printed(newest)).output


async def test_a_state_folder_of_the_servers_environment_stands_in_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_STATE_FOLDER", str(tmp_path / "the state"))
    async with _sandboxed(None) as client:
        first = await client.call_tool("voicetel_release_number", {"number": "+12015550142"})
        monkeypatch.delenv("RINGFENCE_STATE_FOLDER")
        assert (await _run_as_printed(await _run_as_printed(first, typed=""), typed=f"{PASSCODE}\n")).exit_code == 0
        assert "is approved" in (await _run_as_printed(first)).output


async def test_the_page_prints_its_commands_complete_and_says_sandbox_everywhere(tmp_path: Path) -> None:
    commands = OperatorCommands(config="/srv/a b/c.toml", is_sandbox=True)
    options = PageOptions(commands=commands)
    async with opened_record(tmp_path) as record:
        action = await proposed(record, quote=Quote(unknown="Nobody knows."))
        async with browser(page_over(record, options=options)) as stranger:
            signing_in = await stranger.open()
        new = open_store(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}", tmp_path)
        async with browser(page_over(new, options=options)) as stranger:
            first_time = await stranger.open()
        await new.database.close()
        assert commands.line("approvals", "passcode") in html.unescape(signing_in.text)
        assert commands.line("approvals", "passcode", "--reset") in html.unescape(signing_in.text)
        assert commands.line("approvals", "passcode") in html.unescape(first_time.text)
    async with opened_record(tmp_path) as record, operator(record, options=options) as page:
        pages = [
            signing_in,
            first_time,
            *[await page.open(path) for path in ("", "/history", f"/{action.id}", "/act_x")],
        ]
        for shown in pages:
            assert "<title>SANDBOX: " in shown.text
            assert "nothing costs money" in shown.text
    async with opened_record(tmp_path) as record, operator(record) as page:
        assert "SANDBOX" not in (await page.open()).text


def _app() -> TyperGroup:
    app = get_command(command_line([]))
    assert isinstance(app, TyperGroup)
    return app


def _leaves(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _leaves(command, (*before, name))
        else:
            yield (*before, name), command


def _sources() -> list[Path]:
    rooms = ("clients", "guard", "prompts", "server", "tools")
    return [file for room in rooms for ending in ("py", "html", "md") for file in (ROOT / room).rglob(f"*.{ending}")]


def _printed_in(file: Path) -> list[str]:
    """Return the commands between backticks in the texts of a source, but not in its comments and docstrings."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return PRINTED.findall(text)
    module = ast.parse(text)
    nodes = list(ast.walk(module))
    silent = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in silent]
    return [line for one in texts if isinstance(one, str) for line in PRINTED.findall(one)]


def _require_command(line: str, *, may_be_group: bool = False) -> None:
    """Fail unless a line names a command that exists, with options that it has."""
    words = [word for word in shlex.split(line.replace("…", "X"))[1:] if not word.startswith("2>")]
    here: Any = _app()
    while isinstance(here, TyperGroup) and words and not words[0].startswith("-"):
        assert words[0] in here.commands, line
        here = here.commands[words.pop(0)]
    assert may_be_group or not isinstance(here, TyperGroup), f"{line}: which of its commands?"
    known = {name for parameter in here.params for name in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known | {"--version"}, line


async def _run_as_printed(printed: Any, typed: str = f"{PASSCODE}\n") -> Result:
    """Run the first command that a result or an output prints."""
    text = printed.output if isinstance(printed, Result) else "".join(part.text for part in printed.content)
    line = PRINTED.findall(" ".join(text.split()))[0]
    return await _run(shlex.split(line)[1:], typed)


async def _run(words: list[str], typed: str = "") -> Result:
    run = CliRunner()
    return await anyio.to_thread.run_sync(lambda: run.invoke(command_line(words), words, typed))


@asynccontextmanager
async def _sandboxed(file: Path | None) -> AsyncGenerator[Client]:
    """Connect to a server with simulated providers, as `ringfence serve --sandbox --config FILE` has them."""
    async with sandboxes() as sandbox:
        settings = for_sandbox(read_settings(file), sandbox.url).model_copy(update={"toolsets": ["all"]})
        _, server = server_for(settings)
        async with connect(server) as client:
            yield client
