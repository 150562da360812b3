"""The card in a real browser, inside a host page that speaks the host's side of MCP Apps."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from mcp.types import CallToolResult, TextResourceContents
from playwright.async_api import FrameLocator, Page, expect

from server.mcp.server import build_server
from server.services import Services
from tests.card.test_listing import FORWARD, KEY, RELEASE, URI, connect_with_cards, facts_of
from tests.connecting import settings_for
from tests.operator_side import OperatorSide
from tests.plans.jobs import customers, texts
from tests.sandbox_control import sandboxes
from tests.server.console.chromium import CHROMIUM, PHONE, picture, tab

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")

PAGE: Final = "http://127.0.0.1:8765"
HOST: Final = Path(__file__).parent / "host.html"
ABLE: Final[dict[str, Any]] = {"serverTools": {}, "openLinks": {}}
MARKUP: Final = "<img src=x onerror=alert(1)><b>bold</b>"


class PageAt:
    """An approval page at an address."""

    async def address_for(self, asked_id: str) -> str | None:
        """Return the address of an action or plan."""
        return f"{PAGE}/approvals/{asked_id}"


@dataclass
class Host:
    """A host page with the card in it, and a client that calls tools for both."""

    page: Page
    client: Any
    html: str
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    links: list[str] = field(default_factory=list[str])
    methods: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])

    @property
    def card(self) -> FrameLocator:
        """The card."""
        return self.page.frame_locator("iframe")

    async def show(
        self, result: CallToolResult, *, able: dict[str, Any] = ABLE, theme: Literal["light", "dark"] = "light"
    ) -> None:
        """Load the card, and give it a result."""
        await self.page.evaluate("([html, able, theme]) => start(html, able, theme)", [self.html, able, theme])
        await self.page.wait_for_function("() => window.ready")
        await self.notify("ui/notifications/tool-input", {"arguments": {}})
        await self.notify("ui/notifications/tool-result", result.model_dump(by_alias=True, mode="json"))

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send the card a notification."""
        await self.page.evaluate("([method, params]) => notify(method, params)", [method, params])

    async def call_tool(self, params: dict[str, Any]) -> dict[str, Any]:
        """Call a tool for the card."""
        self.calls.append(params)
        result: CallToolResult = await self.client.call_tool(params["name"], params["arguments"])
        return result.model_dump(by_alias=True, mode="json")

    async def open_link(self, url: str) -> None:
        """Remember the address that the card has opened."""
        self.links.append(url)

    async def see(self, method: str) -> None:
        """Remember what the card sent."""
        self.methods.append(method)


@asynccontextmanager
async def _host(folder: Path, **options: Any) -> AsyncGenerator[Host]:
    async with sandboxes() as sandbox:
        services = Services(settings_for(folder, sandbox.voicetel))
        server = build_server(services, page=PageAt())
        async with connect_with_cards(server) as client, tab(PAGE, java_script_enabled=True, **options) as page:
            [contents] = (await client.read_resource(URI)).contents
            assert isinstance(contents, TextResourceContents)
            host = Host(page, client, contents.text)
            page.on("pageerror", lambda error: host.errors.append(str(error)))
            page.on("console", lambda said: host.errors.append(said.text) if said.type == "error" else None)
            for name, function in (("callTool", host.call_tool), ("openLink", host.open_link), ("seen", host.see)):
                await page.expose_function(name, function)  # pyright: ignore[reportUnknownMemberType] - a bare Callable
            await page.set_content(HOST.read_text(encoding="utf-8"))
            yield host
            assert host.errors == []


async def test_the_card_shows_the_question_and_what_became_of_it(tmp_path: Path, operator: OperatorSide) -> None:
    async with _host(tmp_path) as host:
        result = await host.client.call_tool(*RELEASE)
        facts = facts_of(result)
        await host.show(result)
        await expect(host.card.get_by_role("heading", level=1)).to_have_text(facts["title"])
        await expect(host.card.locator("#amount")).to_have_text(facts["amount"])
        await expect(host.card.get_by_text("Waiting", exact=True)).to_be_visible()
        await expect(host.card.get_by_text("left to answer")).to_be_visible()
        await expect(host.card.get_by_text("At VoiceTel, account")).to_be_visible()
        await expect(host.card.locator("#final")).to_have_text(facts["final"])
        await picture(host.page, "card")
        await host.card.get_by_role("button", name="Open the approval page").click()
        await operator.approve(facts["id"])
        await host.card.get_by_role("button", name="Check again").click()
        await expect(host.card.get_by_text("Approved", exact=True)).to_be_visible()
        await expect(host.card.get_by_role("button", name="Open the approval page")).to_have_count(0)
        assert host.links == [f"{PAGE}/approvals/{facts['id']}"]
        assert host.calls == [{"name": "get_action", "arguments": {"action_id": facts["id"]}}] * len(host.calls)
        assert set(host.methods) <= {
            "ui/initialize",
            "ui/notifications/initialized",
            "ui/notifications/size-changed",
            "ui/open-link",
            "tools/call",
        }


async def test_a_host_that_can_neither_call_nor_open_gets_the_command_to_type(tmp_path: Path) -> None:
    async with _host(tmp_path, viewport=PHONE, color_scheme="dark") as host:
        result = await host.client.call_tool("propose_plan", texts(customers(3)))
        await host.show(result, able={}, theme="dark")
        await expect(host.card.get_by_role("heading", level=1)).to_have_text("3 calls as one job")
        await expect(host.card.locator("#command")).to_have_text(facts_of(result)["command"])
        await expect(host.card.get_by_role("button")).to_have_count(0)
        await picture(host.page, "card-phone-dark", scheme="dark")
        assert host.calls == []


async def test_without_its_facts_the_card_shows_the_sentences_of_the_result(tmp_path: Path) -> None:
    async with _host(tmp_path) as host:
        result = await host.client.call_tool(*FORWARD)
        await host.show(result.model_copy(update={"meta": None}))
        await expect(host.card.get_by_text("Waiting", exact=True)).to_be_visible()
        await expect(host.card.get_by_text("Your approval covers exactly this call")).to_be_visible()
        await expect(host.card.locator("#where")).to_contain_text(PAGE)


async def test_a_call_that_was_refused_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with _host(tmp_path) as host:
        await host.show(await host.client.call_tool("voicetel_set_forward", {"number": "+12015550142"}))
        await expect(host.card.get_by_text("Error", exact=True)).to_be_visible()
        await expect(host.card.locator("#status")).to_contain_text("destination")


async def test_text_stays_text_in_the_card(tmp_path: Path) -> None:
    async with _host(tmp_path) as host:
        result = await host.client.call_tool(*FORWARD)
        facts = facts_of(result)
        marked = facts | {name: [MARKUP] for name in ("notes", "changes", "call", "price")}
        marked |= dict.fromkeys(("title", "amount", "final", "status", "outcome", "approvals", "where"), MARKUP)
        await host.show(result.model_copy(update={"meta": {KEY: marked | {"page": "javascript:alert(1)"}}}))
        await expect(host.card.get_by_role("heading", level=1)).to_have_text(MARKUP)
        await expect(host.card.locator("img, b, a")).to_have_count(0)
        await expect(host.card.get_by_role("button", name="Open the approval page")).to_have_count(0)
