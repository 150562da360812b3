"""Serves MCP over stdin and stdout, with the approval page on loopback once something waits for approval."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from clients.deferred import Deferred
from server.console.urls import ApprovalPage
from server.mcp.app import build_server
from server.services import Services
from server.settings.model import Settings
from server.simulation import services_for
from server.store.door import StoreDoor


class CreatePage(Protocol):
    """The signature of `server.http.loopback.LoopbackPage`."""

    def __call__(self, door: StoreDoor, *, store_address: str, port: int, group: TaskGroup) -> ApprovalPage: ...


LOOPBACK_PAGE: Final = Deferred[CreatePage]("server.http.loopback:LoopbackPage")
"""The page works on the open store, so it is loaded no earlier than the store."""


async def serve_stdio(settings: Settings, *, sandbox: bool) -> None:
    """Serve MCP over stdin and stdout until the client closes them."""
    async with services_for(settings, sandbox=sandbox) as services:
        server = build_server(services)
        async with page_on_loopback(services):
            await server.run_stdio_async()


@asynccontextmanager
async def page_on_loopback(services: Services) -> AsyncGenerator[None]:
    """Let the services serve the approval page on loopback as long as the block runs, then close them."""
    if services.settings.approvals.page == "off":
        yield
        return
    async with anyio.create_task_group() as group:
        services.page = LazyApprovalPage(services, group)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
    await services.close()


class LazyApprovalPage:
    """Implements `server.console.urls.ApprovalPage`: creates the page when an action first waits for approval."""

    def __init__(self, services: Services, group: TaskGroup) -> None:
        self._services = services
        self._group = group
        self._page: ApprovalPage | None = None

    async def address_for(self, action_id: str) -> str | None:
        if self._page is None:
            settings = self._services.settings
            self._page = LOOPBACK_PAGE.load()(
                self._services.door,
                store_address=settings.store_address,
                port=settings.approvals.port,
                group=self._group,
            )
        return await self._page.address_for(action_id)
