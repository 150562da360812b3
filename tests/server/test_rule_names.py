"""Names in the rules are checked before anything starts, and rules that do nothing are reported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guard.rules.policy import Decision
from server.cli.app import command_line
from server.cli.serve import apply_options
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from tests.connecting import KEY, Person, connect, server_for, settings_for
from tests.fork_server import forking_python
from tests.sandbox_control import sandboxes


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            "[policy.providers]\nvoicetell = 'deny'",
            "line 2: policy.providers.voicetell: there is no such provider; did",
        ),
        (
            "[policy.toolsets]\nnumber = 'deny'",
            "line 2: policy.toolsets.number: there is no such toolset; did you mean",
        ),
        (
            "[policy.operations]\nvoicetel_send_mesage = 'deny'",
            "line 2: policy.operations.voicetel_send_mesage: there is no such tool; did you mean voicetel_send",
        ),
        (
            "[policy.operations]\nfind_number = 'deny'",
            "line 2: policy.operations.find_number: a built-in tool, not an operation: it only reads, so it needs",
        ),
        ("[prices.routee_send_sm]\namount = 1", "line 1: prices.routee_send_sm: there is no such tool; did you mean"),
        ("[tighten]\npaied = 'deny'", "line 2: tighten.paied: there is no such name; did you mean paid?"),
        ("[[budget]]\nper = 'day'\nlimit = 1\nprovider = 'voice'", "line 4: budget[1].provider: there is no such"),
        ("[paths]\nvoicetel_get_number = '/numbers'", "line 2: paths.voicetel_get_number: exactly the placeholders of"),
        (
            "[corrections.convirza_update_tag]\nmethod = 'POST'\npath = '/v3/tag'",
            "corrections.convirza_update_tag.path: exactly the placeholders of /v3/tag/{tag_id} are expected",
        ),
        (
            "[paths]\nroutee_get_number = '/my'\n[corrections.routee_list_numbers]\nmethod = 'POST'",
            "one correction for an endpoint is expected, and routee_get_number, of the same endpoint, is corrected",
        ),
        ("[paths]\nvoicetel_list_numbers = '//elsewhere/x'", "line 2: paths.voicetel_list_numbers: a path that begins"),
    ],
)
def test_a_name_that_does_not_exist_stops_the_start_and_the_nearest_is_named(
    document: str, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(document, encoding="utf-8")
    with pytest.raises(BadSettings) as stopped:
        read_settings(file)
    assert expected in str(stopped.value)
    assert re.search("did you mean|expected", str(stopped.value))


def test_rules_that_do_nothing_are_reported_and_the_settings_still_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", KEY)
    output = _checked(
        tmp_path,
        """
        [policy.providers]
        voicetel = "allow"
        routee = "deny"
        [policy.toolsets]
        "voicetel.numbers" = "ask"
        numbers = "deny"
        [prices.voicetel_list_numbers]
        amount = 1
        [destinations]
        countries = ["UK"]
        [tighten]
        read = "allow"
        """,
    )
    for part in (
        "policy.providers.routee: routee is not set up, so this never applies.",
        "policy.toolsets.numbers = deny never applies: policy.toolsets.voicetel.numbers = ask decides instead.",
        "policy.providers.voicetel = allow counts before policy.irreversible = page, also for",
        "prices.voicetel_list_numbers: no charge is documented for it",
        "no telephone number belongs to UK",
        "tighten read=allow has no effect",
        "The settings fit.",
    ):
        assert part in output


def test_check_says_which_calls_a_correction_reaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_CONVIRZA__EMAIL", "dana.reyes@bluewater.example")
    monkeypatch.setenv("RINGFENCE_CONVIRZA__PASSWORD", "Molar-4417")
    output = _checked(tmp_path, "[corrections.convirza_list_tags.fields]\nlimit = 'page_size'")
    assert output == (
        "Note: corrections.convirza_list_tags reaches convirza_list_tags, and the reads before and after "
        "convirza_update_tag, convirza_delete_tag.\nThe settings fit.\n"
    )


def test_check_looks_up_what_is_to_be_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text("toolsets = ['numbers', 'nope']\ntools = ['find_number', 'find_numbr']\n", encoding="utf-8")
    monkeypatch.setenv("RINGFENCE_EXCLUDE_TOOLS", "find_number,voicetel_relase_number")
    result = CliRunner().invoke(command_line(["policy"]), ["policy", "check", str(file)])
    assert isinstance(result.exception, BadSettings)
    lines = str(result.exception).splitlines()[1:]
    assert [line.partition(";")[0] for line in lines] == [
        f"  {file}, line 1: toolsets[2]: there is no toolset 'nope'",
        f"  {file}, line 2: tools[2]: there is no tool 'find_numbr'",
        "  RINGFENCE_EXCLUDE_TOOLS: [2]: there is no tool 'voicetel_relase_number'",
    ]
    assert lines[2].endswith("did you mean voicetel_release_number?")


def test_settings_without_a_flaw_are_reported_to_fit_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", KEY)
    assert _checked(tmp_path, "[policy.operations]\nvoicetel_send_message = 'page'") == "The settings fit.\n"


def test_explain_says_what_happens_and_which_rules_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text("[policy.providers]\nvoicetel = 'allow'\n[tighten]\npaid = 'deny'\n", encoding="utf-8")
    result = CliRunner().invoke(
        command_line(["policy"]), ["policy", "explain", "voicetel_order_numbers", "--config", str(file)]
    )
    assert result.output.splitlines() == [
        "voicetel_order_numbers: deny, by tighten.paid = deny, for this session",
        "that is: it is refused, and nobody can approve it",
        "effect: paid",
        "does not count, although it names it: policy.providers.voicetel = allow",
        "does not count, although it names it: policy.paid = ask",
        "VoiceTel is not set up, so every call is refused until it has credentials",
        "where no price is known: ask, by default",
    ]


def test_explain_knows_built_in_tools_and_suggests_no_call_for_a_read() -> None:
    lines = {
        "find_number": (0, "find_number: a built-in tool, not an operation: it only reads, so it needs no approval\n"),
        "call_write_operation": (
            0,
            "call_write_operation: a built-in tool, not an operation: the rules of what it calls decide\n",
        ),
        "find_numbr": (2, "find_numbr: there is no such tool; did you mean find_number?\n"),
        "voicetel_list_nmbers": (
            2,
            "voicetel_list_nmbers: there is no such tool; did you mean voicetel_list_numbers?\n",
        ),
    }
    for name, wanted in lines.items():
        result = CliRunner().invoke(command_line(["policy"]), ["policy", "explain", name])
        assert (result.exit_code, result.output) == wanted


@pytest.mark.parametrize("name", ["paid", "voicetel", "ordering", "voicetel.ordering", "voicetel_order_numbers"])
async def test_a_session_tightened_by_any_name_refuses_what_the_policy_allows(name: str, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = apply_options(
            settings_for(tmp_path, sandbox.voicetel, policy={"operations": {"voicetel_order_numbers": "allow"}}),
            tighten=[f"{name}=deny"],
        )
        _, server = server_for(settings)
        async with connect(server, person=Person()) as client:
            result = await client.call_tool("voicetel_order_numbers", {"numbers": ["+12125550100"]})
        assert f"tighten.{name} = deny" in getattr(result.content[0], "text", "")
        assert await sandbox.writes() == []


def test_a_session_cannot_loosen_what_the_settings_tighten(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tighten={"paid": "deny"})
    assert apply_options(settings, tighten=["paid=allow"]).tighten == {"paid": Decision.DENY}


def test_serve_reports_what_tightens_nothing_and_stops_at_unknown_names() -> None:
    loosening = _served("--tighten", "paid=allow")
    assert loosening.returncode == 0
    assert "tighten paid=allow has no effect" in loosening.stderr
    for option, expected in {
        "paid=maybe": "NAME=DECISION is expected, such as paid=deny; allow, ask, page, deny decide.",
        "paied=deny": "there is no such name; did you mean paid? An effect (read, write, paid,",
    }.items():
        stopped = _served("--tighten", option)
        assert (stopped.returncode, stopped.stdout) == (2, "")
        assert stopped.stderr.startswith(f"--tighten {option}: {expected}")
        assert len(stopped.stderr.splitlines()) == 1


def _checked(folder: Path, document: str) -> str:
    file = folder / "ringfence.toml"
    file.write_text("\n".join(line.strip() for line in document.splitlines()), encoding="utf-8")
    result = CliRunner().invoke(command_line(["policy"]), ["policy", "check", str(file)])
    assert result.exit_code == 0, result.output
    return result.output


def _served(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *forking_python(), "-m", "ringfence", "serve", *options]
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, encoding="utf-8", env=dict(os.environ), stdin=subprocess.DEVNULL, check=False
    )
