"""`ringfence notify`: tries the channels on which operators are told what happens."""

from collections.abc import Sequence
from typing import Annotated

import anyio
import anyio.to_thread
import typer

from clients.shared.clock import SystemClock
from guard.notices.notice import Notice
from guard.notices.wording import NoticeContext, trial_notice
from server.cli.terminal import Target, console, fail, operator_command, tell
from server.console.urls import ROOT
from server.notices.channel import Channel, channels_of
from server.notices.not_taken import NotTaken
from server.settings.model import Settings

app = typer.Typer(help="Channels on which operators are told what happens.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `test` a command of its own, though it is the only one."""


@app.command("test")
@operator_command
def send_test(
    target: Target, channel: Annotated[str | None, typer.Argument(help="Channel; all of them if left out.")] = None
) -> None:
    """Send a test notice to each channel, at once, and say which took it."""
    settings = target.store_settings()
    chosen = _choose(settings, channel)
    notice = trial_notice(_context(settings))
    reasons = anyio.run(lambda: _send_to_all(chosen, notice))
    for one, reason in zip(chosen, reasons, strict=True):
        tell(f"{one.name}: {reason}" if reason else f"{one.name}: sent")
    if any(reasons):
        raise typer.Exit(1)
    console.print("Now look whether it arrived: a service may take a notice and show it to nobody.")


def _choose(settings: Settings, name: str | None) -> Sequence[Channel]:
    channels = channels_of(settings.notify)
    if not channels:
        fail("No channel is set; docs/notices.md says how to set one under [notify.channels].")
    chosen = [channel for channel in channels if name in (None, channel.name)]
    if not chosen:
        fail(f"There is no channel {name}. There are: {', '.join(channel.name for channel in channels)}.")
    return chosen


def _context(settings: Settings) -> NoticeContext:
    address = settings.approvals.address
    page = f"{address.rstrip('/')}{ROOT}" if address else None
    return NoticeContext(now=SystemClock().now(), zone=settings.time_zone, page=page, commands=settings.commands)


async def _send_to_all(channels: Sequence[Channel], notice: Notice) -> list[str]:
    """Send a notice to each channel; return why each did not take it, empty where it did."""
    return [await _send(channel, notice) for channel in channels]


async def _send(channel: Channel, notice: Notice) -> str:
    try:
        transport = await anyio.to_thread.run_sync(channel.transport)
        await transport.send(notice, f"notice_test_{int(notice.at.timestamp())}")
    except NotTaken as failed:
        return str(failed)
    return ""
