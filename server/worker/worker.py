"""The worker of a process: looks on the record for what is due, and carries it out through the durable queue."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from guard.errors import JournalUnavailable
from server.services import Services
from server.store.processes import is_gone, this_process
from server.worker.errands import Errands
from server.worker.work_queue import QueueSetup, WorkQueue

logger = logging.getLogger(__name__)

LOOK_EVERY: Final = 1.0
"""Seconds between two looks on the record for what is due."""

BEAT_EVERY: Final = 5.0
"""Seconds between two signs of life, and between two looks for workers whose processes ended."""

LOST_AFTER: Final = 30.0
"""A worker gives a sign of life every five seconds, so one that missed several in a row has ended."""

_PUT_AGAIN: Final = 10.0
"""Seconds after which work that is still due is put into the queue again, if it is not in there."""

_POLL: Final = 0.05
"""Seconds between two looks at whether the queue is empty."""

INTERRUPTED: Final = "interrupted"


@dataclass(slots=True)
class _Beat:
    """The last sign of life of a worker, and when it was first seen here."""

    value: str | None
    seen_at: float


@dataclass(slots=True)
class Worker:
    """Carries out what is due on the record of a process's services."""

    services: Services
    lost_after: float = LOST_AFTER
    """Seconds without a sign of life after which a worker on another machine counts as ended."""

    queue: WorkQueue = field(init=False)
    _name: str = field(default_factory=this_process)
    _token: anyio.lowlevel.EventLoopToken = field(default_factory=anyio.lowlevel.current_token)
    _running: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])
    _put: dict[tuple[str, datetime], float] = field(default_factory=dict[tuple[str, datetime], float])
    _beats: dict[str, _Beat] = field(default_factory=dict[str, _Beat])
    _is_closing: bool = False

    def __post_init__(self) -> None:
        """Prepare the queue; nothing is opened yet."""
        setup = QueueSetup(self.services.store.database.address_beside("worker"), self._name)
        self.queue = WorkQueue(setup, self._carry_out_in_thread)

    async def run(self) -> None:
        """Look for what is due, and for workers whose processes ended, until this is cancelled."""
        last_beat = -BEAT_EVERY
        while True:
            try:
                await self.put_due()
                if anyio.current_time() - last_beat >= BEAT_EVERY:
                    last_beat = anyio.current_time()
                    await self.take_over_from_dead()
            except JournalUnavailable as unavailable:
                logger.warning("The worker cannot see what is due: %s", unavailable)
            await anyio.sleep(LOOK_EVERY)

    async def put_due(self) -> int:
        """Put everything that is due into the queue; return how much that is."""
        now = anyio.current_time()
        due = await self.services.store.plans.due(self.services.clock.now())
        self._put = {item: at for item, at in self._put.items() if item in due}
        for item in due:
            if now - self._put.get(item, -_PUT_AGAIN) >= _PUT_AGAIN:
                await anyio.to_thread.run_sync(self.queue.put, *item)
                self._put[item] = now
        return len(due)

    async def work_off(self) -> None:
        """Carry out what is due now, and return once nothing more of it is left."""
        await self.take_over_from_dead()
        while await self.put_due() or not await anyio.to_thread.run_sync(self.queue.is_empty):  # noqa: ASYNC110
            await anyio.sleep(_POLL)  # other workers empty it, too

    async def take_over_from_dead(self) -> None:
        """Give a sign of life, and let others take what dead workers had begun."""
        await self.services.store.processes.beat("worker", self.services.clock.now())
        others = [one for one in await anyio.to_thread.run_sync(self.queue.workers) if one != self._name]
        self._beats = {one: beat for one, beat in self._beats.items() if one in others}
        ended = [one for one in others if await self._has_ended(one)]
        if ended:
            await anyio.to_thread.run_sync(self.queue.take_over, ended)

    async def _has_ended(self, worker: str) -> bool:
        """Return True for a worker whose process ended, or, on another machine, that gave no sign of life for long."""
        gone = is_gone(worker)
        if gone is not None:
            return gone
        value, now = await self.services.store.processes.last_beat("worker", worker), anyio.current_time()
        last = self._beats.get(worker)
        if last is None or last.value != value:
            self._beats[worker] = _Beat(value, now)
            return False
        return now - last.seen_at >= self.lost_after

    def _carry_out_in_thread(self, item: str) -> str:
        """Carry out an item, called from a thread of the queue: the work itself is done in the loop of the server."""
        return anyio.from_thread.run(self._carry_out, item, token=self._token)

    async def _carry_out(self, item: str) -> str:
        if self._is_closing:
            return INTERRUPTED
        scope = anyio.CancelScope()
        self._running.add(scope)
        try:
            with scope:
                return await Errands(self.services).carry_out(item)
        finally:
            self._running.discard(scope)
        await self._leave_to_others(item)
        return INTERRUPTED

    async def _leave_to_others(self, item: str) -> None:
        """Let the next worker go on at once with a plan that was interrupted between two steps."""
        if item.startswith("plan_"):
            with anyio.CancelScope(shield=True):
                await self.services.plans.set_due(item, self.services.clock.now())

    async def close(self) -> None:
        """Interrupt what is being carried out after the step that is under way, and end the queue."""
        self._is_closing = True
        for scope in list(self._running):
            scope.cancel()
        with anyio.CancelScope(shield=True):
            while self._running:  # noqa: ASYNC110 - a step that was sent is settled first
                await anyio.sleep(0.01)
            await anyio.to_thread.run_sync(self.queue.close)


@asynccontextmanager
async def open_worker(services: Services) -> AsyncGenerator[Worker]:
    """Open a worker, which takes work until the block ends."""
    worker = Worker(services)
    await anyio.to_thread.run_sync(worker.queue.open)
    try:
        yield worker
    finally:
        await worker.close()


async def work(services: Services) -> None:
    """Carry out what is due until this is cancelled."""
    async with open_worker(services) as worker:
        await worker.run()
