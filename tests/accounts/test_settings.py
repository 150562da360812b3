"""Accounts in the settings: in file and environment, their names, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.voicetel import seed
from server.settings.errors import BadSettings
from server.settings.lint import lint
from server.settings.load import read_settings
from server.settings.sandbox_settings import for_sandbox
from tests.operator_side import OperatorSide
from tests.sandbox_control import sandboxes

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "00112233445566778899aabbccddeeff"
TOKEN = "a-long-token-of-alice"


def written(folder: Path, *lines: str) -> Path:
    file = folder / "ringfence.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def message_of(file: Path) -> str:
    with pytest.raises(BadSettings) as stopped:
        read_settings(file)
    return str(stopped.value)


def test_accounts_are_set_beside_the_one_that_is_named_like_its_provider(tmp_path: Path) -> None:
    settings = read_settings(
        written(
            tmp_path,
            "default_accounts = {voicetel = 'clinic'}",
            "[voicetel]",
            f"api_key = '{KEY}'",
            "[accounts.clinic]",
            "provider = 'voicetel'",
            f"api_key = '{OTHER_KEY}'",
            "[accounts.shop-1]",
            "provider = 'routee'",
            "application_id = 'a'",
            "application_secret = 'b'",
        )
    )
    assert settings.account_names == ("shop-1", "voicetel", "clinic")
    assert settings.set_up == ("routee", "voicetel")
    assert settings.accounts_of("voicetel") == ("voicetel", "clinic")
    assert settings.account("clinic").value_of("api_key") == OTHER_KEY


def test_the_environment_alone_sets_accounts_and_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "RINGFENCE_ACCOUNTS__CLINIC__PROVIDER": "voicetel",
        "RINGFENCE_ACCOUNTS__CLINIC__API_KEY": OTHER_KEY,
        "RINGFENCE_VOICETEL__API_KEY": KEY,
        "RINGFENCE_DEFAULT_ACCOUNTS__VOICETEL": "clinic",
        "RINGFENCE_HTTP__TOKENS__ALICE": TOKEN,
        "RINGFENCE_HTTP__TOKENS__BOB__TOKEN": f"{TOKEN}-2",
        "RINGFENCE_HTTP__TOKENS__BOB__ACCOUNTS": "clinic",
        "RINGFENCE_HTTP__TOKENS__BOB__READ_ONLY": "true",
        "RINGFENCE_POLICY__ACCOUNTS__CLINIC__PAID": "page",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.accounts_of("voicetel") == ("voicetel", "clinic")
    assert settings.default_accounts == {"voicetel": "clinic"}
    assert {holder: settings.http.token_of(holder).get_secret_value() for holder in ("alice", "bob")} == {
        "alice": TOKEN,
        "bob": f"{TOKEN}-2",
    }


def test_a_file_names_an_account_and_the_environment_has_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_ACCOUNTS__CLINIC__API_KEY", OTHER_KEY)
    settings = read_settings(written(tmp_path, "[accounts.clinic]", "provider = 'voicetel'"))
    assert settings.account_names == ("clinic",)


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["[accounts.clinic]", "api_key = 'x'"], "line 1: accounts.clinic: a table is expected in which `provider`"),
        (["[accounts.clinic]", "provider = 'voicetell'"], "line 2: accounts.clinic.provider: one of convirza, ensw"),
        (
            ["[accounts.clinic]", "provider = 'voicetel'", "api_kye = 'x'"],
            "line 3: accounts.clinic.api_kye: there is no such key; did you mean api_key?",
        ),
        (["[accounts]", "clinic = 'x'"], "line 2: accounts.clinic: a table"),
        (["[accounts.Clinic]", "provider = 'voicetel'"], "line 1: accounts.Clinic: a lower-case word of 32 characters"),
        ([f"[accounts.{'a-b' * 11}]", "provider = 'voicetel'"], "a lower-case word of 32 characters at most"),
        (["[accounts.a__b]", "provider = 'voicetel'"], "line 1: accounts.a__b: a lower-case word"),
        (["[accounts.routee]", "provider = 'voicetel'"], "line 1: accounts.routee: the account of routee has this"),
        (
            ["[voicetel]", "username = 'a'", "[accounts.voicetel]", "provider = 'voicetel'"],
            "line 3: accounts.voicetel: [voicetel] is this account already",
        ),
        (["[default_accounts]", "voicetel = 'clinik'"], "line 2: default_accounts.voicetel: there is no account"),
        (["[default_accounts]", "voicetl = 'voicetel'"], "line 2: default_accounts.voicetl: there is no such provider"),
        (
            ["[accounts.clinic]", "provider = 'voicetel'", "[policy.accounts.clinik]", "paid = 'page'"],
            "line 3: policy.accounts.clinik: there is no account of this name; did you mean clinic?",
        ),
        (
            ["[accounts.clinic]", "provider = 'voicetel'", "[policy.accounts.clinic.operations]", "send = 'page'"],
            "line 4: policy.accounts.clinic.operations.send: there is no such tool",
        ),
        (
            ["[[budget]]", "per = 'day'", "limit = 1", "account = 'clinic'"],
            "line 4: budget[1].account: there is no account of this name",
        ),
        (
            [
                "[accounts.shop]",
                "provider = 'routee'",
                "[prices.voicetel_submit_port]",
                "amount = 6",
                "accounts.shop = 7",
            ],
            "line 5: prices.voicetel_submit_port.accounts.shop: there is no account of this name at voicetel",
        ),
        (
            ["[http.tokens.alice]", f"token = '{TOKEN}'", "accounts = ['voicetel', 'clinik']"],
            "line 3: http.tokens.alice.accounts[2]: there is no account of this name",
        ),
        (
            ["[http.tokens.alice]", f"token = '{TOKEN}'", "toolsets = ['numbrs']"],
            "line 3: http.tokens.alice.toolsets[1]: there is no toolset 'numbrs'",
        ),
        (["[http.tokens.alice]", "token = 'short'"], "line 2: http.tokens.alice.token: 16 characters or more"),
        (["[http.tokens]", "alice = 'short'"], "line 2: http.tokens.alice: 16 characters or more"),
        (["[http.tokens.alice]", "accounts = []"], "line 1: http.tokens.alice.token: this key is needed"),
        (
            ["[http.tokens.alice]", f"token = '{TOKEN}'", "acounts = []"],
            "line 3: http.tokens.alice.acounts: there is no such key; did you mean accounts?",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(lines: list[str], wrong: str, tmp_path: Path) -> None:
    assert wrong in message_of(written(tmp_path, *lines))


def test_a_misspelt_variable_of_an_account_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_ACCOUNTS__CLINIC__PROVIDER", "voicetel")
    monkeypatch.setenv("RINGFENCE_ACCOUNTS__CLINIC__API_KYE", KEY)
    with pytest.raises(BadSettings, match="RINGFENCE_ACCOUNTS__CLINIC__API_KYE: there is no such"):
        read_settings()


def test_a_provider_that_does_not_exist_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_ACCOUNTS__CLINIC__PROVIDER", "voicetell")
    with pytest.raises(BadSettings, match="RINGFENCE_ACCOUNTS__CLINIC__PROVIDER: one of convirza, enswitch"):
        read_settings()


def test_an_account_that_stays_off_and_rules_for_it_are_named(tmp_path: Path) -> None:
    settings = read_settings(
        written(
            tmp_path,
            "[routee]",
            "application_id = 'a'",
            "application_secret = 'b'",
            "[accounts.clinic]",
            "provider = 'voicetel'",
            "[policy.accounts.clinic]",
            "paid = 'page'",
        )
    )
    found = lint(settings)
    assert any(line.startswith("clinic stays off: accounts.clinic.") for line in found)
    assert "policy.accounts.clinic: the account clinic is not set up, so this never applies." in found


async def test_doctor_checks_each_account(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        variables: dict[str, Any] = {
            "RINGFENCE_VOICETEL__API_KEY": seed.API_KEY,
            "RINGFENCE_VOICETEL__BASE_URL": sandbox.voicetel,
            "RINGFENCE_ACCOUNTS__CLINIC__PROVIDER": "voicetel",
            "RINGFENCE_ACCOUNTS__CLINIC__API_KEY": "0" * 32,
            "RINGFENCE_ACCOUNTS__CLINIC__BASE_URL": sandbox.voicetel,
            "RINGFENCE_ACCOUNTS__SHOP__PROVIDER": "voicetel",
        }
        ended = await OperatorSide(tmp_path / "state", **variables).run("doctor")
    assert ended.exit_code == 1
    assert f"VoiceTel, account voicetel: answers at {sandbox.voicetel}" in ended.output
    [clinic] = [line for line in ended.output.splitlines() if "VoiceTel, account clinic" in line]
    assert "fail" in clinic
    assert "Check the credentials in the settings under accounts.clinic." in clinic
    assert "shop stays off: accounts.shop." in ended.output


def test_the_sandbox_has_a_second_account_for_one_that_the_settings_name(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, "[accounts.clinic]", "provider = 'voicetel'", f"api_key = '{KEY}'"))
    simulated = for_sandbox(settings, "http://127.0.0.1:1")
    assert simulated.accounts_of("voicetel") == ("voicetel", "clinic")
    assert simulated.account("clinic").value_of("api_key") == seed.OTHER_API_KEY
    assert simulated.account("clinic").value_of("base_url") == "http://127.0.0.1:1/voicetel"
