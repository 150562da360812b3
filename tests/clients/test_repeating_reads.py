"""When a read is sent again, how long it waits before, and when it is not."""

from typing import Any

import httpx2
import pytest

from clients.errors import ProviderFailed, RateLimited, Refused
from tests.clients.accounts import Pauses, Provider, account, answered_by, refused, sandboxes, success
from tools.voicetel.operations.ordering import SearchInventory
from tools.voicetel.operations.phone_numbers import ListNumbers

PASSING_FAILURES: list[dict[str, Any]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 504},
    {"kind": "status", "status": 503, "retry_after": 1},
    {"kind": "status", "status": 429, "retry_after": 1},
]


@pytest.mark.parametrize("failure", PASSING_FAILURES)
async def test_a_read_is_repeated_until_a_passing_failure_has_passed(failure: dict[str, Any]) -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        await sandbox.break_with(**failure, times=2)
        exchange = await client.exchange(ListNumbers())
        assert [row["status"] for row in await sandbox.requests()][-1] == 200
    assert len(exchange.answer.numbers) == 14
    assert exchange.attempts == 3
    assert len(pauses) == 2


async def test_a_read_is_sent_three_times_at_most() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        for round_number, failure in enumerate(PASSING_FAILURES, start=1):
            await sandbox.break_with(**failure, times=3)
            with pytest.raises((ProviderFailed, RateLimited)) as caught:
                await client.send(ListNumbers())
            assert caught.value.nothing_changed
            assert len(await sandbox.requests()) == 3 * round_number, failure


async def test_the_pauses_between_repetitions_grow() -> None:
    pauses = Pauses()
    async with answered_by(Provider(httpx2.ReadError("")), pause=pauses) as client:
        for _ in range(20):
            with pytest.raises(ProviderFailed):
                await client.send(ListNumbers())
    for first, second in zip(pauses[::2], pauses[1::2], strict=True):
        assert 0 < first <= second <= 1
    assert len(set(pauses)) > 2, "without chance in it, callers that fail together come back together"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 422, 500, 501])
async def test_a_read_is_not_repeated_after_an_answer_that_will_stay_the_same(status: int) -> None:
    pauses = Pauses()
    provider = Provider(refused(status, "No."))
    async with answered_by(provider, pause=pauses) as client:
        with pytest.raises(Refused) as caught:
            await client.send(SearchInventory(tn_mask="201"))
    assert len(provider.requests) == 1
    assert caught.value.status == status
    assert pauses == []


@pytest.mark.parametrize("status", [429, 503])
async def test_a_short_retry_after_is_waited_for(status: int) -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        await sandbox.break_with("status", status=status, retry_after=2, times=2)
        await client.send(ListNumbers())
    assert pauses == [2, 2]


async def test_a_long_retry_after_is_reported_and_not_slept_on() -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        await sandbox.break_with("status", status=429, retry_after=3600)
        with pytest.raises(RateLimited, match="wait 3600 seconds") as caught:
            await client.send(ListNumbers())
        assert len(await sandbox.requests()) == 1
    assert caught.value.retry_after == 3600
    assert pauses == []


async def test_a_provider_that_is_down_for_long_is_reported_and_not_slept_on() -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        await sandbox.break_with("status", status=503, retry_after=3600)
        with pytest.raises(ProviderFailed, match="wait 3600 seconds"):
            await client.send(ListNumbers())
        assert len(await sandbox.requests()) == 1
    assert pauses == []


@pytest.mark.parametrize("header", ["", "soon", "inf", "nan", "Wed, 99 Oct 2026 07:28:00 GMT"])
async def test_a_rate_limit_that_names_no_time_is_not_repeated(header: str) -> None:
    provider = Provider(httpx2.Response(429, headers={"retry-after": header} if header else {}))
    async with answered_by(provider) as client:
        with pytest.raises(RateLimited) as caught:
            await client.send(ListNumbers())
    assert len(provider.requests) == 1
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:03 GMT", 3),
        ("Wed, 21 Oct 2026 08:28:00 GMT", 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
    ids=["soon", "in an hour", "past"],
)
async def test_a_retry_after_that_is_a_date_counts_by_the_providers_own_clock(until: str, seconds: float) -> None:
    headers = {"retry-after": until, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    async with answered_by(Provider(*[httpx2.Response(429, headers=headers)] * 3)) as client:
        with pytest.raises(RateLimited) as caught:
            await client.send(ListNumbers())
    assert caught.value.retry_after == seconds


async def test_a_retry_after_in_the_past_does_not_make_the_pause_negative() -> None:
    pauses = Pauses()
    provider = Provider(httpx2.Response(503, headers={"retry-after": "-5"}), success({"numbers": []}))
    async with answered_by(provider, pause=pauses) as client:
        await client.send(ListNumbers())
    assert pauses[0] > 0


async def test_an_answer_that_cannot_be_unpacked_is_fetched_again() -> None:
    broken = httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=httpx2.ByteStream(b"not gzip"))
    provider = Provider(broken, success({"numbers": []}))
    async with answered_by(provider) as client:
        assert (await client.send(ListNumbers())).numbers == []
    assert len(provider.requests) == 2
