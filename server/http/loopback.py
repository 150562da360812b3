"""The page on this machine's loopback, beside servers that speak stdio.

Several of them may share one store; the first that needs the page serves it, and the others point to it. Where the
usual port belongs to something else, any free one is taken, and the address is kept in the store.
"""

import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus

from server.console.page_identity import PageIdentity
from server.console.pages import PageSetup, approval_app
from server.console.urls import action_url
from server.services import Services
from server.store.store import Store

logger = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
_FACT: Final = "approval page"


class PortTaken(Exception):
    """Something that is not a page of this store listens there."""


class QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its process and stops when it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()
        self.stopping = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """The process has its own handlers."""
        yield

    async def main_loop(self) -> None:
        """Wait for the order to stop, without uvicorn's polling ten times a second."""
        self.listening.set()
        await self.stopping.wait()


class LoopbackPage:
    """Implements `server.mcp.out_of_band.ApprovalPage`: serves the page, in a given task group, when it is needed."""

    def __init__(self, services: Services, *, port: int, group: TaskGroup) -> None:
        """`port` 0 takes any free one."""
        self._services = services
        self._store_address = services.settings.store_address
        self._port = port
        self._group = group
        self._own: str | None = None
        self._finding = anyio.Lock()

    async def address_for(self, action_id: str) -> str | None:
        async with self._finding:
            base = self._own or await self._served_elsewhere() or await self._serve()
        return action_url(base, action_id) if base else None

    async def _served_elsewhere(self) -> str | None:
        kept = await self._services.store.key_values.get(_FACT)
        usual = address(self._port) if self._port else None
        for base in dict.fromkeys((kept, usual)):
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
            await self._services.store.key_values.put(_FACT, base)
            return base
        return None

    async def _run(self, listener: socket.socket, *, task_status: TaskStatus[str]) -> None:
        try:
            async with serving(self._services.store, listener, store_address=self._store_address) as base:
                self._own = base
                task_status.started(base)
                await anyio.sleep_forever()
        except Exception:
            logger.exception("The approval page stopped; the command line still works.")
        finally:
            self._own = None

    def _identity(self, base: str) -> PageIdentity:
        return PageIdentity(self._services.store.seal, store_address=self._store_address, base=base)


@asynccontextmanager
async def serving(store: Store, listener: socket.socket, *, store_address: str) -> AsyncGenerator[str]:
    """The page on a listening socket, until the block is left; yields its base address."""
    server = QuietServer(_config(store, listener, store_address=store_address))

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


async def serve_in_foreground(
    store: Store, *, store_address: str, port: int, told: Callable[[str, bool], None]
) -> None:
    """Serve until the process is told to stop, unless the page of this store is already there.

    `told` gets the address, and whether it was there already.

    Raises:
        PortTaken: Something else listens on the port.
    """
    if port and await PageIdentity(store.seal, store_address=store_address, base=address(port)).holds():
        told(address(port), True)
        return
    try:
        listener = bind(port)
    except OSError as taken:
        raise PortTaken(
            f"Port {port} is taken by another program ({taken.strerror}); set RINGFENCE_APPROVALS__PORT."
        ) from taken
    base = address(listener.getsockname()[1])
    await store.key_values.put(_FACT, base)
    told(base, False)
    await uvicorn.Server(_config(store, listener, store_address=store_address)).serve(sockets=[listener])


def bind(port: int) -> socket.socket:
    """A socket that listens on loopback at once, so that two processes cannot both believe they have the port.

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
    """The base address of a page on loopback."""
    return f"http://{HOST}:{port}"


def _config(store: Store, listener: socket.socket, *, store_address: str) -> uvicorn.Config:
    port = listener.getsockname()[1]
    setup = PageSetup(
        store=store,
        hosts=[f"{HOST}:{port}", f"localhost:{port}"],
        identity=PageIdentity(store.seal, store_address=store_address, base=address(port)),
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
