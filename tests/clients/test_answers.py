"""Answers are read leniently where they differ in detail, and refused where they are something else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx2
import pytest

from clients.errors import NotPermitted, UnexpectedAnswer
from tests.clients.accounts import Provider, answered_by, success
from tools.voicetel.operations.account import GetAccount, ListCallRecords, ListCredits, ListPayments
from tools.voicetel.operations.messaging import ListMessages
from tools.voicetel.operations.ordering import OrderNumbers
from tools.voicetel.operations.phone_numbers import AddNumber, GetNumber, ListNumbers, Number, Numbers, ReleaseNumber

WRITE = AddNumber(number="+12015550101")
ORDER = OrderNumbers(numbers=["+12015550101"])


async def shown(data: Any) -> Any:
    """Return what the client makes of this data of one number."""
    async with answered_by(Provider(success(data))) as client:
        return await client.send(GetNumber(number="+12015550142"))


async def test_fields_that_nobody_documented_are_kept_out() -> None:
    number = await shown({"number": "2015550142", "sentiment": "good", "routeName": "DID"})
    assert "sentiment" not in number.model_dump()
    assert number.number == "+12015550142"


async def test_fields_that_are_missing_or_null_are_left_empty() -> None:
    number = await shown({"number": "2015550142", "route": None})
    assert number.route is None
    assert number.gateway is None


@pytest.mark.parametrize("written", ["2015550142", 2015550142, "12015550142", "+1 (201) 555-0142"])
async def test_a_number_is_read_however_it_is_written(written: object) -> None:
    assert (await shown({"number": written})).number == "+12015550142"


async def test_a_number_of_another_country_is_left_as_the_provider_wrote_it() -> None:
    assert (await shown({"number": "+442079460000", "forwardTo": "+2015550142"})).forward_to == "+2015550142"


@pytest.mark.parametrize(("sent", "read"), [("1000", 1000), (1000, 1000), (1000.0, 1000)])
async def test_a_count_may_be_text(sent: object, read: int) -> None:
    assert (await shown({"number": "2015550142", "route": sent})).route == read


@pytest.mark.parametrize(("sent", "read"), [("1", True), (1, True), (True, True), ("0", False), (0, False)])
async def test_a_flag_may_be_a_number_or_text(sent: object, read: bool) -> None:
    assert (await shown({"number": "2015550142", "cnam": sent})).cnam is read


@pytest.mark.parametrize("sent", ["250.10", "250.1000000000000000001"])
async def test_an_amount_is_read_to_the_last_digit(sent: str) -> None:
    async with answered_by(
        Provider(httpx2.Response(200, text=f'{{"status":"success","data":{{"cash":{sent}}}}}'))
    ) as c:
        assert (await c.send(GetAccount())).cash == Decimal(sent)


@pytest.mark.parametrize(
    "written", [1713312000, 1713312000.0, "2024-04-17T00:00:00Z", "2024-04-17 00:00:00", "2024-04-16T20:00:00-04:00"]
)
async def test_a_time_is_aware_and_utc_where_no_zone_is_named(written: object) -> None:
    async with answered_by(Provider(success({"payments": [{"date": written}]}))) as client:
        (payment,) = (await client.send(ListPayments())).payments
    assert payment.date == datetime(2024, 4, 17, tzinfo=UTC)


@pytest.mark.parametrize("written", [1e18, 1e300, -1e18, "yesterday", {}])
async def test_a_time_that_is_none_is_an_unexpected_answer(written: object) -> None:
    async with answered_by(Provider(success({"payments": [{"date": written}]}))) as client:
        with pytest.raises(UnexpectedAnswer, match=r"payments\.0\.date"):
            await client.send(ListPayments())


@pytest.mark.parametrize("data", [{}, {"numbers": []}, {"numbers": None}, None])
async def test_a_list_without_entries_may_be_missing_or_null(data: object) -> None:
    async with answered_by(Provider(success(data))) as client:
        assert (await client.send(ListNumbers())).numbers == []


async def test_an_order_whose_failures_are_null_is_an_order() -> None:
    data = {"orderId": 48211, "numbersOrdered": ["2015550101"], "amountCharged": 1.0, "failed": None}
    async with answered_by(Provider(success(data, 201))) as client:
        placed = await client.send(ORDER)
    assert placed.failed == []
    assert placed.order_id == "48211"


async def test_an_answer_without_content_is_enough_for_what_has_nothing_to_say() -> None:
    async with answered_by(Provider(httpx2.Response(204))) as client:
        assert await client.send(ReleaseNumber(number="+12015550142"))


@pytest.mark.parametrize(
    ("data", "understood"),
    [
        ("none", None),
        (7, None),
        ([1], None),
        ({"numbers": "none"}, Numbers()),
        ({"numbers": {"number": "2015550142"}}, Numbers()),
        (
            {"numbers": [{"number": "2015550142"}, 7, {"route": 4}, {"number": "2015550143", "route": "north"}]},
            Numbers(numbers=[Number(number="+12015550142"), Number(number="+12015550143")]),
        ),
    ],
)
async def test_an_answer_of_another_shape_is_unexpected_and_read_as_far_as_it_goes(
    data: object, understood: object
) -> None:
    answer = success(data)
    async with answered_by(Provider(answer)) as client:
        with pytest.raises(UnexpectedAnswer, match="not as documented") as caught:
            await client.send(ListNumbers())
    assert caught.value.understood == understood
    assert caught.value.raw == answer.text
    assert "do not repeat" not in str(caught.value), "a read may be repeated"


@pytest.mark.parametrize("body", ["[]", '"ok"', "7", "null", "{}", '{"surprise": ["not", "documented"]}'])
@pytest.mark.parametrize("operation", [ListNumbers(), WRITE], ids=["read", "write"])
async def test_an_answer_without_the_providers_envelope_is_unexpected(operation: Any, body: str) -> None:
    async with answered_by(Provider(httpx2.Response(200, text=body))) as client:
        with pytest.raises(UnexpectedAnswer, match="without its envelope") as caught:
            await client.send(operation)
    assert caught.value.raw == body
    assert ("do not repeat" in str(caught.value)) is (operation is WRITE)


@pytest.mark.parametrize("body", ["<html>Welcome to the hotel</html>", '{"status": "succ', "[" * 100_000, "9" * 5_000])
@pytest.mark.parametrize("operation", [ListNumbers(), WRITE], ids=["read", "write"])
async def test_an_answer_that_is_no_json_is_unexpected(operation: Any, body: str) -> None:
    async with answered_by(Provider(httpx2.Response(200, text=body))) as client:
        with pytest.raises(UnexpectedAnswer, match="not JSON") as caught:
            await client.send(operation)
    assert caught.value.raw == body
    assert "html" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert ("do not repeat" in str(caught.value)) is (operation is WRITE)


async def test_the_fields_that_do_not_fit_are_named_and_their_values_are_not() -> None:
    data = {"credits": [{"amount": "hunter2hunter2", "paid": "perhaps"}]}
    async with answered_by(Provider(success(data))) as client:
        with pytest.raises(UnexpectedAnswer, match=r"credits\.0\.amount, credits\.0\.paid") as caught:
            await client.send(ListCredits())
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


class Flood(httpx2.AsyncByteStream):
    """An answer that goes on for longer than anybody reads, and how much of it was asked for."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        megabyte = b" " * 1_000_000
        for _ in range(500):
            self.sent += 1
            yield megabyte


@pytest.mark.parametrize("operation", [ListNumbers(), WRITE], ids=["read", "write"])
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(operation: Any) -> None:
    flood = Flood()
    async with answered_by(Provider(httpx2.Response(200, stream=flood))) as client:
        with pytest.raises(UnexpectedAnswer, match="larger than") as caught:
            await client.send(operation)
    assert flood.sent < 100
    assert ("do not repeat" in str(caught.value)) is (operation is WRITE)


async def test_a_no_that_is_too_large_is_still_a_no() -> None:
    flood = Flood()
    async with answered_by(Provider(httpx2.Response(403, stream=flood))) as client:
        with pytest.raises(NotPermitted):
            await client.send(WRITE)
    assert flood.sent < 100


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        ("JANE%20DOE", "JANE DOE"),
        ("JANE+DOE", "JANE DOE"),
        ("M%C3%9CLLER%20%26+SON", "MÜLLER & SON"),
        ("+12125550199", "+12125550199"),
        ("%2B12125550199", "+12125550199"),
        ("100%", "100%"),
        (None, None),
    ],
)
async def test_the_name_of_a_caller_arrives_encoded(encoded: str | None, name: str | None) -> None:
    records = {"cdr": [{"id": "c1", "key": ["2015550100", "1779105540"], "value": {"cn": encoded}}]}
    async with answered_by(Provider(success(records))) as client:
        (row,) = (await client.send(ListCallRecords())).cdr
    assert row.value is not None
    assert row.value.caller_name == name


@pytest.mark.parametrize("kind", [ListCallRecords, partial(ListMessages, number="+12015550142")])
def test_a_range_that_can_hold_nothing_is_refused_before_it_costs_a_call(kind: Any) -> None:
    noon = datetime(2026, 5, 18, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="later than until"):
        kind(since=noon, until=noon - timedelta(seconds=1))
    assert kind(since=noon, until=noon)
