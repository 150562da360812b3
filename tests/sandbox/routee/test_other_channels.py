"""2-step codes, lookups, Viber, failover, prices and reports."""

import pytest

from tests.sandbox.routee.doors import (
    GREEK,
    Json,
    advance,
    caller,
    charges,
    code,
    control,
    got,
    posted,
    send_sms,
)
from tests.sandbox.routee.examples import FLOW, MANY_VIBER, RANGE, SENDER, VERIFY, viber

NO_VIBER = "+306970000021"


async def test_the_right_code_verifies_and_only_then_costs_something() -> None:
    async with caller() as client:
        started = await posted(client, "2step", VERIFY)
        assert (started["status"], started["timesTried"]) == ("Pending", 0)
        path = f"2step/{started['trackingId']}"
        wrong = (await client.post(path, data={"answer": "0000"})).json()
        assert (wrong["status"], wrong["timesTried"]) == ("Pending", 1)
        assert await charges(client) == []
        assert (await client.post(path, data={"answer": "4829"})).json()["status"] == "Verified"
        assert await charges(client) == [("two_step_sms", 1, "0.0550")]
        assert code(await client.post(path, data={"answer": "4829"})) == (400, "400011003")


async def test_an_answer_is_a_form_field() -> None:
    async with caller() as client:
        path = f"2step/{(await posted(client, '2step', VERIFY))['trackingId']}"
        assert code(await client.post(path, json={"answer": "4829"})) == (400, "400000000")


async def test_a_code_fails_after_too_many_tries_and_expires_with_its_life() -> None:
    async with caller() as client:
        first = await posted(client, "2step", VERIFY | {"maxRetries": 2, "digits": 6})
        second = await posted(client, "2step", VERIFY | {"lifetimeInSeconds": 60})
        third = await posted(client, "2step", VERIFY)
        await client.post(f"2step/{first['trackingId']}", data={"answer": "4829"})
        last = await client.post(f"2step/{first['trackingId']}", data={"answer": "4829"})
        await client.delete(f"2step/{third['trackingId']}")
        await advance(client, 60)
        assert last.json()["status"] == "Failed"
        assert (await got(client, f"2step/{second['trackingId']}"))["status"] == "Expired"
        totals = (await got(client, "2step/reports"))["totals"]
    assert totals == {"Pending": 0, "Verified": 0, "Cancelled": 1, "Expired": 1, "Failed": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"template": "no placeholder"}, "400000000"),
        ({"method": "email"}, "400000000"),
        ({"arguments": "Nick"}, "400000000"),
        ({"digits": 3}, "400000000"),
        ({"recipient": "+999123456"}, "400011001"),
    ],
)
async def test_a_verification_that_breaks_a_rule_is_refused(change: dict[str, Json], expected: str) -> None:
    async with caller() as client:
        assert code(await client.post("2step", json=VERIFY | change)) == (400, expected)


async def test_a_lookup_is_charged_and_tells_its_price_as_text_later() -> None:
    async with caller() as client:
        found = await posted(client, "lookup", {"to": "+306970000022"})
        assert "price" not in found
        assert found["details"]["ported"] is True
        assert await charges(client) == [("lookup", 1, "0.0060")]
        assert (await got(client, f"lookup/{found['lookupId']}"))["price"] == "0.00600000"
        totals = (await got(client, "reports/my/lookup/volPrice", **RANGE))["totals"]
    assert (totals["totalCount"], totals["totalPrice"]) == ("2", "0.0120")


async def test_a_filter_on_an_unknown_field_finds_every_lookup() -> None:
    async with caller() as client:
        everything = await posted(client, "lookup/tracking", [{"fieldName": "colour", "searchTerm": "red"}])
        nothing = await posted(client, "lookup/tracking", [{"fieldName": "country", "searchTerm": "DE"}])
    assert (everything["totalElements"], everything["size"], nothing["totalElements"]) == (1, 10, 0)


async def test_a_validation_with_ported_network_costs_more() -> None:
    async with caller() as client:
        await posted(client, "numbervalidator", {"to": GREEK})
        await posted(client, "numbervalidator", {"to": GREEK, "getPorted": True})
        impossible = await posted(client, "numbervalidator", {"to": "+30123456789"})
        assert impossible["valid"] is False
        assert [amount for _, _, amount in await charges(client)] == ["0.0030", "0.0090", "0.0030"]


async def test_viber_with_text_alone_is_transactional_and_with_more_promotional() -> None:
    async with caller() as client:
        await posted(client, "viber", viber(SENDER))
        await posted(
            client, "viber", viber(SENDER) | {"body": {"text": "Hi", "imageURL": "https://files.example/a.jpg"}}
        )
        assert [amount for _, _, amount in await charges(client)] == ["0.0120", "0.0180"]


async def test_viber_counts_its_life_in_seconds() -> None:
    async with caller() as client:
        assert code(await client.post("viber", json=viber(SENDER) | {"ttl": 29})) == (400, "400000000")
        assert code(await client.post("viber", json=viber(SENDER) | {"ttl": 86_401})) == (400, "400000000")
        assert (await posted(client, "viber", viber(SENDER) | {"ttl": 86_400}))["ttl"] == "86400"


async def test_viber_does_not_reach_somebody_without_viber() -> None:
    async with caller() as client:
        campaign = await posted(client, "viber/campaign", MANY_VIBER | {"to": [GREEK, NO_VIBER]})
        await advance(client, 10)
        tracked = await got(client, f"viber/tracking/campaign/{campaign['trackingId']}")
        unknown = await client.post("viber", json=viber("unknown"))
    assert [message["status"]["status"] for message in tracked["content"]] == ["Delivered", "Undelivered"]
    assert code(unknown) == (404, "404020001")


async def test_a_failover_goes_on_until_one_channel_succeeds_and_charges_each_it_tried() -> None:
    flow = {
        "flow": [
            {"type": "Sms", "order": 2, "from": "Bluewater", "to": GREEK, "message": {"body": "Hello"}},
            {
                "type": "Viber",
                "order": 1,
                "senderInfoTrackingId": SENDER,
                "to": NO_VIBER,
                "message": {"text": "Hello"},
                "failoverOnStatuses": "undelivered, EXPIRED",
            },
        ]
    }
    async with caller() as client:
        started = await posted(client, "failover", flow)
        assert started["status"] == "InProgress"
        await advance(client, 20)
        tracked = await got(client, f"failover/tracking/{started['trackingId']}")
        assert await charges(client) == [("failover_viber", 1, "0.0120"), ("failover_sms", 1, "0.0450")]
    assert (tracked["status"], tracked["terminationChannel"]) == ("Succeeded", "Sms")
    assert tracked["totalPrice"] == 0.057
    assert [step["status"]["name"] for step in tracked["messages"]] == ["Undelivered", "Delivered"]


async def test_a_failover_stops_at_the_first_success() -> None:
    voice = {"type": "Voice", "order": 9, "from": "447520630142", "to": {"phone": GREEK}}
    dialplan = {"verbs": [{"type": "SAY", "message": {"text": "Hello", "language": "en-GB"}}]}
    async with caller() as client:
        started = await posted(client, "failover", {"flow": [*FLOW["flow"], {**voice, "dialplan": dialplan}]})
        await advance(client, 20)
        assert (await got(client, f"failover/tracking/{started['trackingId']}"))["terminationChannel"] == "Sms"
        assert len(await charges(client)) == 1
        two = [FLOW["flow"][0], FLOW["flow"][0]]
        assert code(await client.post("failover", json={"flow": two})) == (400, "400000000")


async def test_prices_are_numbers_for_sms_and_text_for_voice_and_viber() -> None:
    async with caller() as client:
        greek = await got(client, "system/prices", mcc="202")
        networks = await got(client, "system/prices", service="Sms", mcc="202", mnc="05")
    assert greek["sms"][0]["networks"][0] == {"network": "Cosmote", "mnc": "01", "price": 0.045}
    assert greek["voice"][0]["mobilePrice"] == "0.06000000"
    assert greek["viber"][0]["prices"]["transactionalOutbound"] == "0.01200000"
    assert networks["sms"][0]["networks"] == [{"network": "Vodafone", "mnc": "05", "price": 0.048}]
    assert set(networks) == {"sms", "currency"}


async def test_the_price_report_adds_up_what_was_charged() -> None:
    today = {"startDate": "2026-05-18T12:00:00Z", "endDate": "2026-05-18T13:00:00Z"}
    async with caller() as client:
        for to in (GREEK, GREEK, "+306970000001", "+306970000002"):
            await send_sms(client, to=to)
        await advance(client, 10)
        rows = await got(client, "reports/my/volPrice", **today)
    assert [(row["mcc"], row["count"], row["deliveredCount"], row["failedCount"]) for row in rows] == [("202", 4, 2, 1)]
    assert rows[0]["price"] == 0.135


async def test_transactions_list_top_ups_and_never_charges() -> None:
    async with caller() as client:
        await send_sms(client)
        listed = await got(
            client, "accounts/me/transactions", **{"from": "2026-05-01T00:00:00Z", "to": "2026-05-19T00:00:00Z"}
        )
        assert (await control(client, "GET", "ledger"))[0]["what"] == "sms"
    assert [one["amount"] for one in listed["content"]] == ["150.00"]
