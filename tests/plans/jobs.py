"""Jobs that tests propose, and what happens between two of their messages."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
from mcp import Client
from mcp.types import CallToolResult

from server.services import Services
from server.worker.errands import Errands
from tests.sandbox_control import NO_CERTIFICATES

SENDER: Final = "+12015550142"
TEXT: Final = "Hello {{name}}, the clinic is closed on Friday."


def number(place: int) -> str:
    """Return the number of a customer, by its place."""
    return f"+1212555{place + 100:04d}"


def customers(count: int) -> str:
    """Return CSV with the numbers and names of customers."""
    return "to,name\n" + "".join(f"{number(place)},Customer {place}\n" for place in range(count))


def texts(rows: Any, *, text: str = TEXT, **more: Any) -> dict[str, Any]:
    """Return the arguments of a plan that texts somebody for each row."""
    arguments = {"from_number": SENDER, "to_number": "{{to}}", "text": text}
    step = {"operation": "voicetel_send_message", "arguments": arguments, "for_each": rows}
    return {"title": "Tell customers about Friday", "steps": [step], **more}


async def propose(client: Client, plan: dict[str, Any]) -> dict[str, Any]:
    """Propose a plan; return what the result says as data."""
    return content_of(await client.call_tool("propose_plan", plan))


async def run(client: Client, plan_id: str) -> dict[str, Any]:
    """Carry out a plan; return what the result says as data."""
    return content_of(await client.call_tool("run_plan", {"plan_id": plan_id}))


def content_of(result: CallToolResult) -> dict[str, Any]:
    """Return the structured content of a result."""
    content: dict[str, Any] = result.structured_content or {}
    return content


def states(content: dict[str, Any]) -> list[str]:
    """Return where each step stands, in their order."""
    return [step["state"] for step in content["steps"]]


def text_of(result: CallToolResult) -> str:
    """Return a result as a model reads it."""
    return "\n".join(part.text for part in result.content if part.type == "text")


async def work_off(services: Services) -> None:
    """Carry out what is due, as a worker does, in this process and without the queue."""
    for item, _ in await services.store.plans.due(services.clock.now()):
        await Errands(services).carry_out(item)


class Between(httpx2.AsyncHTTPTransport):
    """Passes every request on, and does something just before a message of a certain number leaves."""

    def __init__(self) -> None:
        super().__init__(verify=NO_CERTIFICATES)
        self.before: dict[int, Callable[[], Awaitable[object]]] = {}
        """What happens, by the number of the message, counted from 1."""

        self.before_price: Callable[[], Awaitable[object]] | None = None
        """What happens when the account is read for its prices, once."""

        self._messages = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on."""
        if self.before_price is not None and request.url.path.endswith("/account"):
            happens, self.before_price = self.before_price, None
            await happens()
        if request.method == "POST" and request.url.path.endswith("/messages"):
            self._messages += 1
            if self._messages in self.before:
                await self.before[self._messages]()
        return await super().handle_async_request(request)


@asynccontextmanager
async def between() -> AsyncGenerator[tuple[Between, httpx2.AsyncClient]]:
    """Open a client for a server's requests, on whose way something may happen."""
    proxy = Between()
    async with httpx2.AsyncClient(transport=proxy) as http:
        yield proxy, http
