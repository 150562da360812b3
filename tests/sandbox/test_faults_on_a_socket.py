"""Faults, as a client on a real connection sees them."""

import ssl

import anyio
import httpx2
import pytest

from sandbox.app import create_sandbox
from sandbox.serving import serve_sandbox

KEY = {"authorization": "Bearer 0123456789abcdef0123456789abcdef"}
ORDER = {"numbers": ["2015550101"]}
NUMBERS = "/voicetel/v2.2/numbers"
ORDERS = "/voicetel/v2.2/orders"
FAULTS = "/_control/faults"
IMPATIENT = httpx2.Timeout(60, read=0.05)
"""Waits long for a connection, so that a slow machine is not taken for a silent provider."""


def visitor(url: str = "") -> httpx2.AsyncClient:
    """Build a client over real connections; it loads no certificates, because plain http needs none."""
    return httpx2.AsyncClient(base_url=url, timeout=60, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


async def order(client: httpx2.AsyncClient) -> httpx2.Response:
    """Buy one number."""
    return await client.post(ORDERS, json=ORDER, headers={**KEY, "idempotency-key": "order-1"})


async def charged(client: httpx2.AsyncClient) -> list[str]:
    """Return the amounts charged so far."""
    return [row["amount"] for row in (await client.get("/_control/ledger")).json()]


async def waiting(client: httpx2.AsyncClient) -> int:
    """Count the requests that the first fault keeps waiting."""
    count: int = (await client.get(FAULTS)).json()[0]["waiting"]
    return count


@pytest.mark.parametrize(("kind", "amounts"), [("drop_before", []), ("drop_after", ["1.00"])])
async def test_a_dropped_order_gets_no_answer_and_one_replay_settles_it(kind: str, amounts: list[str]) -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": kind, "provider": "voicetel", "path": "/orders$"})
        with pytest.raises(httpx2.RemoteProtocolError):
            await order(client)
        assert await charged(client) == amounts
        assert (await order(client)).status_code == 201
        assert await charged(client) == ["1.00"]
        log = (await client.get("/_control/requests")).json()
        assert [(row["status"], row["fault"]) for row in log] == [(None, kind), (201, None)]


async def test_a_dropped_connection_is_not_reported_as_a_server_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        for kind in ("drop_before", "drop_after"):
            await client.post(FAULTS, json={"kind": kind})
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get(NUMBERS, headers=KEY)
    assert [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_a_held_order_takes_effect_at_once_and_is_answered_when_released() -> None:
    statuses: list[int] = []
    async with serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": "hold"})

        async def hold() -> None:
            statuses.append((await order(client)).status_code)

        async with anyio.create_task_group() as group:
            group.start_soon(hold)
            while not await waiting(client):
                await anyio.lowlevel.checkpoint()
            assert await charged(client) == ["1.00"]
            assert statuses == []
            assert (await client.delete(FAULTS)).json() == {"cleared": 1, "released": 1}
        assert statuses == [201]


async def test_a_client_that_gives_up_a_held_request_is_no_longer_waited_for() -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": "hold"})
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(NUMBERS, headers=KEY, timeout=IMPATIENT)
        while await waiting(client):
            await anyio.lowlevel.checkpoint()


async def test_an_order_held_before_its_effect_takes_effect_when_released_though_its_client_has_gone() -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": "hold", "before_effect": True})
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(ORDERS, json=ORDER, headers=KEY, timeout=IMPATIENT)
        assert await charged(client) == []
        await client.delete(FAULTS)
        while not await charged(client):
            await anyio.lowlevel.checkpoint()
        assert await charged(client) == ["1.00"]


async def test_leaving_lets_go_of_what_is_held() -> None:
    statuses: list[int] = []
    async with anyio.create_task_group() as group, serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": "hold"})

        async def hold() -> None:
            async with visitor(url) as held:
                statuses.append((await held.get(NUMBERS, headers=KEY)).status_code)

        group.start_soon(hold)
        while not await waiting(client):
            await anyio.lowlevel.checkpoint()
    assert statuses == [200]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_latency_outlasts_an_impatient_client(after_effect: bool) -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        fault = {"kind": "latency", "seconds": 30, "after_effect": after_effect}
        await client.post(FAULTS, json=fault)
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(ORDERS, json=ORDER, headers=KEY, timeout=IMPATIENT)
        if after_effect:
            assert await charged(client) == ["1.00"]


async def test_a_short_latency_only_delays() -> None:
    async with serve_sandbox() as url, visitor(url) as client:
        await client.post(FAULTS, json={"kind": "latency", "seconds": 0.02})
        assert (await client.get(NUMBERS, headers=KEY)).status_code == 200


async def test_two_sandboxes_in_one_process_share_nothing() -> None:
    async with serve_sandbox() as first, serve_sandbox() as second, visitor() as client:
        assert first != second
        await client.post(f"{first}{ORDERS}", json=ORDER, headers=KEY)
        assert len((await client.get(f"{first}/_control/ledger")).json()) == 1
        assert (await client.get(f"{second}/_control/ledger")).json() == []


async def test_a_port_can_be_chosen_and_is_free_again_afterwards() -> None:
    async with serve_sandbox() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with serve_sandbox(port=port):
                pass
    sandbox = create_sandbox()
    async with serve_sandbox(port=port, sandbox=sandbox) as again, visitor() as client:
        assert again == url
        assert (await client.get(f"{again}{NUMBERS}", headers=KEY)).status_code == 200


async def test_a_cancelled_caller_still_closes_its_socket() -> None:
    urls: list[str] = []
    with anyio.CancelScope() as scope:
        async with serve_sandbox() as url:
            urls.append(url)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    async with visitor() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(urls[0])


def test_it_runs_outside_of_a_test_runner_too() -> None:
    async def visit() -> int:
        async with serve_sandbox() as url, visitor(url) as client:
            return (await client.get(NUMBERS, headers=KEY)).status_code

    assert anyio.run(visit) == 200
