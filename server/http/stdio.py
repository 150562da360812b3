"""Serves MCP over stdio, with the approval page on loopback beside it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup
from mcp.server.stdio import stdio_server

from clients.deferred import Deferred
from server.mcp.out_of_band import ApprovalPage, NoPage
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import Settings
from server.simulation import services_for

if TYPE_CHECKING:
    from server.http.loopback import LoopbackPage

LOOPBACK_PAGE: Final = Deferred["type[LoopbackPage]"]("server.http.loopback:LoopbackPage")
"""The page stands on the store, so it waits behind the store's door until an action waits."""


async def serve_stdio(settings: Settings, *, sandbox: bool) -> None:
    """Speak MCP over stdin and stdout until the client closes them."""
    async with services_for(settings, sandbox=sandbox) as services, page_on_loopback(services) as page:
        server = build_server(services, page=page)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


@asynccontextmanager
async def page_on_loopback(services: Services) -> AsyncGenerator[ApprovalPage]:
    """Yield the approval page on loopback; it is served from the first waiting action until the block ends."""
    settings = services.settings
    if settings.approvals.page == "off":
        yield NoPage()
        return
    async with anyio.create_task_group() as group:
        try:
            yield PageOnDemand(services, group)
        finally:
            group.cancel_scope.cancel()
    await services.close()


class PageOnDemand:
    """The approval page, made when an action first waits."""

    def __init__(self, services: Services, group: TaskGroup) -> None:
        self._services = services
        self._group = group
        self._page: LoopbackPage | None = None

    async def address_for(self, action_id: str) -> str | None:
        """Return the URL of one action, or None if no page can be served; the first call starts the page."""
        if self._page is None:
            settings = self._services.settings
            self._page = LOOPBACK_PAGE.load()(
                self._services.door,
                store_address=settings.store_address,
                port=settings.approvals.port,
                group=self._group,
            )
        return await self._page.address_for(action_id)
