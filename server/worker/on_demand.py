"""Starts the worker of a serving process once something is due; DBOS is imported only then."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import anyio
import anyio.to_thread

from clients.deferred import Deferred
from guard.errors import JournalUnavailable
from server.services import Services
from server.store.door import OPEN_STORE

logger = logging.getLogger(__name__)

WORK: Final = Deferred[Callable[[Services], Awaitable[None]]]("server.worker.worker:work")
"""The worker stands on DBOS, which takes longer to load than the rest of a start."""

LOOK_EVERY: Final = 1.0
"""Seconds between two looks on the record, once the store is open."""

BEAT_EVERY: Final = 60.0
"""Seconds between two signs of life of a server."""

FIRST_LOOK: Final = 5.0
"""Seconds after the start at which a server that has not opened its store looks whether something is due there."""


async def work_on_demand(services: Services) -> None:
    """Wait until something on the record is due for a worker, and work from then on, until this is cancelled."""
    began = anyio.current_time()
    while not services.door.is_open:
        await anyio.sleep(LOOK_EVERY)
        if anyio.current_time() - began >= FIRST_LOOK and services.door.has_worked:
            await anyio.to_thread.run_sync(OPEN_STORE.load)
            break
    async with anyio.create_task_group() as group:
        group.start_soon(_give_signs_of_life, services)
        while not await _is_anything_due(services):  # noqa: ASYNC110 - other processes approve, too
            await anyio.sleep(LOOK_EVERY)
        await anyio.to_thread.run_sync(WORK.load)
        while True:
            try:
                await WORK.load()(services)
            except Exception:  # it must not end the server
                logger.exception("The worker stopped; it is started again.")
                await anyio.sleep(LOOK_EVERY)


async def _give_signs_of_life(services: Services) -> None:
    """Let the console show that this server runs on the record, until this is cancelled."""
    processes, now = services.store.processes, services.clock.now
    with suppress(JournalUnavailable):
        await processes.forget_old(now())
    while True:
        with suppress(JournalUnavailable):
            await processes.beat("server", now())
        await anyio.sleep(BEAT_EVERY)


async def _is_anything_due(services: Services) -> bool:
    try:
        return bool(await services.store.plans.due(services.clock.now()))
    except JournalUnavailable:
        return False
