"""What operators get wrong without noticing: line ends after keys, IPv6 addresses."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from server.http.app import http_app
from server.services import Services
from server.settings.load import read_settings
from server.settings.model import HttpSettings
from tests.connecting import KEY, Person, connect, server_for, settings_for
from tests.sandbox_control import sandboxes
from tools.voicetel.settings import VoiceTelSettings

HELLO: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_line_end_after_a_key_is_left_off(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_VOICETEL__API_KEY", KEY + ending)
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_SECRET", "s3cr3t-s3cr3t" + ending)
    monkeypatch.setenv("RINGFENCE_HTTP__TOKENS", '{"alice": "0123456789abcdef0123456789abcdef\\n"}')
    settings = read_settings()
    assert settings.account("voicetel").value_of("api_key") == KEY
    assert settings.account("routee").value_of("application_secret") == "s3cr3t-s3cr3t"
    assert settings.http.tokens["alice"] == SecretStr("0123456789abcdef0123456789abcdef")


def test_only_line_ends_are_left_off() -> None:
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


async def test_tokens_of_a_server_at_an_ipv6_address_are_for_its_bracketed_address(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, http=HttpSettings(tokens={"alice": SecretStr("0123456789abcdef0123456789abcdef")})
    )
    services = Services(settings)
    app = http_app(services, "2001:db8::7", 8765)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
        refused = await http.post("http://placeholder/mcp", json=HELLO, headers={"host": "[2001:db8::7]:8765"})
    await services.close()
    assert refused.status_code == 401
    assert "http://[2001:db8::7]:8765" in refused.headers["www-authenticate"]


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
