"""Serves MCP over stdio, with the approval page on loopback beside it."""

import os
import select
import signal
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import anyio
from anyio.abc import TaskGroup
from mcp.server.stdio import stdio_server

from clients.deferred import Deferred
from server.mcp.approval_page import ApprovalPage, NoPage
from server.mcp.server import build_server
from server.notices.on_demand import send_notices
from server.services import Services
from server.settings.model import Settings
from server.simulation import services_for
from server.telemetry.on_demand import measure_on_demand, send_what_is_left
from server.worker.on_demand import work_on_demand

if TYPE_CHECKING:
    from server.http.loopback import LoopbackPage

LOOPBACK_PAGE: Final = Deferred["type[LoopbackPage]"]("server.http.loopback:LoopbackPage")
"""The page stands on the store, so it waits behind the store's door until an action waits."""

WAITING_IN_A_TERMINAL: Final = (
    "Ringfence waits for an MCP client on stdin: JSON-RPC messages, one a line. Clients start it by themselves.\n"
    "To try it, run `ringfence demo`; to serve over HTTP, `ringfence serve --http 127.0.0.1:8765`. Ctrl-C ends it.\n"
)

SIMULATED: Final = "SANDBOX: all providers are simulated; nothing is real and nothing costs money.\n"

CLOSED_CHECK_SECONDS: Final = 0.5
CLOSING_SECONDS: Final = 5.0
CLOSED_CODE: Final = 0
INTERRUPTED_CODE: Final = 130
"""What shells report for a program that Ctrl-C ended: 128 and the number of SIGINT."""


async def serve_stdio(settings: Settings, *, sandbox: bool) -> None:
    """Speak MCP over stdin and stdout until the client closes them."""
    async with services_for(settings, sandbox=sandbox) as services, page_on_loopback(services) as page:
        server = build_server(services, page=page)
        if sys.stdin.isatty():
            sys.stderr.write(SIMULATED if sandbox else "")
            sys.stderr.write(WAITING_IN_A_TERMINAL)
        try:
            wire = os.dup(1)  # stdio_server puts stderr in its place
        except OSError:
            sys.stderr.write("stdout is closed, so nothing can be answered there.\n")
            return
        async with stdio_server() as (incoming, outgoing):
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(_cancel_when_closed, wire, group.cancel_scope)
                    group.start_soon(_end_when_interrupted, services)
                    group.start_soon(work_on_demand, services)
                    group.start_soon(send_notices, services, settings.approvals.address)
                    group.start_soon(measure_on_demand, settings, services.door, services.clock)
                    await server.run(incoming, outgoing, server.create_initialization_options())
                    group.cancel_scope.cancel()
            except anyio.get_cancelled_exc_class():
                await _end(services, CLOSED_CODE if _is_closed(wire) else INTERRUPTED_CODE)
            if _is_closed(wire):
                await _end(services, CLOSED_CODE)
        os.close(wire)


async def _cancel_when_closed(wire: int, scope: anyio.CancelScope) -> None:
    """Cancel the scope once nobody reads stdout any more. Where that cannot be watched, the next answer shows it."""
    kind = os.fstat(wire).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)) or not hasattr(select, "poll"):
        return
    while not _is_closed(wire):  # noqa: ASYNC110 - a pipe that nobody reads raises no event on every system
        await anyio.sleep(CLOSED_CHECK_SECONDS)
    scope.cancel()


async def _end_when_interrupted(services: Services) -> None:
    """End the process on Ctrl-C.

    Otherwise Ctrl-C cancels the whole run, and whatever swallows that leaves a server that waits for a line on stdin.
    """
    if sys.platform == "win32":
        return  # signals cannot be received there; the run is cancelled
    with anyio.open_signal_receiver(signal.SIGINT) as interrupts:
        async for _ in interrupts:
            await _end(services, INTERRUPTED_CODE)


def _is_closed(wire: int) -> bool:
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(wire, 0)
    return bool(poll.poll(0))


async def _end(services: Services, code: int) -> NoReturn:
    """Close what is open and end the process, although a thread may still wait for a line on stdin."""
    with anyio.move_on_after(CLOSING_SECONDS, shield=True):
        await services.close()
        await send_what_is_left(services.settings)
    sys.stderr.flush()
    os._exit(code)


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

    async def address_for(self, asked_id: str) -> str | None:
        """Return the URL of one action, or None if no page can be served; the first call starts the page."""
        if self._page is None:
            self._page = LOOPBACK_PAGE.load()(self._services, self._group)
        return await self._page.address_for(asked_id)
