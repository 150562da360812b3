"""Settings that do not fit stop the start, with one message that says where, what is allowed, and no secret."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from server.settings.errors import BadSettings
from server.settings.load import read_settings
from server.settings.toml_positions import Place, lines_of
from tests.fork_server import forking_python

SECRET = "Harbor2026-do-not-show"

TANGLED = '''# a comment = 1
first = "a = [1] # no comment"
"quoted.key" = 'b'
dotted.one.two = 3
dotted.one."three" = { inline = 4, nested = { deep = [5, { last = 6 }] } }
long = """
[not.a.table]
key = "nothing"
""" # after
raw = \'\'\'x = 1\'\'\'
many = [
  [7, 8],  # a comment ]
  "nine ]",
]

[table] # comment
key = 2026-11-21T12:00:00Z
[table.inner]
x = +1e5

[[rows]]
a = 1
[rows.within]
b = 2
[[rows]]
a = 3
[[rows.more]]
c = 4
[[rows.more]]
c = 5
'''


def test_every_key_of_a_document_has_its_line() -> None:
    lines, rows = lines_of(TANGLED), TANGLED.splitlines()
    leaves = {".".join(map(str, place)): rows[lines[place] - 1].strip() for place in _leaves(tomllib.loads(TANGLED))}
    assert leaves == {
        "first": 'first = "a = [1] # no comment"',
        "quoted.key": "\"quoted.key\" = 'b'",
        "dotted.one.two": "dotted.one.two = 3",
        "dotted.one.three.inline": rows[4],
        "dotted.one.three.nested.deep.0": rows[4],
        "dotted.one.three.nested.deep.1.last": rows[4],
        "long": 'long = """',
        "raw": "raw = '''x = 1'''",
        "many.0.0": "[7, 8],  # a comment ]",
        "many.0.1": "[7, 8],  # a comment ]",
        "many.1": '"nine ]",',
        "table.key": "key = 2026-11-21T12:00:00Z",
        "table.inner.x": "x = +1e5",
        "rows.0.a": "a = 1",
        "rows.0.within.b": "b = 2",
        "rows.1.a": "a = 3",
        "rows.1.more.0.c": "c = 4",
        "rows.1.more.1.c": "c = 5",
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("\n[polcy]\npaid = 'deny'", "line 2: polcy: there is no such key; did you mean policy?"),
        ("[policy]\npaied = 'deny'", "line 2: policy.paied: there is no such key; did you mean paid?"),
        ("[policy]\npaid = 'dney'", "line 2: policy.paid: one of allow, ask, page, deny is expected"),
        ("[policy]\nread_only = true", "line 2: policy.read_only: there is no such key here; `read_only` stands at"),
        ("paid = 'deny'", "line 1: paid: there is no such key here; `paid` stands in [policy]"),
        (
            "[[budget]]\nper = 'day'\nlimit = 1\n[[budget]]\nper = 'day'\nlimt = 2",
            "line 6: budget[2].limt: there is no",
        ),
        ("[[budget]]\nper = 'day'\nlimit = 1\n[[budget]]\nper = 'day'", "line 4: budget[2].limit: this key is needed"),
        ("[[budget]]\nlimit = 1", "line 1: budget[1].per: this key is needed: action, day, month"),
        ("[budget]\nper = 'day'", "line 1: budget: a list of tables is expected: write [[budget]]"),
        ("[destinations]\ncountries = [\n'US',\n'usa']", "line 4: destinations.countries[2]: an ISO code of two"),
        ("[compliance]\nquiet_hours = '9pm'", "line 2: compliance.quiet_hours: a span such as 21:00-08:00 is"),
        (
            "[compliance]\nduplicate_minutes = inf",
            "line 2: compliance.duplicate_minutes: must be less than or equal to",
        ),
        (
            "[compliance]\nduplicate_minutes = 1e9",
            "line 2: compliance.duplicate_minutes: must be less than or equal to",
        ),
        ("[compliance]\nduplicate_minutes = nan", "line 2: compliance.duplicate_minutes: must be "),
        ("[approvals]\nwait_seconds = inf", "line 2: approvals.wait_seconds: must be less than or equal to"),
        ("approval_minutes = inf", "line 1: approval_minutes: must be less than or equal to"),
        ("timeout_seconds = inf", "line 1: timeout_seconds: must be less than or equal to"),
        ("log_format = 'xml'", "line 1: log_format: one of text or json is expected"),
        ("timeout_seconds = 0", "line 1: timeout_seconds: must be greater than 0"),
        ("a = 1\nb = [", "at its end: not valid TOML"),
        ("_env_prefix = 'X'", "_env_prefix: there is no such key"),
    ],
)
def test_the_file_its_line_the_key_and_what_is_allowed_are_named(document: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(document, encoding="utf-8")
    message = _message(file)
    assert str(file) in message
    assert expected in message


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("POLCY__PAID", "deny", "there is no such setting; did you mean RINGFENCE_POLICY__PAID?"),
        ("POLICY__REROUTE", "deny", "there is no such setting; did you mean RINGFENCE_POLICY__REROUTES?"),
        ("VOICETEL_API_KEY", SECRET, "there is no such setting; did you mean RINGFENCE_VOICETEL__API_KEY?"),
        ("VOICETEL__BASE_URL", "ftp://x.test", "an address that begins with https:// or http:// is expected"),
        ("ROUTEE__AUTH_URL", "auth.routee.test", "an address that begins with https:// or http:// is expected"),
        ("DESTINATIONS__HOME", "XX", "no telephone number belongs to XX; the United Kingdom is GB, for one"),
        ("TIMEOUT_SECONDS__X", "1", "there is no such setting"),
        ("POLICY__PAID", "dney", "one of allow, ask, page, deny is expected"),
        ("DESTINATIONS__COUNTRIES", "US", 'JSON is expected here, such as ["US", "CA"]'),
        ("BUDGET", '[{"per": "day", "limit": 1}, {"per": "day"}]', "[2].limit: this key is needed"),
        ("HTTP__TOKENS", '{"alice": "short"}', "alice: 16 characters or more are expected"),
        ("STORE_URL", f"postgres://me:{SECRET}@host/name", "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE or"),
        ("NOTIFY__CHANNELS__OPS__URL", f"me {SECRET}", "a URL of apprise is expected, such as slack://..."),
        ("NOTIFY__CHANNELS__OPS__WEBHOOK", f"ftp://{SECRET}", "an address that begins with https:// or http://"),
        ("NOTIFY__CHANNELS__OPS__SIGNING_KEY", f"whsec_{SECRET}", "whsec_ is expected, and behind it 24 to 64 random"),
        ("NOTIFY__CHANNELS__OPS__EVENTS", "waits,frozn", "[2]: one of waits, not_picked_up, unknown, cap, frozen"),
        (
            "NOTIFY__CHANNELS",
            f'{{"ops": {{"url": "json://{SECRET}", "webhook": "https://{SECRET}"}}}}',
            "ops: either `url` or `webhook` is expected",
        ),
        (
            "NOTIFY__CHANNELS",
            f'{{"ops": {{"webhook": "https://{SECRET}"}}}}',
            "ops: `webhook` and `signing_key` are expected together",
        ),
        ("NOTIFY__CHANNELS", f'{{"The Ops": {{"url": "json://{SECRET}"}}}}', "names of up to 32 small letters"),
        ("STATE_KEY", SECRET, "32 random bytes in URL-safe base64 are expected"),
    ],
)
def test_a_variable_is_named_with_what_is_allowed(
    variable: str, value: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text("[policy]\npaid = 'page'\n", encoding="utf-8")
    monkeypatch.setenv(f"RINGFENCE_{variable}", value)
    message = _message(file)
    assert re.search(rf"^  RINGFENCE_{variable}: {re.escape(expected)}", message, re.MULTILINE), message
    assert str(file) not in message
    assert SECRET not in message


def test_what_kubernetes_sets_beside_a_service_of_our_name_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT_HTTP": "8765",
        "PORT": "tcp://10.0.0.1:8765",
        "PORT_8765_TCP_ADDR": "10.0.0.1",
        "DB_SERVICE_HOST": "10.0.0.2",
    }.items():
        monkeypatch.setenv(f"RINGFENCE_{name}", value)
    assert read_settings().policy.paid.word == "ask"


def test_a_file_in_the_folder_where_the_server_starts_sets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloned repository could hold one, with rules and addresses of its own."""
    project, own = tmp_path / "project", tmp_path / "home" / "ringfence"
    project.mkdir()
    own.mkdir(parents=True)
    (project / "ringfence.toml").write_text("[policy]\npaid = 'allow'\n", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(project)
    assert read_settings().policy.paid.word == "ask"
    (own / "ringfence.toml").write_text("[policy]\npaid = 'deny'\n", encoding="utf-8")
    assert read_settings().policy.paid.word == "deny"


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    lines = [
        f"store_url = 'postgres://me:{SECRET}@host/name'",
        f"timeout_seconds = '{SECRET}'",
        "[voicetel]",
        f"password = ['{SECRET}']",
        f"base_url = {{x = '{SECRET}'}}",
        "0123456789abcdef0123456789abcdef = 'api_key'",
        "[http.tokens]",
        f"alice = {{token = '{SECRET}', scope = '{SECRET}'}}",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    message = _message(file)
    assert SECRET not in message
    assert "0123456789abcdef" not in message
    assert len(message.splitlines()) == 7


def test_serve_and_policy_check_exit_with_2_and_one_message_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(f"[polcy]\npaid = 'deny'\n[voicetel]\napi_key = ['{SECRET}']\n", encoding="utf-8")
    wanted = (
        "The settings do not fit:\n"
        f"  {file}, line 1: polcy: there is no such key; did you mean policy?\n"
        f"  {file}, line 4: voicetel.api_key: must be a valid string\n"
    )
    for words in (["serve", "--config", str(file)], ["policy", "check", str(file)]):
        ended = _run(*words)
        assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", wanted)


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *forking_python(), "-m", "ringfence", *words]
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, encoding="utf-8", env=dict(os.environ), stdin=subprocess.DEVNULL, check=False
    )


def _message(file: Path) -> str:
    with pytest.raises(BadSettings) as stopped:
        read_settings(file)
    return str(stopped.value)


def _leaves(value: Any, place: Place = ()) -> list[Place]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*place, key))]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [leaf for number, inner in enumerate(value) for leaf in _leaves(inner, (*place, number))]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [place]
