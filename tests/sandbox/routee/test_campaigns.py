"""Campaigns: who gets them, when they run, what can still be stopped."""

import httpx2
import pytest

from tests.sandbox.routee.doors import (
    BRITISH,
    GREEK,
    Json,
    advance,
    caller,
    charges,
    code,
    control,
    got,
    log_in,
    pass_days,
    posted,
)
from tests.sandbox.routee.examples import seeded

BULK = {"from": "Bluewater", "to": [GREEK, BRITISH], "body": "Hello"}
LATER = {"scheduledDate": "2026-05-20T09:00:00Z"}


async def state_of(client: httpx2.AsyncClient, campaign: str) -> Json:
    """Return the details of a campaign."""
    return await got(client, f"campaigns/{campaign}")


async def test_a_campaign_runs_step_by_step_until_it_is_finished() -> None:
    many = [f"+30697000{number:04d}" for number in range(1000, 1010)]
    async with caller() as client:
        campaign = (await posted(client, "sms/campaign", {**BULK, "to": many}))["trackingId"]
        seen: list[tuple[str, int]] = []
        for _ in range(8):
            details = await state_of(client, campaign)
            seen.append((details["state"], details["totalMessages"]))
            await advance(client, 2)
        details = await state_of(client, campaign)
        assert len(await charges(client)) == 10
    assert seen[:6] == [("Queued", 0), ("Running", 2), ("Running", 4), ("Running", 6), ("Running", 8), ("Sent", 10)]
    assert details["state"] == "Finished"
    assert details["statuses"]["Delivered"] == 10
    assert details["cost"] == 0.45
    assert details["endedAt"].startswith("2026-05-18T12:00:1")


async def test_a_scheduled_campaign_waits_and_costs_nothing_before() -> None:
    async with caller() as client:
        campaign = (await posted(client, "sms/campaign", {**BULK, **LATER}))["trackingId"]
        assert (await state_of(client, campaign))["state"] == "Scheduled"
        assert await charges(client) == []
        await pass_days(client, 1.9)
        assert [what for what, _, _ in await charges(client)] == ["sms", "sms"]


async def test_an_update_without_a_date_sends_at_once() -> None:
    async with caller() as client:
        campaign = await seeded(client, "campaigns", 1)
        answer = await client.put(f"sms/{campaign}", json=BULK)
        assert answer.json()["state"] == "Queued"
        await advance(client, 30)
        assert (await state_of(client, campaign))["state"] == "Finished"
        assert len(await charges(client)) == 2


async def test_an_update_with_a_date_replaces_the_whole_campaign_and_runs_once() -> None:
    async with caller() as client:
        campaign = await seeded(client, "campaigns", 1)
        answer = (await client.put(f"sms/{campaign}", json={**BULK, **LATER})).json()
        assert (answer["state"], answer["groups"], "campaignName" in answer) == ("Scheduled", [], False)
        assert await charges(client) == []
        await pass_days(client, 2.9)
        assert [what for what, _, _ in await charges(client)] == ["sms", "sms"]


async def test_a_deleted_campaign_never_runs() -> None:
    async with caller() as client:
        campaign = await seeded(client, "campaigns", 1)
        assert (await client.delete(f"sms/{campaign}")).content == b""
        await pass_days(client, 2.9)
        assert await charges(client) == []


async def test_only_a_scheduled_campaign_can_be_changed_or_deleted() -> None:
    async with caller() as client:
        finished = await seeded(client, "campaigns", 0)
        assert code(await client.delete(f"sms/{finished}")) == (400, "400009002")
        assert code(await client.put(f"sms/{finished}", json=BULK)) == (400, "400009002")
        assert code(await client.delete("sms/unknown")) == (404, "404009001")


async def test_an_unknown_campaign_is_404_in_its_details_and_400_in_its_tracking_with_the_same_code() -> None:
    async with caller() as client:
        assert code(await client.get("campaigns/unknown")) == (404, "404009001")
        assert code(await client.get("sms/tracking/campaign/unknown")) == (400, "404009001")


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"to": []}, 400, "400005000"),
        ({"to": [GREEK, "+302101234567"]}, 400, "400005000"),
        ({"to": [], "contacts": ["unknown"]}, 404, "404002001"),
        ({"to": [], "groups": ["Newsletter"]}, 400, "400009004"),
        ({"campaignName": "Spring recall"}, 409, "409009003"),
        ({"campaignName": "Spring_recall"}, 400, "400000000"),
        ({"campaignName": "x"}, 400, "400000000"),
        ({"scheduledDate": "2026-05-20T09:00:00"}, 400, "400000000"),
        ({"scheduledDate": "2026-05-18T11:00:00Z"}, 400, "400000000"),
        ({"to": GREEK}, 400, "400000000"),
        ({"reminder": {"minutesBefore": 5}}, 400, "400000000"),
    ],
)
async def test_a_campaign_that_breaks_a_rule_is_refused(change: dict[str, Json], status: int, expected: str) -> None:
    async with caller() as client:
        assert code(await client.post("sms/campaign", json=BULK | change)) == (status, expected)


async def test_one_invalid_number_blocks_a_campaign_unless_it_is_allowed_to_drop_it() -> None:
    to = [GREEK, "+302101234567", "nonsense"]
    async with caller() as client:
        blocked = await client.post("sms/campaign", json={**BULK, "to": to})
        assert blocked.json()["errors"][0]["property"] == "+302101234567, nonsense"
        allowed = await posted(client, "sms/campaign", {**BULK, "to": to, "allowInvalid": True})
    assert allowed["smsAnalysis"]["numberOfRecipients"] == 1
    assert allowed["errors"][0]["code"] == "400005000"


async def test_blacklisted_contacts_are_left_out_and_the_analysis_says_so() -> None:
    async with caller() as client:
        blacklisted = await seeded(client, "contacts", 2)
        body = {"from": "Bluewater", "body": "Hi", "groups": ["Recall"], "contacts": [blacklisted], "to": [GREEK]}
        analysis = await posted(client, "sms/analyze/campaign", body)
        assert await charges(client) == []
    assert analysis["contacts"][blacklisted]["blacklisted"] is True
    assert analysis["numberOfRecipients"] == 6
    assert analysis["recipientsPerGroup"] == {"Recall": 5}
    assert analysis["totalInGroups"] == 5
    assert analysis["recipientsPerCountry"] == {"GR": 3, "US": 2, "GB": 1}
    assert "cost" not in analysis


async def test_labels_are_filled_in_for_each_contact_in_either_form() -> None:
    body = {
        "from": "Bluewater",
        "body": "Dear [~{firstName}], last visit [~lastVisit]",
        "groups": ["Patients GR"],
        "to": [BRITISH],
        "fallbackValues": {"firstName": "patient", "lastVisit": "unknown"},
    }
    async with caller() as client:
        campaign = (await posted(client, "sms/campaign", body))["trackingId"]
        await advance(client, 30)
        sent = (await got(client, f"sms/tracking/campaign/{campaign}", sort="to"))["content"]
    assert [message["body"] for message in sent] == [
        "Dear Nikos, last visit 2026-01-19",
        "Dear Eleni, last visit 2026-03-30",
        "Dear patient, last visit unknown",
    ]


async def test_a_campaign_that_the_balance_does_not_cover_is_refused() -> None:
    async with caller() as client:
        await control(client, "PUT", "routee/balance", {"balance": "0.05"})
        assert code(await client.post("sms/campaign", json=BULK)) == (400, "400001009")


async def test_messages_that_cannot_be_paid_when_the_campaign_runs_end_unsent() -> None:
    async with caller() as client:
        campaign = (await posted(client, "sms/campaign", {**BULK, **LATER}))["trackingId"]
        await control(client, "PUT", "routee/balance", {"balance": "0.05"})
        await pass_days(client, 1.9)
        statuses = (await state_of(client, campaign))["statuses"]
    assert (statuses["Delivered"], statuses["Unsent"]) == (1, 1)


async def test_quiet_hours_hold_messages_back_until_they_are_over() -> None:
    async with caller() as client:
        body = {**BULK, "to": [GREEK, BRITISH], "respectQuietHours": True}
        campaign = (await posted(client, "sms/campaign", body))["trackingId"]
        await advance(client, 60)
        # It is 14:01 in Greece, in the middle of the quiet hours, and 12:01 in Great Britain.
        assert (await state_of(client, campaign))["totalMessages"] == 1
        await advance(client, 3 * 3600)
        await log_in(client)
        assert (await state_of(client, campaign))["totalMessages"] == 2


async def test_a_reminder_is_sent_before_the_campaign() -> None:
    async with caller() as client:
        reminder = {"to": ["+306970000777"], "minutesBefore": 30}
        await posted(client, "sms/campaign", {**BULK, "scheduledDate": "2026-05-18T14:00:00Z", "reminder": reminder})
        await advance(client, 90 * 60)
        assert len(await charges(client)) == 1
        await advance(client, 31 * 60)
        assert len(await charges(client)) == 3


async def test_trackings_come_in_pages() -> None:
    many = [f"+30697000{number:04d}" for number in range(1000, 1005)]
    async with caller() as client:
        campaign = (await posted(client, "sms/campaign", {**BULK, "to": many}))["trackingId"]
        await advance(client, 30)
        pages = [await got(client, f"sms/tracking/campaign/{campaign}", page=page, size=2) for page in range(3)]
    assert [page["numberOfElements"] for page in pages] == [2, 2, 1]
    assert [(page["first"], page["last"]) for page in pages] == [(True, False), (False, False), (False, True)]
    assert {page["totalPages"] for page in pages} == {3}
