"""The controls: request log, ledger, faults, clock, reset."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from sandbox.app import create_sandbox
from sandbox.clock import Clock
from sandbox.recorder import ConnectionDropped
from sandbox.voicetel.provider import VoiceTel

START = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
KEY = {"authorization": "Bearer 0123456789abcdef0123456789abcdef"}
NUMBERS = "/voicetel/v2.2/numbers"
ORDERS = "/voicetel/v2.2/orders"
FAULTS = "/_control/faults"


def visitor() -> httpx2.AsyncClient:
    """Build a client of a fresh sandbox whose clock stands still."""
    transport = httpx2.ASGITransport(create_sandbox(start=START))
    return httpx2.AsyncClient(transport=transport, base_url="http://sandbox", headers=KEY)


async def test_the_request_log_shows_requests_without_their_credentials() -> None:
    async with visitor() as client:
        await client.post("/voicetel/v2.2/account/api-key", json={"username": "2015550100", "password": "Harbor2026"})
        await client.get("/voicetel/v2.2/messages", params={"number": "2015550142", "auth_token": "t0ken"})
        log = await client.get("/_control/requests", params={"provider": "voicetel"})
    login, history = log.json()
    assert (login["provider"], login["method"], login["path"]) == ("voicetel", "POST", "/v2.2/account/api-key")
    assert (login["status"], login["at"]) == (200, "2026-05-18T12:00:00Z")
    assert login["body"] == {"username": "2015550100", "password": "[redacted]"}
    assert history["query"] == {"number": "2015550142", "auth_token": "[redacted]"}
    assert history["status"] == 400
    for secret in ("Harbor2026", "t0ken", "0123456789abcdef"):
        assert secret not in log.text


async def test_the_request_log_reads_forms_text_and_nested_secrets() -> None:
    async with visitor() as client:
        await client.post(ORDERS, data={"auth_token": "t0ken", "page": "2"})
        await client.post(ORDERS, content=b"plain")
        await client.post(ORDERS, json={"login": [{"password": "p"}]})
        log = (await client.get("/_control/requests")).json()
    assert [row["body"] for row in log] == [
        {"auth_token": "[redacted]", "page": "2"},
        "plain",
        {"login": [{"password": "[redacted]"}]},
    ]


async def test_the_ledger_tells_what_was_charged_as_decimal_text() -> None:
    async with visitor() as client:
        made = await client.post(ORDERS, json={"numbers": ["2015550101", "2015550102"]})
        ledger = (await client.get("/_control/ledger", params={"provider": "voicetel"})).json()
        assert (await client.get("/_control/ledger", params={"provider": "routee"})).json() == []
    assert ledger == [
        {
            "provider": "voicetel",
            "at": "2026-05-18T12:00:00Z",
            "what": "did",
            "quantity": 2,
            "amount": "2.00",
            "currency": "USD",
            "reference": made.json()["data"]["orderId"],
        }
    ]


async def test_a_status_fault_answers_in_the_providers_shape_before_any_effect() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "status", "status": 429, "retry_after": 7})
        answer = await client.post(ORDERS, json={"numbers": ["2015550101"]})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert answer.json()["error"]["code"] == 429
        assert (await client.get("/_control/ledger")).json() == []


async def test_a_status_fault_may_have_a_status_nobody_has_named() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "status", "status": 599})
        assert (await client.get(NUMBERS)).json()["error"]["code"] == 599


async def test_a_status_fault_may_strike_after_the_effect() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "status", "status": 502, "after_effect": True})
        answer = await client.post(ORDERS, json={"numbers": ["2015550101"]})
        assert answer.status_code == 502
        assert "retry-after" not in answer.headers
        assert len((await client.get("/_control/ledger")).json()) == 1


async def test_a_malformed_answer_is_no_json_or_the_wrong_json() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "malformed"})
        broken = await client.get(NUMBERS)
        await client.post(FAULTS, json={"kind": "malformed", "shape": "wrong_shape"})
        wrong = await client.get(NUMBERS)
    assert (broken.status_code, wrong.status_code) == (200, 200)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        broken.json()
    assert "data" not in wrong.json()


async def test_a_drop_without_a_connection_is_an_exception() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "drop_before"})
        with pytest.raises(ConnectionDropped):
            await client.get(NUMBERS)


async def test_a_fault_strikes_only_what_it_is_meant_for() -> None:
    async with visitor() as client:
        fault = {"kind": "status", "provider": "voicetel", "method": "post", "path": "^/v2.2/orders$", "times": 2}
        await client.post(FAULTS, json=fault)
        assert (await client.get(NUMBERS)).status_code == 200
        statuses = [(await client.post(ORDERS, json={"numbers": ["2015550101"]})).status_code for _ in range(3)]
        assert statuses == [500, 500, 201]
        assert [(row["struck"], row["times"]) for row in (await client.get(FAULTS)).json()] == [(2, 2)]


async def test_a_fault_without_end_strikes_until_it_is_deleted() -> None:
    async with visitor() as client:
        await client.post(FAULTS, json={"kind": "status", "status": 503, "times": None})
        assert {(await client.get(NUMBERS)).status_code for _ in range(5)} == {503}
        await client.delete(FAULTS)
        assert (await client.get(NUMBERS)).status_code == 200
        assert (await client.get(FAULTS)).json() == []


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "explode"},
        {"kind": "status", "status": 200},
        {"kind": "latency"},
        {"kind": "hold", "path": "("},
        {"kind": "hold", "times": 0},
        {"kind": "hold", "provider": "nobody"},
        {"kind": "hold", "delay": 3},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(fault: dict[str, object]) -> None:
    async with visitor() as client:
        answer = await client.post(FAULTS, json=fault)
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert (await client.get(FAULTS)).json() == []


async def test_reset_goes_back_to_the_seed() -> None:
    async with visitor() as client:
        before = (await client.get(NUMBERS)).json()
        await client.post(ORDERS, json={"numbers": ["2015550101"]})
        await client.post(FAULTS, json={"kind": "hold"})
        await client.post("/_control/clock", json={"seconds": 5})
        assert (await client.post("/_control/reset")).json()["reset"][0] == "voicetel"
        for path in ("ledger", "faults", "requests"):
            assert (await client.get(f"/_control/{path}")).json() == []
        assert (await client.get("/_control/clock")).json() == {"now": "2026-05-18T12:00:00Z"}
        assert (await client.get(NUMBERS)).json() == before


async def test_the_clock_moves_forward_only() -> None:
    async with visitor() as client:
        moved = await client.post("/_control/clock", json={"seconds": 90.5})
        assert moved.json() == {"now": "2026-05-18T12:01:30Z"}
        for wrong in ({"seconds": -1}, {}, {"seconds": "soon"}):
            assert (await client.post("/_control/clock", json=wrong)).status_code == 400


async def test_providers_describe_themselves() -> None:
    async with visitor() as client:
        described = (await client.get("/_control/providers")).json()["voicetel"]
        login = {name: described["account"][name] for name in ("username", "password")}
        answer = await client.post("/voicetel/v2.2/account/api-key", json=login)
    assert answer.json()["data"]["apikey"] == described["account"]["api_key"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "cash/1", {"cash": "1"}, 404),
        ("PUT", "cash/2015550100", {"cash": "much"}, 400),
        ("POST", "inbound", {"source": "9175550161", "destination": "9175550162", "text": "x"}, 404),
        ("POST", "inbound", {"source": "9175550161"}, 400),
        ("POST", "gone", {"numbers": ["1"]}, 400),
    ],
)
async def test_controls_of_a_provider_refuse_what_makes_no_sense(
    method: str, path: str, body: dict[str, object], status: int
) -> None:
    async with visitor() as client:
        answer = await client.request(method, f"/_control/voicetel/{path}", json=body)
    assert answer.status_code == status


def test_two_providers_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two simulated providers are named voicetel"):
        create_sandbox(providers=[VoiceTel, VoiceTel])


def test_a_clock_without_a_start_follows_the_wall_clock() -> None:
    clock = Clock()
    clock.advance(3600)
    assert timedelta(minutes=59) < clock.now() - datetime.now(UTC) <= timedelta(hours=1)
    clock.reset()
    assert clock.now() - datetime.now(UTC) <= timedelta()


def test_a_clock_refuses_naive_times_and_going_back() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        Clock(datetime(2026, 5, 18))  # noqa: DTZ001 - the very thing that is refused
    with pytest.raises(ValueError, match="forward"):
        Clock(START).advance(-1)
