"""Tells operators what happens as long as a server runs: gathers and sends, beside the requests."""

import logging
from datetime import datetime
from typing import Final

import anyio

from guard.errors import JournalUnavailable
from server.notices.channel import channels_of
from server.notices.composition import Composition
from server.notices.delivery import Delivery
from server.notices.gathering import Gathering
from server.services import Services

logger = logging.getLogger(__name__)

LOOK_EVERY: Final = 1.0
"""Seconds between two looks on the record, and into the outbox."""

_AFTER_FAILURE: Final = 30.0
"""Seconds until the next look after one that failed."""


async def send(services: Services, base: str | None, began_at: datetime) -> None:
    """Gather and send until this is cancelled. Nothing that fails here ends the server or holds up a call.

    `began_at` is when the server began: where nothing was ever told, what happened since then is.
    """
    channels = channels_of(services.settings.notify)
    composition = Composition(services, base)
    async with anyio.create_task_group() as group:
        group.start_soon(_gather, Gathering(services, channels, began_at))
        for channel in channels:
            group.start_soon(_deliver, Delivery(services, channel, composition))


async def _gather(gathering: Gathering) -> None:
    has_begun = False
    while True:
        try:
            if not has_begun:
                await gathering.begin()
                has_begun = True
            await gathering.look()
        except JournalUnavailable as unavailable:
            logger.warning("Notices are late: %s", unavailable)
            await anyio.sleep(_AFTER_FAILURE)
        except Exception:  # it must not end the server
            logger.exception("Notices are late; they are gathered again in half a minute.")
            await anyio.sleep(_AFTER_FAILURE)
        await anyio.sleep(LOOK_EVERY)


async def _deliver(delivery: Delivery) -> None:
    while True:
        try:
            await delivery.send_due()
        except JournalUnavailable as unavailable:
            logger.warning("Channel %s gets its notices late: %s", delivery.channel.name, unavailable)
            await anyio.sleep(_AFTER_FAILURE)
        except Exception:  # it must not end the server
            logger.exception("Channel %s gets its notices late.", delivery.channel.name)
            await anyio.sleep(_AFTER_FAILURE)
        await anyio.sleep(LOOK_EVERY)
