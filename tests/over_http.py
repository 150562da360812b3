"""The server over streamable HTTP in this process, on a real socket, and clients that reach it there."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from sandbox.serving import LoopbackServer
from server.http.app import http_app
from server.services import Services
from server.settings.model import Settings
from tests.connecting import Era, Person
from tests.ports import free_port


@asynccontextmanager
async def serve_over_http(
    settings: Settings, services: Services | None = None, *, port: int | None = None
) -> AsyncGenerator[str]:
    """Run a server with these settings as long as the block runs; yields its address."""
    port = port or free_port()
    app = http_app(services or Services(settings), "127.0.0.1", port)
    server = LoopbackServer(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="on"))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve)
        await server.listening.wait()
        yield f"http://127.0.0.1:{port}"
        server.stopping.set()


@asynccontextmanager
async def connect_over_http(
    url: str, token: str, *, era: Era = "auto", person: Person | None = None, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[Client]:
    """Open a client that sends a bearer token, and further headers, with every request."""
    headers = {"Authorization": f"Bearer {token}", **(headers or {})}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=era, elicitation_callback=person) as client:
            yield client
