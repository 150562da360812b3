"""Sending messages, their records, and lookups that bill."""

import pytest

from sandbox.segments import count_segments
from tests.sandbox.voicetel.doors import (
    ADMIN_KEY,
    CONTROL,
    OTHER_KEY,
    START,
    advance,
    bearer,
    cash,
    charges,
    customer,
    set_cash,
)

MAIN = "2015550142"
MESSAGE = {"fromNumber": MAIN, "toNumber": "9175550161", "text": "See you tomorrow."}
MEDIA = {"mediaUrls": ["https://media.example.com/a.png"]}
NOW = int(START.timestamp())


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ż" * 70, 1),
        ("ż" * 71, 2),
        ("ż" * 134, 2),
        ("ż" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_follow_the_alphabet(text: str, segments: int) -> None:
    assert count_segments(text) == segments


async def test_an_sms_is_charged_by_the_segment() -> None:
    async with customer() as client:
        answer = (await client.post("messages", json={**MESSAGE, "text": "ż" * 135})).json()["data"]
        assert (answer["type"], answer["parts"]) == ("sms", 3)
        assert "mediaUrls" not in answer
        assert await charges(client) == [("sms", 3, "0.03")]
        assert await cash(client) == 249.97


async def test_an_mms_is_charged_once_whatever_its_text() -> None:
    async with customer() as client:
        answer = (await client.post("messages", json={**MESSAGE, **MEDIA, "text": "a" * 400})).json()["data"]
        assert (answer["type"], answer["parts"]) == ("mms", 1)
        assert await charges(client) == [("mms", 1, "0.025")]


async def test_a_message_that_was_sent_is_in_the_history() -> None:
    async with customer() as client:
        assert (await client.post("messages", json=MESSAGE)).status_code == 201
        newest = (await client.get("messages", params={"number": MAIN})).json()["data"]["messages"][0]
    assert newest["key"] == ["9175550161", NOW]
    assert newest["value"] == {
        "direction": "out",
        "number": 9175550161,
        "message": "See you tomorrow.",
        "rate": "0.01",
    }


async def test_a_message_that_came_in_names_who_sent_it_and_its_key_our_number() -> None:
    async with customer() as client:
        text = {"source": "9175550161", "destination": MAIN, "text": "Running late"}
        assert (await client.post(f"{CONTROL}/voicetel/inbound", json=text)).status_code == 201
        newest = (await client.get("messages", params={"number": MAIN})).json()["data"]["messages"][0]
    assert newest["key"] == [MAIN, NOW]
    assert newest["value"] == {"direction": "in", "number": 9175550161, "message": "Running late", "rate": "0"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"fromNumber": "9175550161"}, 403),
        ({"fromNumber": "6465550147"}, 409),
        ({"toNumber": "9175550163"}, 409),
        ({"toNumber": "+19175550161"}, 400),
        ({"toNumber": ["9175550161"]}, 400),
        ({"text": ""}, 400),
        ({"mediaUrls": ["ftp://media.example.com/a.png"]}, 400),
    ],
    ids=["not yours", "not enabled", "opted out", "with +1", "two recipients", "empty", "no web address"],
)
async def test_a_message_that_may_not_be_sent_is_not_charged(change: dict[str, object], status: int) -> None:
    async with customer() as client:
        assert (await client.post("messages", json={**MESSAGE, **change})).status_code == status
        assert await charges(client) == []


async def test_a_message_that_the_cash_does_not_cover_is_not_sent() -> None:
    async with customer() as client:
        await set_cash(client, "0.01")
        assert (await client.post("messages", json={**MESSAGE, "text": "a" * 161})).status_code == 402
        assert (await client.post("messages", json=MESSAGE)).status_code == 201
        assert (await client.post("messages", json=MESSAGE)).status_code == 402
        assert await charges(client) == [("sms", 1, "0.01")]


async def test_a_recipient_who_says_stop_is_left_alone() -> None:
    async with customer() as client:
        stop = {"source": "9175550161", "destination": MAIN, "text": "stop"}
        assert (await client.post(f"{CONTROL}/voicetel/inbound", json=stop)).status_code == 201
        assert (await client.post("messages", json=MESSAGE)).status_code == 409
        newest = (await client.get("messages", params={"number": MAIN})).json()["data"]["messages"][0]["value"]
        assert (newest["direction"], newest["message"], newest["rate"]) == ("in", "stop", "0")


async def test_history_bounds_run_backwards_and_include_both_ends() -> None:
    async with customer() as client:
        newest = (await client.get("messages", params={"number": MAIN})).json()["data"]
        assert (newest["fromTs"], newest["toTs"]) == (NOW, NOW - 86400)
        at = newest["messages"][0]["key"][1]
        exact = await client.get("messages", params={"number": MAIN, "from": at, "to": at})
        assert len(exact.json()["data"]["messages"]) == 1
        swapped = await client.get("messages", params={"number": MAIN, "from": NOW - 86400, "to": NOW})
        assert swapped.json()["data"]["messages"] == []


async def test_history_is_kept_by_kind() -> None:
    async with customer() as client:
        sms = (await client.get("messages", params={"number": MAIN})).json()["data"]["messages"]
        mms = (await client.get("messages", params={"number": MAIN, "type": "mms"})).json()["data"]["messages"]
        assert len(mms) == 1
        assert mms[0]["id"] not in {row["id"] for row in sms}


async def test_history_of_a_foreign_number_is_forbidden() -> None:
    async with customer() as client:
        assert (await client.get("messages", params={"number": "9175550161"})).status_code == 403


@pytest.mark.parametrize("params", [{"start": "1"}, {"from": "-1"}, {"from": "now"}, {"type": "rcs"}])
async def test_history_outside_the_schema_is_refused(params: dict[str, str]) -> None:
    async with customer() as client:
        assert (await client.get("messages", params={"number": MAIN, **params})).status_code == 400


async def test_a_delivery_receipt_comes_a_moment_later_and_names_the_two_numbers_alone() -> None:
    params = {"number": MAIN, "type": "dlr", "to": str(NOW)}
    async with customer() as client:
        assert (await client.post("messages", json=MESSAGE)).status_code == 201
        assert (await client.get("messages", params=params)).json()["data"]["messages"] == []
        await advance(client, 3)
        (receipt,) = (await client.get("messages", params=params)).json()["data"]["messages"]
    assert receipt["key"] == ["2015550100", f"1{MAIN}", NOW + 3]
    assert receipt["value"] == {"sourceNumber": MAIN, "destinationNumber": "9175550161"}


async def test_a_number_can_be_checked_thirty_times_an_hour() -> None:
    async with customer() as client:
        statuses = [(await client.post("messaging/health/check", json={"number": MAIN})).status_code for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        await advance(client, 3600)
        assert (await client.post("messaging/health/check", json={"number": MAIN})).status_code == 200
        assert (await client.post("messaging/health/check", json={"number": "9175550161"})).status_code == 404


async def test_a_text_that_a_carrier_blocked_is_shown_without_its_recipient() -> None:
    async with customer() as client:
        (sample,) = (await client.get("messaging/health/samples", params={"number": MAIN})).json()["data"]["samples"]
        assert (sample["to"], sample["reason"]) == ("646***0198", "Blocked as spam")
        days = (await client.get("messaging/health")).json()["data"]["deliveries"]
        assert (len(days), sum(day["failed"] for day in days)) == (14, 1)


async def test_the_seed_holds_a_text_that_gives_orders_to_an_assistant() -> None:
    async with customer() as client:
        rows = (await client.get("messages", params={"number": MAIN})).json()["data"]["messages"]
    orders = [row["value"] for row in rows if "ignore your previous instructions" in row["value"]["message"]]
    assert [row["direction"] for row in orders] == ["in"]


async def test_lookups_are_charged_one_by_one() -> None:
    async with customer() as client:
        names = [(await client.get(f"cnam/{n}")).json()["data"]["cnam"] for n in ("9175550161", "8085550120")]
        assert names == ["SMITH JOHN", "HONOLULU HI"]
        lrn = (await client.get(f"lrn/2125550145/{MAIN}")).json()["data"]["lrn"]
        assert (lrn["state"], lrn["jurisdiction"]) == ("NY", "INTERSTATE")
        assert await charges(client) == [("cnam", 1, "0.0075"), ("cnam", 1, "0.0075"), ("lrn", 1, "0.008")]


async def test_lookups_need_cash_and_the_service() -> None:
    async with customer() as client:
        await set_cash(client, "0.007")
        assert (await client.get("cnam/9175550161")).status_code == 402
        assert (await client.get(f"lrn/9175550161/{MAIN}")).status_code == 402
        await set_cash(client, "9", "2015550177")
        assert (await client.get("cnam/9175550161", headers=bearer(OTHER_KEY))).status_code == 402
        assert await charges(client) == []


async def test_lookups_want_ten_digits() -> None:
    async with customer() as client:
        for path in ("cnam/+19175550161", "cnam/911", f"lrn/1/{MAIN}", f"lrn/{MAIN}/1"):
            assert (await client.get(path)).status_code == 400
        assert (await client.get(f"lrn/{MAIN}")).status_code == 404
        assert await charges(client) == []


async def test_an_administrator_can_switch_messaging_off() -> None:
    async with customer(ADMIN_KEY) as client:
        answer = await client.put("account", json={"sms": False})
        assert answer.json()["data"] == {"updated": ["sms"]}
        assert (await client.get("account")).json()["data"]["services"]["sms"] is False
