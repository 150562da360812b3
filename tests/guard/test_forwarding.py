"""A forward in a circle or over several of our numbers is shown, and one to itself is refused; e911 needs a place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.types import CallToolResult

from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, content_of, server_for
from tests.sandbox_control import sandboxes
from tools.discovery.examples import example_of
from tools.registry import operation_named

A: Final = "+12015550143"
B: Final = "+12125550145"
"""Numbers at VoiceTel."""

AT_ENSWITCH: Final = "+12015550142"
AT_CONVIRZA: Final = "+12015550201"
"""A tracking number, which rings at +12015550142."""

ELSEWHERE: Final = "+17185550187"
ALLOWED: Final = {"reroutes": "allow", "paid": "allow", "destructive": "allow", "privileged": "allow"}


@asynccontextmanager
async def _client(folder: Path, person: Person, policy: dict[str, str] | None = None) -> AsyncGenerator[Client]:
    """Connect to a server of all providers."""
    async with sandboxes() as sandbox:
        settings = settings_class().model_validate({"state_folder": folder, "policy": policy or {}})
        _, server = server_for(for_sandbox(settings, sandbox.url))
        async with connect(server, person=person) as client:
            yield client


async def _call(client: Client, operation: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool("call_write_operation", {"operation": operation, "arguments": arguments})


def _text(result: CallToolResult) -> str:
    return getattr(result.content[0], "text", "")


async def _forward(client: Client, number: str, to: str) -> CallToolResult:
    return await _call(client, "voicetel_set_forward", number=number, destination=to)


async def test_a_circle_of_two_numbers_is_shown_where_it_closes(tmp_path: Path) -> None:
    person = Person("decline")
    async with _client(tmp_path, person, ALLOWED) as client:
        assert not (await _forward(client, A, B)).is_error
        assert person.questions == []
        await _forward(client, B, A)
    assert f"THIS MAKES A CIRCLE: {B} to {A} to {B}." in person.questions[0]


async def test_a_chain_is_shown_from_its_first_number_to_its_last_whichever_end_is_set(tmp_path: Path) -> None:
    person = Person()
    async with _client(tmp_path, person) as client:
        await _forward(client, A, B)
        await _forward(client, B, ELSEWHERE)  # behind it
        await _forward(client, "+13055550148", A)  # before it
    assert "Every hop is billed" not in person.questions[0]
    assert f"Calls are forwarded 2 times: {A} to {B} to {ELSEWHERE}. Every hop is billed." in person.questions[1]
    assert f"to +13055550148 to {A} to {B} to {ELSEWHERE}. Every hop is billed." in person.questions[2]


async def test_a_chain_is_followed_from_one_provider_to_another(tmp_path: Path) -> None:
    person = Person()
    async with _client(tmp_path, person) as client:
        await _forward(client, A, ELSEWHERE)
        at_enswitch = {"dtype": "external", "dnumber": A}
        await _call(client, "enswitch_update_number", number=AT_ENSWITCH, **at_enswitch)
        assert f"{AT_ENSWITCH} to {A} to {ELSEWHERE}. Every hop is billed." in person.questions[-1]
        waiting = await _call(client, "convirza_update_provisioned_route", route_id=12305, config={"ring_to": A})
        assert f"to {A} to {ELSEWHERE}. Every hop is billed." in (_text(waiting) + person.questions[-1])
        rented = await _call(client, "routee_rent_number", number="+306948530999", forward_calls_to=A)
        assert f"+306948530999 to {A} to {ELSEWHERE}. Every hop is billed." in (_text(rented) + person.questions[-1])


async def test_a_forward_to_itself_is_refused_at_every_provider_and_nobody_is_asked(tmp_path: Path) -> None:
    person = Person()
    itself: tuple[tuple[str, dict[str, Any]], ...] = (
        ("voicetel_set_forward", {"number": A, "destination": A}),
        ("enswitch_update_number", {"number": AT_ENSWITCH, "dtype": "external", "dnumber": AT_ENSWITCH}),
        ("enswitch_update_number_times",
         {"number": AT_ENSWITCH, "timegroup": 1, "dtype": "external", "dnumber": AT_ENSWITCH}),
        ("convirza_update_provisioned_route", {"route_id": 12301, "config": {"ring_to": AT_CONVIRZA}}),
        ("routee_rent_number", {"number": "+306948530999", "forward_calls_to": "+306948530999"}),
    )  # fmt: skip
    async with _client(tmp_path, person) as client:
        for operation, arguments in itself:
            refused = await _call(client, operation, **arguments)
            assert content_of(refused).get("error") == "DestinationRefused", (operation, _text(refused))
            assert "would be forwarded to itself; nothing was sent" in _text(refused)
    assert person.questions == []


@pytest.mark.parametrize(
    ("line", "is_box"),
    [
        *((line, True) for line in ("PO Box 118", "P.O. Box 118", "p o box 9", "Post Office Box 7", "POBox 12")),
        *((line, True) for line in ("Box 44", "PMB 210", "General Delivery", "RR 2 Box 18", "HC 68", "P.O. Drawer D")),
        *((line, False) for line in ("411 Hackensack Avenue", "12 Boxwood Lane", "7 Post Road", "900 Polk Street")),
        *((line, False) for line in ("18 Rural Lane", "5 Mailbox Peak", "3 Boxer Street")),
    ],
)
async def test_an_e911_address_that_is_a_post_box_is_noted(line: str, is_box: bool) -> None:
    declared = operation_named("voicetel_create_e911_record")
    assert declared is not None
    call = declared.model_validate({**example_of(declared), "address1": line})
    assert any("POST BOX" in warning for warning in call.warnings()) == is_box


async def test_the_note_about_a_post_box_stands_in_the_question(tmp_path: Path) -> None:
    person = Person("decline")
    declared = operation_named("voicetel_create_e911_record")
    assert declared is not None
    async with _client(tmp_path, person) as client:
        address = {**example_of(declared), "number": A, "address2": "P.O. Box 118"}
        result = await _call(client, "voicetel_create_e911_record", **address)
    assert "THIS LOOKS LIKE A POST BOX" in (person.questions or [_text(result)])[0]
