"""`ringfence work`: the worker alone, which carries out what was approved, now or at its time."""

import signal
from typing import Annotated

import anyio
import typer

from guard.errors import JournalUnavailable
from server.cli.terminal import Target, fail, operator_command, tell
from server.log_output import configure_logging
from server.services import Services
from server.simulation import services_for
from server.worker.worker import open_worker


@operator_command
def work(
    target: Target,
    once: Annotated[
        bool, typer.Option("--once", help="Carry out what is due now, and exit; for a timer of the system.")
    ] = False,
) -> None:
    """Carry out what was approved, at once or at its time, on as many machines as you like."""
    settings = target.settings()
    configure_logging(settings.log_format)

    async def run() -> None:
        async with services_for(settings, sandbox=target.sandbox) as services:
            try:
                await _work(services, once=once)
            finally:
                await services.close()

    try:
        anyio.run(run)
    except JournalUnavailable as unavailable:
        fail(str(unavailable))


async def _work(services: Services, *, once: bool) -> None:
    async with open_worker(services) as worker, anyio.create_task_group() as group:
        if once:
            await worker.work_off()
            return
        group.start_soon(_cancel_when_told, group.cancel_scope)
        providers = ", ".join(services.set_up) or "no provider"
        tell(f"Working for {providers}. Ctrl-C ends it after the request that is under way.")
        await worker.run()


async def _cancel_when_told(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return
