"""The approval page on loopback, beside servers that speak stdio.

Several servers may share one store: the first that needs the page serves it, and the others link to it. If another
program has the usual port, the page takes a free one and its address is kept in the store.
"""

import logging
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus

from server.console.page_identity import PageIdentity
from server.console.pages import PageOptions, PageSetup, approval_app
from server.console.urls import action_url
from server.services import Services
from server.store.store import Store

logger = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
_KEY: Final = "approval page"


class PortTaken(Exception):
    """Another program listens on the port."""


class QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its process and stops when `stopping` is set."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()
        self.stopping = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: the process has its own handlers."""
        yield

    async def main_loop(self) -> None:
        """Wait for `stopping`, without uvicorn's polling ten times a second."""
        self.listening.set()
        await self.stopping.wait()


class LoopbackPage:
    """Implements `server.mcp.out_of_band.ApprovalPage`: serves the page in a task group when it is needed."""

    def __init__(self, services: Services, group: TaskGroup) -> None:
        settings = services.settings
        self._door = services.door
        self._options = PageOptions.of(settings, services)
        self._store_address = settings.store_address  # it distinguishes stores that have the same key
        self._port = settings.approvals.port
        self._group = group
        self._own: str | None = None
        self._finding = anyio.Lock()

    async def address_for(self, asked_id: str) -> str | None:
        """Return the URL of one action, or None if no page can be served.

        The page is that of this process or of another on the store; without either, this process starts to serve one.
        """
        async with self._finding:
            base = self._own or await self._find_elsewhere() or await self._serve()
        return action_url(base, asked_id) if base else None

    async def _find_elsewhere(self) -> str | None:
        stored = await self._door.store.key_values.get(_KEY)
        usual = address(self._port) if self._port else None
        for base in dict.fromkeys((stored, usual)):
            if base and await self._identity(base).holds():
                return base
        return None

    async def _serve(self) -> str | None:
        for port in dict.fromkeys((self._port, 0)):
            try:
                listener = bind(port)
            except OSError:
                if port and await self._identity(address(port)).holds():
                    return address(port)  # another process was faster
                continue
            base: str = await self._group.start(self._run, listener)
            await self._door.store.key_values.put(_KEY, base)
            return base
        return None

    async def _run(self, listener: socket.socket, *, task_status: TaskStatus[str]) -> None:
        try:
            store, options = self._door.store, self._options
            async with serve_page(store, listener, store_address=self._store_address, options=options) as base:
                self._own = base
                task_status.started(base)
                await anyio.sleep_forever()
        except Exception:
            logger.exception("The approval page stopped; the command line still works.")
        finally:
            self._own = None

    def _identity(self, base: str) -> PageIdentity:
        return PageIdentity(self._door.store.seal, store_address=self._store_address, base=base)


@asynccontextmanager
async def serve_page(
    store: Store, listener: socket.socket, *, store_address: str, options: PageOptions
) -> AsyncGenerator[str]:
    """Serve the page on a listening socket as long as the block runs; yield its base address."""
    server = QuietServer(_config(store, listener, store_address=store_address, options=options))

    async def run() -> None:
        # Shielded: a cancelled caller still gets its sockets closed, since `stopping` is set on every way out.
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            await server.listening.wait()
            yield address(listener.getsockname()[1])
        finally:
            server.stopping.set()


async def is_served(store: Store, *, store_address: str, port: int) -> bool:
    """Return True if another process serves this store's page on a port."""
    base = address(port)
    return bool(port) and await PageIdentity(store.seal, store_address=store_address, base=base).holds()


async def serve_in_foreground(
    store: Store, listener: socket.socket, *, store_address: str, options: PageOptions
) -> None:
    """Serve the page on a listening socket until the process is stopped."""
    await store.key_values.put(_KEY, address(listener.getsockname()[1]))
    config = _config(store, listener, store_address=store_address, options=options)
    await uvicorn.Server(config).serve(sockets=[listener])


def require_port(port: int) -> socket.socket:
    """Listen on a port of loopback.

    Raises:
        PortTaken: Another program listens on it.
    """
    try:
        return bind(port)
    except OSError as taken:
        raise PortTaken(
            f"Port {port} is taken by another program ({taken.strerror}); set RINGFENCE_APPROVALS__PORT."
        ) from taken


def bind(port: int) -> socket.socket:
    """Listen on loopback at once, so that two processes cannot both believe they have the port.

    Raises:
        OSError: The port is taken.
    """
    # With the protocol named, asyncio sets TCP_NODELAY; without it every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let another program listen on the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def address(port: int) -> str:
    """Return the base address of a page on loopback."""
    return f"http://{HOST}:{port}"


def _config(store: Store, listener: socket.socket, *, store_address: str, options: PageOptions) -> uvicorn.Config:
    port = listener.getsockname()[1]
    setup = PageSetup(
        store=store,
        hosts=[f"{HOST}:{port}", f"localhost:{port}"],
        identity=PageIdentity(store.seal, store_address=store_address, base=address(port)),
        options=options,
    )
    return uvicorn.Config(
        approval_app(setup),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
