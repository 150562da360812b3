"""Convirza: what a read shows of a call whose answer was lost, where the read is not what the sandbox would answer."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from clients.errors import NotFound, TelephonyError
from tests.clients.convirza_accounts import answered_by, success, tokens
from tools.catalog import catalogue

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


async def shown(tool: str, arguments: dict[str, Any], data: object) -> bool | None:
    """What the call's proof makes of this answer."""
    proof = catalogue()[f"convirza_{tool}"].model_validate(arguments).settled(SENT_AT)
    assert proof is not None

    def provider(request: httpx2.Request) -> httpx2.Response:
        return tokens("access-one", "refresh-one") if request.url.path == "/oauth/token" else success(data)

    async with answered_by(provider) as client:
        try:
            answer = await client.send(proof.read)
        except NotFound:
            return proof.if_absent
        except TelephonyError:
            return None
    seen = proof.shows(answer)
    assert seen is None or isinstance(seen, bool)
    return seen


# Broadcasts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"status": "sent"}, True),
        ({"status": "sent", "sent_at": AFTER, "scheduled_at": LATER}, True),
        ({"status": "sent", "sent_at": BEFORE}, None),
        ({"status": "sending"}, None),
        ({"status": "completed", "scheduled_at": None}, None),
        ({"status": "scheduled"}, None),
        ({}, None),
        ({"status": "scheduled", "scheduled_at": LATER}, False),
    ],
)
async def test_a_broadcast_sent_now_is_refused_only_while_it_plainly_waits(
    state: dict[str, Any], expected: bool | None
) -> None:
    assert await shown("update_broadcast", {"broadcast_id": 5002, "when": "now"}, state) is expected
    whole = {"broadcast_id": 5002, **TEXT, "when": "now"}
    assert await shown("replace_broadcast", whole, {**KEPT, **state}) is expected


async def test_a_broadcast_that_went_out_with_settings_that_seem_others_is_not_refused() -> None:
    update = {"broadcast_id": 5002, "message": "Closed on Friday.", "when": "now"}
    assert await shown("update_broadcast", update, {"status": "sent", "message": "Closed."}) is None
    assert await shown("update_broadcast", update, {"status": "sent"}) is None


@pytest.mark.parametrize(
    ("scheduled", "expected"),
    [(LATER, True), ("2099-05-19T12:00:30.000Z", None), ("2099-05-20T12:00:00.000Z", False), (None, None)],
)
async def test_a_time_that_may_have_been_rounded_tells_nothing(scheduled: str | None, expected: bool | None) -> None:
    change = {"broadcast_id": 5002, **TEXT, "when": LATER}
    state = {**KEPT, "status": "scheduled", "scheduled_at": scheduled}
    assert await shown("replace_broadcast", change, state) is expected


async def test_the_same_recipients_in_another_order_are_the_same() -> None:
    change = {"broadcast_id": 5002, "recipients": TEXT["recipients"]}
    assert await shown("update_broadcast", change, KEPT) is True
    assert await shown("update_broadcast", change, {"recipients": ["+17185550167"]}) is False
