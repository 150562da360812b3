"""Callbacks: posted over real connections, late, twice or in the wrong order if asked, and never off this machine."""

import anyio
import anyio.lowlevel
import httpx2
import pytest

from tests.sandbox.routee.doors import (
    BRITISH,
    GREEK,
    Json,
    advance,
    called_back,
    caller,
    control,
    got,
    posted,
    send_sms,
)
from tests.sandbox.routee.examples import FLOW, NO_SUCH_PORT, SENDER, TALK, seeded, viber


async def deliveries(client: httpx2.AsyncClient) -> list[Json]:
    """Return every callback so far."""
    rows: list[Json] = (await control(client, "GET", "routee/callbacks"))["deliveries"]
    return rows


def on_change(url: str) -> dict[str, str]:
    """Build a callback for every change."""
    return {"url": url, "strategy": "OnChange"}


async def test_every_change_of_a_message_is_posted() -> None:
    async with called_back() as (client, receiver, hook):
        sent = await send_sms(client, callback=on_change(hook), label="a")
        await receiver.wait_for(1)
        await advance(client, 10)
        bodies = await receiver.wait_for(3)
    assert [body["status"]["name"] for body in bodies] == ["Queued", "Sent", "Delivered"]
    final = bodies[2]
    assert final["messageId"] == sent["trackingId"]
    assert final["status"]["reason"]["detailedStatus"] == "Delivered"
    assert (final["price"], final["latency"], final["label"], final["direction"]) == (0.045, 3, "a", "Outbound")
    assert "campaignTrackingId" not in final


async def test_on_completion_only_the_end_is_posted_once_for_each_part() -> None:
    async with called_back() as (client, receiver, hook):
        await send_sms(client, body="x" * 200, callback={"url": hook, "strategy": "OnCompletion"})
        await advance(client, 10)
        bodies = await receiver.wait_for(2)
        assert len(await deliveries(client)) == 2
    assert [(body["part"], body["status"]["name"]) for body in bodies] == [(1, "Delivered"), (2, "Delivered")]


async def test_a_delayed_callback_waits_for_its_time() -> None:
    async with called_back() as (client, receiver, hook):
        await control(client, "POST", "routee/callbacks", {"delay": 60})
        await send_sms(client, callback={"url": hook, "strategy": "OnCompletion"})
        await advance(client, 62)
        assert [row["state"] for row in await deliveries(client)] == ["waiting"]
        assert receiver.bodies == []
        await advance(client, 1)
        await receiver.wait_for(1)


async def test_a_callback_is_posted_as_often_as_asked() -> None:
    async with called_back() as (client, receiver, hook):
        await control(client, "POST", "routee/callbacks", {"duplicates": 2})
        await send_sms(client, callback={"url": hook, "strategy": "OnCompletion"})
        await advance(client, 10)
        bodies = await receiver.wait_for(3)
    assert bodies[0] == bodies[1] == bodies[2]


async def test_callbacks_come_newest_first_if_asked() -> None:
    async with called_back() as (client, receiver, hook):
        await control(client, "POST", "routee/callbacks", {"delay": 5, "reorder": True})
        await send_sms(client, callback=on_change(hook))
        await advance(client, 60)
        bodies = await receiver.wait_for(3)
    assert [body["status"]["name"] for body in bodies] == ["Delivered", "Sent", "Queued"]


async def test_a_callback_without_a_200_is_posted_again() -> None:
    async with called_back() as (client, receiver, hook):
        receiver.answers = [500, 204]
        await send_sms(client, callback={"url": hook, "strategy": "OnCompletion"})
        await advance(client, 10)
        await receiver.wait_for(1)
        await advance(client, 31)
        await receiver.wait_for(2)
        await advance(client, 61)
        await receiver.wait_for(3)
        with anyio.fail_after(5):
            while (row := (await deliveries(client))[0])["state"] == "sending":
                await anyio.lowlevel.checkpoint()
    assert (row["state"], [attempt["status"] for attempt in row["attempts"]]) == ("accepted", [500, 204, 200])


async def test_an_inbound_message_is_posted_to_its_number_and_to_its_pool() -> None:
    async with called_back() as (client, receiver, hook):
        pool = await seeded(client, "pools")
        await client.put(f"pools/my/{pool}", json={"smsSettings": {"inboundSMSCallbackUrl": f"{hook}/pool"}})
        await client.put("numbers/my/447520630142", json={"inboundSmsCallbackUrl": f"{hook}/number"})
        order = {"from": BRITISH, "to": "+447520630142", "message": "Yes"}
        await control(client, "POST", "routee/inbound", order)
        to_number, to_pool = await receiver.wait_for(2)
    assert to_number == {
        "messageId": to_number["messageId"],
        "from": BRITISH,
        "to": "+447520630142",
        "message": "Yes",
        "parts": 1,
        "originatingService": "Sms",
        "direction": "Inbound",
        "receivedDate": "2026-05-18T12:00:00.000Z",
    }
    assert to_pool == {**to_number, "price": 0.005}


async def test_a_campaign_posts_its_progress() -> None:
    async with called_back() as (client, receiver, hook):
        body = {"from": "Bluewater", "to": [GREEK, BRITISH], "body": "Hi", "campaignCallback": on_change(hook)}
        await posted(client, "sms/campaign", {**body, "campaignName": "Hook"})
        await advance(client, 60)
        bodies = await receiver.wait_for(6)
    assert [body["campaignStatus"] for body in bodies] == [
        "Queued",
        "Running",
        "Running",
        "Running",
        "Sent",
        "Finished",
    ]
    assert bodies[-1]["messageStatuses"]["Delivered"] == 2
    assert (bodies[-1]["name"], bodies[-1]["totalRecipients"]) == ("Hook", 2)


async def test_calls_viber_and_failovers_post_their_status_too() -> None:
    async with called_back() as (client, receiver, hook):
        await posted(client, "voice/conversation", {**TALK, "callback": {"url": hook, "strategy": "OnCompletion"}})
        await advance(client, 60)
        call = (await receiver.wait_for(1))[0]
        await posted(client, "failover", {**FLOW, "callback": {"url": hook, "strategy": "OnCompletion"}})
        await advance(client, 60)
        failover = (await receiver.wait_for(2))[1]
        await posted(client, "viber", {**viber(SENDER), "callbackUrl": hook})
        await advance(client, 60)
        message = (await receiver.wait_for(4))[3]
    assert (call["status"]["name"], call["duration"], call["price"]) == ("Completed", 30, 0.03)
    assert (failover["status"], failover["totalPrice"]) == ("Succeeded", 0.045)
    assert (message["status"]["status"], message["price"]) == ("Delivered", 0.012)


@pytest.mark.parametrize(
    "url", ["https://hooks.bluewater.example/sms", "http://10.0.0.7/", "http://127.0.0.1:99999/", "http://[::1/"]
)
async def test_an_address_off_this_machine_is_written_down_and_never_asked(url: str) -> None:
    async with caller() as client:
        await send_sms(client, callback=on_change(url))
        assert await control(client, "POST", "routee/callbacks/deliver") == {"delivered": 0}
        rows = await deliveries(client)
    assert [(row["state"], row["attempts"]) for row in rows] == [("refused, not a loopback address", [])]


async def test_a_callback_is_given_up_after_five_more_attempts() -> None:
    async with caller() as client:
        await send_sms(client, callback={"url": NO_SUCH_PORT, "strategy": "OnCompletion"})
        for seconds in (10, 30, 60, 120, 300, 599):
            await advance(client, seconds)
            await control(client, "POST", "routee/callbacks/deliver")
        assert [(row["state"], len(row["attempts"])) for row in await deliveries(client)] == [("waiting", 5)]
        await advance(client, 1)
        await control(client, "POST", "routee/callbacks/deliver")
        rows = await deliveries(client)
    assert [(row["state"], len(row["attempts"])) for row in rows] == [("given up", 6)]


async def test_in_process_nothing_runs_beside_the_requests() -> None:
    before = len(anyio.get_running_tasks())
    async with caller() as client:
        sent = await send_sms(client, callback=on_change(NO_SUCH_PORT))
        await advance(client, 10)
        assert (await got(client, f"sms/tracking/single/{sent['trackingId']}"))[0]["status"]["status"] == "Delivered"
        assert [row["state"] for row in await deliveries(client)] == ["waiting"] * 3
        assert len(anyio.get_running_tasks()) == before


@pytest.mark.parametrize("order", [{"delay": -1}, {"reorder": "often"}, {"speed": 2}])
async def test_a_wrong_order_to_the_callbacks_is_refused(order: dict[str, Json]) -> None:
    async with caller() as client:
        answer = await client.post("http://sandbox/_control/routee/callbacks", json=order)
    assert answer.status_code == 400
