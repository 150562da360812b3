"""Single messages: what is refused, what they cost, how they move, how they are tracked."""

from decimal import Decimal

import pytest

from tests.sandbox.routee.doors import (
    GREEK,
    WHOLE_WEEK,
    Json,
    advance,
    balance,
    caller,
    charges,
    code,
    control,
    got,
    posted,
    send_sms,
)

MESSAGE = {"from": "Bluewater", "to": GREEK, "body": "Hello"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"to": "306970000555"}, "400000000"),
        ({"to": "+302101234567"}, "400005000"),
        ({"to": 306970000555}, "400000000"),
        ({"from": "+447520630142"}, "400005000"),
        ({"from": "BluewaterDental"}, "400005000"),
        ({"from": "12345678901234567"}, "400005000"),
        ({"body": ""}, "400000000"),
        ({"body": "x" * 1601}, "400000000"),
        ({"body": None}, "400000000"),
        ({"label": None}, "400000000"),
        ({"label": "x" * 351}, "400000000"),
        ({"ttl": 0}, "400000000"),
        ({"ttl": 4321}, "400000000"),
        ({"ttl": "60"}, "400000000"),
        ({"flash": "true"}, "400000000"),
        ({"callback": {"url": "https://hooks.example"}}, "400000000"),
        ({"callback": {"url": "https://hooks.example", "strategy": "onchange"}}, "400000000"),
        ({"urlShortener": {"urlValidity": 60}}, "400000000"),
    ],
)
async def test_a_message_that_breaks_a_rule_is_refused_and_costs_nothing(
    change: dict[str, Json], expected: str
) -> None:
    async with caller() as client:
        answer = await client.post("sms", json=MESSAGE | change)
        assert code(answer) == (400, expected)
        assert await charges(client) == []


@pytest.mark.parametrize("missing", ["from", "to", "body"])
async def test_a_message_without_a_required_field_is_refused(missing: str) -> None:
    async with caller() as client:
        answer = await client.post("sms", json={name: value for name, value in MESSAGE.items() if name != missing})
        assert code(answer) == (400, "400000000")
        assert missing in answer.json()["properties"]


async def test_a_message_is_charged_once_and_its_answer_has_no_price() -> None:
    async with caller() as client:
        before = await balance(client)
        sent = await send_sms(client)
        assert "price" not in sent
        assert "cost" not in sent
        assert await charges(client) == [("sms", 1, "0.0450")]
        assert await balance(client) == before - Decimal("0.0450")


async def test_a_message_moves_from_queued_to_sent_to_delivered() -> None:
    async with caller() as client:
        sent = await send_sms(client)
        assert sent["status"] == "Queued"
        seen: list[str] = []
        for _ in range(4):
            seen.append((await got(client, f"sms/tracking/single/{sent['trackingId']}"))[0]["status"]["status"])
            await advance(client, 1)
    assert seen == ["Queued", "Sent", "Sent", "Delivered"]


@pytest.mark.parametrize(
    ("to", "status", "detailed"),
    [
        ("+306970000001", "Undelivered", "Undelivered on Handset"),
        ("+306970000002", "Failed", "Unknown Number"),
        ("+306970000003", "Undelivered", "Call Barred"),
    ],
)
async def test_the_number_decides_what_becomes_of_a_message(to: str, status: str, detailed: str) -> None:
    async with caller() as client:
        sent = await send_sms(client, to=to)
        await advance(client, 10)
        tracked = (await got(client, f"sms/tracking/single/{sent['trackingId']}"))[0]
    assert tracked["status"]["status"] == status
    assert tracked["status"]["reason"]["detailedStatus"] == detailed


async def test_a_message_expires_with_its_time_to_live() -> None:
    async with caller() as client:
        sent = await send_sms(client, to="+306970000004", ttl=5)
        path = f"sms/tracking/single/{sent['trackingId']}"
        await advance(client, 299)
        assert (await got(client, path))[0]["status"]["status"] == "Sent"
        await advance(client, 1)
        status = (await got(client, path))[0]["status"]
    assert (status["status"], status["reason"]["detailedStatus"]) == ("Undelivered", "Expired")


async def test_a_failed_message_is_given_back() -> None:
    async with caller() as client:
        before = await balance(client)
        sent = await send_sms(client, to="+306970000002")
        await advance(client, 10)
        assert await balance(client) == before
        assert [amount for _, _, amount in await charges(client)] == ["0.0450", "-0.0450"]
        assert (await got(client, f"sms/tracking/single/{sent['trackingId']}"))[0]["price"] == 0


async def test_a_long_message_is_tracked_in_an_array_with_one_price_for_each_part() -> None:
    async with caller() as client:
        sent = await send_sms(client, body="x" * 320)
        parts = await got(client, f"sms/tracking/single/{sent['trackingId']}")
        assert [(part["part"], part["parts"], part["price"]) for part in parts] == [(n, 3, 0.045) for n in (1, 2, 3)]
        assert len({part["smsId"] for part in parts}) == 3
        assert {part["messageId"] for part in parts} == {sent["trackingId"]}
        assert await charges(client) == [("sms", 3, "0.1350")]


async def test_the_analysis_tells_the_cost_of_one_part_and_charges_nothing() -> None:
    async with caller() as client:
        analysis = await posted(client, "sms/analyze", MESSAGE | {"body": "x" * 320})
        assert (analysis["cost"], analysis["bodyAnalysis"]["parts"]) == (0.045, 3)
        assert await charges(client) == []


async def test_greek_text_takes_more_parts_unless_it_is_transcoded() -> None:
    text = "Καλημέρα, υπενθυμίζουμε το ραντεβού σας αύριο το πρωί στις δέκα η ώρα. Ευχαριστούμε!"
    async with caller() as client:
        plain = await send_sms(client, body=text)
        await send_sms(client, body=text, transcode=True)
        assert plain["bodyAnalysis"]["unicode"]
        assert (plain["bodyAnalysis"]["parts"], plain["bodyAnalysis"]["transcode"]["parts"]) == (2, 1)
        assert [quantity for _, quantity, _ in await charges(client)] == [2, 1]


async def test_without_balance_a_message_is_refused() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "0.0449"})
        assert code(await client.post("sms", json=MESSAGE)) == (400, "400001009")
        assert await charges(client) == []


async def test_links_are_shortened_if_asked() -> None:
    async with caller() as client:
        sent = await send_sms(client, body="See https://bluewater.example/offers now", urlShortener={})
    assert sent["body"].startswith("See https://short.example/")
    assert sent["body"].endswith(" now")


async def test_an_unknown_message_has_no_tracking() -> None:
    async with caller() as client:
        assert code(await client.get("sms/tracking/single/nothing")) == (404, "404005000")


async def test_a_search_takes_an_array_of_filters_and_no_object() -> None:
    one = {"fieldName": "to", "searchTerm": GREEK}
    async with caller() as client:
        await send_sms(client, label="unique-7")
        as_object = await client.post("sms/tracking", params=WHOLE_WEEK, json=one)
        as_array = await client.post(
            "sms/tracking", params=WHOLE_WEEK, json=[one, {"fieldName": "label", "searchTerm": "unique-7"}]
        )
    assert code(as_object) == (400, "400000000")
    assert as_array.json()["totalElements"] == 1


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ({**WHOLE_WEEK, "dateStart": "2026-05-10T12:00:00Z"}, []),
        ({"dateStart": WHOLE_WEEK["dateStart"]}, []),
        ({**WHOLE_WEEK, "size": "2001"}, []),
        ({**WHOLE_WEEK, "dateStart": "2026-05-12T12:00:00"}, []),
        (WHOLE_WEEK, [{"fieldName": "body", "searchTerm": "x"}]),
        (WHOLE_WEEK, [{"fieldName": "to", "searchTerm": "x", "searchOperator": "like"}]),
    ],
)
async def test_a_search_beyond_what_is_documented_is_refused(query: dict[str, str], filters: list[Json]) -> None:
    async with caller() as client:
        assert code(await client.post("sms/tracking", params=query, json=filters)) == (400, "400000000")


async def test_inbound_messages_are_found_by_their_direction() -> None:
    filters = [{"fieldName": "direction", "searchTerm": "Inbound"}]
    async with caller() as client:
        await control(
            client, "POST", "routee/inbound", {"from": GREEK, "to": "447520630142", "message": "Is there parking?"}
        )
        page = (await client.post("sms/tracking", params={**WHOLE_WEEK, "size": "1"}, json=filters)).json()
    newest = page["content"][0]
    assert (newest["body"], newest["from"], newest["to"]) == ("Is there parking?", GREEK, "+447520630142")
    assert newest["receivedDate"] == "2026-05-18T12:00:00.000Z"
    # Five messages; the one with an instruction for assistants has two parts.
    assert (page["totalElements"], page["last"]) == (6, False)
