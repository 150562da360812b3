"""What a process works against: the real providers or the simulated ones."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from clients.deferred import Deferred
from server.services import Services
from server.settings.model import Settings

SIMULATE: Final = Deferred[Callable[[Settings], AbstractAsyncContextManager[Services]]](
    "server.simulation:simulated_services"
)
"""The door to the simulated providers, which a server of real ones never loads."""


@asynccontextmanager
async def services_for(settings: Settings, *, sandbox: bool) -> AsyncGenerator[Services]:
    """Services for these settings. The simulated providers run as long as the block does."""
    if sandbox:
        async with SIMULATE.load()(settings) as services:
            yield services
    else:
        yield Services(settings)
