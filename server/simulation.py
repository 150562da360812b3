"""Services against the simulated providers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sandbox.serving import serve_sandbox
from server.services import Services
from server.settings.model import Settings
from server.settings.sandbox_settings import for_sandbox


@asynccontextmanager
async def simulated_services(settings: Settings) -> AsyncGenerator[Services]:
    """Serve the simulated providers on a port of loopback while the block runs, with services that use them."""
    async with serve_sandbox() as url:
        yield Services(for_sandbox(settings, url))
