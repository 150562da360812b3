"""Reconciles lost calls beside the requests, in the task group of whoever serves."""

import logging
from typing import Protocol

import anyio

from guard.errors import JournalUnavailable

logger = logging.getLogger(__name__)


class Job(Protocol):
    """Work that may be started again after it was interrupted, such as `guard.reconcile.Reconciler`."""

    async def run(self) -> object:
        """Do the work."""
        ...


class Reconciliation:
    """Reconciles lost calls once in a process, as soon as the first guarded call requests it.

    A guarded call only requests it: it neither waits for it nor cancels it. Whoever serves requests runs it beside
    them, in its own task group. Where nobody does (the command line, the guard as a library), a request changes
    nothing, and `Reconciler.run` does the work, as `ringfence actions reconcile` does.
    """

    def __init__(self) -> None:
        self._job: Job | None = None
        self._requested = anyio.Event()
        self._running = anyio.Lock()
        self._is_finished = False

    def request(self, job: Job) -> None:
        """Request that the job is run; nothing happens where one was finished before."""
        if not self._is_finished:
            self._job = job
            self._requested.set()

    async def run(self) -> None:
        """Wait for a request and do the job.

        Returns once a job is finished. A job that fails is repeated at the next request. One that is interrupted,
        because this is cancelled, is started again by the next `run`, without another request.
        """
        while not self._is_finished:
            await self._requested.wait()
            async with self._running:
                await self._run_requested()

    async def _run_requested(self) -> None:
        if self._is_finished or self._job is None or not self._requested.is_set():
            return
        try:
            await self._job.run()
        except JournalUnavailable as unavailable:
            logger.warning("Lost calls were not reconciled: %s The next guarded call starts it again.", unavailable)
            self._requested = anyio.Event()
        except Exception:  # nobody above could handle it, and it must not end the server
            logger.exception("Lost calls were not reconciled. The next guarded call starts it again.")
            self._requested = anyio.Event()
        else:
            self._is_finished = True
