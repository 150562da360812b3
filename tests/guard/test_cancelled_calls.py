"""A client that gives up, or goes, after the request has left does not lose what became of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from guard.action import State
from tests.clients import routee_accounts
from tests.connecting import Era, Person, connect, content_of, server_for, settings_for
from tests.operator_side import OperatorSide
from tests.over_http import connect_over_http, serve_over_http
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.test_transports import TOKEN, stdio_child, with_tokens
from tests.tools import routee_session

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
ORDER = {"numbers": ["+12125550100"]}
TOOL = "voicetel_order_numbers"


@ERAS
async def test_in_memory_a_cancelled_call_is_settled_and_found(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _holding() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        person = Person()
        async with connect(server, era=era, person=person) as client:
            await _cancel_while_held(client, sandbox, waits_for_the_server=era == "auto")
            await _is_settled_and_not_repeated(client, sandbox, person)
            _was_carried_out(await operator.list_actions())


@ERAS
async def test_over_stdio_a_cancelled_call_is_settled_and_found(era: Era, tmp_path: Path) -> None:
    async with _holding() as sandbox:
        person = Person()
        child = stdio_child(tmp_path, sandbox.url, "--toolsets", "all")
        async with Client(child, mode=era, elicitation_callback=person) as client:
            await _cancel_while_held(client, sandbox)
            await _is_settled_and_not_repeated(client, sandbox, person)
        _was_carried_out(await OperatorSide(tmp_path).list_actions())


@ERAS
async def test_over_http_a_cancelled_call_is_settled_and_found(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _holding() as sandbox:
        settings = with_tokens(settings_for(tmp_path, sandbox.voicetel))
        async with serve_over_http(settings) as url, connect_over_http(url, TOKEN, era=era) as client:
            await operator.approve(await _pending(client))
            await _cancel_while_held(client, sandbox)
            await _is_settled_and_not_repeated(client, sandbox, None)
            _was_carried_out(await operator.list_actions())


@ERAS
async def test_over_http_a_client_that_goes_does_not_take_the_outcome_along(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    async with _holding() as sandbox:
        settings = with_tokens(settings_for(tmp_path, sandbox.voicetel))
        async with serve_over_http(settings) as url:
            async with connect_over_http(url, TOKEN, era=era) as client:
                await operator.approve(await _pending(client))
            await _go_while_held(sandbox, lambda: connect_over_http(url, TOKEN, era=era))
            async with connect_over_http(url, TOKEN, era=era) as client:
                await _is_settled_and_not_repeated(client, sandbox, None)
            _was_carried_out(await operator.list_actions())


async def test_over_stdio_a_client_that_goes_does_not_take_the_outcome_along(tmp_path: Path) -> None:
    """The server is ended with its client; if the answer came too late for it, the next one looks."""
    async with _holding() as sandbox:
        person = Person()
        child = stdio_child(tmp_path, sandbox.url, "--toolsets", "all")
        await _go_while_held(sandbox, lambda: Client(child, elicitation_callback=person))
        async with Client(child, elicitation_callback=person) as client:
            await _is_settled_and_not_repeated(client, sandbox, person)
        assert (await OperatorSide(tmp_path).list_actions())[-1]["state"] == State.DONE


async def test_a_call_that_is_cancelled_at_any_moment_leaves_a_store_that_goes_on(
    tmp_path: Path, operator: OperatorSide
) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, person=Person()) as client:
            for number in range(24):
                order = {"numbers": [f"+1646555{100 + number:04d}"]}
                with anyio.move_on_after(0.004 * number):
                    await client.call_tool(TOOL, order)
            with anyio.fail_after(60):
                while await _actions(client, state="sending"):
                    pass
            assert len(await sandbox.charges()) == len(await _actions(client, state="done"))
            assert not (await client.call_tool(TOOL, ORDER)).is_error
            assert not await _actions(client, state="unknown")
        await operator.require_whole_audit()


@ERAS
async def test_a_client_that_goes_between_yes_and_request_leaves_a_yes_that_works_once(
    era: Era, tmp_path: Path, operator: OperatorSide
) -> None:
    """The price is being read again when the client goes: nothing was sent yet, or it is sent now, but once."""
    call: dict[str, Any] = {"sender": "Bluewater", "to": "+306970000555", "text": "Hello"}

    class Going(Person):
        """Says yes, and the provider then holds the next price back."""

        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            if not self.questions:
                await sandbox.break_with("hold", provider="routee", method="POST", path="sms/analyze")
            return await super().__call__(context, params)

    person = Going()
    async with routee_accounts.sandboxes() as sandbox:
        _, server = server_for(routee_session.settings_before(sandbox, tmp_path))
        async with connect(server, era=era, person=person) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "routee_send_sms", call)
                with anyio.fail_after(60):
                    await sandbox.until_held()
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await sandbox.mend()
            with anyio.fail_after(60):
                while (newest := await operator.newest())["state"] in {"proposed", "sending"}:
                    await client.call_tool("get_action", {"action_id": newest["id"]})
            assert newest["state"] in {"approved", "done"}
            sent = len(await sandbox.charges())
            assert sent == (newest["state"] == "done")
            assert not (await client.call_tool("routee_send_sms", call)).is_error
            assert len(await sandbox.charges()) == sent + 1
            assert len(person.questions) == sent + 1, "a second send is asked for, a first one has its yes"


async def test_a_client_that_goes_while_its_question_is_open_leaves_nothing_sent(tmp_path: Path) -> None:
    asked = anyio.Event()

    class Silent(Person):
        """Never answers."""

        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            asked.set()
            await anyio.sleep_forever()
            raise AssertionError

    async with sandboxes() as sandbox:
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server, era="legacy", person=Silent()) as client, anyio.create_task_group() as group:
            group.start_soon(client.call_tool, TOOL, ORDER)
            await asked.wait()
            group.cancel_scope.cancel()
        _, server = server_for(settings_for(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            assert (await _newest(client))["state"] == "proposed"
            assert await sandbox.writes() == []


@asynccontextmanager
async def _holding() -> AsyncGenerator[Sandbox]:
    """Yield a sandbox that carries out the next order and holds its answer back."""
    async with sandboxes() as sandbox:
        await sandbox.break_with("hold", provider="voicetel", method="POST", path="orders")
        yield sandbox


async def _cancel_while_held(client: Client, sandbox: Sandbox, *, waits_for_the_server: bool = False) -> None:
    """Call, and cancel the call while the provider holds its answer; the answer comes after that.

    In memory a cancelled client of the modern era only goes on when the server has let go, so the answer must come.
    """
    async with anyio.create_task_group() as group:
        group.start_soon(client.call_tool, TOOL, ORDER)
        with anyio.fail_after(60):
            await sandbox.until_held()
        group.cancel_scope.cancel()
        if waits_for_the_server:
            with anyio.CancelScope(shield=True):
                await sandbox.mend()
    await sandbox.mend()


async def _go_while_held(sandbox: Sandbox, connect_once: Any) -> None:
    """Connect, call, and disconnect while the provider holds its answer."""

    async def call_and_go() -> None:
        async with connect_once() as client:
            await client.call_tool(TOOL, ORDER)

    async with anyio.create_task_group() as group:
        group.start_soon(call_and_go)
        with anyio.fail_after(60):
            await sandbox.until_held()
        group.cancel_scope.cancel()
    await sandbox.mend()


async def _is_settled_and_not_repeated(client: Client, sandbox: Sandbox, person: Person | None) -> None:
    """Assert that the action was done and charged once, and that the same call is refused: the number is ours now."""
    with anyio.fail_after(60):
        while (action := await _newest(client))["state"] == "sending":
            await client.call_tool("get_action", {"action_id": action["action"]})
    assert action["state"] == "done"
    shown = await client.call_tool("get_action", {"action_id": action["action"]})
    assert "it was carried out" in _text(shown)
    assert len(await sandbox.charges()) == 1
    questions = len(person.questions) if person else 0
    assert "is on this account already; nothing was sent" in _text(await client.call_tool(TOOL, ORDER))
    assert person is None or len(person.questions) == questions
    assert len(await sandbox.charges()) == 1


async def _newest(client: Client) -> dict[str, Any]:
    return (await _actions(client, limit=1))[0]


async def _actions(client: Client, **which: Any) -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = content_of(await client.call_tool("list_actions", which))["actions"]
    return actions


async def _pending(client: Client) -> str:
    asked: dict[str, Any] = (await client.call_tool(TOOL, ORDER)).structured_content or {}
    return str(asked["action"])


def _was_carried_out(actions: list[dict[str, Any]]) -> None:
    """Assert that the first action has the provider's answer, and not only what a check found."""
    assert actions[-1]["outcome"].startswith("Carried out.")
    assert "amountCharged" in actions[-1]["answer"]


def _text(result: Any) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
