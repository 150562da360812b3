"""Sends what is due in the outbox: each channel by itself, and again with growing pauses where it fails."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import anyio.to_thread

from clients.telemetry.instruments import NOTICES
from clients.telemetry.spans import CHANNEL, OUTCOME
from server.notices.channel import Channel, Transport
from server.notices.composition import Composition
from server.notices.not_taken import NotTaken
from server.services import Services
from server.store.notices.outbox import DueNotice

logger = logging.getLogger(__name__)

PAUSES: Final = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
)
"""How long a channel rests after each attempt in a row that failed; the last one is repeated."""

GIVEN_UP_AFTER: Final = timedelta(days=1)

LEASE: Final = timedelta(minutes=2)
"""How long one process has for an attempt before another one makes it: longer than any channel may take."""


@dataclass(slots=True)
class Delivery:
    """Sends the notices of one channel."""

    services: Services
    channel: Channel
    composition: Composition
    _transport: Transport | None = None
    _failures: int = 0
    """How many attempts failed since the last one that did not."""

    _rests_until: datetime | None = None

    async def send_due(self) -> int:
        """Send what is due now; return how many attempts that were.

        Raises:
            JournalUnavailable: The store cannot be used.
        """
        outbox, attempts = self.services.store.notices, 0
        while True:
            now = self.services.clock.now()
            if self._rests_until is not None and now < self._rests_until:
                return attempts
            due = await outbox.take_due(self.channel.name, now=now, lease=LEASE)
            if due is None:
                return attempts
            attempts += 1
            await self._send(due)

    async def _send(self, due: DueNotice) -> None:
        outbox = self.services.store.notices
        notice = await self.composition.compose(due)
        if notice is None:
            self._count("outdated")
            await outbox.close(due.number, "outdated", at=self.services.clock.now())
            return
        try:
            await (await self._connect()).send(notice, f"notice_{due.number}")
        except NotTaken as failed:
            await self._send_later(due, str(failed))
        except Exception as failed:
            await self._send_later(due, f"failed with {type(failed).__name__}")
        else:
            self._failures, self._rests_until = 0, None
            self._count("sent")
            await outbox.close(due.number, "sent", at=self.services.clock.now())

    def _count(self, outcome: Literal["sent", "outdated", "failed", "given up"]) -> None:
        NOTICES.add(1, {CHANNEL: self.channel.name, OUTCOME: outcome})

    async def _connect(self) -> Transport:
        if self._transport is None:
            self._transport = await anyio.to_thread.run_sync(self.channel.transport)
        return self._transport

    async def _send_later(self, due: DueNotice, reason: str) -> None:
        """Let the channel rest, and the notice wait for its next attempt, or give it up."""
        outbox, now = self.services.store.notices, self.services.clock.now()
        self._failures += 1
        pause = PAUSES[min(self._failures, len(PAUSES)) - 1]
        self._rests_until = now + pause
        if now - due.at >= GIVEN_UP_AFTER:
            logger.error("Channel %s: %s. A notice is given up after a day.", self.channel.name, reason)
            self._count("given up")
            await outbox.close(due.number, "given up", at=now, reason=reason)
            return
        self._count("failed")
        seconds = int(pause.total_seconds())
        logger.warning("Channel %s: %s. Its notices wait for %s seconds.", self.channel.name, reason, seconds)
        await outbox.postpone(due.number, now + pause, reason=reason)
