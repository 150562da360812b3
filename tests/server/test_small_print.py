"""What operators get wrong without noticing: what surrounds keys, byte order marks, IPv6 addresses."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from guard.rules.policy import Decision
from server.http.app import http_app
from server.services import Services
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from server.settings.model import HttpSettings
from tests.connecting import KEY, Person, connect, server_for, settings_for
from tests.sandbox_control import sandboxes
from tools.voicetel.settings import VoiceTelSettings

HELLO: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


AROUND = ["{}\n", "{}\r\n", "{} ", "\t {}", "\u00a0{}\u00a0", "\ufeff{}", "{}\u200b", '"{}"', "'{}' "]


@pytest.mark.parametrize("around", AROUND)
def test_what_surrounds_a_key_is_left_off(around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", around.format(KEY))
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_ID", around.format("5c1f"))
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_SECRET", around.format("s3cr3t-s3cr3t"))
    monkeypatch.setenv("RINGFENCE_CONVIRZA__EMAIL", around.format("a@b.test"))
    monkeypatch.setenv("RINGFENCE_ENSWITCH__USERNAME", around.format("dana"))
    monkeypatch.setenv("RINGFENCE_ENSWITCH__BASE_URL", around.format("https://pbx.test"))
    monkeypatch.setenv(
        "RINGFENCE_HTTP__TOKENS", json.dumps({"alice": around.format("0123456789abcdef0123456789abcdef")})
    )
    settings = read_settings()
    assert settings.account("routee").value_of("application_id") == "5c1f"
    assert settings.account("convirza").value_of("email") == "a@b.test"
    assert settings.account("enswitch").value_of("username") == "dana"
    assert settings.account("enswitch").base_url == "https://pbx.test"
    assert settings.account("voicetel").value_of("api_key") == KEY
    assert settings.account("routee").value_of("application_secret") == "s3cr3t-s3cr3t"
    assert settings.http.tokens["alice"] == SecretStr("0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("VOICETEL__API_KEY", "k" * 32, "32 hexadecimal characters are expected"),
        ("VOICETEL__API_KEY", KEY[:-1], "32 hexadecimal characters are expected"),
        ("VOICETEL__API_KEY", "${VOICETEL_KEY}", "not the name of a variable"),
        ("VOICETEL__API_KEY", " $VOICETEL_KEY", "not the name of a variable"),
        ("VOICETEL__API_KEY", "${input:voicetel}", "not the name of a variable"),
        ("VOICETEL__USERNAME", "%VOICETEL_USER%", "not the name of a variable"),
        ("ROUTEE__APPLICATION_SECRET", "${{ secrets.ROUTEE }}", "not the name of a variable"),
        ("ROUTEE__APPLICATION_SECRET", "…", "letters, digits and ASCII signs"),
        ("ROUTEE__APPLICATION_SECRET", "one\ntwo", "letters, digits and ASCII signs"),
        ("CONVIRZA__PASSWORD", "${CONVIRZA_PASSWORD}", "not the name of a variable"),
        ("ENSWITCH__PASSWORD", "{{password}}", "not the name of a variable"),
        ("HTTP__TOKENS", '{"alice": "${RINGFENCE_TOKEN}"}', "not the name of a variable"),
        ("HTTP__TOKENS", '{"alice": "clé-clé-clé-clé-clé"}', "letters, digits and ASCII signs"),
    ],
)
def test_what_cannot_be_a_key_is_refused_when_it_is_read(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RINGFENCE_{variable}", value)
    with pytest.raises(BadSettings, match=expected) as refused:
        read_settings()
    assert f"RINGFENCE_{variable}" in str(refused.value)
    assert value.strip() not in str(refused.value)


@pytest.mark.parametrize("empty", ["", " ", "\n"])
@pytest.mark.parametrize("name", ["VOICETEL__API_KEY", "ENSWITCH__VERSION", "ENSWITCH__CURRENCY", "ROUTEE__AUTH_URL"])
def test_an_empty_variable_of_an_account_counts_as_not_set(
    name: str, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RINGFENCE_{name}", empty)
    assert read_settings().set_up == ()


@pytest.mark.parametrize("name", ["POLICY__PAID", "TIMEOUT_SECONDS", "DESTINATIONS__COUNTRIES", "HTTP__TOKENS"])
def test_any_other_empty_variable_counts_as_not_set_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_settings()
    monkeypatch.setenv(f"RINGFENCE_{name}", "")
    assert read_settings() == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_settings_file_with_a_byte_order_mark_is_read(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text("# clé\r\n[policy]\npaid = 'deny'\n", encoding=encoding)
    assert read_settings(file).policy.paid is Decision.DENY


def test_a_fault_in_a_file_with_a_byte_order_mark_is_still_found_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text("[policy]\npaid = 'dney'\n", encoding="utf-8-sig")
    with pytest.raises(BadSettings, match=r"line 2: policy\.paid"):
        read_settings(file)


def test_a_password_loses_only_its_line_end() -> None:
    settings = VoiceTelSettings(password=SecretStr(" ends with a space \n"))
    assert settings.password == SecretStr(" ends with a space ")


@pytest.mark.parametrize(
    ("host", "status"),
    [("[::1]:8765", 200), ("localhost:8765", 200), ("::1:8765", 421), ("[::2]:8765", 421)],
    ids=["bracketed", "name", "bare", "another"],
)
async def test_an_ipv6_address_is_answered_in_brackets(host: str, status: int, tmp_path: Path) -> None:
    services = Services(settings_for(tmp_path))
    app = http_app(services, "::1", 8765)
    headers = {"host": host, "accept": "application/json, text/event-stream"}
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
        answer = await http.post("http://placeholder/mcp", json=HELLO, headers=headers)
    await services.close()
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "2001:db8::7"])
async def test_with_static_tokens_nothing_names_an_authorization_server_that_is_not_there(
    host: str, tmp_path: Path
) -> None:
    token = "0123456789abcdef0123456789abcdef"
    settings = settings_for(tmp_path, http=HttpSettings(tokens={"alice": SecretStr(token)}))
    services = Services(settings)
    app = http_app(services, host, 8765)
    named = f"[{host}]:8765" if ":" in host else f"{host}:8765"
    own = {"host": named, "accept": "application/json, text/event-stream"}
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
        refused = await http.post("http://placeholder/mcp", json=HELLO, headers=own)
        wrong = await http.post("http://placeholder/mcp", json=HELLO, headers={**own, "authorization": "Bearer no"})
        let_in = await http.post(
            "http://placeholder/mcp", json=HELLO, headers={**own, "authorization": f"Bearer {token}"}
        )
        found = [
            (await http.get(f"http://placeholder/.well-known/{name}", headers=own)).status_code
            for name in (
                "oauth-protected-resource/mcp",
                "oauth-protected-resource",
                "oauth-authorization-server",
                "openid-configuration",
            )
        ]
    await services.close()
    assert refused.status_code == wrong.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert "resource_metadata" not in refused.headers["www-authenticate"]
    assert let_in.status_code == 200, let_in.text
    assert found == [404] * 4


async def test_fetching_a_key_keeps_the_key_and_not_what_the_settings_hold(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, person=person) as client:
            fetched = await client.call_tool("voicetel_fetch_api_key", {})
        told = "\n".join(getattr(block, "text", "") for block in fetched.content)
    assert not fetched.is_error
    assert "username: 2015550100" in person.questions[0]
    assert "api_key" in told
    assert "(sent)" not in told
    assert KEY not in told
