"""`ringfence doctor` and `ringfence revoke`, as the operator runs them, against the simulated providers."""

from pathlib import Path

from pydantic import SecretStr
from typer.testing import CliRunner

from sandbox.convirza import seed
from server.account_settings import ConvirzaSettings
from server.cli import command_line
from server.examining import Finding, examine_inferred
from server.runtime import Runtime
from server.settings import Settings
from tests.sandboxed import Sandbox, sandboxes


def _ran(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line(list(words)), list(words))
    return result.exit_code, result.output


def test_doctor_says_what_each_inferred_path_answered_and_what_it_did_not_try() -> None:
    code, told = _ran("doctor", "--sandbox")
    assert code == 0, told
    for provider in ("VoiceTel", "Routee", "Convirza", "Enswitch"):
        assert f"ok    {provider}: answers at" in told
    assert "convirza_list_tags (inferred: GET /v3/tag): answered as expected" in told
    assert "convirza_get_group (inferred: GET /v3/groups/{org_unit_id}): answered as expected" in told
    assert "not tried, as they write or need what no list gave: convirza_update_provisioned_route" in told


async def test_an_inferred_path_that_is_not_there_is_told_with_the_setting_for_another(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await sandbox.break_with("status", provider="convirza", path="/v3/tag", status=404, times=None)
        findings = await _findings(tmp_path, sandbox)
    (about,) = [finding for finding in findings if finding.what.startswith("convirza_list_tags")]
    assert about.state == "look"
    assert "paths.convirza_list_tags" in about.detail
    assert {finding.state for finding in findings} == {"ok", "look"}


async def test_doctor_tries_reads_only(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        await _findings(tmp_path, sandbox)
        rows = await sandbox.requests(path="/v3/")
    assert {row["method"] for row in rows} == {"GET"}


def test_a_session_is_revoked_and_a_provider_without_sessions_is_told() -> None:
    assert _ran("revoke", "convirza", "--sandbox") == (0, "There was no session to revoke.\n")
    code, told = _ran("revoke", "routee", "--sandbox")
    assert code == 2
    assert "keeps no session that can be revoked; convirza does" in told


async def _findings(folder: Path, sandbox: Sandbox) -> list[Finding]:
    account = ConvirzaSettings(
        email=seed.ADMIN_EMAIL,
        password=SecretStr(seed.PASSWORD),
        base_url=f"{sandbox.url}/convirza",
        oauth_url=f"{sandbox.url}/convirza",
    )
    runtime = Runtime(Settings(convirza=account, state_folder=folder))
    try:
        return [finding async for finding in examine_inferred(runtime.clients["convirza"])]
    finally:
        await runtime.close()
