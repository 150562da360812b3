"""Clients that can open a page are sent there, in both protocol eras; opening it is not yet an answer."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
    InputResponses,
)

from server.http.stdio import page_on_loopback
from server.mcp.approval_page import ApprovalPage
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import ApprovalSettings
from tests.connecting import Era, content_of, settings_for
from tests.sandbox_control import Sandbox, sandboxes
from tests.server.console.operating import browsing, page_path
from tests.server.operating import ringfence, set_operator_passcode

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
RELEASE = "voicetel_release_number"
ORDER = {"numbers": ["+12125550100"]}

Deed = Callable[[str], Awaitable[ElicitResult]]


class Visitor:
    """Whoever sits at a client that opens pages: remembers what was opened, and does a deed there."""

    def __init__(self, deed: Deed) -> None:
        self.pages: list[str] = []
        self.forms = 0
        self._deed = deed

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        if isinstance(params, ElicitRequestURLParams):
            self.pages.append(params.url)
            return await self._deed(params.url)
        self.forms += 1
        return ElicitResult(action="accept", content={"approve": True})


@dataclass(frozen=True, slots=True)
class Scene:
    """A client whose server serves the page, and the arguments of a release."""

    client: Client
    sandbox: Sandbox
    services: Services
    page: ApprovalPage
    release: dict[str, str]


@ERAS
async def test_what_is_approved_on_the_opened_page_runs_in_the_same_call(era: Era, tmp_path: Path) -> None:
    visitor = Visitor(_press("approve"))
    async with _connected(tmp_path, visitor, era=era) as scene:
        result = await scene.client.call_tool(RELEASE, scene.release)
        assert not result.is_error, result
        assert len(visitor.pages) == 1
        assert len(await scene.sandbox.writes()) == 1


@ERAS
async def test_what_is_declined_on_the_opened_page_is_not_sent(era: Era, tmp_path: Path) -> None:
    async with _connected(tmp_path, Visitor(_press("decline")), era=era) as scene:
        result = await scene.client.call_tool(RELEASE, scene.release)
        assert (result.structured_content or {})["error"] == "Declined"
        assert await scene.sandbox.writes() == []


@ERAS
@pytest.mark.parametrize("content", [None, {"approve": True}], ids=["opened", "opened, with a yes of the client's"])
async def test_opening_the_page_approves_nothing(era: Era, content: dict[str, Any] | None, tmp_path: Path) -> None:
    async def open_only(page: str) -> ElicitResult:
        return ElicitResult(action="accept", content=content)

    async with _connected(tmp_path, Visitor(open_only), era=era, wait=0) as scene:
        result = await scene.client.call_tool(RELEASE, scene.release)
        assert (result.structured_content or {})["state"] == "proposed"
        assert await scene.sandbox.writes() == []


@ERAS
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_page_that_was_not_opened_leaves_the_action_waiting(era: Era, action: Any, tmp_path: Path) -> None:
    async def refuse(page: str) -> ElicitResult:
        return ElicitResult(action=action)

    visitor = Visitor(refuse)
    async with _connected(tmp_path, visitor, era=era, wait=30) as scene:
        result = await scene.client.call_tool(RELEASE, scene.release)
        assert (result.structured_content or {})["state"] == "proposed"
        assert "The page was not opened" in _text(result)
        assert visitor.pages[0] in _text(result)
        assert await scene.sandbox.writes() == []


@ERAS
async def test_a_call_waits_for_the_operator_and_reports_that_it_does(era: Era, tmp_path: Path) -> None:
    waits = anyio.Event()
    reported: list[str | None] = []

    async def open_only(page: str) -> ElicitResult:
        return ElicitResult(action="accept")

    async def report(progress: float, total: float | None, message: str | None) -> None:
        reported.append(message)
        waits.set()

    visitor = Visitor(open_only)
    async with _connected(tmp_path, visitor, era=era, wait=30) as scene:
        results: list[CallToolResult] = []

        async def call() -> None:
            result = await scene.client.call_tool(RELEASE, scene.release, progress_callback=report)
            results.append(result)

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await waits.wait()
            assert await scene.sandbox.writes() == []
            await _press("approve")(visitor.pages[0])
        assert not results[0].is_error
        assert len(await scene.sandbox.writes()) == 1
        assert reported[0] == "Waiting for the operator's answer."


@ERAS
async def test_patience_ends_with_a_pending_action(era: Era, tmp_path: Path) -> None:
    async def open_only(page: str) -> ElicitResult:
        return ElicitResult(action="accept")

    async with _connected(tmp_path, Visitor(open_only), era=era, wait=0.05) as scene:
        result = await scene.client.call_tool(RELEASE, scene.release)
        assert _text(result).startswith("NOT SENT")
        assert await scene.sandbox.writes() == []


@ERAS
async def test_a_client_that_opens_nothing_waits_only_where_the_operator_set_it(era: Era, tmp_path: Path) -> None:
    waits = anyio.Event()

    async def report(progress: float, total: float | None, message: str | None) -> None:
        waits.set()

    async with _connected(tmp_path, None, era=era, wait=30) as scene:
        results: list[CallToolResult] = []

        async def call() -> None:
            results.append(await scene.client.call_tool(RELEASE, scene.release, progress_callback=report))

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await waits.wait()
            [action] = json.loads(await ringfence(scene.services.settings.state_folder, "actions", "list", "--json"))
            await _press("approve")(await scene.page.address_for(action["id"]) or "")
        assert not results[0].is_error
        assert len(await scene.sandbox.writes()) == 1


@ERAS
async def test_a_client_that_has_forms_is_asked_there_unless_only_the_operator_may_answer(
    era: Era, tmp_path: Path
) -> None:
    visitor = Visitor(_press("approve"))
    async with _connected(tmp_path, visitor, era=era) as scene:
        assert not (await scene.client.call_tool("voicetel_order_numbers", ORDER)).is_error
    assert (visitor.forms, visitor.pages) == (1, [])


async def test_an_opened_page_of_one_action_says_nothing_of_another(tmp_path: Path) -> None:
    async def open_only(page: str) -> ElicitResult:
        return ElicitResult(action="accept")

    async with _connected(tmp_path, Visitor(open_only), wait=0) as scene:
        asked = await scene.client.session.call_tool(RELEASE, scene.release, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        [key] = asked.input_requests or {}
        assert key.startswith("open_act_")
        yes = ElicitResult(action="accept", content={"approve": True, "for_good": True})
        forged: InputResponses = {key.replace("open_", "approve_"): yes}
        result = await scene.client.session.call_tool(
            RELEASE, scene.release, input_responses=forged, request_state=asked.request_state
        )
        assert result.is_error
        assert "approved by the operator only" in _text(result)
        assert await scene.sandbox.writes() == []


@asynccontextmanager
async def _connected(
    folder: Path, visitor: Visitor | None, *, era: Era = "auto", wait: float | None = None
) -> AsyncGenerator[Scene]:
    async with sandboxes() as sandbox:
        approvals = ApprovalSettings(port=0, wait_seconds=wait)
        services = Services(settings_for(folder, sandbox.voicetel).model_copy(update={"approvals": approvals}))
        await set_operator_passcode(services.settings.state_folder)
        async with (
            page_on_loopback(services) as page,
            Client(build_server(services, page=page), mode=era, elicitation_callback=visitor) as client,
        ):
            listed = await client.call_tool("voicetel_list_numbers", {})
            content: dict[str, Any] = content_of(listed)
            yield Scene(client, sandbox, services, page, {"number": content["numbers"][0]["number"]})


def _press(button: Literal["approve", "decline"]) -> Deed:
    async def press(page: str) -> ElicitResult:
        path = page_path(page)
        async with browsing(page) as operator:
            is_final = button == "approve"
            answer = await (operator.approve_for_good(path) if is_final else operator.press(f"{path}/decline", on=path))
            assert answer.status_code == 303, answer.text
        return ElicitResult(action="accept")

    return press


def _text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)
