"""`/healthz` and `/readyz`, as a kubelet asks them: without a token, by the address."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import httpx2
from pydantic import SecretStr

from server.http.health import MOST_WAITING, TOO_SLOW, Readiness, ReadinessCheck
from server.services import Services
from server.settings.model import HttpSettings
from tests.connecting import settings_for
from tests.over_http import serve_over_http

KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode("ascii") for number in (1, 2)]
TOKEN = "a-long-token-of-a-client"


async def test_a_server_says_that_it_is_alive_and_ready_without_a_token(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:1", http=HttpSettings(tokens={"anna": SecretStr(TOKEN)}))
    services = Services(settings)
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        assert (await http.post("/mcp", json={})).status_code == 401
        answers = [await http.get(path) for path in ("/healthz", "/readyz")]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "alive\n"), (200, "ready\n")]
    await services.close()


async def test_a_probe_by_address_or_known_name_is_answered_and_one_by_a_strangers_name_is_not(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:1", http=HttpSettings(allowed_hosts=["ringfence.example"]))
    services = Services(settings)
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        asked = {
            host: [(await http.get(path, headers={"Host": host})).status_code for path in ("/healthz", "/readyz")]
            for host in ("10.1.2.3:8765", "10.1.2.3", "[fd00::1]:8765", "ringfence.example", "evil.example",
                         "10.1.2.3.evil.example", "evil.example:10.1.2.3", "")
        }  # fmt: skip
    assert [host for host, statuses in asked.items() if statuses == [200, 200]] == list(asked)[:4]
    assert [host for host, statuses in asked.items() if statuses == [421, 421]] == list(asked)[4:]
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


async def test_a_server_whose_tables_another_version_changed_is_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    settings = settings_for(tmp_path, "http://127.0.0.1:1", store_url=SecretStr(f"sqlite:///{file}"))
    services = Services(settings)
    await services.store.freeze.is_on()
    async with serve_over_http(settings, services) as url, httpx2.AsyncClient(base_url=url) as http:
        with closing(sqlite3.connect(file)) as other, other:
            other.execute("UPDATE alembic_version SET version_num = '9999'")
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready: the store is of another version\n")
    await services.close()


class _HangingStore:
    """A store that answers once it is let."""

    def __init__(self) -> None:
        self.database = self
        self.audit = self
        self.freeze = self
        self.looks = 0
        self.answers = anyio.Event()

    async def is_of_our_version(self) -> bool:
        self.looks += 1
        await self.answers.wait()
        return True

    async def has_our_key(self) -> bool:
        return True

    async def find_gap(self) -> None:
        return None

    async def is_on(self) -> bool:
        return False


async def test_while_a_store_hangs_other_probes_wait_a_moment_and_its_answer_counts_for_the_next() -> None:
    store = _HangingStore()
    check = ReadinessCheck(store, patience=0.02)  # type: ignore[arg-type]  # what it uses of a store
    async with anyio.create_task_group() as group:
        group.start_soon(check.find)
        await anyio.wait_all_tasks_blocked()
        assert await check.find() == TOO_SLOW
        store.answers.set()
    assert await check.find() == Readiness(is_ready=True, words="ready")
    assert store.looks == 1


async def test_of_a_flood_of_probes_only_some_wait_and_the_store_is_looked_at_once() -> None:
    store = _HangingStore()
    check = ReadinessCheck(store, patience=60)  # type: ignore[arg-type]  # what it uses of a store
    told: list[Readiness] = []

    async def probe() -> None:
        told.append(await check.find())

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(probe)
        await anyio.wait_all_tasks_blocked()
        assert told == [TOO_SLOW] * (99 - MOST_WAITING)
        store.answers.set()
    assert told[99 - MOST_WAITING :] == [Readiness(is_ready=True, words="ready")] * (1 + MOST_WAITING)
    assert store.looks == 1
