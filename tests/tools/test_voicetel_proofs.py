"""VoiceTel: what a read tells of a call whose answer was lost, where the sandbox's own answers would not ask it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.operation import Operation, Verification
from tests.clients.accounts import Provider, answered_by, success
from tools.registry import all_operations

SENT_AT = datetime(2026, 5, 18, 12, tzinfo=UTC)
NUMBER = "+12015550142"


async def told(tool: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> bool | None:
    """What is told of a call when VoiceTel answers the reads with this, one after the other."""
    call: Operation[Any] = all_operations()[f"voicetel_{tool}"].model_validate(arguments)
    proof = call.verification(SENT_AT)
    async with answered_by(Provider(*map(success, answers))) as client:
        while proof is not None:
            shown = proof.check(await client.send(proof.read))
            if not isinstance(shown, Verification):
                return shown
            proof = shown
    return None


def moment(**later: int) -> str:
    """A time, by how much later it is than the call."""
    return (SENT_AT + timedelta(**later)).isoformat()


ADDRESS = {
    "address1": "411 Hackensack Ave.",
    "address2": "Ste 200",
    "city": "Hackensack",
    "state": "NJ",
    "zip": "07601",
}
RECORD = {
    "dn": "12015550142",
    "callername": "ACME INC",
    "address1": "411 HACKENSACK AVE",
    "address2": "STE 200",
    "city": "HACKENSACK",
    "state": "NJ",
    "zip": "07601",
}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, True),
        ({"address1": "411 HACKENSACK AVE STE 200", "address2": ""}, True),
        ({"zip": "07601-4412"}, True),
        ({"address2": "STE 300"}, None),
        ({"address2": None}, None),
        ({"address1": "411 MAIN ST"}, None),
        ({"address1": "411 HACKENSACK AVENUE"}, None),
        ({"city": "TEANECK"}, None),
        ({"zip": "07602"}, None),
        ({"address1": "4601 RIO VISTA DR", "zip": "07430"}, False),
        ({"callername": "ACME, INC. "}, True),
        ({"callername": "ACME"}, None),
        ({"callername": None}, None),
        ({"callername": "BLUEWATER DENTAL"}, False),
        ({"dn": "12015550143"}, False),
    ],
)
async def test_an_emergency_address_was_registered_only_where_all_of_it_agrees(
    shown: dict[str, Any], expected: bool | None
) -> None:
    arguments = {"number": NUMBER, "caller_name": "Acme, Inc.", **ADDRESS}
    assert await told("create_e911_record", arguments, {"records": [{**RECORD, **shown}]}) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("ACME INC", None), ("ACME, INC. ", None), ("ACME", None), ("BLUEWATER DENTAL", False)]
)
async def test_another_name_is_all_that_tells_of_an_address_bound_by_its_id(name: str, expected: bool | None) -> None:
    arguments = {"number": NUMBER, "caller_name": "Acme, Inc. ", "address_id": 340251}
    assert await told("update_e911_record", arguments, {"records": [{**RECORD, "callername": name}]}) is expected


LOCAL, OTHER, TOLL_FREE = "+12015551000", "+12015551001", "+18005551000"
PORT: dict[str, Any] = {
    "name_type": "business",
    "name": "Acme Corp",
    "authorized_person": "Jane Smith",
    "billing_number": LOCAL,
    "account_number": "123456789",
    "street_number": "550",
    "street": "Main",
    "street_type": "ST",
    "city": "Chicago",
    "state": "IL",
    "zip": "60601",
}


def listed(*times: str) -> dict[str, Any]:
    """Port-ins of these times."""
    return {"ports": [{"pid": f"w{index:04d}", "createdAt": time} for index, time in enumerate(times)]}


def port(*numbers: str) -> dict[str, Any]:
    """A port-in of these numbers."""
    return {"port": {"pid": "w0001", "numbers": list(numbers)}}


@pytest.mark.parametrize(
    ("numbers", "answers", "expected"),
    [
        ([LOCAL, TOLL_FREE], [listed(moment(), moment()), port(TOLL_FREE), port(LOCAL)], True),
        ([LOCAL, TOLL_FREE], [listed(moment()), port(LOCAL)], None),
        ([LOCAL, TOLL_FREE], [listed(moment()), port(OTHER)], None),
        ([LOCAL, TOLL_FREE], [listed()], None),
        ([LOCAL, OTHER], [listed(moment(), moment()), port(OTHER, LOCAL)], True),
        ([LOCAL, OTHER], [listed(moment()), port(OTHER)], None),
        ([LOCAL], [listed(moment()), port(LOCAL, OTHER)], None),
        ([LOCAL], [listed(moment(hours=-2)), port(LOCAL)], None),
        ([LOCAL], [listed(moment()), port()], None),
        ([LOCAL], [listed(moment()), {}], None),
        ([LOCAL], [listed(moment(), moment()), port(), port(LOCAL)], True),
        ([LOCAL], [listed(moment()), port(OTHER)], False),
        ([LOCAL], [listed(moment(days=-2))], False),
    ],
)
async def test_a_port_that_was_filed_in_parts_is_not_taken_for_refused(
    numbers: list[str], answers: list[dict[str, Any]], expected: bool | None
) -> None:
    assert await told("submit_port", {**PORT, "numbers": numbers}, *answers) is expected


def sent(later: float | None, **value: Any) -> dict[str, Any]:
    """A record of the message below, that many seconds after the call."""
    key = [NUMBER[2:]] if later is None else [NUMBER[2:], int(SENT_AT.timestamp() + later)]
    message = {"direction": "out", "destinationNumber": "2125550142", "message": "Your table is ready.", **value}
    return {"messages": [{"id": "a1", "key": key, "value": message}]}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (sent(1), True),
        (sent(-2), True),
        (sent(-40), None),
        (sent(None), None),
        (sent(1, direction="in"), None),
        (sent(1, message="Your table is taken."), None),
        ({"messages": [{"key": [NUMBER[2:], None], "value": None}]}, None),
        ({"messages": []}, None),
    ],
)
async def test_the_same_text_sent_before_is_another_message(history: dict[str, Any], expected: bool | None) -> None:
    arguments = {"from_number": NUMBER, "to_number": "+12125550142", "text": "Your table is ready."}
    assert await told("send_message", arguments, history) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CAMPAIGN_DCA_COMPLETE", True),
        ("CAMPAIGN_DCA_COMPLETE_NO_NUMBERS_ASSIGNED", True),
        ("CAMPAIGN_PENDING_DCA", True),
        ("CAMPAIGN_DCA_REJECTED", True),
        ("CAMPAIGN_INVALID_ID", False),
        ("CAMPAIGN_EXPIRED", None),
        ("NOT_FOUND", None),
        (None, None),
    ],
)
async def test_a_campaign_is_registered_only_where_its_status_is_the_networks(
    status: str | None, expected: bool | None
) -> None:
    arguments = {"campaign_id": "CNEW123", "brand_id": "BBLUEW1", "description": "Order updates"}
    found = {"campaigns": [{"id": "CNEW123", "status": status}]}
    assert await told("register_campaign", arguments, found) is expected


@pytest.mark.parametrize(
    ("address", "listed", "expected"),
    [
        ("pbx.acme.example", "203.0.113.9:5060", None),
        ("pbx.acme.example", "PBX.acme.example", True),
        ("pbx.acme.example", "sip.other.example", False),
        ("203.0.113.8", "203.0.113.9:5060", False),
        ("203.0.113.9", "203.0.113.9:5060", True),
    ],
)
async def test_a_gateway_named_by_its_host_may_be_listed_by_its_address(
    address: str, listed: str, expected: bool | None
) -> None:
    gateway = {"id": 1000, "gateway": listed, "limit": 23, "system": False}
    assert await told("create_gateway", {"address": address}, {"gateways": [gateway]}) is expected
    assert await told("update_gateway", {"gateway_id": 1000, "address": address}, gateway) is expected


@pytest.mark.parametrize(
    ("mode", "number", "words", "expected"),
    [
        ("ip", 1, "IP allowlist only", True),
        ("ip", 1, "Lax (Digest or IP)", None),
        ("ip", 1, "Mode one", None),
        ("ip", 1, None, None),
        ("ip", 2, "IP", None),
        ("ip", 2, "Digest OR IP allowlist", False),
        ("ip", 0, "Digest only", False),
        ("ip", 0, None, False),
        ("digest_or_ip", 2, "Digest OR IP allowlist", True),
        ("digest_or_ip", 2, "IP only", None),
        ("digest_or_ip", 2, "Digest or IP, unless blocked", None),
        ("digest", 0, "Digest only", True),
        ("digest", 0, None, True),
        ("digest", 0, "IP only", None),
        ("digest", 1, "Lax", False),
        ("digest_and_ip", 3, "Strict", True),
        ("digest_and_ip", None, None, None),
    ],
)
async def test_a_disputed_mode_is_told_by_its_description(
    mode: str, number: int | None, words: str | None, expected: bool | None
) -> None:
    shown = {"authType": number, "authTypeDescription": words}
    assert await told("update_authentication", {"mode": mode}, shown) is expected


NOWHERE: dict[str, Any] = {}
"""What a client makes of the 404 that VoiceTel answers where nothing is set."""

OF_THE_NUMBER = {"set_route", "set_forward", "set_dnis_translation", "set_cnam_lookup"}
"""Seen in what VoiceTel shows of a number, which always names it."""

ROUTE = {"number": NUMBER, "route": 1001}
FORWARD = {"number": NUMBER, "destination": "+12125550146"}
TRANSLATION = {"number": NUMBER, "translation": "+12015559999"}
CNAM = {"number": NUMBER, "enabled": False}
MAIL = {"number": NUMBER, "type": "email", "resource": "Desk@Acme.example"}
WEBHOOK = {"number": NUMBER, "type": "webhook", "resource": "https://acme.example/in"}
FAX = {"number": NUMBER, "email": "Desk@Acme.example"}
BULK = {"numbers": [NUMBER, "+12125550145"], "campaign_id": "CBW7T2K"}

BOUND = {"number": "2015550142", "onAccount": True, "campaign": {"id": "CBW7T2K"}}
UNBOUND = {**BOUND, "campaign": None}
OTHER_UNBOUND = {**UNBOUND, "number": "2125550145"}


@pytest.mark.parametrize(
    ("tool", "arguments", "shown", "expected"),
    [
        ("set_route", ROUTE, {}, None),
        ("set_route", ROUTE, {"route": 1001}, True),
        ("set_route", ROUTE, {"route": 1000, "gateway": "203.0.113.10"}, False),
        ("set_route", ROUTE, {"route": 4, "gateway": "DID"}, False),
        ("set_route", ROUTE, {"route": 1, "gateway": "203.0.113.10"}, None),
        ("set_route", {"number": NUMBER, "route": 1}, {"route": 1, "gateway": "203.0.113.10"}, None),
        ("set_forward", FORWARD, {}, None),
        ("set_forward", FORWARD, {"forward": True}, None),
        ("set_forward", FORWARD, {"forward": False}, False),
        ("set_forward", FORWARD, {"forward": True, "forwardTo": "2125550147"}, False),
        ("set_forward", FORWARD, {"forward": True, "forwardTo": "2125550146"}, True),
        ("set_dnis_translation", TRANSLATION, {}, None),
        ("set_dnis_translation", TRANSLATION, {"translated": "2015550142"}, False),
        ("set_cnam_lookup", CNAM, {}, None),
        ("set_cnam_lookup", CNAM, {"cnam": True}, False),
        ("set_sms_routing", MAIL, {"type": "email", "resource": "desk@acme.example"}, True),
        ("set_sms_routing", MAIL, {"type": "email", "resource": "other@acme.example"}, False),
        ("set_sms_routing", MAIL, {"type": "unknown", "resource": "desk@acme.example"}, None),
        ("set_sms_routing", MAIL, {"type": "email"}, None),
        ("set_sms_routing", MAIL, {"type": "sip", "resource": "203.0.113.5"}, False),
        ("set_sms_routing", MAIL, NOWHERE, False),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://acme.example/in"}, True),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://ACME.example/in/"}, None),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://other.example/in"}, False),
        ("remove_sms_routing", {"number": NUMBER}, NOWHERE, True),
        ("remove_sms_routing", {"number": NUMBER}, {"resource": "desk@acme.example"}, None),
        ("remove_sms_routing", {"number": NUMBER}, {"type": "unknown"}, False),
        ("set_fax_routing", FAX, {"email": "desk@acme.example"}, True),
        ("set_fax_routing", FAX, {"number": "2015550142"}, None),
        ("set_fax_routing", FAX, NOWHERE, False),
        ("remove_fax_routing", {"number": NUMBER}, {"number": "2015550142"}, None),
        ("remove_fax_routing", {"number": NUMBER}, NOWHERE, True),
        ("set_messaging_routes", {"number": NUMBER, "route_out": 0}, {"carrier": None}, None),
        ("set_messaging_routes", {"number": NUMBER, "route_out": 0}, {"carrier": 17}, False),
        ("set_messaging_routes", {"number": NUMBER, "route_in": 0, "route_out": 0}, {"routeIn": 0}, None),
        ("set_messaging_routes", {"number": NUMBER, "route_in": 7002}, {"routeIn": 7002}, True),
        ("unassign_campaign_in_bulk", BULK, {"numbers": []}, None),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [UNBOUND]}, None),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [{**UNBOUND, "onAccount": False}, OTHER_UNBOUND]}, True),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [BOUND, OTHER_UNBOUND]}, None),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [UNBOUND, OTHER_UNBOUND]}, True),
    ],
)
async def test_a_read_that_does_not_show_a_setting_says_nothing_of_it(
    tool: str, arguments: dict[str, Any], shown: dict[str, Any], expected: bool | None
) -> None:
    answer = {"number": "2015550142", **shown} if tool in OF_THE_NUMBER else shown
    assert await told(tool, arguments, answer) is expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, True),
        ({"body": "<p>Yes,<br>please &amp; thank you.</p>"}, True),
        ({"body": "Yes,\nplease & thank you. "}, True),
        ({"body": "Yes, please & thank you. What else?"}, None),
        ({"type": "message"}, None),
        ({"type": None}, None),
        ({"createdAt": moment(minutes=-5)}, None),
        ({"createdAt": None}, None),
    ],
)
async def test_a_reply_was_added_only_where_a_customer_says_it_and_nothing_else(
    row: dict[str, Any], expected: bool | None
) -> None:
    reply = {"type": "customer", "body": "Yes, please &amp; thank you.", "createdAt": moment(seconds=2), **row}
    arguments = {"ticket_id": 30412, "message": "Yes, please & thank you."}
    assert await told("reply_to_ticket", arguments, {"messages": [reply]}) is expected
