"""Calls: conversations, their charges, what can be done to a call that is on, voice campaigns."""

from decimal import Decimal

import httpx2
import pytest

from tests.sandbox.routee.doors import GREEK, Json, advance, balance, caller, charges, code, control, got, posted
from tests.sandbox.routee.examples import ENDLESS_TALK, SAY, SPEECH, TALK

DIAL = {"type": "DIAL", "from": "447520630142", "to": {"phone": "+447700900777"}, "record": True}


async def calls_of(client: httpx2.AsyncClient, conversation: str) -> list[Json]:
    """Return the calls of a conversation."""
    calls: list[Json] = (await got(client, f"voice/tracking/conversation/{conversation}"))["content"]
    return calls


async def test_a_call_rings_is_answered_and_is_charged_by_the_second() -> None:
    async with caller() as client:
        before = await balance(client)
        conversation = (await posted(client, "voice/conversation", TALK))["trackingId"]
        seen: list[str] = []
        for seconds in (0, 1, 1, 3, 30):
            await advance(client, seconds)
            seen.append((await calls_of(client, conversation))[0]["status"]["status"])
        call = (await calls_of(client, conversation))[0]
        assert seen == ["Queued", "Initiated", "Ringing", "InProgress", "Completed"]
        assert (call["duration"], call["price"], call["answeredBy"]) == (30, 0.03, "HUMAN")
        assert await charges(client) == [("voice_seconds", 30, "0.03000")]
        assert before - await balance(client) == Decimal("0.03")


@pytest.mark.parametrize(
    ("to", "status"),
    [("+306970000011", "Busy"), ("+306970000012", "NoAnswer"), ("+306970000013", "Failed")],
)
async def test_a_call_that_nobody_answers_is_free(to: str, status: str) -> None:
    async with caller() as client:
        conversation = (await posted(client, "voice/conversation", {**TALK, "to": {"phone": to}}))["trackingId"]
        await advance(client, 60)
        call = (await calls_of(client, conversation))[0]
        assert (call["status"]["status"], call["duration"], call["price"]) == (status, 0, 0)
        assert await charges(client) == []


async def test_one_conversation_a_second() -> None:
    async with caller() as client:
        await posted(client, "voice/conversation", TALK)
        assert code(await client.post("voice/conversation", json=TALK)) == (429, "429013000")
        await advance(client, 1)
        await posted(client, "voice/conversation", TALK)


async def test_a_dial_is_a_second_call_that_is_charged_and_recorded() -> None:
    body = {**ENDLESS_TALK, "dialPlan": {"verbs": [SAY, DIAL]}}
    async with caller() as client:
        conversation = (await posted(client, "voice/conversation", body))["trackingId"]
        await advance(client, 60)
        first, second = await calls_of(client, conversation)
        assert (first["status"]["status"], second["status"]["status"]) == ("InProgress", "Completed")
        assert await charges(client) == [("voice_seconds", 30, "0.01600")]
        recordings = (await got(client, f"voice/conversation/{conversation}"))["recordings"]
    assert [recording["voiceTrackingIds"] for recording in recordings] == [[second["messageId"]]]
    assert recordings[0]["duration"] == 30


async def test_a_call_ends_when_the_balance_does() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "0.0105"})
        conversation = (await posted(client, "voice/conversation", TALK))["trackingId"]
        await advance(client, 60)
        call = (await calls_of(client, conversation))[0]
        assert (call["status"]["status"], call["duration"]) == ("Terminated", 10)


async def test_a_call_without_any_balance_is_unsent() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "0"})
        conversation = (await posted(client, "voice/conversation", TALK))["trackingId"]
        assert (await calls_of(client, conversation))[0]["status"]["status"] == "Unsent"


async def test_a_machine_is_hung_up_on_if_asked() -> None:
    body = {**TALK, "to": {"phone": "+306970000014"}, "machineDetection": {"strategy": "Hangup"}}
    async with caller() as client:
        conversation = (await posted(client, "voice/conversation", body))["trackingId"]
        await advance(client, 60)
        call = (await calls_of(client, conversation))[0]
    assert (call["answeredBy"], call["duration"]) == ("MACHINE", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"dialPlanUrl": "https://hooks.example/plan"},
        {"dialPlan": {"verbs": []}},
        {"dialPlan": {"verbs": [DIAL, DIAL]}},
        {"dialPlan": {"verbs": [{"type": "SING"}]}},
        {"dialPlan": {"verbs": [{"type": "PLAY", "fileURL": "https://files.example/a.mp3"}]}},
        {"dialPlan": {"verbs": [{"type": "SAY", "message": {"text": "x" * 1001, "language": "en-GB"}}]}},
        {"dialPlan": {"verbs": [{"type": "SAY", "message": {"text": "Hi", "language": "en-AU"}}]}},
        {"dialPlans": [{"verbs": [SAY]}]},
        {"to": GREEK},
        {"to": {"phone": GREEK, "sip": "me@pbx.example"}},
        {"to": {"phone": GREEK[1:]}},
        {"hangupDelay": 61},
        {"machineDetection": {"strategy": "Continue"}},
    ],
)
async def test_a_conversation_that_breaks_a_rule_is_refused(change: dict[str, Json]) -> None:
    async with caller() as client:
        assert code(await client.post("voice/conversation", json=TALK | change)) == (400, "400000000")
        await posted(client, "voice/conversation", TALK)


async def test_a_call_is_hung_up_only_while_it_is_on_and_rejected_only_before() -> None:
    async with caller() as client:
        conversation = (await posted(client, "voice/conversation", ENDLESS_TALK))["trackingId"]
        await advance(client, 3)
        call = (await calls_of(client, conversation))[0]["messageId"]
        path = f"voice/conversation/{call}"
        assert code(await client.put(path, json={"action": "hangup"})) == (400, "400013005")
        await advance(client, 3)
        assert code(await client.put(path, json={"action": "reject"})) == (400, "400013005")
        assert (await client.put(path, json={"action": "hangup"})).status_code == 200
        assert await charges(client) == [("voice_seconds", 1, "0.00100")]
        assert code(await client.post(f"{path}/dtmf", json={"dtmf": "1"})) == (400, "400013005")


async def test_a_transfer_opens_a_new_call() -> None:
    async with caller() as client:
        conversation = (await posted(client, "voice/conversation", ENDLESS_TALK))["trackingId"]
        await advance(client, 10)
        call = (await calls_of(client, conversation))[0]["messageId"]
        await posted(client, f"voice/conversation/{call}/transfer", {"from": "447520630142", "to": {"phone": GREEK}})
        await advance(client, 60)
        first, second = await calls_of(client, conversation)
    assert (first["status"]["status"], first["duration"]) == ("Completed", 5)
    assert (second["to"], second["duration"]) == (GREEK, 30)


async def test_a_voice_campaign_calls_everybody_who_is_not_blacklisted() -> None:
    async with caller() as client:
        body = {**SPEECH, "to": [], "groups": ["Patients UK"]}
        made = await posted(client, "voice/campaign", body)
        assert made["voiceAnalysis"]["numberOfRecipients"] == 1
        await advance(client, 60)
        calls = (await got(client, f"voice/tracking/campaign/{made['trackingId']}"))["content"]
    assert [call["to"] for call in calls] == ["+447700900123"]


async def test_a_scheduled_voice_campaign_can_be_deleted_before_it_begins() -> None:
    async with caller() as client:
        made = await posted(client, "voice/campaign", {**SPEECH, "scheduledDate": "2026-05-18T12:30:00Z"})
        assert (await client.delete(f"voice/campaign/{made['trackingId']}")).status_code == 200
        await advance(client, 3500)
        assert await charges(client) == []
