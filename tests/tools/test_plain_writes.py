"""Writes that need no approval: for each, a call of the provider puts back exactly what was there."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client
from mcp.types import CallToolResult

from clients.operation import Operation, OperationType
from guard.action import arguments_of
from server.settings.model import settings_class
from server.settings.sandbox_settings import sandbox_accounts
from tests.connecting import Person, connect, content_of, server_for
from tests.sandbox_control import Sandbox, sandboxes
from tools.discovery.examples import example_call, example_of
from tools.registry import all_operations

_MARKER = re.compile(r"</?outside-[0-9a-f]+>")

PLAIN = {name: operation for name, operation in all_operations().items() if operation.spec.effect.is_plain_write}

JOHN, MARCUS, TOM = (
    "5e2ac872-b1a0-5d12-9137-6d2def8ca6e6",
    "acf3822e-1e7c-5ee1-91bb-118b88550ab8",
    "7575634f-9c55-58ad-9dcf-4e3c4261cbcd",
)
CHANGING: dict[str, dict[str, Any]] = {"voicetel_set_messaging_alerts": {"enabled": False}}
"""Calls that change something at the simulated provider, where the example is how it starts."""

PARTLY_SO_BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("routee_add_to_blacklist", {"service": "Sms", "contact_ids": [JOHN, MARCUS]}),
    ("routee_remove_group_contacts", {"name": "Patients US", "contact_ids": [JOHN, TOM]}),
]
"""Calls of which a part is as they want it already: undoing all of it would change what they did not."""

NO_LONGER_PLAIN: list[tuple[str, dict[str, Any]]] = [
    (name, example_of(all_operations()[name]))
    for name in (
        "enswitch_create_callergroup",
        "enswitch_create_calleridgroup",
        "enswitch_create_outgroup",
        "enswitch_create_queue",
        "routee_add_group_contacts",
        "routee_create_labels",
        "routee_play_in_call",
        "routee_speak_in_call",
        "routee_stop_playing_in_call",
        "routee_stop_recording",
        "routee_stop_speaking_in_call",
        "routee_update_contact",
        "voicetel_create_ticket",
        "voicetel_reply_to_ticket",
        "voicetel_set_caller_name",
        "voicetel_set_ticket_status",
    )
]
"""What version 0.1 did without asking."""


@dataclass(frozen=True, slots=True)
class Session:
    """A server with an account at every simulated provider."""

    sandbox: Sandbox
    client: Client
    person: Person

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def state(self, operation: OperationType) -> dict[str, Any]:
        """Return what the provider shows of what an operation changes."""
        shown: dict[str, Any] = {}
        for read, arguments in _reads_of(operation).items():
            content = content_of(await self.call(read, arguments))
            assert content, read
            shown[read] = _comparable({name: value for name, value in content.items() if name != "notes"})
        return shown

    async def newest_action(self) -> str:
        """Return the id of the action that was proposed last."""
        found: dict[str, Any] = content_of(await self.call("list_actions", {"limit": 1}))
        return str(found["actions"][0]["action"])

    async def changes(self) -> list[dict[str, Any]]:
        """Return every request to a provider that was no read and no login."""
        return [row for row in await self.sandbox.writes() if "token" not in row["path"]]


@asynccontextmanager
async def _open(folder: Path, person: Person, **more: Any) -> AsyncGenerator[Session]:
    async with sandboxes() as sandbox:
        given = {**sandbox_accounts(sandbox.url), "state_folder": folder, "toolsets": ["all"], **more}
        settings = settings_class().model_validate(given)
        async with connect(server_for(settings)[1], person=person) as client:
            yield Session(sandbox, client, person)


def _reads_of(operation: OperationType) -> dict[str, dict[str, Any]]:
    """Return the read of the state before, if it is a tool of its own, and the lists of the same toolset."""
    before = example_call(operation).before()
    reads: dict[str, dict[str, Any]] = {
        name: {}
        for name, read in all_operations().items()
        if read.spec.effect.is_plain_read
        and read.spec.name.startswith("list_")
        and (read.spec.provider, read.spec.toolset) == (operation.spec.provider, operation.spec.toolset)
        and not any(field.is_required() for field in read.model_fields.values())
    }
    if before is not None and type(before) in all_operations().values():
        reads[before.spec.tool_name] = arguments_of(before)
    return reads


def _comparable(value: object) -> object:
    """Sort lists of words, as to which groups somebody belongs has no order; leave out markers, which are random."""
    match value:
        case dict():
            return {name: _comparable(inner) for name, inner in cast("dict[str, object]", value).items()}
        case list():
            rows = [_comparable(row) for row in cast("list[object]", value)]
            words = [row for row in rows if isinstance(row, str)]
            return sorted(words) if len(words) == len(rows) else rows
        case str():
            return _MARKER.sub("", value)
        case _:
            return value


def _error(result: CallToolResult) -> str | None:
    content: dict[str, Any] = content_of(result)
    return content.get("error")


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)


@pytest.mark.parametrize("operation", PLAIN.values(), ids=PLAIN)
def test_it_declares_what_undoes_it(operation: OperationType) -> None:
    assert any("undo" in vars(base) for base in operation.__mro__ if base is not Operation)
    assert _reads_of(operation), "no read would show that it was undone"


async def test_undoing_it_puts_back_exactly_what_was_there(tmp_path: Path) -> None:
    """Every plain write with its example, and those of which a part was so before."""
    examples = {name: example_of(operation) for name, operation in PLAIN.items()}
    calls = [*(examples | CHANGING).items(), *PARTLY_SO_BEFORE]
    person = Person()
    async with _open(tmp_path, person, policy={"irreversible": "ask"}) as session:
        for tool, arguments in calls:
            operation = all_operations()[tool]
            before, asked = await session.state(operation), len(person.questions)
            done = await session.call(tool, arguments)
            assert not done.is_error, (tool, _text(done))
            assert len(person.questions) == asked, f"{tool} is a plain write, and somebody was asked"
            assert await session.state(operation) != before, f"{tool} changed nothing that is shown"
            action = await session.newest_action()
            undone = await session.call("undo_action", {"action_id": action})
            assert not undone.is_error, (tool, _text(undone))
            assert "restores everything" in _text(undone), tool
            assert await session.state(operation) == before, tool


async def test_it_is_asked_about_where_the_state_before_cannot_be_read(tmp_path: Path) -> None:
    reading = [name for name, operation in PLAIN.items() if example_call(operation).before() is not None]
    person = Person("decline")
    async with _open(tmp_path, person) as session:
        for provider in {PLAIN[tool].spec.provider.name for tool in reading}:
            await session.sandbox.break_with("status", provider=provider, method="GET", status=500, times=None)
        for tool in reading:
            refused = await session.call(tool, example_of(PLAIN[tool]))
            assert refused.is_error, tool
        assert await session.changes() == []
    assert reading
    assert len(person.questions) == len(reading)
    assert all("cannot be undone completely: The setting before" in question for question in person.questions)


async def test_what_changed_nothing_needs_no_undo(tmp_path: Path) -> None:
    async with _open(tmp_path, Person()) as session:
        await session.call("routee_add_to_blacklist", {"service": "Sms", "contact_ids": [MARCUS]})
        action = await session.newest_action()
        undone = await session.call("undo_action", {"action_id": action})
        assert "needs no undo. It changed nothing" in _text(undone)
        assert session.person.questions == []


async def test_what_is_no_plain_write_any_more_is_not_sent_without_a_yes(tmp_path: Path) -> None:
    async with _open(tmp_path, Person("decline")) as session:
        for tool, arguments in NO_LONGER_PLAIN:
            refused = await session.call(tool, arguments)
            assert _error(refused) == "Declined", (tool, _text(refused))
        assert len(session.person.questions) == len(NO_LONGER_PLAIN)
        assert await session.changes() == []


async def test_the_operator_may_allow_them_again_by_name(tmp_path: Path) -> None:
    allowed = {"operations": {"voicetel_create_ticket": "allow"}, "outward": "deny"}
    async with _open(tmp_path, Person("decline"), policy=allowed) as session:
        sent = await session.call("voicetel_create_ticket", {"subject": "No audio", "message": "Calls drop."})
        denied = await session.call("voicetel_reply_to_ticket", {"ticket_id": 30412, "message": "Thank you."})
        assert not sent.is_error, _text(sent)
        assert _error(denied) == "Denied"
        assert session.person.questions == []


async def test_the_question_about_a_contact_shows_what_the_update_erases(tmp_path: Path) -> None:
    async with _open(tmp_path, Person()) as session:
        call = {"contact_id": JOHN, "mobile": "+19175550161"}
        before = await session.state(all_operations()["routee_update_contact"])
        assert not (await session.call("routee_update_contact", call)).is_error
        undone = await session.call("undo_action", {"action_id": await session.newest_action()})
        assert not undone.is_error, _text(undone)
        assert await session.state(all_operations()["routee_update_contact"]) == before
    for erased in ("`first_name` goes back to its default", "`email` goes back", "`labels` goes back"):
        assert erased in session.person.questions[0]
