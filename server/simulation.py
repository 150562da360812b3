"""Services over the real providers, or over simulated ones that run as long as the services do."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from clients.deferred import Deferred
from server.services import Services
from server.settings.model import Settings

SERVE_SANDBOX: Final = Deferred[Callable[[], AbstractAsyncContextManager[str]]]("sandbox.serving:serve_sandbox")
FOR_SANDBOX: Final = Deferred[Callable[[Settings, str], Settings]]("server.settings.sandbox_settings:for_sandbox")
"""Deferred: only `--sandbox` needs the simulated providers."""


@asynccontextmanager
async def services_for(settings: Settings, *, sandbox: bool) -> AsyncGenerator[Services]:
    """Build the services of a process; with `sandbox`, start the simulated providers and use them instead."""
    if not sandbox:
        yield Services(settings)
        return
    async with SERVE_SANDBOX.load()() as url:
        yield Services(FOR_SANDBOX.load()(settings, url))
