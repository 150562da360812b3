"""`/healthz` and `/readyz`, as a kubelet asks them: without a token, by the address."""

import base64
from pathlib import Path

import httpx2
from pydantic import SecretStr

from server.services import Services
from server.settings.model import HttpSettings
from tests.connecting import settings_for
from tests.over_http import serve_over_http

KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode("ascii") for number in (1, 2)]
TOKEN = "a-long-token-of-a-client"


async def test_a_server_says_that_it_is_alive_and_ready_without_a_token_and_under_every_host_name(
    tmp_path: Path,
) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:1", http=HttpSettings(tokens={"anna": SecretStr(TOKEN)}))
    services = Services(settings)
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        assert (await http.post("/mcp", json={})).status_code == 401
        named = {"Host": "10.1.2.3:8765"}
        answers = [await http.get(path, headers=named) for path in ("/healthz", "/readyz")]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "alive\n"), (200, "ready\n")]
    await services.close()


async def test_a_frozen_server_is_ready_and_says_so(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:1")
    services = Services(settings)
    await services.store.freeze.freeze("the operator")
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.text) == (200, "ready, and frozen by the operator\n")
    await services.close()


async def test_a_server_whose_store_is_of_another_key_is_alive_and_not_ready(tmp_path: Path) -> None:
    first, settings = (settings_for(tmp_path, "http://127.0.0.1:1", state_key=SecretStr(key)) for key in KEYS)
    earlier, services = Services(first), Services(settings)
    await earlier.store.audit.note("noted", principal="the test")
    await earlier.close()
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready: the store has another key\n")
    await services.close()


async def test_a_server_whose_store_cannot_be_opened_is_alive_and_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    file.write_bytes(b"This is no database. " * 100)
    settings = settings_for(tmp_path, "http://127.0.0.1:1", store_url=SecretStr(f"sqlite:///{file}"))
    services = Services(settings)
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready: the store cannot be used\n")
    await services.close()
