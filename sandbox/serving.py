"""The sandbox on a real loopback socket, inside the running event loop."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import Sandbox, create_sandbox
from sandbox.recorder import DROP_EXTENSION

if TYPE_CHECKING:
    from asyncio import Transport  # noqa: TID251 - uvicorn's own signature; nothing of it runs here


class DroppingProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which also lets the application close the connection without an answer."""

    def connection_made(self, transport: "Transport") -> None:  # type: ignore[override]
        """Offer the application a way to close this very connection."""
        super().connection_made(transport)
        self.app = _with_drop(self.app, transport)


def _with_drop(app: ASGIApp, transport: "Transport") -> ASGIApp:
    async def offering(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), DROP_EXTENSION: transport.close}
        await app({**scope, "extensions": extensions}, receive, send)

    return offering


class LoopbackServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its process and stops when it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()
        self.stopping = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signal handlers of the surrounding process alone."""
        yield

    async def main_loop(self) -> None:
        """Wait for the order to stop, without uvicorn's polling ten times a second."""
        self.listening.set()
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything, without uvicorn's fixed wait of a tenth of a second."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
            await anyio.sleep(0.001)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


@runtime_checkable
class Companion(Protocol):
    """A simulated provider that acts by itself, such as one that calls back."""

    async def run(self) -> None:
        """Act until cancelled."""
        ...


@asynccontextmanager
async def serve_sandbox(
    host: str = "127.0.0.1", port: int = 0, *, sandbox: Sandbox | None = None
) -> AsyncGenerator[str]:
    """Serve the sandbox and yield its base URL, such as `http://127.0.0.1:49152`.

    Port 0 takes a free one. On leaving, faults are cleared, requests that they kept waiting are let go, and every
    connection is closed.

    Raises:
        OSError: the port is taken.
    """
    app = sandbox or create_sandbox()
    listener = _bind(host, port)
    config = uvicorn.Config(
        app,
        http=DroppingProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        proxy_headers=False,
    )
    server = LoopbackServer(config)

    async def run() -> None:
        # Shielded: a cancelled caller still gets its sockets closed, since `stopping` is set on every way out.
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])

    with _single():
        async with anyio.create_task_group() as group, anyio.create_task_group() as companions:
            group.start_soon(run)
            for provider in app.providers.values():
                if isinstance(provider, Companion):
                    companions.start_soon(provider.run)
            try:
                await server.listening.wait()
                yield f"http://{host}:{listener.getsockname()[1]}"
            finally:
                companions.cancel_scope.cancel()
                app.faults.clear()
                server.stopping.set()


@contextmanager
def _single() -> Generator[None, None, None]:
    """Let the error that ends the caller's block out as itself, not as a group of one, which nobody would catch."""
    try:
        yield
    except BaseExceptionGroup as group:
        error = _innermost(group)
        raise error from error.__cause__


def _innermost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first, *others = group.exceptions
    if others:
        return group
    return (
        _innermost(cast("BaseExceptionGroup[BaseException]", first)) if isinstance(first, BaseExceptionGroup) else first
    )


def _bind(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY; without it small answers take 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
