"""`ringfence init` brings an installation from nothing to a connected client, and never changes what is there."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from server.cli.init.config_files import CannotAdd, add_to_client
from server.cli.init.mcp_clients import MCP_CLIENTS, Launch, McpClient
from server.settings.load import read_settings
from tests.connecting import KEY, Person
from tests.operator_side import PASSCODE, OperatorSide
from tests.sandbox_control import sandboxes

ROOT: Final = Path(__file__).parents[2]
QUICKLY: Final = ("--no-check", "--no-passcode")
MOST_SECONDS: Final = 120
"""From nothing to the first guarded call."""


@pytest.fixture(name="home", autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home folder of its own, in which nothing was ever set up."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CODEX_HOME", raising=False)
    return home


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    """Return the folder of Ringfence's own settings."""
    return tmp_path / "config" / "ringfence"


# Ringfence's own files --------------------------------------------------------------------------------------------


async def test_it_writes_closed_files_checks_them_and_sets_the_passcode(operator: OperatorSide, config: Path) -> None:
    async with sandboxes() as sandbox:
        address = ("--set", f"voicetel.base_url={sandbox.url}/voicetel")
        caps = ("--day-cap", "40 EUR", "--month-cap", "none", "--countries", "us, gr")
        done = await operator.run("init", *address, *caps, "--passcode", typed=f"{KEY}\n{PASSCODE}\n")
    assert done.exit_code == 0, done.output
    assert f"VoiceTel: answers at {sandbox.url}/voicetel" in done.output
    assert "The passcode is set." in done.output
    assert KEY not in done.output
    assert PASSCODE not in done.output
    assert _modes(config) == {"ringfence.env": "600", "ringfence.toml": "600"}
    assert KEY not in (config / "ringfence.toml").read_text(encoding="utf-8")
    settings = read_settings()
    assert settings.account("voicetel").value_of("api_key") == KEY
    assert [(cap.per, str(cap.limit), cap.currency) for cap in settings.budget] == [("day", "40", "EUR")]
    assert settings.destinations.countries == ["US", "GR"]


async def test_a_second_run_changes_no_byte(operator: OperatorSide, config: Path, home: Path) -> None:
    words = ("init", "--provider", "voicetel", "--client", "cursor", "--write", *QUICKLY)
    await operator.run(*words, typed=f"{KEY}\n")
    before = _contents(config) | _contents(home)
    again = await operator.run(*words)
    assert again.exit_code == 0, again.output
    assert _contents(config) | _contents(home) == before
    assert again.output.count("unchanged") == 2
    assert "already there" in again.output


async def test_what_the_operator_wrote_stays_and_only_what_is_missing_is_added(
    operator: OperatorSide, config: Path
) -> None:
    own = '# mine\n[[budget]]\nper = "day"\nlimit = "7" # not more\n\n[policy]\npaid = "page"'
    secret = "HTTPS_PROXY=x\nRINGFENCE_LOG_FORMAT=json\n"
    _put(config / "ringfence.toml", own, mode=0o640)
    _put(config / "ringfence.env", secret)
    done = await operator.run("init", "--provider", "voicetel", "--day-cap", "99", *QUICKLY, typed=f"{KEY}\n")
    assert done.exit_code == 0, done.output
    text = (config / "ringfence.toml").read_text(encoding="utf-8")
    assert text == own + '\n\n[destinations]\ncountries = ["US", "CA"]\n'
    assert (config / "ringfence.env").read_text(encoding="utf-8").startswith(f"{secret}RINGFENCE_VOICETEL__API_KEY=")
    assert _modes(config) == {"ringfence.env": "600", "ringfence.toml": "640"}


async def test_a_key_of_the_environment_is_kept_for_clients_that_have_another_one(
    operator: OperatorSide, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_ID", "app-1")
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_SECRET", "its = 'secret' #1")
    done = await operator.run("init", "--provider", "routee", *QUICKLY)
    assert done.exit_code == 0, done.output
    assert "secret' #1" not in done.output
    monkeypatch.delenv("RINGFENCE_ROUTEE__APPLICATION_ID")
    monkeypatch.delenv("RINGFENCE_ROUTEE__APPLICATION_SECRET")
    assert read_settings().account("routee").value_of("application_secret") == "its = 'secret' #1"


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("--set", f"voicetel.api_key={KEY}"), "", "a secret is never an option"),
        (("--set", "voicetel.bas_url=https://x.test"), KEY, "did you mean base_url?"),
        (("--set", "voicetel.base_url=x.test"), KEY, "https:// or http:// is expected"),
        (("--set", "voicetel"), KEY, "PROVIDER.KEY=VALUE is expected"),
        (("--provider", "voicetl"), KEY, "voicetl is no provider; there are convirza"),
        (("--provider", "voicetel"), "", "set RINGFENCE_VOICETEL__API_KEY, or write it as a line"),
        (("--provider", "voicetel"), "too short", "32 hexadecimal characters are expected"),
        (("--provider", "enswitch"), "", "--set enswitch.base_url=… is needed"),
        (("--day-cap", "lots"), "", "An amount is expected, such as 25 USD"),
        (("--countries", "USA"), "", "ISO codes of two letters are expected"),
        (("--client", "emacs"), "", "emacs is no client that this command knows; there are claude-code"),
    ],
    ids=str,
)
async def test_an_option_that_does_not_fit_is_named_and_sets_nothing(
    words: tuple[str, ...], typed: str, said: str, operator: OperatorSide, config: Path
) -> None:
    done = await operator.run("init", *words, *QUICKLY, typed=f"{typed}\n")
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert KEY not in done.output
    assert not (config / "ringfence.env").exists()
    assert not read_settings().budget


async def test_a_login_that_fails_is_reported_and_what_was_written_stays(operator: OperatorSide, config: Path) -> None:
    async with sandboxes() as sandbox:
        address = ("--set", f"voicetel.base_url={sandbox.url}/voicetel")
        done = await operator.run("init", *address, "--no-passcode", typed=f"{'f' * 32}\n")
    assert done.exit_code == 1
    assert "Check the credentials in the settings under voicetel." in " ".join(done.output.split())
    assert read_settings().account("voicetel").is_complete


# The file of secrets ----------------------------------------------------------------------------------------------


def test_the_environment_counts_before_the_file_of_secrets_and_that_before_the_settings_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(
        config / "ringfence.toml", '[policy]\npaid = "ask"\nread = "ask"\n[enswitch]\nusername = "a"\nversion = "4.2"\n'
    )
    _put(
        config / "ringfence.env",
        "# a comment\nexport RINGFENCE_POLICY__PAID=page\nRINGFENCE_POLICY__READ = 'deny'\n"
        "RINGFENCE_ENSWITCH__USERNAME=b\nRINGFENCE_TOOLSETS=numbers\nRINGFENCE_LOG_FORMAT=\n",
    )
    monkeypatch.setenv("RINGFENCE_POLICY__PAID", "deny")
    settings = read_settings()
    assert (settings.policy.paid.word, settings.policy.read.word) == ("deny", "deny")
    assert settings.account("enswitch").value_of("username") == "b"
    assert settings.account("enswitch").value_of("version") == "4.2"
    assert settings.toolsets == ["numbers"]
    assert settings.log_format == "text"


async def test_a_mistake_in_the_file_of_secrets_is_named_without_its_value(
    operator: OperatorSide, config: Path
) -> None:
    file = config / "ringfence.env"
    _put(file, f"RINGFENCE_VOICETEL__API_KEY={KEY[1:]}\nRINGFENCE_VOICETEL__API_KAY={KEY}\nnonsense {KEY}\n")
    done = await operator.run("policy", "check")
    assert done.exit_code == 2 or "The settings do not fit" in str(done.exception)
    said = str(done.exception)
    assert f"{file}: RINGFENCE_VOICETEL__API_KEY: 32 hexadecimal characters are expected" in said
    assert f"{file}: RINGFENCE_VOICETEL__API_KAY: there is no such setting" in said
    assert f"{file}, line 3: NAME=VALUE is expected" in said
    assert KEY[1:] not in said


async def test_doctor_fails_a_file_of_secrets_that_others_can_read(operator: OperatorSide, config: Path) -> None:
    file = config / "ringfence.env"
    _put(file, "", mode=0o640)
    assert "can be read by other users of this machine" in " ".join((await operator.run("doctor")).output.split())
    _put(file, "")
    assert "is closed to other users" in " ".join((await operator.run("doctor")).output.split())


# Clients ----------------------------------------------------------------------------------------------------------

LAUNCH: Final = Launch(("/opt/ring fence/ringfence",), ("--config", 'C:\\a "b".toml'), {"RINGFENCE_STATE_FOLDER": "/s"})
WRITABLE: Final = [client for client in MCP_CLIENTS if client.can_be_written]
OTHERS: Final[Mapping[str, Callable[[McpClient], str]]] = {
    "an empty file": lambda client: "",
    "an empty object": lambda client: "" if client.form == "toml" else "{}",
    "other settings": lambda client: (
        'model = "x" # mine\n[tools]\nweb = true' if client.form == "toml" else '{\n    "theme": "dark"\n}\n'
    ),
    "another server": lambda client: (
        f"[{client.section}.other]\ncommand = 'x'\n"
        if client.form == "toml"
        else f'{{"a": [1.50, "}}{{"], "{client.section}": {{"other": {{"command": "x"}}}}, "z": null}}'
    ),
    "comments": lambda client: (
        "# only a comment\r\n"
        if client.form == "toml"
        else f'// mine\r\n{{\r\n /* "{client.section}": {{}} */\r\n "{client.section}": {{}}, // "not": this\r\n}}\r\n'
    ),
}


@pytest.mark.parametrize("client", WRITABLE, ids=lambda client: client.name)
@pytest.mark.parametrize("there", OTHERS)
def test_an_entry_is_added_and_every_byte_beside_it_stays(client: McpClient, there: str, home: Path) -> None:
    file = client.file()
    before = OTHERS[there](client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before.encode("utf-8"))
    file.chmod(0o644)
    entry = client.entry(LAUNCH)
    outcome, backup = add_to_client(client, entry, file)
    changed = file.read_bytes().decode("utf-8")
    assert outcome == "written"
    assert _read(client, changed)[client.section]["ringfence"] == entry
    assert _is_within(before, changed)
    assert f"{file.stat().st_mode & 0o777:o}" == "644"
    assert (backup is None) == (not before)
    assert backup is None or backup.read_bytes().decode("utf-8") == before
    assert add_to_client(client, entry, file) == ("already there", None)
    with pytest.raises(CannotAdd, match="has another server named ringfence already; it was left as it is"):
        add_to_client(client, client.entry(Launch()), file)
    assert file.read_bytes().decode("utf-8") == changed
    assert home in file.parents or client.path.startswith("CONFIG")


@pytest.mark.parametrize("client", WRITABLE, ids=lambda client: client.name)
@pytest.mark.parametrize("broken", ["{", '{"a": 1, "a": 2}', "[]", "= 1", '{"SECTION": 3}', "SECTION = 3", "\xff"])
def test_a_file_that_cannot_be_understood_is_left_as_it_is(client: McpClient, broken: str, home: Path) -> None:
    file = client.file()
    file.parent.mkdir(parents=True, exist_ok=True)
    content = broken.replace("SECTION", client.section).encode("latin-1")
    file.write_bytes(content)
    if client.form == "toml" and broken == "[]":
        file.write_bytes(content := b"[[]]")
    with pytest.raises(CannotAdd):
        add_to_client(client, client.entry(LAUNCH), file)
    assert [found.read_bytes() for found in file.parent.glob(f"{file.name}*")] == [content]


def test_a_link_to_settings_elsewhere_stays_a_link(home: Path) -> None:
    client = next(client for client in WRITABLE if client.name == "cursor")
    elsewhere = home / "dotfiles.json"
    elsewhere.write_text("{}", encoding="utf-8")
    client.file().parent.mkdir()
    client.file().symlink_to(elsewhere)
    add_to_client(client, client.entry(LAUNCH), client.file())
    assert client.file().is_symlink()
    assert "mcpServers" in elsewhere.read_text(encoding="utf-8")


@pytest.mark.parametrize("client", MCP_CLIENTS, ids=lambda client: client.name)
async def test_every_clients_configuration_is_printed_without_a_key(
    client: McpClient, operator: OperatorSide, monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", KEY)
    file = config.parent / "a b" / "team.toml"
    words = ("init", "--provider", "voicetel", "--config", str(file), "--client", client.name, *QUICKLY)
    done = await operator.run(*words)
    assert done.exit_code == 0, done.output
    assert KEY not in done.output
    for word in ("serve", "--config", str(file), "RINGFENCE_STATE_FOLDER"):
        assert word in done.output
    assert not client.file().exists()
    assert read_settings(file).set_up == ("voicetel",)


# From nothing to the first guarded call ---------------------------------------------------------------------------


async def test_from_nothing_to_the_first_guarded_call_at_a_terminal(tmp_path: Path, home: Path) -> None:
    """A person answers on a terminal; the client then starts the server by what stands in its own file."""
    begun = time.monotonic()
    shown = _type_at_a_terminal(
        ["init", "--sandbox"],
        {"Passcode:": PASSCODE, "Passcode, again:": PASSCODE, "Which client": "cursor", "Add it to": "y"},
    )
    assert PASSCODE not in shown
    assert shown.count("answers at http://127.0.0.1") == 4
    entry = json.loads((home / ".cursor" / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]["ringfence"]
    person = Person()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    child = StdioServerParameters(
        command=entry["command"], args=entry["args"], env=environment | entry["env"], cwd=tmp_path
    )
    async with Client(child, elicitation_callback=person) as client:
        found = await client.call_tool("find_available_numbers", {"starts_with": "415", "limit": 1})
        number = re.findall(r"\+1415\d{7}", str(found.structured_content))[0]
        ordered = await client.call_tool("voicetel_order_numbers", {"numbers": [number]})
    assert not ordered.is_error, ordered.content
    assert len(person.questions) == 1
    assert time.monotonic() - begun < MOST_SECONDS


def _type_at_a_terminal(words: list[str], answers: Mapping[str, str]) -> str:
    """Run a command on a terminal of its own, answer its questions in their order, and return all that it showed."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, str(ROOT / "ringfence.py"), *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env=dict(os.environ),
    ) as process:
        os.close(terminal)
        shown, waiting, seen = "", dict(answers), 0
        while True:
            ready, _, _ = select.select([controller], [], [], MOST_SECONDS)
            assert ready, shown
            try:
                shown += os.read(controller, 65536).decode("utf-8")
            except OSError:  # Linux reports the end of the other side so
                break
            question = next(iter(waiting), None)
            if question is not None and question in shown[seen:]:
                seen = len(shown)
                os.write(controller, f"{waiting.pop(question)}\n".encode())
        os.close(controller)
        assert process.wait() == 0, shown
    return shown


def _put(file: Path, text: str, *, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def _modes(folder: Path) -> dict[str, str]:
    return {file.name: f"{file.stat().st_mode & 0o777:o}" for file in folder.iterdir()}


def _contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _read(client: McpClient, text: str) -> Any:
    if client.form == "toml":
        return tomllib.loads(text)
    without_comments = re.sub(r"//[^\n]*|/\*.*?\*/", "", text)
    return json.loads(re.sub(r",(?=\s*\})", "", without_comments))


def _is_within(before: str, after: str) -> bool:
    """Return True if a text is another one with one piece put into it."""
    return any(after.startswith(before[:at]) and after.endswith(before[at:]) for at in range(len(before) + 1))
