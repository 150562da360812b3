"""Measures the store of a serving process where its settings name a collector, and sends what is left at its end."""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import anyio.to_thread

from clients.deferred import Deferred
from clients.shared.clock import Clock
from server.settings.model import Settings
from server.store.door import StoreDoor

MEASURE_STORE: Final[Deferred[Callable[..., Awaitable[None]]]] = Deferred("server.telemetry.gauges:measure_store")

SEND: Final[Deferred[Callable[[], None]]] = Deferred("server.telemetry.export:send_what_is_left")

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether the store is open."""


async def measure_on_demand(settings: Settings, door: StoreDoor, clock: Clock) -> None:
    """Measure the store once it is open, until this is cancelled; return at once where nothing is sent anywhere.

    A store that nobody needs is not opened to be measured.
    """
    if settings.telemetry.endpoint is None:
        return
    while not door.is_open:  # noqa: ASYNC110 - nothing tells when it opens
        await anyio.sleep(LOOK_EVERY)
    await anyio.to_thread.run_sync(MEASURE_STORE.load)
    await MEASURE_STORE.load()(door.store, settings, clock)


async def send_what_is_left(settings: Settings) -> None:
    """Send what was recorded, for a few seconds at most: what ends a process by a signal runs nothing more after it."""
    if settings.telemetry.endpoint is not None:
        await anyio.to_thread.run_sync(SEND.load(), abandon_on_cancel=True)
