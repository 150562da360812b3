"""Rules that became stricter reach a question that is already out, and an approval that was already given."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from mcp import Client
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult

from clients.shared.clock import Clock, SystemClock
from guard.action import Principal, State
from guard.dependencies import GuardDependencies
from guard.errors import RulesChanged
from guard.pipeline import Guard
from guard.rules.policy import Decision, Policy
from guard.rules.rules import Rules
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import Settings
from server.store.store import open_store
from tests.clocks import StoppedClock
from tests.connecting import Person, connect, server_for, settings_for
from tests.guard.fake_provider import Buy, Depot, DepotCatalog
from tests.operator_side import OperatorSide
from tests.sandbox_control import sandboxes

TOOL = "voicetel_send_message"
NOW = datetime.now(UTC)
NOT_LISTED = "not listed"


def _around_now() -> str:
    """Write the hours around now in New York, where the texts of this module go."""
    start, end = (NOW.astimezone(ZoneInfo("America/New_York")) + timedelta(hours=hours) for hours in (-1, 1))
    return f"{start:%H:%M}-{end:%H:%M}"


STRICTER: Mapping[str, tuple[dict[str, Any], str]] = {
    "policy": ({"policy": {"paid": "deny"}}, "Denied"),
    "session": ({"tighten": {"paid": "deny"}}, "Denied"),
    "session, to the operator": ({"tighten": {"paid": "page"}}, "RulesChanged"),
    "operation, to the operator": ({"policy": {"operations": {TOOL: "page"}}}, "RulesChanged"),
    "prefix": ({"destinations": {"refused_prefixes": ["+1917"]}}, "DestinationRefused"),
    "countries": ({"destinations": {"countries": ["CA"]}}, "DestinationRefused"),
    "cap": ({"budget": [{"per": "day", "limit": "0"}]}, "OverBudget"),
    "cap in another currency": ({"budget": [{"per": "day", "limit": "9", "currency": "EUR"}]}, "Denied"),
    "quiet hours": ({"compliance": {"quiet_hours": _around_now()}}, "DestinationRefused"),
    "read-only": ({"read_only": True}, NOT_LISTED),
    "excluded tool": ({"exclude_tools": [TOOL]}, NOT_LISTED),
}
"""What the operator restarts the server with, and what an answer to the old question then gets."""


async def test_an_answer_to_an_old_question_is_held_against_the_rules_of_now(tmp_path: Path) -> None:
    got: dict[str, str] = {}
    clock = StoppedClock(NOW)
    async with sandboxes() as sandbox:
        mild = _server(settings_for(tmp_path, sandbox.voicetel), clock)
        async with connect(mild, person=Person()) as client:
            for name, (rules, _) in STRICTER.items():
                asked = await _ask(client, name)
                strict = _server(settings_for(tmp_path, sandbox.voicetel, **rules), clock)
                async with connect(strict, person=Person()) as restarted:
                    got[name] = _error(await _agree(restarted, name, asked))
        assert got == {name: error for name, (_, error) in STRICTER.items()}
        assert await sandbox.writes() == []


async def test_an_approval_of_the_operator_is_held_against_the_rules_of_now(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """The operator's own yes is enough where the rules demand the operator's."""
    got: dict[str, str] = {}
    clock = StoppedClock(datetime.now(UTC))  # the command has the clock of this machine
    async with sandboxes() as sandbox:
        mild = _server(settings_for(tmp_path, sandbox.voicetel), clock)
        async with connect(mild) as client:
            for name, (rules, _) in STRICTER.items():
                await operator.approve(_content(await client.call_tool(TOOL, _message(name)))["action"])
                strict = _server(settings_for(tmp_path, sandbox.voicetel, **rules), clock)
                async with connect(strict) as restarted:
                    got[name] = _error(await _agree(restarted, name, None))
        enough = {name: "" for name, (_, error) in STRICTER.items() if error == "RulesChanged"}
        assert got == {name: error for name, (_, error) in STRICTER.items()} | enough
        assert len(await sandbox.charges()) == len(enough)


async def test_what_the_operator_must_approve_now_is_closed_and_asked_anew(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        mild = _server(settings_for(tmp_path, sandbox.voicetel), SystemClock())
        strict = _server(settings_for(tmp_path, sandbox.voicetel, tighten={"paid": "page"}), SystemClock())
        async with connect(mild, person=Person()) as client:
            asked = await _ask(client, "Hello")
        async with connect(strict, person=Person()) as restarted:
            refused = _content(await _agree(restarted, "Hello", asked))
            assert "By the rules of now the operator has to approve this" in refused["message"]
            assert "nothing was sent. Call again" in refused["message"]
            closed = await operator.newest()
            assert (closed["state"], closed["decided_by"]) == ("expired", None)
            assert "the operator has to approve this" in closed["outcome"]
            again = _content(await _agree(restarted, "Hello", asked))
            assert again["error"] == "Expired"
            assert "it was closed before it was sent." in again["message"]
            waiting = _content(await restarted.call_tool(TOOL, _message("Hello")))
            assert (waiting["state"], waiting["action"] == closed["id"]) == ("proposed", False)
        assert await sandbox.writes() == []
        await operator.require_whole_audit()


async def test_a_yes_in_the_form_counts_for_nothing_where_the_form_is_off(
    tmp_path: Path, operator: OperatorSide
) -> None:
    """The question went out before the operator turned the form off, for a client that answers by itself."""
    async with sandboxes() as sandbox:
        mild = _server(settings_for(tmp_path, sandbox.voicetel), SystemClock())
        strict = _server(settings_for(tmp_path, sandbox.voicetel, approvals={"form": "off"}), SystemClock())
        async with connect(mild, person=Person()) as client:
            asked = await _ask(client, "Hello")
        async with connect(strict, person=Person()) as restarted:
            refused = _content(await _agree(restarted, "Hello", asked))
            assert "approved by the operator only; nothing was sent" in refused["message"]
            assert ((await operator.newest())["state"], await sandbox.writes()) == ("proposed", [])
            waiting = _content(await restarted.call_tool(TOOL, _message("Hello")))
            assert waiting["state"] == "proposed"
            await operator.approve(waiting["action"])
            assert _error(await restarted.call_tool(TOOL, _message("Hello"))) == ""
        assert len(await sandbox.charges()) == 1


@pytest.mark.parametrize("change", ["freeze", "opt-out"])
async def test_what_the_operator_did_after_the_question_counts_for_the_answer(
    change: str, tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await _ask(client, "Hello")
            await (operator.freeze() if change == "freeze" else operator.opt_out("+19175550161"))
            got = _error(await _agree(client, "Hello", asked))
        assert got == {"freeze": "Frozen", "opt-out": "DestinationRefused"}[change]
        assert (await operator.newest())["state"] == "proposed", "no yes was taken"
        assert await sandbox.writes() == []


async def test_a_no_counts_also_while_everything_is_stopped(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await _ask(client, "Hello")
            await operator.freeze()
            assert _error(await _answer(client, "Hello", asked, "decline")) == "Declined"
        assert (await operator.newest())["state"] == "declined"


@pytest.mark.parametrize("decision", [Decision.ASK, Decision.PAGE])
async def test_what_policy_approved_is_not_sent_once_a_person_has_to_be_asked(
    decision: Decision, tmp_path: Path
) -> None:
    """The process that took policy for a yes ended before it sent."""
    store = open_store(f"sqlite:///{tmp_path / 'ringfence.db'}", tmp_path)

    async def arrives(_: str) -> None:
        pytest.fail("the call was sent")

    def guard_with(paid: Decision) -> Guard:
        policy = Policy(by_operation={Buy.spec.tool_name: paid})
        return Guard(
            GuardDependencies(
                journal=store.journal,
                vault=store.vault,
                tracker=store.events,
                optouts=store.optouts,
                taint=store.taint,
                accounts={"depot": Depot(arrives)},
                prices={},
                catalog=DepotCatalog(),
                rules=Rules(policy=policy),
            )
        )

    try:
        approved = await guard_with(Decision.ALLOW).propose(Buy(item="lamp"), Principal("local:ann"))
        assert (approved.state, approved.decided_by) == (State.APPROVED, "policy")
        with pytest.raises(RulesChanged, match="the approval it has is not enough; nothing was sent"):
            await guard_with(decision).execute(approved, Buy(item="lamp"))
        closed = await store.journal.find(approved.id)
        assert closed is not None
        assert closed.state is State.EXPIRED
    finally:
        await store.database.close()


async def test_neither_a_late_answer_nor_a_clock_that_is_set_back_gives_a_question_more_time(tmp_path: Path) -> None:
    clock = StoppedClock(NOW)
    async with sandboxes() as sandbox:
        server = _server(settings_for(tmp_path, sandbox.voicetel), clock)
        async with connect(server, person=Person()) as client:
            late = await _ask(client, "Late")
            clock.moment = NOW + timedelta(minutes=15, seconds=1)
            assert _error(await _agree(client, "Late", late)) == "Expired"
            clock.moment = NOW
            assert _error(await _agree(client, "Late", late)) == "Expired", "what expired stays expired"
            early, slightly = await _ask(client, "Early"), await _ask(client, "Slightly")
            clock.moment = NOW - timedelta(minutes=1)
            assert _error(await _agree(client, "Slightly", slightly)) == ""
            clock.moment = NOW - timedelta(days=1)
            refused = await _agree(client, "Early", early)
            assert _error(refused) == "Expired"
            assert "The clock was set back after it was asked." in _content(refused)["message"]
        assert len(await sandbox.charges()) == 1


def _server(settings: Settings, clock: Clock) -> Server[None]:
    """Build a server that reads the request states of an earlier one over the same store, as one over HTTP does."""
    services = Services(settings, clock=clock)
    return build_server(services, request_state=RequestStateSecurity(keys=[services.request_state_key()]))


def _message(text: str) -> dict[str, Any]:
    return {"from_number": "+12015550142", "to_number": "+19175550161", "text": text}


async def _ask(client: Client, text: str) -> InputRequiredResult:
    asked = await client.session.call_tool(TOOL, _message(text), allow_input_required=True)
    assert isinstance(asked, InputRequiredResult)
    return asked


async def _agree(client: Client, text: str, asked: InputRequiredResult | None) -> CallToolResult | None:
    """Make the call again, with a yes to the question if there is one; None where the tool is not there."""
    return await _answer(client, text, asked, "accept")


async def _answer(
    client: Client, text: str, asked: InputRequiredResult | None, action: Literal["accept", "decline"]
) -> CallToolResult | None:
    given = ElicitResult(action=action, content={"approve": True} if action == "accept" else None)
    answers: dict[str, Any] = dict.fromkeys((asked.input_requests if asked else None) or {}, given)
    try:
        return await client.session.call_tool(
            TOOL, _message(text), input_responses=answers or None, request_state=asked.request_state if asked else None
        )
    except MCPError as missing:
        if "Nothing was sent" not in str(missing):
            raise
        return None


def _content(result: CallToolResult | None) -> dict[str, Any]:
    return (result.structured_content if result is not None else None) or {}


def _error(result: CallToolResult | None) -> str:
    """Name the error of a call; empty if it was carried out."""
    if result is None:
        return NOT_LISTED
    return str(_content(result).get("error", "" if _content(result).get("state") == "done" else "waits"))
