"""A server with an inbox over HTTP, and a Routee that posts to it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from pydantic import SecretStr

from server.mcp.app import build_server
from server.services import Services
from server.settings.model import HttpSettings, Settings
from server.settings.sandbox_settings import for_sandbox
from server.webhooks.urls import secret_of
from tests.connecting import Era, Person, connect
from tests.over_http import free_port, serve_over_http
from tests.sandbox_control import Sandbox, sandboxes

TOKEN = "a-long-token-of-alice"
TO = "+306912345678"


class Inbox:
    """A server over HTTP, and a Routee that posts to it."""

    def __init__(self, url: str, services: Services, http: httpx2.AsyncClient) -> None:
        self._url = url
        self._http = http
        self.services = services

    async def post(self, kind: str, body: object, *, secret: str | None = None) -> int:
        """Post a callback; the status of the answer."""
        secret = secret or secret_of(self.services.store)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self._http.post(f"{self._url}/webhooks/routee/{secret}/{kind}", content=content)
        return answer.status_code

    def client(self, era: Era = "auto", person: Person | None = None) -> Client:
        """An assistant beside it: another process on the same store, as far as the two can tell."""
        return connect(build_server(Services(self.services.settings)), era=era, person=person)


@asynccontextmanager
async def opened(
    folder: Path, *, store: SecretStr | None = None, keep_days: int | None = None, **more: Any
) -> AsyncGenerator[tuple[Inbox, Sandbox]]:
    """A server over HTTP before a fresh sandbox, whose callbacks reach it."""
    port = free_port()
    async with sandboxes() as sandbox, httpx2.AsyncClient() as http:
        public = HttpSettings(
            tokens={"alice": SecretStr(TOKEN)},
            public_address=f"http://127.0.0.1:{port}",
            keep_callbacks_days=keep_days,
        )
        base = Settings.model_validate({"state_folder": folder, "toolsets": ["all"], "http": public, **more})
        simulated = for_sandbox(base, sandbox.url)
        services = Services(simulated.model_copy(update={"store_url": store} if store else {}))
        try:
            async with serve_over_http(services.settings, services, port=port) as url:
                yield Inbox(url, services, http), sandbox
        finally:
            await services.close()


async def answer_of(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a call that must succeed brought."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content or {}


async def spent_at(inbox: Inbox) -> str:
    """What is held and settled."""
    (total,) = await inbox.services.spending.totals(datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC))
    return str(total.amount)
