"""Requests as Routee's public clients send them, held against the simulation: somebody else's reading of the API.

No client of Routee can be installed. The rows are facts about what four old SDKs (C#, Java, PHP, Ruby) send: method,
path, query and the form of the body, with this sandbox's numbers and ids in place of theirs.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.routee.doors import GREEK, WHOLE_WEEK, caller, send_sms
from tests.sandbox.routee.examples import CONTACT_ID, seeded

HOOK = {"strategy": "OnChange", "url": "http://127.0.0.1:9/hook"}
SMS = {"body": "A new game", "to": GREEK, "from": "amdTelecom"}
CAMPAIGN: dict[str, Any] = {"body": "Hi [~firstName]", "from": "kesav", "contacts": [CONTACT_ID], "flash": False}
CODE = {"method": "sms", "type": "code", "recipient": GREEK}
SPAN = {"startDate": "2026-05-11T12:00:00Z", "endDate": "2026-05-18T12:00:00Z"}


@dataclass(frozen=True)
class Sent:
    """One request of a public client, and the fields that it reads from the answer."""

    method: str
    path: str
    reads: str = ""
    body: Any = None
    query: dict[str, str] | None = None
    form: dict[str, str] | None = None


SENT = [
    Sent("POST", "sms", "trackingId createdAt status bodyAnalysis", {**SMS, "callback": HOOK}),
    Sent("POST", "sms", "label", {**SMS, "flash": False, "label": "mine", "callback": HOOK}),
    Sent("POST", "sms/analyze", "bodyAnalysis cost", SMS),
    Sent("POST", "sms/campaign", "trackingId state smsAnalysis", {**CAMPAIGN, "callback": HOOK}),
    Sent(
        "POST",
        "sms/campaign",
        "trackingId scheduledDate reminder",
        {
            **CAMPAIGN,
            "to": [GREEK],
            "fallbackValues": {"firstName": "friend"},
            "reminder": {"minutesAfter": 5, "minutesBefore": 5, "to": [GREEK]},
            "scheduledDate": "2026-06-20T09:26:53Z",
            "campaignName": "API-1471945828",
            "campaignCallback": HOOK,
            "respectQuietHours": True,
        },
    ),
    Sent("POST", "sms/analyze/campaign", "numberOfRecipients bodyAnalysis", {"body": "Hi", "from": "a", "to": [GREEK]}),
    Sent("GET", "sms/tracking/single/{sms}", "messageId status.status latency price"),
    Sent("GET", "sms/tracking/campaign/{campaign}", "totalPages last content", query={"page": "0", "size": "10"}),
    Sent("POST", "sms/tracking", "content", [{"fieldName": "smsId", "searchTerm": "x"}], WHOLE_WEEK),
    Sent("GET", "sms/quietHours/countries/en", "code name supported"),
    Sent("GET", "campaigns/{campaign}", "trackingId state statuses"),
    Sent("DELETE", "sms/{scheduled}"),
    Sent("GET", "accounts/me/balance", "balance currency.code"),
    Sent("GET", "system/prices", "sms voice lookup twoStep currency", query={"mcc": "202"}),
    Sent(
        "GET",
        "accounts/me/transactions",
        "content totalElements",
        query={"from": "2026-04-01T00:00:00Z", "to": "2026-05-18T00:00:00Z", "page": "0", "size": "20"},
    ),
    Sent("POST", "2step", "trackingId status", {**CODE, "template": "Your code is @@pin"}),
    Sent("GET", "2step/reports", "total totals perCountry"),
    Sent("GET", "reports/my/volPrice", "count price", query=SPAN),
    Sent("GET", "reports/my/volPrice/perMcc", query={**SPAN, "mcc": "202"}),
    Sent("POST", "contacts/my", "id mobile labels", {"firstName": "Nick", "mobile": GREEK, "vip": False}),
    Sent("GET", "contacts/my", "content last", query={"page": "0", "size": "10"}),
    Sent("GET", "contacts/my/{contact}", "id labels"),
    Sent("DELETE", "contacts/my", body=[CONTACT_ID]),
    Sent("DELETE", "contacts/my/{contact}", "id mobile"),
    Sent("HEAD", "contacts/my/mobile", query={"value": "+19175550161"}),
    Sent("POST", "contacts/labels/my", "name type", [{"name": "cats", "type": "Number"}]),
    Sent("GET", "contacts/labels/my", "firstName"),
    Sent("POST", "contacts/my/blacklist/Sms", "updated", [{"id": CONTACT_ID}]),
    Sent("GET", "contacts/my/blacklist/Sms", "id blacklistedServices"),
    Sent("DELETE", "contacts/my/blacklist/Sms", "updated", [{"id": CONTACT_ID}]),
    Sent("DELETE", "contacts/my/blacklist/Sms/groups", body=["Recall"]),
    Sent("GET", "groups/my", "name size"),
    Sent("GET", "groups/my/Recall", "name size"),
    Sent("GET", "groups/my/page", "content", query={"page": "0", "size": "3"}),
    Sent("POST", "groups/my", "name size", {"name": "group1"}),
    Sent("DELETE", "groups/my", "name deletedContacts", ["Newsletter"], {"deleteContacts": "false"}),
    Sent("POST", "groups/my/merge", "name size", {"name": "both", "groups": ["Recall", "Newsletter"]}),
    Sent("POST", "groups/my/difference", "name size", {"name": "rest", "groups": ["Recall", "Newsletter"]}),
    Sent("GET", "groups/my/Recall/contacts", "content"),
    Sent("POST", "groups/my/Newsletter/contacts", "name size", [CONTACT_ID]),
    Sent("DELETE", "groups/my/Recall/contacts", "name size", [CONTACT_ID]),
]

AGAINST_THE_DOCUMENTS = [
    Sent("POST", "sms/analyse", body=SMS),
    Sent("POST", "sms", body={**SMS, "to": "306970000555"}),
    Sent("POST", "sms/campaign", body={**CAMPAIGN, "smsCallback": HOOK}),
    Sent("POST", "sms/campaign", body={**CAMPAIGN, "scheduledDate": 1474363613}),
    Sent("DELETE", "contacts/my", body=[{"id": CONTACT_ID}]),
    Sent("GET", "reports/my/volPrice", query={"startDate": '"2026-05-11T12:00:00Z"', "endDate": SPAN["endDate"]}),
    Sent("GET", "reports/my/latency", query=SPAN),
    Sent("GET", "accounts/me/transactions"),
    Sent("POST", "2step", body=CODE),
]
"""What one of them sends against the reference; the simulation does not take it."""


async def _answer(sent: Sent) -> Any:
    async with caller() as client:
        ids = {
            "sms": (await send_sms(client))["trackingId"],
            "campaign": await seeded(client, "campaigns"),
            "scheduled": await seeded(client, "campaigns", 1),
            "contact": CONTACT_ID,
        }
        path = sent.path.format(**ids)
        return await client.request(sent.method, path, params=sent.query, json=sent.body)


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: f"{sent.method} {sent.path}")
async def test_the_simulation_takes_what_public_clients_send_and_answers_what_they_read(sent: Sent) -> None:
    answer = await _answer(sent)
    assert answer.status_code == 200, answer.text
    if sent.reads:
        shown: Any = answer.json()
        first: Any = shown[0] if isinstance(shown, list) else shown
        assert [path for path in sent.reads.split() if not _shows(first, path)] == []


@pytest.mark.parametrize("sent", AGAINST_THE_DOCUMENTS, ids=lambda sent: f"{sent.method} {sent.path}")
async def test_the_simulation_refuses_what_one_client_sends_against_the_documents(sent: Sent) -> None:
    assert (await _answer(sent)).status_code in {400, 404, 405}


async def test_a_number_label_goes_through_as_a_number_as_a_public_client_sends_it() -> None:
    labels = [{"name": "visits", "type": "Number", "value": 5}, {"name": "lastVisit", "value": "2026-05-01"}]
    async with caller() as client:
        made = (await client.post("contacts/my", json={"mobile": GREEK, "labels": labels})).json()
        shown = (await client.get("contacts/my", params={"page": "0", "size": "50"})).json()
    assert [(label["name"], label["value"]) for label in made["labels"]] == [("visits", 5), ("lastVisit", "2026-05-01")]
    assert made["labels"] in [contact["labels"] for contact in shown["content"]]


def _shows(shown: Any, path: str) -> bool:
    head, _, rest = path.partition(".")
    return head in shown and (not rest or _shows(shown[head], rest))
