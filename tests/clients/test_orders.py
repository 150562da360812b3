"""Orders may be repeated, because VoiceTel acts once on one Idempotency-Key."""

from typing import Any

import httpx2
import pytest

from clients.errors import InsufficientFunds, OutcomeUnknown, ProviderFailed, ProviderUnreachable, TelephonyError
from tests.clients.accounts import Pauses, Provider, account, answered_by, refused, sandboxes, success
from tests.sandbox_control import Sandbox
from tools.voicetel.operations.ordering import OrderNumbers

ORDER = OrderNumbers(numbers=["+12015550101"])
PLACED = success({"orderId": 48211, "numbersOrdered": ["2015550101"], "amountCharged": 1.0, "failed": []}, 201)


async def keys(sandbox: Sandbox) -> list[str]:
    """Return the Idempotency-Key of every order that reached the sandbox."""
    return [row["headers"]["idempotency-key"] for row in await sandbox.requests(path="/orders")]


@pytest.mark.parametrize(
    "failure",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 503, "after_effect": True},
        {"kind": "status", "status": 429, "retry_after": 1},
    ],
)
async def test_an_order_without_an_answer_is_repeated_under_its_key_and_charged_once(failure: dict[str, Any]) -> None:
    pauses = Pauses()
    async with sandboxes() as sandbox, account(sandbox, pause=pauses) as client:
        await sandbox.break_with(**failure, path="/orders$", times=2)
        placed = await client.send(ORDER)
        sent, charges = await keys(sandbox), await sandbox.charges()
    assert placed.numbers_ordered == ["+12015550101"]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert [charge["amount"] for charge in charges] == ["1.00"]
    assert len(pauses) == 2


async def test_an_order_that_takes_too_long_is_repeated_and_charged_once() -> None:
    async with sandboxes() as sandbox, account(sandbox, patience=1) as client:
        await sandbox.break_with("hold", path="/orders$")
        placed = await client.send(ORDER)
        assert len(await sandbox.charges()) == 1
    assert placed.order_id is not None


async def test_the_callers_own_key_is_used() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await sandbox.break_with("drop_after", path="/orders$")
        first = await client.send(ORDER, idempotency_key="action-7f3a")
        again = await client.send(ORDER, idempotency_key="action-7f3a")
        assert await keys(sandbox) == ["action-7f3a"] * 3
        assert len(await sandbox.charges()) == 1
    assert first == again


async def test_two_orders_go_out_under_two_keys() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await client.send(ORDER)
        await client.send(OrderNumbers(numbers=["+12015550102"]))
        assert len(set(await keys(sandbox))) == 2
        assert len(await sandbox.charges()) == 2


async def test_an_order_that_never_gets_an_answer_is_unknown_and_charged_once() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await sandbox.break_with("drop_after", path="/orders$", times=None)
        with pytest.raises(OutcomeUnknown, match="may have taken effect") as caught:
            await client.send(ORDER)
        assert len(set(await keys(sandbox))) == 1
        assert len(await sandbox.requests(path="/orders")) == 3
        assert len(await sandbox.charges()) == 1
    assert not caught.value.nothing_changed


async def test_a_carrier_refusal_after_which_nothing_was_written_is_known_as_such() -> None:
    async with sandboxes() as sandbox, account(sandbox) as client:
        await sandbox.break_with("status", status=502, path="/orders$", times=None)
        with pytest.raises(ProviderFailed) as caught:
            await client.send(ORDER)
        assert await sandbox.charges() == []
    assert caught.value.nothing_changed


@pytest.mark.parametrize(
    "later", [refused(402, "No cash."), refused(401, "Who?"), refused(429, "Slow."), httpx2.ConnectError("")]
)
@pytest.mark.parametrize("first", [httpx2.ReadError(""), httpx2.ReadTimeout(""), httpx2.Response(503)])
async def test_a_later_no_does_not_settle_what_became_of_an_earlier_attempt(
    first: httpx2.Response | Exception, later: httpx2.Response | Exception
) -> None:
    async with answered_by(Provider(first, later)) as client:
        with pytest.raises(OutcomeUnknown, match="may have taken effect"):
            await client.send(ORDER)


@pytest.mark.parametrize(
    ("first", "later", "error"),
    [
        (refused(429, "Slow.", retry_after="1"), refused(402, "No cash."), InsufficientFunds),
        (refused(502, "The carrier refused."), refused(402, "No cash."), InsufficientFunds),
        (httpx2.ConnectError(""), refused(402, "No cash."), InsufficientFunds),
        (httpx2.ConnectError(""), httpx2.ConnectError(""), ProviderUnreachable),
    ],
)
async def test_a_no_is_a_clear_answer_where_no_earlier_attempt_can_have_taken_effect(
    first: httpx2.Response | Exception, later: httpx2.Response | Exception, error: type[TelephonyError]
) -> None:
    async with answered_by(Provider(first, later)) as client:
        with pytest.raises(error) as caught:
            await client.send(ORDER)
    assert caught.value.nothing_changed


async def test_an_order_is_placed_once_a_connection_can_be_opened() -> None:
    provider = Provider(httpx2.ConnectError(""), PLACED)
    async with answered_by(provider) as client:
        assert (await client.exchange(ORDER)).attempts == 2


def test_a_number_is_not_ordered_twice_in_one_order() -> None:
    with pytest.raises(ValueError, match="each number stands once"):
        OrderNumbers(numbers=["+12015550101", "201-555-0101"])
