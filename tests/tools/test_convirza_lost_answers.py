"""Convirza: what a read shows of a call whose answer was lost, where the read is not what the sandbox would answer."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from clients.errors import NotFound, TelephonyError, UnexpectedAnswer
from clients.evidence import Evidence
from tests.clients.convirza_accounts import answered_by, success, tokens
from tools.convirza.internal_reads import FindNumber
from tools.registry import all_operations

YES, NO, UNKNOWN = Evidence
AB = ["a", "b"]

SENT_AT = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
BEFORE, AFTER, LATER = "2025-11-03T09:00:00.000Z", "2026-04-20T12:00:01.000Z", "2099-05-19T12:00:00.000Z"

TEXT: dict[str, Any] = {
    "name": "Closed",
    "message": "Closed.",
    "from_number": "2125550202",
    "recipients": ["9175550161", "7185550167"],
}
KEPT: dict[str, Any] = {
    "broadcast_name": "Closed",
    "message": "Closed.",
    "phone_number": "2125550202",
    "recipients": ["+17185550167", "+19175550161"],
}


async def verify(tool: str, arguments: dict[str, Any], data: object) -> Evidence:
    """Verify a call whose read Convirza answers with this."""
    verification = all_operations()[f"convirza_{tool}"].model_validate(arguments).verification(SENT_AT)
    assert verification is not None

    def provider(request: httpx2.Request) -> httpx2.Response:
        return tokens("access-one", "refresh-one") if request.url.path == "/oauth/token" else success(data)

    async with answered_by(provider) as client:
        try:
            answer = await client.send(verification.read)
        except NotFound:
            return verification.if_absent
        except TelephonyError:
            return UNKNOWN
    evidence = verification.check(answer)
    assert isinstance(evidence, Evidence)
    return evidence


def shows_nothing(name: str, row: dict[str, Any]) -> list[object]:
    """Return contents that are no whole list, though nobody's row is in them."""
    return [
        None,
        {},
        [],
        "none",
        {"total": 0},
        {name: None, "total": 0},
        {name: "", "total": 0},
        {name: {}, "total": 0},
        {name: {"0": row}, "total": 0},
        {name: [row], "total": 0},
        {name: [row, "unreadable"], "total": 2},
        {name: [row, {}], "total": 2},
        {"errors": [], "total": 0},
        {"error": "timeout", name: [], "total": 0},
    ]


# Broadcasts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"status": "sent"}, YES),
        ({"status": "sent", "sent_at": AFTER, "scheduled_at": LATER}, YES),
        ({"status": "sent", "sent_at": BEFORE}, UNKNOWN),
        ({"status": "sending"}, UNKNOWN),
        ({"status": "completed", "scheduled_at": None}, UNKNOWN),
        ({"status": "scheduled"}, UNKNOWN),
        ({}, UNKNOWN),
        ({"status": "scheduled", "scheduled_at": LATER}, NO),
    ],
)
async def test_a_broadcast_sent_now_is_refused_only_while_it_plainly_waits(
    state: dict[str, Any], expected: Evidence
) -> None:
    assert await verify("update_broadcast", {"broadcast_id": 5002, "when": "now"}, state) is expected
    whole = {"broadcast_id": 5002, **TEXT, "when": "now"}
    assert await verify("replace_broadcast", whole, {**KEPT, **state}) is expected


async def test_a_broadcast_that_went_out_with_settings_that_seem_others_is_not_refused() -> None:
    update = {"broadcast_id": 5002, "message": "Closed on Friday.", "when": "now"}
    assert await verify("update_broadcast", update, {"status": "sent", "message": "Closed."}) is UNKNOWN
    assert await verify("update_broadcast", update, {"status": "sent"}) is UNKNOWN


@pytest.mark.parametrize(
    ("scheduled", "expected"),
    [(LATER, YES), ("2099-05-19T12:00:30.000Z", UNKNOWN), ("2099-05-20T12:00:00.000Z", NO), (None, UNKNOWN)],
)
async def test_a_time_that_may_have_been_rounded_tells_nothing(scheduled: str | None, expected: Evidence) -> None:
    change = {"broadcast_id": 5002, **TEXT, "when": LATER}
    state = {**KEPT, "status": "scheduled", "scheduled_at": scheduled}
    assert await verify("replace_broadcast", change, state) is expected


async def test_the_same_recipients_in_another_order_are_the_same() -> None:
    change = {"broadcast_id": 5002, "recipients": TEXT["recipients"]}
    assert await verify("update_broadcast", change, KEPT) is YES
    assert await verify("update_broadcast", change, {"recipients": ["+17185550167"]}) is NO


# Lists whose rows may not be as inferred -----------------------------------------------------------------------------

ROUTE: dict[str, Any] = {
    "name": "Bus stops",
    "phone_numbers": [{"phone_number_id": 45107, "phone_number": "6465550207"}],
}
OURS, THEIRS = [{"phone_number_id": 45107}], [{"phone_number_id": 45101}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"provisioned_route_name": "Bus stops", "phone_numbers": OURS}, YES),
        ({"provisioned_route_name": "Bus stops"}, UNKNOWN),
        ({"provisioned_route_name": "Bus stops", "phone_numbers": []}, UNKNOWN),
        ({"provisioned_route_name": "Bus stops", "phone_numbers": [{"number_id": 45107}]}, UNKNOWN),
        ({"provisioned_route_name": "Bus Stops", "phone_numbers": OURS}, UNKNOWN),
        ({"provisioned_route_name": "Yelp"}, UNKNOWN),
        ({"phone_numbers": []}, UNKNOWN),
        ({"provisioned_route_name": "Bus stops", "phone_numbers": THEIRS}, NO),
        ({"provisioned_route_name": "Yelp", "phone_numbers": THEIRS}, NO),
        ({"provisioned_route_name": "Yelp", "phone_numbers": []}, NO),
    ],
)
async def test_a_route_is_refused_only_where_every_route_shows_other_numbers(
    row: dict[str, Any], expected: Evidence
) -> None:
    data = {"provisioned_routes": [{"provisioned_route_id": 1, **row}], "total": 1}
    assert await verify("create_provisioned_route", ROUTE, data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"phone_numbers": [{"phone_number": "(512) 580-2000", "ordered": AFTER}], "total": 1}, YES),
        ({"phone_numbers": [{"phone_number": "5125802000"}], "total": 1}, YES),
        ({"phone_numbers": [{"phone_number": "5125802000", "ordered": BEFORE}], "total": 1}, UNKNOWN),
        ({"phone_numbers": [{"number_id": 7, "number": "5125802000"}], "total": 1}, UNKNOWN),
        ({"phone_numbers": [{"phone_number": "5125802041"}], "total": 2}, UNKNOWN),
        ({"phone_numbers": [{"phone_number": "5125802041"}]}, UNKNOWN),
        ({"phone_numbers": [{"phone_number": "5125802041"}], "total": 1}, NO),
        ({"phone_numbers": [], "total": 0}, NO),
        *((odd, UNKNOWN) for odd in shows_nothing("phone_numbers", {"phone_number": "5125802041"})),
    ],
)
async def test_an_order_is_refused_only_where_every_number_is_shown(data: object, expected: Evidence) -> None:
    assert await verify("order_number", {"number": "5125802000"}, data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"prompts": [{"prompt_id": "qLMcUEqb_1"}], "total": 1}, NO),
        ({"prompts": [{"prompt_id": "other"}], "total": 1}, YES),
        ({"prompts": [{"media_id": "qLMcUEqb_1"}], "total": 1}, UNKNOWN),
        ({"prompts": [{"prompt_id": "other"}], "total": 2}, UNKNOWN),
        *((odd, UNKNOWN) for odd in shows_nothing("prompts", {"prompt_id": "other"})),
    ],
)
async def test_a_prompt_is_gone_only_where_every_id_is_shown(data: object, expected: Evidence) -> None:
    assert await verify("delete_prompt", {"prompt_id": "qLMcUEqb_1"}, data) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"org_unit_status": "inactive", "org_unit_modified": AFTER}, YES),
        ({"org_unit_status": "inactive", "org_unit_modified": BEFORE}, UNKNOWN),
        ({"org_unit_status": "inactive"}, UNKNOWN),
        ({"org_unit_status": "locked", "org_unit_modified": AFTER}, UNKNOWN),
        ({}, UNKNOWN),
        ({"org_unit_status": "Active"}, NO),
    ],
)
async def test_a_group_is_deleted_only_where_it_was_archived_since(state: dict[str, Any], expected: Evidence) -> None:
    assert await verify("delete_group", {"org_unit_id": 70035}, state) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [({"status": "deleted"}, YES), ({"status": "inactive"}, NO), ({"status": "blocked"}, UNKNOWN), ({}, UNKNOWN)],
)
async def test_a_user_whose_status_is_not_shown_may_be_deleted(state: dict[str, Any], expected: Evidence) -> None:
    assert await verify("delete_user", {"user_id": 84785}, {"ct_user_id": 84785, **state}) is expected


# Older twins ---------------------------------------------------------------------------------------------------------

PERSON: dict[str, Any] = {
    "email": "new@bluewater.example",
    "first_name": "N",
    "last_name": "W",
    "org_unit_id": 70038,
    "role": "ReadOnly",
}
HOOK = {"webhook_name": "Leads", "webhook_url": "https://leads.example/in"}

CREATIONS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("create_user", PERSON, "users", {"email": "New@bluewater.example"}, "user_created"),
    ("create_group", {"name": "Newark"}, "groups", {"org_unit_name": "Newark"}, "org_unit_created"),
    ("create_webhook", {"name": "Leads", "url": "https://leads.example/in"}, "webhooks", HOOK, "created"),
    ("create_voice_agent", {"name": "Night desk"}, "agents", {"agent_name": "Night desk"}, "created"),
    ("create_broadcast", {**TEXT, "when": "now"}, "broadcasts", KEPT, "created"),
]


@pytest.mark.parametrize(("tool", "arguments", "rows", "row", "time"), CREATIONS)
async def test_an_older_twin_is_not_taken_for_what_a_call_created(
    tool: str, arguments: dict[str, Any], rows: str, row: dict[str, Any], time: str
) -> None:
    assert await verify(tool, arguments, {rows: [{**row, time: AFTER}], "total": 1}) is YES
    assert await verify(tool, arguments, {rows: [{**row, time: BEFORE}], "total": 1}) is UNKNOWN
    assert await verify(tool, arguments, {rows: [row], "total": 1}) is UNKNOWN


async def test_a_user_who_was_deleted_and_a_group_that_was_archived_are_no_new_ones() -> None:
    user = {"email": "new@bluewater.example", "user_created": AFTER, "status": "deleted"}
    assert await verify("create_user", PERSON, {"users": [user], "total": 1}) is UNKNOWN
    group = {"org_unit_name": "Newark", "org_unit_created": AFTER, "org_unit_status": "inactive"}
    assert await verify("create_group", {"name": "Newark"}, {"groups": [group], "total": 1}) is UNKNOWN


async def test_a_user_and_a_group_are_refused_only_where_every_row_is_another() -> None:
    other = {"email": "theo.marsh@bluewater.example"}
    assert await verify("create_user", PERSON, {"users": [other], "total": 1}) is NO
    assert await verify("create_user", PERSON, {"users": [other], "total": 2}) is UNKNOWN
    assert await verify("create_user", PERSON, {"users": [{"login": "new@bluewater.example"}], "total": 1}) is UNKNOWN
    assert await verify("create_group", {"name": "Newark"}, {"groups": [], "total": 0}) is NO
    assert await verify("create_group", {"name": "Newark"}, {"groups": [{"text": "Newark"}], "total": 1}) is UNKNOWN


# Single rows of a list -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "key", "name"), [("release_number", "phone_number_id", "phone_numbers"), ("delete_tag", "tag_id", "tags")]
)
async def test_what_is_taken_away_is_gone_only_where_the_whole_list_shows_other_ids(
    tool: str, key: str, name: str
) -> None:
    def among(rows: list[Any], **more: object) -> dict[str, Any]:
        return {name: rows, **more}

    async def verify_by(data: object) -> Evidence:
        return await verify(tool, {key: 5}, data)

    assert await verify_by(among([{key: 7}], total=1)) is YES
    assert await verify_by(among([], total=0)) is YES
    assert await verify_by(among([{key: 5}], total=1)) is NO
    assert await verify_by(among([{key: "5"}], total=1)) is NO
    assert await verify_by({"rows": [{key: 5}], "total": 1}) is NO
    assert await verify_by(among([{"id": 5}], total=1)) is UNKNOWN
    assert await verify_by(among([{key: 7}], total=2)) is UNKNOWN
    assert await verify_by(among([{key: other} for other in range(10, 210)])) is UNKNOWN
    assert await verify_by(among([{key: 7}], total=None)) is UNKNOWN
    assert await verify_by(among([{key: 7}], total="many")) is UNKNOWN
    assert await verify_by({"rows": [], "others": []}) is UNKNOWN
    for odd in shows_nothing(name, {key: 7}):
        assert await verify_by(odd) is UNKNOWN


async def test_a_number_in_a_list_of_another_shape_is_told_as_such() -> None:
    def provider(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return tokens("access-one", "refresh-one")
        return success({"phone_numbers": [{"phone_number_id": 7}], "total": "many"})

    async with answered_by(provider) as client:
        with pytest.raises(UnexpectedAnswer):
            await client.send(FindNumber(phone_number_id=5))


# Ways of writing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "state", "expected"),
    [
        ("update_group", {"org_unit_id": 1, "phone_number": "2015550142"}, {"phone_number": "(201) 555-0142"}, YES),
        ("update_group", {"org_unit_id": 1, "phone_number": "2015550142"}, {"phone_number": 2015550142}, YES),
        ("update_group", {"org_unit_id": 1, "phone_number": "2015550142"}, {"phone_number": "555-0142 ext 3"}, UNKNOWN),
        ("update_group", {"org_unit_id": 1, "phone_number": "2015550142"}, {"phone_number": "2015550144"}, NO),
        ("update_group", {"org_unit_id": 1, "status": "inactive"}, {"org_unit_status": "Inactive"}, UNKNOWN),
        ("update_user", {"user_id": 1, "role": "ReadOnly"}, {"role": "Read Only User"}, YES),
        ("update_user", {"user_id": 1, "role": "ReadOnly"}, {"role": "read_only"}, YES),
        ("update_user", {"user_id": 1, "role": "ReadOnly"}, {"role": "Auditor"}, UNKNOWN),
        ("update_user", {"user_id": 1, "role": "ReadOnly"}, {"role": "Standard User"}, NO),
        (
            "update_webhook",
            {"webhook_id": 1, "optional_payload": ["a", "b"]},
            {"optional_payload": ["b", "a"]},
            UNKNOWN,
        ),
    ],
)
async def test_another_way_of_writing_the_same_is_not_taken_for_another_value(
    tool: str, arguments: dict[str, Any], state: dict[str, Any], expected: Evidence
) -> None:
    assert await verify(tool, arguments, state) is expected
