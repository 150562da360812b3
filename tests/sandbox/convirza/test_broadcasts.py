"""SMS broadcasts: sent at once or at their time, charged for those reached; the whole shape is inferred."""

import pytest

from tests.sandbox.convirza.account import Json, ask, charges, control, logged_in, read

BROADCAST: Json = {
    "broadcast_name": "Flu season",
    "message": "Bluewater Dental: masks are back. Reply STOP to opt out.",
    "phone_number": "2015550201",
    "recipients": ["+19175550161", "+19175550162", "+19175550163"],
    "org_unit_id": 70035,
}
LATER = {"scheduled_at": "2026-05-18T13:00:00Z"}


async def test_a_broadcast_goes_out_at_once_to_everyone_who_has_not_opted_out() -> None:
    async with logged_in() as http:
        data = await ask(http, "POST", "/broadcast", BROADCAST, expect=201)
        assert data == {"broadcast_id": 5003, "status": "sent"}
        sent = await read(http, "/broadcast/5003")
        assert await charges(http) == [("sms_broadcast", 2, "0.04")]
    assert (sent["sent_count"], sent["opted_out_count"]) == (2, 1)


async def test_a_long_text_is_charged_by_segment() -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/broadcast", {**BROADCAST, "message": "x" * 161}, expect=201)
        assert await charges(http) == [("sms_broadcast", 4, "0.08")]


async def test_a_scheduled_broadcast_is_sent_when_its_time_comes() -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/broadcast", {**BROADCAST, **LATER}, expect=201)
        assert (await read(http, "/broadcast/5003"))["status"] == "scheduled"
        assert await charges(http) == []
        await control(http, "/clock", {"seconds": 3600})
        assert (await read(http, "/broadcast/5003"))["status"] == "sent"
        assert len(await charges(http)) == 1


async def test_somebody_who_texts_stop_is_not_reached() -> None:
    async with logged_in() as http:
        text = {"phone_number": "2015550201", "source": "9175550161", "text": "stop "}
        await control(http, "/convirza/texts", text)
        await ask(http, "POST", "/broadcast", BROADCAST, expect=201)
        assert (await read(http, "/broadcast/5003"))["sent_count"] == 1


async def test_patch_keeps_the_schedule_and_put_resets_it_and_so_sends() -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/broadcast", {**BROADCAST, **LATER}, expect=201)
        await ask(http, "PATCH", "/broadcast/5003", {"message": "Masks are back.", "colour": "blue"})
        kept = await read(http, "/broadcast/5003")
        assert (kept["status"], kept["message"], kept["colour"]) == ("scheduled", "Masks are back.", "blue")
        assert kept["scheduled_at"] == LATER["scheduled_at"]
        assert (await ask(http, "PUT", "/broadcast/5003", BROADCAST))["status"] == "sent"


async def test_a_deleted_schedule_is_never_sent() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/broadcast/5002")
        await control(http, "/clock", {"seconds": 2 * 86400})
        assert (await read(http, "/broadcast"))["total"] == 1
        assert await charges(http) == []


async def test_a_sent_broadcast_cannot_be_changed() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/broadcast/5001", {"message": "x"}, expect=400)
        await ask(http, "PUT", "/broadcast/5001", BROADCAST, expect=400)


@pytest.mark.parametrize(
    "change",
    [
        {"recipients": []},
        {"recipients": "+19175550161"},
        {"recipients": ["9175550161"]},
        {"phone_number": "3055550203"},
        {"phone_number": "2015559999"},
        {"scheduled_at": "tomorrow"},
        {"message": ""},
    ],
)
async def test_a_wrong_broadcast_reaches_nobody(change: Json) -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/broadcast", {**BROADCAST, **change}, expect=400)
        assert await charges(http) == []
