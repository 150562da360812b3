"""VoiceTel: what a read proves about a call whose answer was lost, for answers that the sandbox never gives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.errors import UnexpectedAnswer
from clients.evidence import Evidence
from clients.operation import Operation, Verification
from tests.clients.accounts import Provider, answered_by, success
from tools.registry import all_operations

YES, NO, UNKNOWN = Evidence

SENT_AT = datetime(2026, 5, 18, 12, tzinfo=UTC)
NUMBER = "+12015550142"


async def verify(tool: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> Evidence:
    """Verify a call whose reads VoiceTel answers with this, one after the other."""
    call: Operation[Any] = all_operations()[f"voicetel_{tool}"].model_validate(arguments)
    verification = call.verification(SENT_AT)
    async with answered_by(Provider(*map(success, answers))) as client:
        while verification is not None:
            try:
                found = verification.check(await client.send(verification.read))
            except UnexpectedAnswer:
                return UNKNOWN
            if not isinstance(found, Verification):
                return found
            verification = found
    return UNKNOWN


def moment(**later: int) -> str:
    """Return a time, given by how much later it is than the call."""
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
        ({}, YES),
        ({"address1": "411 HACKENSACK AVE STE 200", "address2": ""}, YES),
        ({"zip": "07601-4412"}, YES),
        ({"address2": "STE 300"}, UNKNOWN),
        ({"address2": None}, UNKNOWN),
        ({"address1": "411 MAIN ST"}, UNKNOWN),
        ({"address1": "411 HACKENSACK AVENUE"}, UNKNOWN),
        ({"city": "TEANECK"}, UNKNOWN),
        ({"zip": "07602"}, UNKNOWN),
        ({"address1": "4601 RIO VISTA DR", "zip": "07430"}, NO),
        ({"callername": "ACME, INC. "}, YES),
        ({"callername": "ACME"}, UNKNOWN),
        ({"callername": None}, UNKNOWN),
        ({"callername": "BLUEWATER DENTAL"}, NO),
        ({"dn": "12015550143"}, NO),
    ],
)
async def test_an_emergency_address_was_registered_only_where_all_of_it_agrees(
    shown: dict[str, Any], expected: Evidence
) -> None:
    arguments = {"number": NUMBER, "caller_name": "Acme, Inc.", **ADDRESS}
    assert await verify("create_e911_record", arguments, {"records": [{**RECORD, **shown}]}) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("ACME INC", UNKNOWN), ("ACME, INC. ", UNKNOWN), ("ACME", UNKNOWN), ("BLUEWATER DENTAL", NO)]
)
async def test_another_name_is_all_that_tells_of_an_address_bound_by_its_id(name: str, expected: Evidence) -> None:
    arguments = {"number": NUMBER, "caller_name": "Acme, Inc. ", "address_id": 340251}
    assert await verify("update_e911_record", arguments, {"records": [{**RECORD, "callername": name}]}) is expected


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
    """Return a port-in of these numbers."""
    return {"port": {"pid": "w0001", "numbers": list(numbers)}}


@pytest.mark.parametrize(
    ("numbers", "answers", "expected"),
    [
        ([LOCAL, TOLL_FREE], [listed(moment(), moment()), port(TOLL_FREE), port(LOCAL)], YES),
        ([LOCAL, TOLL_FREE], [listed(moment()), port(LOCAL)], UNKNOWN),
        ([LOCAL, TOLL_FREE], [listed(moment()), port(OTHER)], UNKNOWN),
        ([LOCAL, TOLL_FREE], [listed()], UNKNOWN),
        ([LOCAL, OTHER], [listed(moment(), moment()), port(OTHER, LOCAL)], YES),
        ([LOCAL, OTHER], [listed(moment()), port(OTHER)], UNKNOWN),
        ([LOCAL], [listed(moment()), port(LOCAL, OTHER)], UNKNOWN),
        ([LOCAL], [listed(moment(hours=-2)), port(LOCAL)], UNKNOWN),
        ([LOCAL], [listed(moment()), port()], UNKNOWN),
        ([LOCAL], [listed(moment()), {}], UNKNOWN),
        ([LOCAL], [listed(moment(), moment()), port(), port(LOCAL)], YES),
        ([LOCAL], [listed(moment()), port(OTHER)], NO),
        ([LOCAL], [listed(moment(days=-2))], NO),
    ],
)
async def test_a_port_that_was_filed_in_parts_is_not_taken_for_refused(
    numbers: list[str], answers: list[dict[str, Any]], expected: Evidence
) -> None:
    assert await verify("submit_port", {**PORT, "numbers": numbers}, *answers) is expected


GUEST = "2125550142"


def sent(later: float | None, *, own: str | None = NUMBER[2:], **value: Any) -> dict[str, Any]:
    """Return a record of an outgoing message, `later` seconds after the call; if that is None, without a time."""
    key = [GUEST] if later is None else [GUEST, int(SENT_AT.timestamp() + later)]
    message = {"direction": "out", "number": int(GUEST), "message": "Your table is ready.", **value}
    return {"number": own, "messages": [{"id": "a1", "key": key, "value": message}]}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (sent(1), YES),
        (sent(1, number=GUEST), YES),
        (sent(1, own=None), YES),
        (sent(1, own="2125550145"), UNKNOWN),
        (sent(1, number=2125550145), UNKNOWN),
        (sent(1, number=None), UNKNOWN),
        (sent(1, number=None, sourceNumber=NUMBER[2:], destinationNumber=GUEST), UNKNOWN),
        (sent(-2), YES),
        (sent(-40), UNKNOWN),
        (sent(None), UNKNOWN),
        (sent(1, direction="in"), UNKNOWN),
        (sent(1, direction=None), UNKNOWN),
        (sent(1, message="Your table is taken."), UNKNOWN),
        ({"messages": [{"key": [GUEST, None], "value": None}]}, UNKNOWN),
        ({"messages": []}, UNKNOWN),
    ],
)
async def test_the_same_text_sent_before_is_another_message(history: dict[str, Any], expected: Evidence) -> None:
    arguments = {"from_number": NUMBER, "to_number": "+12125550142", "text": "Your table is ready."}
    assert await verify("send_message", arguments, history) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CAMPAIGN_DCA_COMPLETE", YES),
        ("CAMPAIGN_DCA_COMPLETE_NO_NUMBERS_ASSIGNED", YES),
        ("CAMPAIGN_PENDING_DCA", YES),
        ("CAMPAIGN_DCA_REJECTED", YES),
        ("CAMPAIGN_INVALID_ID", NO),
        ("CAMPAIGN_EXPIRED", UNKNOWN),
        ("NOT_FOUND", UNKNOWN),
        (None, UNKNOWN),
    ],
)
async def test_a_campaign_is_registered_only_where_its_status_is_the_networks(
    status: str | None, expected: Evidence
) -> None:
    arguments = {"campaign_id": "CNEW123", "brand_id": "BBLUEW1", "description": "Order updates"}
    found = {"campaigns": [{"id": "CNEW123", "status": status}]}
    assert await verify("register_campaign", arguments, found) is expected


@pytest.mark.parametrize(
    ("address", "listed", "expected"),
    [
        ("pbx.acme.example", "203.0.113.9:5060", UNKNOWN),
        ("pbx.acme.example", "PBX.acme.example", YES),
        ("pbx.acme.example", "sip.other.example", NO),
        ("203.0.113.8", "203.0.113.9:5060", NO),
        ("203.0.113.9", "203.0.113.9:5060", YES),
    ],
)
async def test_a_gateway_named_by_its_host_may_be_listed_by_its_address(
    address: str, listed: str, expected: Evidence
) -> None:
    gateway = {"id": 1000, "gateway": listed, "limit": 23, "system": False}
    assert await verify("create_gateway", {"address": address}, {"gateways": [gateway]}) is expected
    assert await verify("update_gateway", {"gateway_id": 1000, "address": address}, gateway) is expected


@pytest.mark.parametrize(
    ("mode", "number", "words", "expected"),
    [
        ("ip", 1, "IP allowlist only", YES),
        ("ip", 1, "Lax (Digest or IP)", UNKNOWN),
        ("ip", 1, "Mode one", UNKNOWN),
        ("ip", 1, None, UNKNOWN),
        ("ip", 2, "IP", UNKNOWN),
        ("ip", 2, "Digest OR IP allowlist", NO),
        ("ip", 0, "Digest only", NO),
        ("ip", 0, None, NO),
        ("digest_or_ip", 2, "Digest OR IP allowlist", YES),
        ("digest_or_ip", 2, "IP only", UNKNOWN),
        ("digest_or_ip", 2, "Digest or IP, unless blocked", UNKNOWN),
        ("digest", 0, "Digest only", YES),
        ("digest", 0, None, YES),
        ("digest", 0, "IP only", UNKNOWN),
        ("digest", 1, "Lax", NO),
        ("digest_and_ip", 3, "Strict", YES),
        ("digest_and_ip", None, None, UNKNOWN),
    ],
)
async def test_a_disputed_mode_is_told_by_its_description(
    mode: str, number: int | None, words: str | None, expected: Evidence
) -> None:
    shown = {"authType": number, "authTypeDescription": words}
    assert await verify("update_authentication", {"mode": mode}, shown) is expected


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
        ("set_route", ROUTE, {}, UNKNOWN),
        ("set_route", ROUTE, {"route": 1001}, YES),
        ("set_route", ROUTE, {"route": 1000, "gateway": "203.0.113.10"}, NO),
        ("set_route", ROUTE, {"route": 4, "gateway": "DID"}, NO),
        ("set_route", ROUTE, {"route": 1, "gateway": "203.0.113.10"}, UNKNOWN),
        ("set_route", {"number": NUMBER, "route": 1}, {"route": 1, "gateway": "203.0.113.10"}, UNKNOWN),
        ("set_forward", FORWARD, {}, UNKNOWN),
        ("set_forward", FORWARD, {"forward": True}, UNKNOWN),
        ("set_forward", FORWARD, {"forward": False}, NO),
        ("set_forward", FORWARD, {"forward": True, "forwardTo": "2125550147"}, NO),
        ("set_forward", FORWARD, {"forward": True, "forwardTo": "2125550146"}, YES),
        ("set_dnis_translation", TRANSLATION, {}, UNKNOWN),
        ("set_dnis_translation", TRANSLATION, {"translated": "2015550142"}, NO),
        ("set_cnam_lookup", CNAM, {}, UNKNOWN),
        ("set_cnam_lookup", CNAM, {"cnam": True}, NO),
        ("set_sms_routing", MAIL, {"type": "email", "resource": "desk@acme.example"}, YES),
        ("set_sms_routing", MAIL, {"type": "email", "resource": "other@acme.example"}, NO),
        ("set_sms_routing", MAIL, {"type": "unknown", "resource": "desk@acme.example"}, UNKNOWN),
        ("set_sms_routing", MAIL, {"type": "email"}, UNKNOWN),
        ("set_sms_routing", MAIL, {"type": "sip", "resource": "203.0.113.5"}, NO),
        ("set_sms_routing", MAIL, {}, UNKNOWN),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://acme.example/in"}, YES),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://ACME.example/in/"}, UNKNOWN),
        ("set_sms_routing", WEBHOOK, {"type": "webhook", "resource": "https://other.example/in"}, NO),
        ("remove_sms_routing", {"number": NUMBER}, {}, UNKNOWN),
        ("remove_sms_routing", {"number": NUMBER}, {"resource": "desk@acme.example"}, UNKNOWN),
        ("remove_sms_routing", {"number": NUMBER}, {"type": "unknown"}, NO),
        ("set_fax_routing", FAX, {"email": "desk@acme.example"}, YES),
        ("set_fax_routing", FAX, {"number": "2015550142"}, UNKNOWN),
        ("set_fax_routing", FAX, {}, UNKNOWN),
        ("remove_fax_routing", {"number": NUMBER}, {"number": "2015550142"}, UNKNOWN),
        ("remove_fax_routing", {"number": NUMBER}, {}, UNKNOWN),
        ("set_messaging_routes", {"number": NUMBER, "route_out": 0}, {"carrier": None}, UNKNOWN),
        ("set_messaging_routes", {"number": NUMBER, "route_out": 0}, {"carrier": 17}, NO),
        ("set_messaging_routes", {"number": NUMBER, "route_in": 0, "route_out": 0}, {"routeIn": 0}, UNKNOWN),
        ("set_messaging_routes", {"number": NUMBER, "route_in": 7002}, {"routeIn": 7002}, YES),
        ("unassign_campaign_in_bulk", BULK, {"numbers": []}, UNKNOWN),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [UNBOUND]}, UNKNOWN),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [{**UNBOUND, "onAccount": False}, OTHER_UNBOUND]}, YES),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [BOUND, OTHER_UNBOUND]}, UNKNOWN),
        ("unassign_campaign_in_bulk", BULK, {"numbers": [UNBOUND, OTHER_UNBOUND]}, YES),
    ],
)
async def test_a_read_that_does_not_show_a_setting_says_nothing_of_it(
    tool: str, arguments: dict[str, Any], shown: dict[str, Any], expected: Evidence
) -> None:
    answer = {"number": "2015550142", **shown} if tool in OF_THE_NUMBER else shown
    assert await verify(tool, arguments, answer) is expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, YES),
        ({"body": "<p>Yes,<br>please &amp; thank you.</p>"}, YES),
        ({"body": "Yes,\nplease & thank you. "}, YES),
        ({"body": "Yes, please & thank you. What else?"}, UNKNOWN),
        ({"type": "message"}, UNKNOWN),
        ({"type": None}, UNKNOWN),
        ({"createdAt": moment(minutes=-5)}, UNKNOWN),
        ({"createdAt": None}, UNKNOWN),
    ],
)
async def test_a_reply_was_added_only_where_a_customer_says_it_and_nothing_else(
    row: dict[str, Any], expected: Evidence
) -> None:
    reply = {"type": "customer", "body": "Yes, please &amp; thank you.", "createdAt": moment(seconds=2), **row}
    arguments = {"ticket_id": 30412, "message": "Yes, please & thank you."}
    assert await verify("reply_to_ticket", arguments, {"messages": [reply]}) is expected


@pytest.mark.parametrize(("state", "expected"), [("deleted", YES), ("published", NO), (None, NO)])
async def test_a_ticket_that_is_still_shown_is_gone_where_its_record_is_deleted(
    state: str | None, expected: Evidence
) -> None:
    shown = {"ticket": {"id": 30412, "status": "closed", "state": state}}
    assert await verify("delete_ticket", {"ticket_id": 30412}, shown) is expected
