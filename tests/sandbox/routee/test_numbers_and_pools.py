"""Rented numbers and the pools they are sent from."""

import httpx2
import pytest

from tests.sandbox.routee.doors import BRITISH, GREEK, Json, caller, charges, code, control, got, pass_days, posted
from tests.sandbox.routee.examples import seeded

OFFER = "+306948530007"
AMERICAN = "+19175550555"


async def test_renting_charges_activation_and_the_first_month_then_every_month() -> None:
    async with caller() as client:
        number = await posted(client, "numbers/my", {"msisdn": OFFER})
        assert number["nextRenewal"] == "2026-06-18T12:00:00.000Z"
        assert await charges(client) == [("number_activation", 1, "2.00"), ("number_month", 1, "6.00")]
        await pass_days(client, 62)
        months = [what for what, _, amount in await charges(client) if (what, amount) == ("number_month", "6.00")]
        # Two renewals of the new number and two of the seeded Greek one.
        assert len(months) == 1 + 2 + 2


async def test_a_cancelled_number_is_charged_no_more_and_is_on_offer_again() -> None:
    async with caller() as client:
        await posted(client, "numbers/my", {"msisdn": OFFER})
        assert (await client.delete(f"numbers/my/{OFFER[1:]}")).status_code == 200
        before = len(await charges(client))
        await pass_days(client, 10)
        assert [row for row in (await charges(client))[before:] if row[2] == "6.00"] == []
        available = await got(client, "numbers/available", country="GR")
        assert OFFER in [offer["msisdn"] for offer in available["content"]]


async def test_a_number_that_cannot_be_renewed_is_lost() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "0"})
        await pass_days(client, 4)
        assert [number["msisdn"] for number in (await got(client, "numbers/my"))["content"]] == [
            "+306948530955",
            "+12015550156",
        ]


@pytest.mark.parametrize(
    ("msisdn", "expected"),
    [
        ("+306948530077", (404, "404021001")),
        ("+306940000000", (404, "404021001")),
        ("306948530007", (400, "400000000")),
    ],
)
async def test_what_is_not_on_offer_cannot_be_rented(msisdn: str, expected: tuple[int, str]) -> None:
    async with caller() as client:
        assert code(await client.post("numbers/my", json={"msisdn": msisdn})) == expected
        assert await charges(client) == []


async def test_a_number_that_the_balance_does_not_cover_is_not_rented() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "7.99"})
        assert code(await client.post("numbers/my", json={"msisdn": OFFER})) == (400, "400001009")
        assert await charges(client) == []


async def test_costs_are_objects_on_offer_and_arrays_once_rented() -> None:
    async with caller() as client:
        offer = (await got(client, "numbers/available", country="GB"))["content"][0]
        rented = (await got(client, "numbers/my"))["content"][0]
    assert offer["monthlyCosts"] == {"price": 2.5, "currency": "EUR"}
    assert rented["monthlyCosts"] == [{"price": 6.0, "currency": "EUR"}]


async def test_a_path_names_a_number_without_plus() -> None:
    async with caller() as client:
        change = {"inboundSmsCallbackUrl": "https://hooks.example/x"}
        assert code(await client.put("numbers/my/+447520630142", json=change)) == (404, "404021001")
        changed = (await client.put("numbers/my/447520630142", json=change)).json()
    assert (changed["msisdn"], changed["inboundSmsCallbackUrl"]) == ("+447520630142", "https://hooks.example/x")


async def test_an_update_keeps_what_it_does_not_name() -> None:
    async with caller() as client:
        change = {"voiceInboundStrategy": {"dialplanUrl": "https://hooks.example/plan"}}
        changed = (await client.put("numbers/my/447520630142", json=change)).json()
    assert changed["voiceInboundStrategy"] == {"dialplanUrl": "https://hooks.example/plan"}
    assert changed["inboundSmsCallbackUrl"] == "https://hooks.bluewater.example/routee/sms"


async def test_renting_knows_three_voice_strategies_and_takes_one() -> None:
    async with caller() as client:
        two = {"forwardCallTo": GREEK, "dialplanUrl": "https://hooks.example/plan"}
        refused = await client.post("numbers/my", json={"msisdn": OFFER, "voiceInboundStrategy": two})
        assert code(refused) == (400, "400000000")
        body = {"msisdn": OFFER, "voiceInboundStrategy": {"forwardCallTo": GREEK}}
        assert (await posted(client, "numbers/my", body))["voiceInboundStrategy"] == {"forwardCallTo": GREEK}


async def test_numbers_on_offer_are_found_by_country_service_area_and_type() -> None:
    async with caller() as client:
        local = await got(client, "numbers/available", country="US", areaCode="646", service="Voice")
        silent = await got(client, "numbers/available", country="CY", service="Voice")
        filters = [
            {"fieldName": "country", "searchTerm": "US"},
            {"fieldName": "type", "searchTerm": "TOLL_FREE"},
            {"fieldName": "msisdn", "searchTerm": "+1833", "searchOperator": "starts_with"},
        ]
        toll_free = await posted(client, "numbers/available/search", filters)
    assert (local["totalElements"], silent["totalElements"], toll_free["totalElements"]) == (12, 0, 12)
    assert all(offer["tollFree"] for offer in toll_free["content"])


@pytest.mark.parametrize(
    "query",
    [{}, {"country": "us"}, {"country": "US", "service": "sms"}, {"country": "GR", "areaCode": "210"}],
)
async def test_a_search_for_numbers_that_breaks_a_rule_is_refused(query: dict[str, str]) -> None:
    async with caller() as client:
        assert code(await client.get("numbers/available", params=query)) == (400, "400000000")


@pytest.mark.parametrize(
    "filters",
    [
        {"fieldName": "country", "searchTerm": "US"},
        [{"fieldName": "type", "searchTerm": "VLN"}],
        [{"fieldName": "country", "searchTerm": "US", "searchOperator": "is_not"}],
    ],
)
async def test_a_filter_search_needs_an_array_with_a_country(filters: Json) -> None:
    async with caller() as client:
        assert code(await client.post("numbers/available/search", json=filters)) == (400, "400000000")


async def new_pool(client: httpx2.AsyncClient, *numbers: str, **settings: Json) -> str:
    """Create a pool with these numbers, taken out of the seeded one, and return its identifier."""
    seeded_pool = await seeded(client, "pools")
    pool: str = (await posted(client, "pools/my", {"poolName": "Test", "smsSettings": settings}))["poolId"]
    for number in numbers:
        await client.delete(f"pools/my/{seeded_pool}/numbers/{number}")
        assert (await client.put(f"pools/my/{pool}/numbers/{number}")).status_code == 200
    return pool


async def test_a_number_is_in_one_pool_only() -> None:
    async with caller() as client:
        pool = await new_pool(client)
        assert code(await client.put(f"pools/my/{pool}/numbers/447520630142")) == (409, "409021002")
        assert (await got(client, f"pools/my/{pool}/numbers"))["numbers"] == []


async def test_a_pool_sends_from_a_number_of_the_recipient_s_country() -> None:
    async with caller() as client:
        pool = await seeded(client, "pools")
        sent = [
            await posted(client, f"pools/my/{pool}/sms", {"to": to, "body": "Hi", "poolStrategy": "Numeric"})
            for to in (BRITISH, AMERICAN, GREEK)
        ]
    # Greece has no number in the pool, so that its default country Great Britain sends.
    assert [message["from"] for message in sent] == ["447520630142", "12015550156", "447520630142"]
    assert sent[0]["smsSettings"]["sticky"] is True


async def test_a_pool_stays_with_the_number_it_chose_first() -> None:
    async with caller() as client:
        pool = await new_pool(client, "447520630142", "12015550156", defaultCountry="GB")
        body = {"to": GREEK, "body": "Hi", "poolStrategy": "Numeric"}
        first = await posted(client, f"pools/my/{pool}/sms", body)
        await client.put(f"pools/my/{pool}/numbers/306948530955")
        second = await posted(client, f"pools/my/{pool}/sms", body)
    assert (first["from"], second["from"]) == ("447520630142", "447520630142")


async def test_a_pool_falls_back_to_its_alphanumeric_sender_or_to_info_sms() -> None:
    async with caller() as client:
        empty = await new_pool(client)
        seeded_pool = await seeded(client, "pools")
        body = {"to": BRITISH, "body": "Hi", "poolStrategy": "Alphanumeric"}
        named = await posted(client, f"pools/my/{seeded_pool}/sms", body)
        nameless = await posted(client, f"pools/my/{empty}/sms", {**body, "poolStrategy": "Numeric"})
    assert (named["from"], nameless["from"]) == ("Bluewater", "InfoSMS")


async def test_the_numbers_of_a_deleted_pool_stay_rented() -> None:
    async with caller() as client:
        pool = await seeded(client, "pools")
        await client.delete(f"pools/my/{pool}")
        assert code(await client.get(f"pools/my/{pool}")) == (404, "404021005")
        assert (await got(client, "numbers/my"))["totalElements"] == 3


async def test_a_pool_spells_its_inbound_callback_with_a_capital_sms() -> None:
    async with caller() as client:
        right = {"poolName": "A", "smsSettings": {"inboundSMSCallbackUrl": "https://hooks.example/in"}}
        wrong = {"poolName": "A", "smsSettings": {"inboundSmsCallbackUrl": "https://hooks.example/in"}}
        assert code(await client.post("pools/my", json=wrong)) == (400, "400000000")
        made = await posted(client, "pools/my", right)
        listed = (await got(client, "pools/my"))["content"][-1]
    assert made["smsSettings"]["inboundSMSCallbackUrl"] == "https://hooks.example/in"
    assert set(listed["smsSettings"]) == {"sticky", "geomatch", "transcode"}
