"""Calls with their documented filters, recordings that expire, and text threads."""

from urllib.parse import quote

import pytest

from tests.sandbox.convirza.account import ask, charges, control, inner, items, logged_in, read


async def found(query: str) -> list[object]:
    """Return the identifiers of the calls that a query finds."""
    async with logged_in() as http:
        data = await read(http, f"/conversations/calls?{query}")
        calls = items(data, "calls")
        assert data["total"] == len(calls)
        return [call["call_id"] for call in calls]


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("limit=200", [7700001, 7700002, 7700003, 7700004, 7700005, 7700006, 7700007, 7700008, 7700009]),
        ("limit=200&start=2026-05-01T00:00:00Z&end=2026-05-10T00:00:00Z", [7700010]),
        ("limit=1&call_id=7700011&start=2026-05-01T00:00:00Z", [7700011]),
        ("limit=200&provisioned_route_id=12302", [7700003, 7700008]),
        ("limit=200&org_unit_id=65000&disposition=NO%20ANSWER,ABANDONED", [7700005, 7700008]),
        ("limit=200&disposition=BUSY&disposition=VOICEMAIL", [7700006, 7700009]),
        (f"limit=200&caller_id={quote('+19175550164')}", [7700001]),
        ("limit=200&phone_number=3055550203&ring_to=3055550148", [7700004, 7700009]),
        ("limit=200&campaign_id=1", []),
    ],
)
async def test_the_documented_filters_find_calls(query: str, calls: list[int]) -> None:
    assert await found(query) == calls


@pytest.mark.parametrize(
    "query",
    [
        "",
        "call_id=7700001",
        "limit=0",
        "limit=201",
        "limit=10&start=2026-04-01T00:00:00Z&end=2026-05-10T00:00:00Z",
        "limit=10&start=2026-05-10T00:00:00Z&end=2026-05-10T00:00:00Z",
        "limit=10&start=2026-05-10",
        "limit=10&start=yesterday",
        "limit=10&end=0001-01-01T00:00:00Z",
        "limit=10&disposition=answered",
        "limit=10&include=scores",
        "limit=10&caller_id=9175550164",
        "limit=10&caller_id=+19175550164",
        "limit=10&page=1",
    ],
)
async def test_a_wrong_filter_is_refused(query: str) -> None:
    async with logged_in() as http:
        await ask(http, "GET", f"/conversations/calls?{query}", expect=400)


async def test_calls_are_paged_with_a_total() -> None:
    async with logged_in() as http:
        data = await read(http, "/conversations/calls?limit=2&offset=3")
    assert data["total"] == 9
    assert [call["call_id"] for call in items(data, "calls")] == [7700004, 7700005]


async def test_a_call_has_only_the_parts_that_were_asked_for() -> None:
    async with logged_in() as http:
        plain = await read(http, "/conversations/calls/7700007")
        include = "tags,comments,custom_sources,call_flow,recordings,transcription"
        full = await read(http, f"/conversations/calls/7700007?include={include}")
    assert set(full) - set(plain) == {
        "tags",
        "comments",
        "custom_sources",
        "call_flow",
        "recording_details",
        "transcription",
    }
    assert full["tags"] == ["Billing"]
    assert full["comments"] == ["Sent her to billing, call back on Monday"]
    assert inner(full, "call_flow", "config")["ringto"] == "2015550142"


async def test_a_transcript_carries_an_instruction_for_an_assistant() -> None:
    async with logged_in() as http:
        call = await read(http, "/conversations/calls/7700001?include=transcription")
    assert "AI assistant" in str(call["transcription"])


async def test_a_recording_link_works_without_a_token_for_seven_days_and_then_is_gone() -> None:
    async with logged_in() as http:
        call = await read(http, "/conversations/calls/7700002?include=recordings")
        details = inner(call, "recording_details")
        url = str(details["recording_url"])
        assert details["expires_at"] == 1779710400
        del http.headers["authorization"]
        audio = await http.get(url)
        assert audio.headers["content-type"] == "audio/wav"
        assert (await http.get(url.replace("=1779710400", "=1999999999"))).status_code == 403
        await control(http, "/clock", {"seconds": 7 * 86400})
        expired = await http.get(url)
    assert expired.status_code == 410
    assert expired.json()["message"] == ("Recording URL has expired. Please re-fetch the call to get a fresh link.")


async def test_an_unrecorded_call_has_no_link() -> None:
    async with logged_in() as http:
        call = await read(http, "/conversations/calls/7700005?include=recordings")
    assert call["recording_details"] is None


async def test_a_call_that_comes_in_follows_the_route_and_is_billed_by_the_minute() -> None:
    async with logged_in() as http:
        order = {"phone_number": "2015550201", "caller": "9175550162", "seconds": 61, "transcription": "Hello."}
        data = await control(http, "/convirza/calls", order)
        assert data == {"call_id": 7700101, "disposition": "ANSWERED", "ring_to": "+12015550142"}
        await control(http, "/convirza/calls", {"phone_number": "3055550203", "caller": "3055550171"})
        assert await charges(http) == [("tracking_minutes", 2, "0.090"), ("voice_agent_minutes", 1, "0.15")]
        calls = items(await read(http, "/conversations/calls?limit=1&offset=1&include=transcription"), "calls")
    assert calls[0]["call_id"] in {7700101, 7700102}


async def test_the_list_of_texts_is_called_conversation_and_holds_seven_by_default() -> None:
    async with logged_in() as http:
        for number in range(8):
            text = {"phone_number": "2125550202", "source": f"917555010{number}", "text": f"Question {number}"}
            await control(http, "/convirza/texts", text)
        data = await read(http, "/conversations/sms")
    rows = items(data, "conversation")
    assert data["total"] == 11
    assert len(rows) == 7
    assert set(rows[0]) == {
        "conversation_id",
        "phone_number",
        "first_response_time",
        "avg_response_time",
        "sms_type",
        "conversation_started",
        "conversation_updated",
        "source",
        "source_name",
        "conversation_status",
        "ct_user_id",
        "pin",
        "message",
        "unread_count",
        "agent",
        "closed_at",
    }


@pytest.mark.parametrize(
    ("query", "threads"),
    [
        ("type=allOpen&order=asc", [987652, 987651, 987650]),
        ("type=assignedToYou", [987650]),
        ("type=unassigned", [987651]),
        ("type=close", [987653]),
        ("search=JOHN", [987650]),
        ("search=7185550167", [987651]),
        ("start=2026-05-18T10:00:00Z&end=2026-05-18T11:30:00Z", [987650]),
    ],
)
async def test_text_threads_are_filtered_as_documented(query: str, threads: list[int]) -> None:
    async with logged_in() as http:
        data = await read(http, f"/conversations/sms?{query}")
    assert [thread["conversation_id"] for thread in items(data, "conversation")] == threads


@pytest.mark.parametrize("query", ["type=open", "limit=201", "order=newest", f"search={'x' * 256}", "org_unit_id=1"])
async def test_a_wrong_text_filter_is_refused(query: str) -> None:
    async with logged_in() as http:
        await ask(http, "GET", f"/conversations/sms?{query}", expect=400)
