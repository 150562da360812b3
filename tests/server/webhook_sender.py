"""A server with webhooks over HTTP, and a Routee that posts to it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from pydantic import SecretStr

from server.mcp.server import build_server
from server.services import Services
from server.settings.model import HttpSettings, settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Era, Person, connect, content_of
from tests.over_http import serve_over_http
from tests.ports import free_port
from tests.sandbox_control import Sandbox, sandboxes

TOKEN = "a-long-token-of-alice"
TO = "+306912345678"


class Inbox:
    """A server over HTTP, and a Routee that posts to it."""

    def __init__(self, url: str, services: Services, http: httpx2.AsyncClient) -> None:
        self._url = url
        self._http = http
        self.settings = services.settings
        self.folder = services.settings.state_folder
        self.secret = services.webhook_secret()

    async def post(self, kind: str, body: object, *, secret: str | None = None) -> int:
        """Post a callback; the status of the answer."""
        secret = secret or self.secret
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self._http.post(f"{self._url}/webhooks/routee/{secret}/{kind}", content=content)
        return answer.status_code

    def client(self, era: Era = "auto", person: Person | None = None) -> Client:
        """Connect an assistant to another server on the same store."""
        return connect(build_server(Services(self.settings)), era=era, person=person)


@asynccontextmanager
async def opened(
    folder: Path, *, store: SecretStr | None = None, keep_days: int | None = None, **more: Any
) -> AsyncGenerator[tuple[Inbox, Sandbox]]:
    """Run a server over HTTP in front of a fresh sandbox, whose callbacks reach it."""
    port = free_port()
    async with sandboxes() as sandbox, httpx2.AsyncClient() as http:
        public = HttpSettings(
            tokens={"alice": SecretStr(TOKEN)},
            public_address=f"http://127.0.0.1:{port}",
            keep_callbacks_days=keep_days,
        )
        base = settings_class().model_validate({"state_folder": folder, "toolsets": ["all"], "http": public, **more})
        simulated = for_sandbox(base, sandbox.url)
        services = Services(simulated.model_copy(update={"store_url": store} if store else {}))
        try:
            async with serve_over_http(services.settings, services, port=port) as url:
                yield Inbox(url, services, http), sandbox
        finally:
            await services.close()


async def answer_of(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool, check that the call succeeded, and return its result."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return content_of(result)


async def spent_at(inbox: Inbox) -> str:
    """Return what is held and settled, as the assistant's overview shows it."""
    async with inbox.client() as client:
        (total,) = (await answer_of(client, "account_overview"))["spent_here_this_month"]
    return str(total["amount"])


async def listed_events(inbox: Inbox, **wanted: str) -> list[dict[str, Any]]:
    """Return the events that an assistant can list."""
    async with inbox.client() as client:
        events: list[dict[str, Any]] = (await answer_of(client, "list_events", **wanted))["events"]
    return events
