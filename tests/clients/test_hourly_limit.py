"""VoiceTel's six an hour: counted before sending, and spared by keeping the account's snapshot."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from clients.errors import InsufficientFunds, LimitReached, OutcomeUnknown, RateLimited
from clients.operation import Operation
from clients.shared.cache import CachedAnswer, ProcessCache
from clients.shared.limits import ProcessLimits
from sandbox.voicetel.seed import PASSWORD, USERNAME
from tests.clients.accounts import Provider, account, answered_by, refused, sandboxes, success
from tools.voicetel.client import VoiceTel
from tools.voicetel.operations.account import GetAccount, ListCallRecords, ListRecurringCharges, UpdateAccount
from tools.voicetel.operations.credentials import FetchApiKey
from tools.voicetel.operations.ordering import OrderNumbers
from tools.voicetel.operations.phone_numbers import ListNumbers

ORDER = OrderNumbers(numbers=["+12015550101"])
LIMITED: list[Operation[Any]] = [
    GetAccount(),
    ListCallRecords(),
    ListRecurringCharges(),
    FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD}),
    ListCallRecords(),
    ListRecurringCharges(),
]


class Hours:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class AgedCache(ProcessCache):
    """Keeps answers that are older than they are."""

    def __init__(self, by: timedelta) -> None:
        super().__init__()
        self._by = by

    async def get(self, account: str, name: str) -> CachedAnswer | None:
        kept = await super().get(account, name)
        return replace(kept, at=kept.at - self._by) if kept else None


async def use_up(client: VoiceTel, calls: int = 6) -> None:
    """Count calls against the limit."""
    for _ in range(calls):
        await client.send(ListCallRecords())


async def test_the_seventh_call_of_an_hour_is_not_sent_whichever_of_the_four_it_is() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        for operation in LIMITED:
            await client.send(operation)
        for operation in LIMITED[1:]:
            if isinstance(operation, ListRecurringCharges):  # a figure: the last known one serves
                assert (await client.exchange(operation)).attempts == 0
                continue
            with pytest.raises(LimitReached, match="nothing was sent") as caught:
                await client.send(operation)
            assert 3500 < caught.value.retry_after <= 3600
        assert [row["status"] for row in await sandbox.requests()] == [200] * 6
        await client.send(ListNumbers())


async def test_fifty_calls_at_once_send_six() -> None:
    outcomes: list[str] = []
    async with sandboxes() as sandbox, account(sandbox) as client:

        async def call() -> None:
            try:
                await client.send(ListCallRecords())
                outcomes.append("answered")
            except LimitReached:
                outcomes.append("not sent")

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(call)
        assert len(await sandbox.requests()) == 6
    assert outcomes.count("answered") == 6
    assert outcomes.count("not sent") == 44


async def test_a_repetition_counts_too() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await sandbox.break_with("drop_before", times=2)
        await client.send(ListCallRecords())
        await use_up(client, 3)
        with pytest.raises(LimitReached):
            await client.send(ListCallRecords())
        assert len(await sandbox.requests()) == 6


async def test_the_hour_slides() -> None:
    hours = Hours()
    async with sandboxes() as sandbox, account(sandbox, limits=ProcessLimits(clock=hours)) as client:
        await use_up(client, 2)
        hours.seconds = 1800
        await sandbox.advance(1800)
        await use_up(client, 4)
        with pytest.raises(LimitReached, match="possible in 30 minutes") as caught:
            await client.send(ListCallRecords())
        assert caught.value.retry_after == 1800
        hours.seconds = 3600
        await sandbox.advance(1801)
        await use_up(client, 2)
        with pytest.raises(LimitReached):
            await client.send(ListCallRecords())
        assert {row["status"] for row in await sandbox.requests()} == {200}


async def test_two_clients_that_share_their_limits_share_the_six() -> None:
    limits = ProcessLimits()
    async with (
        sandboxes() as sandbox,
        account(sandbox, limits=limits) as one,
        account(sandbox, limits=limits) as other,
    ):
        await use_up(one, 3)
        await use_up(other, 3)
        with pytest.raises(LimitReached):
            await one.send(ListCallRecords())


async def test_the_account_is_read_once_and_kept() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        first = await client.exchange(GetAccount())
        again = await client.exchange(GetAccount())
        assert len(await sandbox.requests()) == 1
    assert again.answer == first.answer
    assert again.received_at == first.received_at
    assert (first.attempts, again.attempts) == (1, 0)


async def test_many_reads_of_the_account_at_once_send_one() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.send, GetAccount())
        assert len(await sandbox.requests()) == 1


@pytest.mark.parametrize(("minutes", "requests"), [(9, 1), (10, 2)])
async def test_the_account_is_kept_for_ten_minutes(minutes: int, requests: int) -> None:
    cache = AgedCache(timedelta(minutes=minutes))
    async with sandboxes() as sandbox, account(sandbox, cache=cache) as client:
        await client.send(GetAccount())
        await client.send(GetAccount())
        assert len(await sandbox.requests()) == requests


async def test_the_kept_account_is_stale_once_money_was_spent() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        before = await client.send(GetAccount())
        await client.send(ORDER)
        after = await client.send(GetAccount())
    assert before.cash is not None
    assert after.cash == before.cash - 1


async def test_the_kept_account_is_stale_once_money_may_have_been_spent() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(GetAccount())
        await sandbox.break_with("drop_after", path="/orders$", times=None)
        with pytest.raises(OutcomeUnknown):
            await client.send(ORDER)
        assert (await client.exchange(GetAccount())).attempts == 1


async def test_the_kept_account_is_stale_once_an_order_was_given_up() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(GetAccount())
        await sandbox.break_with("hold", path="/orders$")
        async with anyio.create_task_group() as group:
            group.start_soon(client.send, ORDER)
            while not await sandbox.charges():
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert (await client.exchange(GetAccount())).attempts == 1


async def test_an_order_that_was_refused_leaves_the_kept_account_as_it_is() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(GetAccount())
        await sandbox.break_with("status", status=402, path="/orders$")
        with pytest.raises(InsufficientFunds):
            await client.send(ORDER)
        assert (await client.exchange(GetAccount())).attempts == 0


async def test_the_kept_account_is_stale_once_the_account_was_changed() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(GetAccount())
        await client.send(UpdateAccount(timezone="America/Chicago"))
        assert (await client.send(GetAccount())).timezone == "America/Chicago"


async def test_the_kept_account_is_given_where_the_limit_allows_no_newer_one() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        kept = await client.exchange(GetAccount())
        await use_up(client, 5)
        await client.send(ORDER)
        shown = await client.exchange(GetAccount())
        assert len(await sandbox.requests(path="/account")) == 6
    assert shown.answer == kept.answer
    assert shown.received_at == kept.received_at


async def test_the_kept_account_is_given_where_the_provider_counts_more_than_we_do() -> None:
    provider = Provider(success({"cash": 5}), refused(429, "Rate limit exceeded."))
    async with answered_by(provider, cache=AgedCache(timedelta(hours=1))) as client:
        first = await client.send(GetAccount())
        assert await client.send(GetAccount()) == first


async def test_without_a_kept_account_the_limit_is_reported() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await use_up(client)
        with pytest.raises(LimitReached):
            await client.send(GetAccount())


async def test_without_a_kept_account_the_providers_own_limit_is_reported() -> None:
    async with answered_by(Provider(refused(429, "Rate limit exceeded."))) as client:
        with pytest.raises(RateLimited):
            await client.send(GetAccount())


@pytest.mark.parametrize(
    ("asked", "minutes"), [({}, 60), ({"Retry_After": "600"}, 10), ({"Retry_After": "99999999"}, 60)]
)
async def test_a_refusal_by_the_limit_counts_for_every_call_of_it_until_its_end(
    asked: dict[str, str], minutes: int
) -> None:
    hours = Hours()
    provider = Provider(refused(429, "Rate limit exceeded.", **asked), success({"cdr": []}))
    async with answered_by(provider, limits=ProcessLimits(clock=hours)) as client:
        with pytest.raises(RateLimited):
            await client.send(GetAccount())
        for operation in LIMITED:
            with pytest.raises(LimitReached, match=f"possible in {minutes} minutes"):
                await client.send(operation)
        assert len(provider.requests) == 1
        hours.seconds = minutes * 60
        await client.send(ListCallRecords())
    assert len(provider.requests) == 2


async def test_a_refused_login_counts_for_the_calls_that_share_its_limit() -> None:
    provider = Provider(refused(429, "Rate limit exceeded."))
    async with answered_by(provider, api_key=None, username=USERNAME, password=PASSWORD) as client:
        with pytest.raises(RateLimited):
            await client.send(ListNumbers())
        later: list[Operation[Any]] = [ListNumbers(), GetAccount()]
        for operation in later:
            with pytest.raises(LimitReached):
                await client.send(operation)
    assert len(provider.requests) == 1
