"""Convirza: taking a call back, and finding out whether one happened whose answer was lost."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from clients.errors import NotFound
from clients.evidence import Evidence
from clients.operation import Operation, answer_type
from tests.clients.convirza_accounts import sandboxes, user
from tools.convirza.client import Convirza
from tools.registry import all_operations

SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)

USER = {"email": "theo.marsh@bluewater.example", "first_name": "Theo", "last_name": "Marsh", "org_unit_id": 65000}
TEXT = {"name": "Closed", "message": "Closed.", "from_number": "2125550202", "recipients": ["9175550161"]}
SCHEDULED = {**TEXT, "when": "2099-05-19T12:00:00Z"}

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("update_provisioned_route", {"route_id": 12301, "name": "Ads", "config": {"ring_to": "2015550144"}}),
    ("update_provisioned_route", {"route_id": 12303, "status": "inactive", "config": {"voice_agent_active": False}}),
    ("update_provisioned_route", {"route_id": 12301, "config": {"whisper_type": "none", "overflow_numbers": []}}),
    ("replace_provisioned_route", {"route_id": 12301, "name": "Ads", "status": "active"}),
    ("replace_provisioned_route", {"route_id": 12303, "name": "Yelp", "status": "inactive"}),
    ("update_user", {"user_id": 84785, "role": "ReadOnly", "ring_to": "2015550144"}),
    ("replace_user", {"user_id": 84785, **USER, "role": "Admin"}),
    ("update_group", {"org_unit_id": 70035, "name": "Hackensack", "province": "NY"}),
    ("replace_group", {"org_unit_id": 70035, "name": "Hackensack", "parent_id": 65000}),
    ("update_webhook", {"webhook_id": 1, "url": "https://other.example/in"}),
    ("replace_webhook", {"webhook_id": 1, "name": "CRM", "url": "https://other.example/in"}),
    ("update_voice_agent", {"voice_agent_id": 683, "greeting": "Good evening", "transfer_number": "2015550142"}),
    ("replace_voice_agent", {"voice_agent_id": 683, "name": "Evening desk"}),
    ("update_broadcast", {"broadcast_id": 5002, "message": "Open on Friday.", "when": "2099-05-19T12:00:00Z"}),
    ("replace_broadcast", {"broadcast_id": 5002, **SCHEDULED}),
    ("update_tag", {"tag_id": 801, "name": "Fresh patient", "org_unit_id": 60001}),
]

NEW_AND_GONE: list[tuple[str, dict[str, Any]]] = [
    (
        "create_provisioned_route",
        {
            "name": "Bus stops",
            "config": {"ring_to": "2015550142"},
            "phone_numbers": [{"phone_number_id": 45107, "phone_number": "6465550207"}],
        },
    ),
    ("create_user", {**USER, "email": "new@bluewater.example", "role": "ReadOnly"}),
    ("create_group", {"name": "Newark", "parent_id": 65000}),
    ("create_webhook", {"name": "Leads", "url": "https://leads.example/in"}),
    ("create_voice_agent", {"name": "Night desk", "greeting": "Hello"}),
    ("create_broadcast", SCHEDULED),
    ("create_broadcast", {**TEXT, "when": "now"}),
    ("order_number", {"number": "5125802000"}),
    ("delete_provisioned_route", {"route_id": 12301}),
    ("delete_user", {"user_id": 84785}),
    ("delete_webhook", {"webhook_id": 1}),
    ("delete_voice_agent", {"voice_agent_id": 683}),
    ("delete_broadcast", {"broadcast_id": 5002}),
    ("delete_tag", {"tag_id": 801}),
    ("release_number", {"phone_number_id": 45107}),
]


UPLOAD: tuple[str, dict[str, Any]] = (
    "upload_prompt",
    {"file_name": "closed.wav", "audio": "UklGRg0K", "kind": "prompt"},
)


def call(tool: str, arguments: dict[str, Any]) -> Operation[Any]:
    return all_operations()[f"convirza_{tool}"].model_validate(arguments)


async def kept_before(client: Convirza, read: Operation[Any]) -> Any:
    """Return what the record keeps of the state before; None where the call is to add what is not there."""
    try:
        return as_kept(read, await client.send(read))
    except NotFound:
        return None


def as_kept(read: Operation[Any], found: BaseModel) -> BaseModel:
    """Return the state before a change, as it is read back from the store."""
    kept: Any = answer_type(type(read))
    again: BaseModel = kept.model_validate(found.model_dump(mode="json", exclude_none=True))
    return again


def settings(found: BaseModel) -> dict[str, Any]:
    return found.model_dump(exclude={"modified", "parameters"}, exclude_none=True)


@pytest.mark.parametrize(("tool", "arguments"), CHANGES)
async def test_a_change_is_taken_back_to_what_was_there(tool: str, arguments: dict[str, Any]) -> None:
    change = call(tool, arguments)
    read = change.before()
    assert read is not None
    async with sandboxes() as sandbox, user(sandbox) as client:
        found = await client.send(read)
        before = as_kept(read, found)
        assert before == found
        answer = await client.send(change)
        assert settings(await client.send(read)) != settings(before)
        undo = change.undo(before, answer)
        assert undo.operation is not None
        await client.send(undo.operation)
        assert settings(await client.send(read)) == settings(before)


@pytest.mark.parametrize(("tool", "arguments"), [pair for pair in CHANGES if pair[0] != "update_tag"])
async def test_whether_a_change_happened_is_seen_by_looking(tool: str, arguments: dict[str, Any]) -> None:
    change = call(tool, arguments)
    verification = change.verification(SENT_AT)
    assert verification is not None
    async with sandboxes() as sandbox, user(sandbox) as client:
        assert verification.check(await client.send(verification.read)) is Evidence.NO
        await client.send(change)
        assert verification.check(await client.send(verification.read)) is Evidence.YES


@pytest.mark.parametrize(("tool", "arguments"), NEW_AND_GONE)
async def test_whether_something_came_or_went_is_seen_by_looking(tool: str, arguments: dict[str, Any]) -> None:
    change = call(tool, arguments)
    verification = change.verification(SENT_AT)
    assert verification is not None

    async def look() -> object:
        try:
            return verification.check(await client.send(verification.read))
        except NotFound:
            return verification.if_absent

    async with sandboxes() as sandbox, user(sandbox) as client:
        assert await look() is not Evidence.YES
        await client.send(change)
        assert await look() is Evidence.YES


@pytest.mark.parametrize(
    ("tool", "arguments"), [UPLOAD, *(pair for pair in NEW_AND_GONE if not pair[0].startswith("release"))]
)
async def test_the_way_back_of_what_came_or_went_is_honest(tool: str, arguments: dict[str, Any]) -> None:
    change = call(tool, arguments)
    read = change.before()
    async with sandboxes() as sandbox, user(sandbox) as client:
        before = await kept_before(client, read) if read else None
        answer = await client.send(change)
        undo = change.undo(before, answer)
        if undo.operation is not None:
            await client.send(undo.operation)
    assert (undo.operation is None) == (undo.verdict == "none")
    assert undo.lost or undo.verdict == "full"
    irreversible = change.spec.irreversible or arguments.get("when") == "now"
    assert irreversible == (undo.verdict == "none")


@pytest.mark.parametrize(("tool", "arguments"), CHANGES)
def test_without_the_state_before_there_is_no_way_back(tool: str, arguments: dict[str, Any]) -> None:
    assert call(tool, arguments).undo(None, None).verdict == "none"


@pytest.mark.parametrize("tool", ["provisioned_route", "user", "group", "webhook", "voice_agent", "broadcast"])
def test_a_partial_update_must_change_something(tool: str) -> None:
    kind = all_operations()[f"convirza_update_{tool}"]
    with pytest.raises(ValueError, match="nothing to change"):
        kind.model_validate({next(name for name in kind.model_fields if kind.model_fields[name].is_required()): 1})


async def test_further_fields_prove_nothing() -> None:
    change = call("update_webhook", {"webhook_id": 1, "extra_fields": {"retries": 3}})
    verification = change.verification(SENT_AT)
    assert verification is not None
    async with sandboxes() as sandbox, user(sandbox) as client:
        assert verification.check(await client.send(verification.read)) is Evidence.UNKNOWN
