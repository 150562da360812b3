"""Callbacks of Routee with parts that cannot be read: what can be read is taken in, and no STOP is lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.store.store import Store, open_store
from tests.server.operating import ringfence
from tests.server.webhook_sender import TO, listed_events, opened
from tools.routee.webhooks import read_callback
from tools.webhooks import Callback

INBOUND: dict[str, Any] = {
    "messageId": "in-1",
    "from": "306912345678",
    "to": "306948530955",
    "message": "STOP",
    "parts": 1,
    "originatingService": "Sms",
    "direction": "Inbound",
    "receivedDate": "2026-11-21T10:00:00Z",
}
REPORT: dict[str, Any] = {
    "messageId": "m-1",
    "smsId": "m-1-1",
    "part": 1,
    "parts": 1,
    "label": "recall-7",
    "to": TO,
    "from": "Harbor",
    "country": "GR",
    "operator": "Cosmote",
    "status": {"name": "Delivered", "updatedDate": "2026-11-21T10:00:00Z"},
    "latency": 4,
    "price": 0.048,
}
STOPS: list[tuple[str, dict[str, Any]]] = [
    ("inbound", {"receivedDate": "yesterday"}),
    ("inbound", {"receivedDate": ""}),
    ("inbound", {"receivedDate": {"date": "2026"}}),
    ("inbound", {"price": ""}),
    ("inbound", {"price": "free"}),
    ("inbound", {"price": -1}),
    ("inbound", {"parts": "one"}),
    ("inbound", {"parts": None, "to": []}),
    ("inbound", {"messageId": ""}),
    ("inbound", {"messageId": {"id": 1}}),
    ("inbound", {"messageId": "\ud800" * 200}),
    ("pool", {"poolName": "Recalls", "price": ""}),
    ("pool", {"status": "Received", "direction": "inbound"}),
    ("sms", {"direction": None}),
    ("campaign", {}),
]
"""What is odd about an inbound message, and the kind of the address that it is posted to."""


async def test_no_stop_is_lost_whatever_else_cannot_be_read(tmp_path: Path) -> None:
    senders = [f"+3069123450{place:02d}" for place in range(len(STOPS))]
    async with opened(tmp_path) as (inbox, _):
        for sender, (kind, odd) in zip(senders, STOPS, strict=True):
            body = {**INBOUND, "messageId": sender, "from": int(sender), **odd}
            assert await inbox.post(kind, body) == 200, (kind, odd)
            assert await inbox.post(kind, body) == 200, "delivered again"
        listed = await ringfence(inbox.folder, "optouts", "list")
        events = await listed_events(inbox)
    assert [sender for sender in senders if sender not in listed] == []
    assert len(events) == len(STOPS)
    unread = {event["number"] for event in events if "unread_body" in event}
    assert senders[0] in unread
    assert senders[1] not in unread, "an empty date is none"


async def test_a_report_shows_all_that_it_says_and_what_cannot_be_read_as_it_came(tmp_path: Path) -> None:
    odd = {**REPORT, "messageId": "m-2", "price": "", "status": {"name": "Delivered", "updatedDate": "soon"}}
    async with opened(tmp_path) as (inbox, _):
        for body in (REPORT, odd):
            assert await inbox.post("sms", body) == 200
        whole, rest = await listed_events(inbox)
    shown = ("label", "country", "operator", "latency")
    assert [whole[name] for name in shown] == [rest[name] for name in shown] == ["recall-7", "GR", "Cosmote", "4"]
    assert (whole["price"], "unread_body" in whole) == ("0.048", False)
    assert "price" not in rest
    assert "soon" in rest["unread_body"]
    assert rest["unread_body"].startswith("<outside-")


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"price": ""}, {"price": None, "raw": None}),
        ({"price": "0.048 EUR"}, {"price": None}),
        ({"price": -1}, {"price": None}),
        ({"parts": "two"}, {"price": None, "parts": 1}),
        ({"part": {}}, {"part": 1}),
        ({"status": "Delivered"}, {"state": "Delivered", "at": None}),
        ({"status": {"name": "Delivered", "updatedDate": ""}}, {"state": "Delivered", "at": None, "raw": None}),
        ({"status": {"name": "Delivered", "reason": "none"}}, {"state": "Delivered", "reason": None}),
        ({"campaignTrackingId": 7}, {"campaign": "7"}),
        ({"to": None, "from": None}, {"number": None, "ours": None}),
    ],
)
def test_what_can_be_read_of_a_report_is_its_content(odd: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read_callback("sms", {**REPORT, **odd})
    assert {name: getattr(found, name) for name in expected} == expected
    if found.price is None and "raw" not in expected:
        assert json.loads(found.raw or "{}") == {**REPORT, **odd}


def test_reports_of_one_state_without_a_readable_time_are_told_apart_by_what_they_say() -> None:
    undated = {**REPORT, "status": {"name": "Delivered"}}
    first, priced = ({**undated, "price": None}, undated)
    assert read_callback("sms", first).identity != read_callback("sms", priced).identity
    assert read_callback("sms", priced).identity == read_callback("sms", dict(priced)).identity


async def test_a_campaign_whose_size_cannot_be_read_is_not_settled_by_its_first_message(tmp_path: Path) -> None:
    finished: dict[str, Any] = {
        "trackingId": "c-1",
        "campaignStatus": "Finished",
        "totalRecipients": "many",
        "messageStatuses": {},
    }
    store: Store = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)
    report: Callback = read_callback("sms", {**REPORT, "campaignTrackingId": "c-1"})
    try:
        await store.events.track("routee", ["c-1"], "act")
        for posted in (read_callback("campaign", finished), report):
            await store.events.take_in(posted)
        assert await store.events.settled_price(report) is None
        whole = read_callback("campaign", {**finished, "totalRecipients": 1, "messageStatuses": {"Delivered": 1}})
        await store.events.take_in(whole)
        assert await store.events.settled_price(report) is not None
    finally:
        await store.database.close()
