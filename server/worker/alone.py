"""The worker alone, in a process that serves nothing: `ringfence work`."""

import signal

import anyio

from server.notices.on_demand import send_notices
from server.services import Services
from server.settings.model import Settings
from server.simulation import services_for
from server.worker.worker import open_worker


async def work_alone(settings: Settings, *, sandbox: bool, once: bool) -> None:
    """Carry out what is due until the process is told to end; with `once`, what is due now.

    Raises:
        JournalUnavailable: The store cannot be used.
    """
    async with services_for(settings, sandbox=sandbox) as services:
        try:
            await _work(services, once=once)
        finally:
            await services.close()


async def _work(services: Services, *, once: bool) -> None:
    async with open_worker(services) as worker, anyio.create_task_group() as group:
        if once:
            await worker.work_off()
            return
        group.start_soon(_cancel_when_told, group.cancel_scope)
        group.start_soon(send_notices, services, services.settings.approvals.address)
        await worker.run()


async def _cancel_when_told(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return
