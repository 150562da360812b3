"""Finding, buying and porting numbers."""

import pytest

from tests.sandbox.voicetel.documented.numbering import PORT_BODY
from tests.sandbox.voicetel.doors import CONTROL, OTHER_KEY, advance, cash, charges, customer, set_cash

ORDER = {"numbers": ["2015550101", {"number": "2015550102", "route": 1000}]}
KEYED = {"idempotency-key": "9c8f4a-001"}


async def test_an_order_charges_one_month_for_each_number_and_adds_them() -> None:
    async with customer() as client:
        answer = (await client.post("orders", json=ORDER)).json()["data"]
        assert answer["amountCharged"] == 2
        assert answer["numbersOrdered"] == ["2015550101", "2015550102"]
        assert answer["failed"] == []
        assert await charges(client) == [("did", 2, "2.00")]
        assert await cash(client) == 248
        assert (await client.get("numbers/2015550101")).json()["data"]["route"] == 4
        assert (await client.get("numbers/2015550102")).json()["data"]["route"] == 1000


async def test_a_replayed_order_is_charged_once_and_answered_alike() -> None:
    async with customer() as client:
        first = await client.post("orders", json=ORDER, headers=KEYED)
        await advance(client, 24 * 3600 - 1)
        again = await client.post("orders", json=ORDER, headers=KEYED)
        assert (again.status_code, again.content) == (201, first.content)
        assert await charges(client) == [("did", 2, "2.00")]


async def test_a_key_is_free_again_after_a_day() -> None:
    async with customer() as client:
        await client.post("orders", json=ORDER, headers=KEYED)
        await advance(client, 24 * 3600)
        answer = await client.post("orders", json={"numbers": ["2015550103"]}, headers=KEYED)
        assert answer.json()["data"]["numbersOrdered"] == ["2015550103"]


async def test_the_same_order_without_a_key_is_made_again() -> None:
    async with customer() as client:
        await client.post("orders", json=ORDER)
        assert (await client.post("orders", json=ORDER)).status_code == 502
        assert await charges(client) == [("did", 2, "2.00")]


async def test_a_key_brings_the_answer_of_its_first_order_whatever_is_ordered_under_it() -> None:
    async with customer() as client:
        first = await client.post("orders", json=ORDER, headers=KEYED)
        again = await client.post("orders", json={"numbers": ["2015550103"]}, headers=KEYED)
        assert (again.status_code, again.json()) == (201, first.json())
        assert await charges(client) == [("did", 2, "2.00")]


async def test_a_refused_order_does_not_use_its_key_up() -> None:
    async with customer() as client:
        await set_cash(client, "1.99")
        assert (await client.post("orders", json=ORDER, headers=KEYED)).status_code == 402
        await set_cash(client, "2.00")
        assert (await client.post("orders", json=ORDER, headers=KEYED)).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ключ".encode().decode("latin-1")])
async def test_a_key_outside_its_pattern_is_refused(key: str) -> None:
    async with customer() as client:
        headers = {b"idempotency-key": key.encode("latin-1")}
        assert (await client.post("orders", json=ORDER, headers=headers)).status_code == 400
        assert await charges(client) == []


async def test_a_number_that_is_gone_fails_alone() -> None:
    async with customer() as client:
        await client.post(f"{CONTROL}/voicetel/gone", json={"numbers": ["2015550101"]})
        answer = await client.post("orders", json={"numbers": ["2015550101", "2015550102", "2015550113"]})
        assert answer.status_code == 201
        assert answer.json()["data"]["numbersOrdered"] == ["2015550102"]
        assert [failure["number"] for failure in answer.json()["data"]["failed"]] == ["2015550101", "2015550113"]
        assert answer.json()["data"]["amountCharged"] == 1
        assert await charges(client) == [("did", 1, "1.00")]


async def test_an_order_that_the_cash_does_not_cover_changes_nothing() -> None:
    async with customer() as client:
        await set_cash(client, "1.99")
        assert (await client.post("orders", json=ORDER)).status_code == 402
        assert (await client.get("numbers/2015550101")).status_code == 404
        assert await charges(client) == []
        assert await cash(client) == 1.99


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        ["12015550101"],
        ["2015550101"] * 2,
        ["2015550101", {"number": "2015550101"}],
        [{"number": "2015550101", "route": 1999}],
        [{"number": "2015550101", "gateway": 4}],
        [f"2015550{line}" for line in range(100, 201)],
        [2015550101],
    ],
)
async def test_an_order_outside_the_schema_is_refused(numbers: list[object]) -> None:
    async with customer() as client:
        assert (await client.post("orders", json={"numbers": numbers})).status_code == 400
        assert await charges(client) == []


@pytest.mark.parametrize(
    ("mask", "found"),
    [("201", 40), ("201555*", 40), ("2015550101", 1), ("20*0101", 2), ("512555012", 10), ("999", 0), ("*", 480)],
)
async def test_a_mask_is_a_prefix_with_wildcards(mask: str, found: int) -> None:
    async with customer() as client:
        answer = await client.get("inventory", params={"tnMask": mask, "quantity": 1000})
        assert len(answer.json()["data"]["numbers"]) == found


async def test_a_search_finds_ten_numbers_unless_told_otherwise() -> None:
    async with customer() as client:
        assert len((await client.get("inventory", params={"tnMask": "2"})).json()["data"]["numbers"]) == 10


async def test_a_search_is_narrowed_by_place() -> None:
    async with customer() as client:
        for params, city in (
            ({"tnMask": "512", "rateCenter": "RoundRock"}, "Round Rock"),
            ({"tnMask": "2", "province": "wa"}, "Seattle"),
            ({"tnMask": "*", "lata": "834"}, "Honolulu"),
        ):
            rows = (await client.get("inventory", params=params)).json()["data"]["numbers"]
            assert {row["city"] for row in rows} == {city}


@pytest.mark.parametrize(
    "params",
    [
        {"tnMask": "201-555"},
        {"tnMask": "201", "quantity": "0"},
        {"tnMask": "201", "quantity": "1001"},
        {"tnMask": "201", "province": "New Jersey"},
        {"tnMask": "201", "lata": "north"},
        {"npa": "201"},
    ],
)
async def test_a_search_outside_the_schema_is_refused(params: dict[str, str]) -> None:
    async with customer() as client:
        assert (await client.get("inventory", params=params)).status_code == 400


async def test_a_search_is_cached_for_ten_minutes() -> None:
    async with customer() as client:
        params = {"tnMask": "2015550101"}
        await client.get("inventory", params=params)
        await client.post("orders", json={"numbers": ["2015550101"]})
        await advance(client, 599)
        assert len((await client.get("inventory", params=params)).json()["data"]["numbers"]) == 1
        await advance(client, 1)
        assert (await client.get("inventory", params=params)).json()["data"]["numbers"] == []


@pytest.mark.parametrize(
    ("count_by", "members"),
    [
        ("state", {"locState", "count"}),
        ("city", {"locState", "city", "count"}),
        ("rateCenter", {"locState", "rcAbbre", "lata", "count"}),
        ("npanxx", {"npa", "nxx", "count"}),
        ("block", {"npa", "nxx", "block", "count"}),
    ],
)
async def test_coverage_adds_up_whatever_it_is_counted_by(count_by: str, members: set[str]) -> None:
    async with customer() as client:
        rows = (await client.get("inventory/coverage", params={"countBy": count_by})).json()["data"]["coverage"]
    assert sum(row["count"] for row in rows) == 480
    assert all(row.keys() == members for row in rows)


async def test_coverage_is_narrowed_by_its_filters() -> None:
    async with customer() as client:
        params = {"countBy": "city", "locState": "TX", "city": "Austin", "rcAbbre": "AUSTIN", "lata": "558"}
        rows = (await client.get("inventory/coverage", params=params)).json()["data"]["coverage"]
        assert rows == [{"locState": "TX", "city": "Austin", "count": 20}]
        assert (await client.get("inventory/coverage", params={"countBy": "lata"})).status_code == 400


async def test_a_port_costs_six_dollars_for_each_number_and_opens_a_ticket() -> None:
    numbers = ["9175550185", "9175550186"]
    async with customer() as client:
        for number in numbers:
            assert (await client.get(f"ports/availability/{number}")).json()["data"]["portable"] is True
        answer = (await client.post("ports", json={**PORT_BODY, "did": numbers})).json()["data"]
        assert await charges(client) == [("port-in", 2, "12.00")]
        assert await cash(client) == 238
        port = (await client.get(f"ports/{answer['pid']}")).json()["data"]["port"]
        assert (port["status"], port["numbers"]) == ("submitted", numbers)
        assert (await client.get("ports")).json()["data"]["ports"][0]["pid"] == answer["pid"]
        assert (await client.get(f"support/tickets/{answer['ticket']}")).status_code == 200


async def test_a_port_must_have_been_checked_within_the_hour() -> None:
    async with customer() as client:
        assert (await client.post("ports", json=PORT_BODY)).status_code == 400
        await client.get("ports/availability/9175550185")
        await advance(client, 3600)
        assert (await client.post("ports", json=PORT_BODY)).status_code == 400
        await client.get("ports/availability/9175550185")
        await advance(client, 3599)
        assert (await client.post("ports", json=PORT_BODY)).status_code == 201


async def test_a_check_made_by_another_account_opens_no_window() -> None:
    async with customer() as client:
        await client.get("ports/availability/9175550185", headers={"authorization": f"Bearer {OTHER_KEY}"})
        assert (await client.post("ports", json=PORT_BODY)).status_code == 400


@pytest.mark.parametrize("number", ["2015550142", "9075550120", "9175550199"])
async def test_a_number_that_cannot_be_ported_says_why(number: str) -> None:
    async with customer() as client:
        answer = (await client.get(f"ports/availability/{number}")).json()["data"]
    assert answer["portable"] is False
    assert answer["reason"]
    assert answer["localRoutingNumber"] is None


async def test_a_port_that_the_cash_does_not_cover_changes_nothing() -> None:
    async with customer() as client:
        await client.get("ports/availability/9175550185")
        await set_cash(client, "5.99")
        assert (await client.post("ports", json=PORT_BODY)).status_code == 402
        assert await charges(client) == []
        assert len((await client.get("ports")).json()["data"]["ports"]) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"did": []},
        {"did": ["9175550185", "9175550185"]},
        {"nameType": "company"},
        {"streetPrefix": "North"},
        {"state": "Illinois"},
        {"desiredDueDate": "next week"},
        {"desiredDueDate": "2026-02-30"},
        {"features": [{"number": "9175550186"}]},
        {"features": [{"number": "9175550185", "routing": {"gatewayId": 1999}}]},
        {"features": [{"number": "9175550185", "lidb": {"name": "sixteen letters!"}}]},
        {"features": [{"number": "9175550185", "sms": {"campaignId": "CNONE00"}}]},
    ],
)
async def test_a_port_outside_the_schema_is_refused(change: dict[str, object]) -> None:
    async with customer() as client:
        await client.get("ports/availability/9175550185")
        assert (await client.post("ports", json={**PORT_BODY, **change})).status_code == 400
        assert await charges(client) == []


@pytest.mark.parametrize("date", ["", "2026-06-18", "2026-06-18T12:00:00Z"])
async def test_a_port_date_is_a_day_an_instant_or_blank(date: str) -> None:
    async with customer() as client:
        await client.get("ports/availability/9175550185")
        assert (await client.post("ports", json={**PORT_BODY, "desiredDueDate": date})).status_code == 201


async def test_a_port_is_found_by_its_pid_only_and_only_by_its_owner() -> None:
    async with customer() as client:
        port = (await client.get("ports/w1476")).json()["data"]["port"]
        assert (await client.get(f"ports/{port['id']}")).status_code == 400
        assert (await client.get("ports/w9999")).status_code == 404
        other = {"authorization": f"Bearer {OTHER_KEY}"}
        assert (await client.get("ports/w1476", headers=other)).status_code == 404
