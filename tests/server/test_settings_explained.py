"""`ringfence settings explain`: what a setting does, its default, and what sets it."""

from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from server.cli.app import command_line
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from server.settings.reference import setting_rows

SECRET: Final = "a secret of the client"
SECRET_VARIABLE: Final = "RINGFENCE_HTTP__OAUTH__INTROSPECTION__CLIENT_SECRET"
OAUTH: Final = """
[http.oauth]
issuer = "https://id.example.com"
resource = "https://ringfence.example.com/mcp"

[http.oauth.introspection]
client_id = "ringfence"
"""


def explain(*words: str) -> str:
    """Run the command and return what it prints."""
    return CliRunner().invoke(command_line(["settings"]), ["settings", "explain", *words]).output


def test_every_setting_of_oauth_is_explained_with_its_default_and_with_what_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(OAUTH, encoding="utf-8")
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    told = explain("http.oauth", "--config", str(file))
    named = [row for row in setting_rows() if row.key.startswith("http.oauth.")]
    assert len(named) > 9
    for row in named:
        assert f"\n{row.key} (" in f"\n{told}"
        assert row.sentence in told
        assert len(row.sentence) > 20
        assert f"variable: {row.variable}\n" in told
    assert "http.oauth.issuer (required in http.oauth)" in told
    assert "now: set by ringfence.toml, line 3\n" in told
    assert f"now: set by {SECRET_VARIABLE}\n" in told
    audience = told.partition("http.oauth.audience (default: none)")[2].partition("http.oauth.require")[0]
    assert "now: not set" in audience  # its section is set, and it is not
    assert SECRET not in told


def test_a_setting_that_is_not_there_has_a_nearest_one() -> None:
    assert "There is no setting 'http.oauht'; did you mean http.oauth?" in explain("http.oauht")


def test_settings_that_do_not_fit_are_explained_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_HTTP__OAUTH__ISSUER", "not an address")
    told = explain("http.oauth.issuer")
    assert "Issuer of the authorization server" in told
    assert "The settings do not fit now" in told


def test_the_secret_of_introspection_stands_in_no_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(f'{OAUTH}client_secret = "{SECRET}"\n', encoding="utf-8")
    with pytest.raises(BadSettings, match=f"ringfence.env, as {SECRET_VARIABLE}") as refused:
        read_settings(file)
    assert SECRET not in str(refused.value)
    file.write_text(OAUTH, encoding="utf-8")
    (tmp_path / "ringfence.env").write_text(f"{SECRET_VARIABLE}='{SECRET}'\n", encoding="utf-8")
    oauth = read_settings(file).http.oauth
    assert oauth is not None
    assert oauth.introspection is not None
    assert oauth.introspection.client_secret.get_secret_value() == SECRET
    assert SECRET not in repr(oauth)
