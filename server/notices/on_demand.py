"""Starts the notices of a serving process where its settings name channels; what sends them is imported only then."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import anyio
import anyio.to_thread

from clients.deferred import Deferred
from clients.shared.clock import SystemClock
from server.services import Services
from server.store.door import OPEN_STORE

SEND: Final = Deferred[Callable[[Services, str | None, datetime], Awaitable[None]]]("server.notices.sending:send")

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether the store is open."""

FIRST_LOOK: Final = 5.0
"""Seconds after the start at which a server that has not opened its store looks whether there is one to tell of."""


async def send_notices(services: Services, base: str | None) -> None:
    """Tell operators what happens on the record, until this is cancelled; returns at once where nobody is to be told.

    `base` is the URL of the server whose approval page people reach, for the links; None where there is none.
    """
    if not services.settings.notify.channels:
        return
    began, began_at = anyio.current_time(), SystemClock().now()
    while not services.door.is_open:
        await anyio.sleep(LOOK_EVERY)
        if anyio.current_time() - began >= FIRST_LOOK and services.door.is_there:
            await anyio.to_thread.run_sync(OPEN_STORE.load)
            break
    await anyio.to_thread.run_sync(SEND.load)
    await SEND.load()(services, base, began_at)
