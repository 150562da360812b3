"""A logged-in client of the simulated Convirza, and the bodies of the documents' examples."""

import copy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import httpx2

from sandbox.app import create_sandbox
from sandbox.convirza.provider import Convirza

START = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)

ADMIN = ("dana.reyes@bluewater.example", "Molar-4417")
STANDARD = ("theo.marsh@bluewater.example", "Molar-4418")
READ_ONLY = ("audit@bluewater.example", "Molar-4419")
STRANGER = ("partner@northgate.example", "Gavel-1893")

Json = dict[str, object]

ROUTE_EXAMPLE: Json = {
    "provisioned_route_name": "Route 1",
    "provisioned_route_status": "active",
    "call_value": 100,
    "repeat_interval": 30,
    "org_unit_id": 70035,
    "webhook_id": 1,
    "sms_enabled": True,
    "spam_enabled": True,
    "sms_settings": {
        "assigned_users": [84784, 84785, 84785],
        "sms_notifications": True,
        "email_notifications": True,
        "unclaimed_sms": True,
    },
    "customSourceList": [
        {"custom_source_id": "1080", "custom_source_type": "CS1"},
        {"custom_source_id": "1228", "custom_source_type": "CS2"},
    ],
    "routing_configuration": {
        "routing_type": "simple",
        "config": {
            "ringto": "1111111111",
            "isSimultaneousRing": False,
            "click_to_call_enabled": False,
            "dnis_as_cid": "phone_number",
            "voice_prompt": "Thank you for calling. Please wait while we connect your call.",
            "whisper_enabled": True,
            "whisper_type": "file",
            "whisper_message": "Whisper message 1",
            "ftc_whisper_enabled": "1",
            "ftc_whisper_type": "file",
            "ftc_whisper_message": "qLMcUEqb_1660813454043",
            "message_enabled": "1",
            "message_type": "file",
            "message": "fBiYF5MG_1674141425479",
            "activate_voicemail": False,
            "voicemail_greeting": "Please leave a message after the beep.",
            "activate_voiceagent": True,
            "is_ODN_enabled": False,
            "click_to_call": True,
            "play_disclaimer": "before",
            "play_on_hold_enabled": False,
            "play_on_hold_message": "",
            "play_on_hold_message_type": "",
            "record_call": True,
            "overflowNumbers": [
                {
                    "number": "(111)-111-1110",
                    "rings": "3",
                    "overflow_order": 1,
                    "unmaskNumber": "1111111110",
                    "overflowNumber": "1111111110",
                }
            ],
            "assigned_agent_id": None,
            "route_voice_agent_enabled": True,
            "voice_agent_rings_count": 3,
            "voice_agent_id": 683,
            "voicemail_rings_count": "3",
            "hunt_options": {
                "type": "round_robin",
                "options": [
                    {"destination": "1234567890", "order": 1},
                    {"destination": "0987654321", "order": 2},
                ],
            },
        },
    },
}
"""The example of Update Provisioned Route with the identifiers of the seed."""

USER_EXAMPLE: Json = {
    "username": "admin@example.com",
    "first_name": "Admin",
    "last_name": "User",
    "ct_user_ou_id": 70035,
    "role": "Admin",
    "user_ext_id": "EXT-ADMIN-001",
    "user_status": "active",
    "aliases": None,
    "timezone": "America/New_York",
    "agent_ring_to": "+1234567890",
    "agent_code": 10,
    "score_call": True,
    "access_audio": True,
}
"""The example of Create User."""

GROUP_EXAMPLE: Json = {
    "org_unit_name": "New Sales Division",
    "org_unit_ext_id": "ORG-2001",
    "org_unit_parent_id": 65000,
    "top_ou_id": 60001,
    "billing_id": 1,
    "address": "123 Business Street",
    "city": "New York",
    "state": "NY",
    "zip": "10001",
    "phone_number": "+1234567890",
    "industry_id": 5,
}
"""The example of Create Group."""


def route_to_create() -> Json:
    """Return the example of Create Provisioned Route with an unused number of the seed."""
    body = copy.deepcopy(ROUTE_EXAMPLE)
    return {**body, "phone_numbers": [{"phone_number_id": 45107, "phone_number": "6465550207"}]}


@asynccontextmanager
async def open_sandbox() -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a client without credentials on a fresh sandbox whose clock stands still."""
    app = create_sandbox(start=START, providers=(Convirza,))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sandbox") as http:
        yield http


async def log_in(http: httpx2.AsyncClient, credentials: tuple[str, str] = ADMIN) -> Json:
    """Log a user in and return the token pair; every further request of the client uses it."""
    email, password = credentials
    answer = await http.post("/convirza/oauth/token", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    pair = cast("Json", answer.json())
    http.headers["authorization"] = f"Bearer {pair['access_token']}"
    return pair


@asynccontextmanager
async def logged_in(credentials: tuple[str, str] = ADMIN) -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a logged-in client on a fresh sandbox."""
    async with open_sandbox() as http:
        await log_in(http, credentials)
        yield http


async def ask(http: httpx2.AsyncClient, method: str, path: str, body: object = None, *, expect: int = 200) -> Json:
    """Send a request to the API host, check the envelope of the answer, and return its `data`."""
    answer = await http.request(method, f"/convirza/v3{path}", json=body)
    assert answer.status_code == expect, answer.text
    envelope = cast("Json", answer.json())
    assert envelope["code"] == expect
    assert envelope["request_id"]
    assert str(envelope["timestamp"]).endswith("Z")
    if expect >= 400:
        assert "data" not in envelope
        return envelope
    assert envelope["message"] == "Success"
    return cast("Json", envelope["data"])


async def read(http: httpx2.AsyncClient, path: str) -> Json:
    """Return the `data` of a GET."""
    return await ask(http, "GET", path)


def items(data: Json, name: str) -> list[Json]:
    """Return the list under a name."""
    return cast("list[Json]", data[name])


def inner(data: Json, *names: str) -> Json:
    """Return the object at a path of names."""
    for name in names:
        data = cast("Json", data[name])
    return data


async def control(http: httpx2.AsyncClient, path: str, body: object) -> Json:
    """Post to a control of the provider and return its answer."""
    answer = await http.post(f"/_control{path}", json=body)
    assert answer.is_success, answer.text
    return cast("Json", answer.json())


async def charges(http: httpx2.AsyncClient) -> list[tuple[object, object, object]]:
    """Return what was charged: what, how many, the amount."""
    answer = await http.get("/_control/ledger", params={"provider": "convirza"})
    return [(row["what"], row["quantity"], row["amount"]) for row in answer.json()]
