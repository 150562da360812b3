"""`ringfence doctor` and `ringfence revoke`, as the operator runs them, against the simulated providers."""

import base64
import os
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from sandbox.convirza import seed
from server.cli.app import command_line
from server.cli.health_checks import CheckResult, check_undocumented
from server.services import Services
from server.settings.errors import BadSettings
from server.settings.model import settings_class
from server.settings.sandbox_settings import sandbox_store
from tests.sandbox_control import Sandbox, sandboxes
from tools.convirza.settings import ConvirzaSettings


def _ran(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line(list(words)), list(words))
    return result.exit_code, result.output


def test_doctor_says_what_each_inferred_path_answered_and_what_it_did_not_try() -> None:
    code, output = _ran("doctor", "--sandbox")
    assert code == 0, output
    assert "ok    installation: Ringfence " in output
    for provider in ("VoiceTel", "Routee", "Convirza", "Enswitch"):
        assert f"ok    {provider}: answers at" in output
    of_tags = "path documented; method, request, answer inferred"
    assert f"convirza_list_tags (GET /v3/tag, {of_tags}): answered as expected" in output
    of_group = "method, request documented; path, answer inferred"
    assert f"convirza_get_group (GET /v3/groups/{{org_unit_id}}, {of_group}): answered as expected" in output
    assert "enswitch_list_numbers (POST /api/json/numbers/list/, " in output
    assert "not tried, because they write or need an id that no list gave: convirza_update_provisioned_route" in output


async def test_an_inferred_path_that_is_not_there_is_reported_with_the_setting_for_another(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("status", provider="convirza", path="/v3/tag", status=404, times=None)
        results = await _results(tmp_path, sandbox)
    (about,) = [result for result in results if result.subject.startswith("convirza_list_tags")]
    assert about.state == "warn"
    assert "corrections.convirza_list_tags" in about.detail
    assert {result.state for result in results} == {"ok", "warn"}


async def test_doctor_tries_reads_only(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await _results(tmp_path, sandbox)
        rows = await sandbox.requests(path="/v3/")
    assert {row["method"] for row in rows} == {"GET"}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"ROUTEE__APPLICATION_ID": "x"},
            "routee stays off: routee.application_secret (RINGFENCE_ROUTEE__APPLICATION_SECRET) is not set.",
        ),
        (
            {"ENSWITCH__USERNAME": "x", "ENSWITCH__PASSWORD": "y"},
            "enswitch stays off: enswitch.base_url (RINGFENCE_ENSWITCH__BASE_URL) is not set.",
        ),
        ({"VOICETEL__USERNAME": "2015550100"}, "voicetel stays off: voicetel.password (RINGFENCE_VOICETEL__PASSWORD)"),
        (
            {"VOICETEL__BASE_URL": "https://x.test"},
            "voicetel stays off: voicetel.api_key (RINGFENCE_VOICETEL__API_KEY)",
        ),
    ],
)
def test_a_provider_that_is_half_set_up_is_named_with_what_is_missing(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"RINGFENCE_{name}", value)
    code, found = _ran("doctor")
    assert code == 1
    assert f"fail  settings: {told}" in found
    code, found = _ran("policy", "check")
    assert code == 0
    assert f"Note: {told}" in found


def test_a_variable_that_is_set_to_nothing_asks_for_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROUTEE__APPLICATION_ID", "ROUTEE__APPLICATION_SECRET", "ROUTEE__BASE_URL"):
        monkeypatch.setenv(f"RINGFENCE_{name}", "")
    assert "routee" not in _ran("doctor")[1]


def test_doctor_advises_the_operator_and_does_not_say_to_ask_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("RINGFENCE_VOICETEL__BASE_URL", "http://127.0.0.1:9")
    code, output = _ran("doctor")
    assert code == 1
    assert "Check voicetel.base_url in the settings" in output
    assert "ask the operator" not in output


def test_doctor_fails_where_everything_guarded_is_frozen() -> None:
    assert _ran("freeze")[0] == 0
    code, output = _ran("doctor")
    assert code == 1
    assert "fail  guard: frozen: every guarded call is refused until `ringfence unfreeze --state-folder" in output
    assert _ran("freeze", "--sandbox")[0] == 0
    assert _ran("doctor", "--sandbox")[0] == 1


def test_a_sandbox_session_uses_no_real_store_whatever_the_settings_and_links_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    assert _ran("optouts", "add", "+12015550123")[0] == 0
    monkeypatch.setenv("RINGFENCE_STORE_URL", f"sqlite:///{state / 'ringfence.db'}")
    assert _ran("optouts", "list", "--sandbox") == (0, "No opt-outs.\n")
    shutil.rmtree(state / "sandbox")
    (state / "sandbox").symlink_to(state)
    with pytest.raises(BadSettings, match="the sandbox needs a folder of its own"):
        sandbox_store(settings_class()())


def test_doctor_fails_where_rows_of_the_audit_log_are_missing(tmp_path: Path) -> None:
    for _ in range(2):
        _ran("freeze")
    anchor = tmp_path / "state" / "audit.anchor"
    anchor.write_text(anchor.read_text(encoding="utf-8").replace("2 ", "9 ", 1), encoding="utf-8")
    code, output = _ran("doctor")
    assert code == 1
    assert "fail  audit log: row 9, which was written, is missing: the log ends with row 2" in output
    assert "refused until `ringfence audit accept --state-folder" in output


def test_doctor_fails_where_the_store_was_begun_with_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    _ran("freeze")
    _ran("unfreeze")
    monkeypatch.setenv("RINGFENCE_STATE_KEY", base64.urlsafe_b64encode(os.urandom(32)).decode("ascii"))
    code, output = _ran("doctor")
    assert code == 1
    assert "fail  store: The store was created with another key" in output
    assert "ok    store" not in output


def test_a_session_is_revoked_and_a_provider_without_sessions_is_named() -> None:
    assert _ran("revoke", "convirza", "--sandbox") == (0, "There was no session to revoke.\n")
    code, output = _ran("revoke", "routee", "--sandbox")
    assert code == 2
    assert "keeps no session that can be revoked; convirza does" in output


async def _results(folder: Path, sandbox: Sandbox) -> list[CheckResult]:
    account = ConvirzaSettings(
        email=seed.ADMIN_EMAIL,
        password=SecretStr(seed.PASSWORD),
        base_url=f"{sandbox.url}/convirza",
        oauth_url=f"{sandbox.url}/convirza",
    )
    services = Services(settings_class().model_validate({"convirza": account, "state_folder": folder}))
    try:
        return [result async for result in check_undocumented(services.clients["convirza"])]
    finally:
        await services.close()
