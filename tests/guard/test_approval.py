"""Nothing guarded is sent without a person's yes to exactly this call; and a yes works once."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, ErrorData, InputRequiredResult

from server.mcp.server import build_server
from server.services import Services
from server.settings.model import ApprovalSettings
from tests.clocks import StoppedClock
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.guard.rates_proxy import proxy_rates
from tests.operator_side import OperatorSide, call_approved
from tests.sandbox_control import sandboxes

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
ORDER = {"numbers": ["+12125550100", "+12125550101"]}
TOOL = "voicetel_order_numbers"
TEXT = {"from_number": "+12015550142", "to_number": "+19175550161", "text": "Your table is ready."}


@ERAS
async def test_an_approved_order_is_sent_and_charged_once(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person("accept")
        async with connect(server, era=era, person=person) as client:
            result = await client.call_tool(TOOL, ORDER)
        assert not result.is_error
        assert [charge["amount"] for charge in await sandbox.charges()] == ["2.00"]
        assert len(person.questions) == 1


@ERAS
async def test_the_question_shows_the_call_its_price_and_the_balance_before_and_after(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person("decline")
        async with connect(server, era=era, person=person) as client:
            await client.call_tool(TOOL, ORDER)
    question = person.questions[0]
    for part in ("+12125550100, +12125550101", "$2.00", "every month", "rates.did", "$250.00", "$248.00", "act_"):
        assert part in question


@ERAS
@pytest.mark.parametrize(
    ("action", "approve"), [("decline", True), ("cancel", True), ("accept", False)], ids=["no", "dismissed", "unticked"]
)
async def test_without_a_yes_nothing_is_sent(
    era: Era, action: Literal["accept", "decline", "cancel"], approve: bool, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era, person=Person(action, approve=approve)) as client:
            result = await client.call_tool(TOOL, ORDER)
        assert result.is_error
        assert await sandbox.writes() == []


@ERAS
async def test_the_clients_own_no_is_not_recorded_as_a_persons_and_the_operators_way_is_named(
    era: Era, tmp_path: Path
) -> None:
    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era, person=Person("decline")) as client:
            said = _text(await client.call_tool(TOOL, ORDER))
            [action] = content_of(await client.call_tool("list_actions", {}))["actions"]
            declined = [row["detail"].get("decided_by") async for row in _rows(services, "declined")]
        assert "the client answered no, and nothing was sent" in said
        assert "a person said no" not in said
        assert "RINGFENCE_APPROVALS__FORM=off" in said
        assert action["decided_by"].startswith("the client of ")
        assert declined == [action["decided_by"]]


@ERAS
@pytest.mark.parametrize("content", [None, {}, {"approve": None}, {"approve": "yes"}, {"approved": True}], ids=repr)
async def test_an_accept_without_an_answer_is_neither_yes_nor_no(
    era: Era, content: dict[str, Any] | None, tmp_path: Path, operator: OperatorSide
) -> None:
    async def accept(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept", content=content)

    async with sandboxes() as sandbox:
        services, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with Client(server, mode=era, elicitation_callback=accept) as client:
            result = await client.call_tool(TOOL, ORDER)
            assert "The client accepted without saying yes or no. The operator approves it" in _text(result)
            assert await sandbox.writes() == []
            assert [row["detail"]["why"] async for row in _rows(services, "no answer")]
            await operator.approve(_pending(result))
            assert not (await client.call_tool(TOOL, ORDER)).is_error


@pytest.mark.parametrize("code", [-32601, -32600, -32603, -1])
@pytest.mark.parametrize("tool", [TOOL, "voicetel_release_number"], ids=["in the form", "on the page"])
async def test_a_client_that_answers_its_own_question_with_an_error_is_one_that_cannot_ask(
    code: int, tool: str, tmp_path: Path
) -> None:
    async def fail(context: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=code, message="Elicitation is not supported.")

    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with Client(server, mode="legacy", elicitation_callback=fail) as client:
            result = await client.call_tool(tool, ORDER if tool == TOOL else {"number": "+12015550143"})
            assert f"`ringfence approvals approve {_pending(result)}`" in _text(result)
        assert await sandbox.writes() == []


async def test_a_call_that_comes_back_without_its_answer_is_left_to_the_operator(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await client.session.call_tool(TOOL, ORDER, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            again = await client.session.call_tool(TOOL, ORDER, request_state=asked.request_state)
            assert _pending(again)


@ERAS
async def test_where_the_form_is_off_a_client_that_can_ask_is_not_asked(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        settings = settings_for(tmp_path, sandbox.voicetel)
        settings = settings.model_copy(update={"approvals": ApprovalSettings(form="off")})
        _, server = server_for(settings)
        person = Person("decline")
        async with connect(server, era=era, person=person) as client:
            assert _pending(await client.call_tool(TOOL, ORDER))
        assert person.questions == []


@ERAS
async def test_a_client_that_cannot_ask_gets_a_pending_action_and_the_same_call_runs_after_the_operators_yes(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era) as client:
            action = _pending(await client.call_tool(TOOL, ORDER))
            again = _pending(await client.call_tool(TOOL, ORDER))
            assert again == action
            assert await sandbox.writes() == []
            await operator.approve(action)
            result = await client.call_tool(TOOL, ORDER)
            assert not result.is_error
            assert len(await sandbox.charges()) == 1


@ERAS
async def test_an_approval_works_once(era: Era, tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era=era) as client:
            await operator.approve(_pending(await client.call_tool("voicetel_send_message", TEXT)))
            assert not (await client.call_tool("voicetel_send_message", TEXT)).is_error
            second = await client.call_tool("voicetel_send_message", TEXT)
            assert _pending(second)
            assert len(await sandbox.charges()) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"numbers": ["+12125550100", "+12125550102"]},
        {"numbers": ["+12125550101", "+12125550100"]},
        {"numbers": ["+12125550100"]},
        {**ORDER, "route": 1000},
    ],
    ids=["one digit", "order", "fewer", "another route"],
)
async def test_an_approval_does_not_fit_other_arguments(
    changed: dict[str, Any], tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            approved = _pending(await client.call_tool(TOOL, ORDER))
            await operator.approve(approved)
            assert _pending(await client.call_tool(TOOL, changed)) != approved
            assert await sandbox.writes() == []


async def test_a_replayed_answer_does_not_run_the_call_a_second_time(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await client.session.call_tool(TOOL, ORDER, allow_input_required=True)
            first = await _answered(client, ORDER, asked)
            assert not first.is_error
            replayed = await _answered(client, ORDER, asked)
            assert replayed.is_error
            assert "An approval works once" in _text(replayed)
            assert len(await sandbox.charges()) == 1


async def test_an_answer_for_one_call_does_not_open_another(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await client.session.call_tool(TOOL, ORDER, allow_input_required=True)
            with pytest.raises(MCPError, match="requestState"):
                await _answered(client, {"numbers": ["+12125550199"]}, asked)
            assert await sandbox.writes() == []


async def test_a_forged_state_is_refused(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            asked = await client.session.call_tool(TOOL, ORDER, allow_input_required=True)
            with pytest.raises(MCPError, match="requestState"):
                await _answered(client, ORDER, asked, state="act_forged00")
            assert await sandbox.writes() == []


@pytest.mark.parametrize("approves_first", [True, False], ids=["approved too late to be used", "answered too late"])
async def test_an_expired_question_opens_nothing(approves_first: bool, tmp_path: Path, operator: OperatorSide) -> None:
    clock = StoppedClock(datetime.now(UTC))
    async with sandboxes() as sandbox:
        services = Services(settings_for(tmp_path, sandbox.voicetel), clock=clock)
        async with connect(build_server(services)) as client:
            old = _pending(await client.call_tool(TOOL, ORDER))
            if approves_first:
                await operator.approve(old)
            clock.moment += timedelta(minutes=16)
            assert _pending(await client.call_tool(TOOL, ORDER)) != old
            assert await sandbox.writes() == []


@ERAS
async def test_what_cannot_be_undone_is_never_asked_at_the_client(era: Era, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person("accept")
        async with connect(server, era=era, person=person) as client:
            owned = content_of(await client.call_tool("voicetel_list_numbers", {}))["numbers"][0]["number"]
            assert _pending(await client.call_tool("voicetel_release_number", {"number": owned}))
        assert person.questions == []
        assert await sandbox.writes() == []


async def test_a_price_that_rose_after_the_yes_is_asked_again(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox, proxy_rates() as (proxy, http):
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel), http=http)
        async with connect(server) as client:
            await operator.approve(_pending(await client.call_tool(TOOL, ORDER)))
            proxy.rates["did"] = 9.0
            other = {"numbers": ["+12125550102"]}  # after it is paid for, the account is read again
            assert not (await call_approved(client, operator, TOOL, other)).is_error
            result = await client.call_tool(TOOL, ORDER)
            assert result.is_error
            assert "$18.00" in _text(result)
            assert len(await sandbox.charges()) == 1


async def test_two_clients_with_one_approval_send_once(tmp_path: Path, operator: OperatorSide) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        _, other = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client, connect(other) as second:
            await operator.approve(_pending(await client.call_tool("voicetel_send_message", TEXT)))
            assert not (await client.call_tool("voicetel_send_message", TEXT)).is_error
            assert _pending(await second.call_tool("voicetel_send_message", TEXT))
            assert len(await sandbox.charges()) == 1


def _pending(result: CallToolResult) -> str:
    content: dict[str, Any] = result.structured_content or {}
    assert content.get("state") == "proposed", _text(result)
    assert _text(result).startswith("NOT SENT")
    return str(content["action"])


async def _answered(
    client: Client, arguments: dict[str, Any], asked: CallToolResult | InputRequiredResult, *, state: str | None = None
) -> CallToolResult:
    """Make the call again with a yes to the question that was asked."""
    assert isinstance(asked, InputRequiredResult)
    yes: dict[str, Any] = {
        key: ElicitResult(action="accept", content={"approve": True}) for key in asked.input_requests or {}
    }
    return await client.session.call_tool(
        TOOL, arguments, input_responses=yes, request_state=state or asked.request_state
    )


async def _rows(services: Services, event: str) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the rows of the audit log about one kind of event."""
    async for row in services.store.audit.rows():
        if row["event"] == event:
            yield {**row, "detail": json.loads(row["detail"])}


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
