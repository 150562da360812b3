"""Measures what stands in the store, from time to time; imported only where the settings name a collector.

Every server on a store measures the same, so these values are never summed over servers.
"""

import logging
from collections.abc import Mapping
from typing import Final

import anyio
from opentelemetry import metrics

from clients.shared.clock import Clock
from clients.telemetry.instruments import (
    FROZEN,
    NOTICES_WAITING,
    OPEN_OUTCOMES,
    PLANS_WAITING,
    ROOM,
    SET_ASIDE,
    SPENT,
    WAITING,
)
from clients.telemetry.spans import ACCOUNT, CAP, CHANNEL, CURRENCY, PROVIDER
from guard.errors import JournalUnavailable
from guard.money import Money
from server.settings.model import Settings
from server.store.reports.figures import Payer, read_figures
from server.store.store import Store

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 15.0
"""Seconds between two looks at the store, where reports are no more frequent."""


class Gauges:
    """What was measured last, so that what is gone from the store goes back to nothing in the collector."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._caps = [cap for cap in settings.rules.rules(settings.session_policy()).caps if cap.window != "action"]
        self._clock = clock
        self._payers: set[Payer] = set()
        self._channels: set[str] = set()

    async def measure(self) -> None:
        """Measure the store as it is now.

        Raises:
            JournalUnavailable: The store cannot be read.
        """
        figures = await read_figures(self._store.database, self._caps, self._clock.now())
        WAITING.set(figures.waiting)
        PLANS_WAITING.set(figures.plans_waiting)
        OPEN_OUTCOMES.set(figures.unknown)
        FROZEN.set(int(figures.is_frozen))
        self._payers |= {*figures.spent, *figures.set_aside}
        self._set_money(SPENT, figures.spent)
        self._set_money(SET_ASIDE, figures.set_aside)
        for one in figures.caps:
            limit = one.cap.limit
            ROOM.set(max(0.0, float(limit.amount - one.amount)), {CAP: one.cap.words, CURRENCY: limit.currency})
        self._channels |= {*figures.notices_waiting}
        for channel in self._channels:
            NOTICES_WAITING.set(figures.notices_waiting.get(channel, 0), {CHANNEL: channel})

    def _set_money(self, gauge: metrics._Gauge, sums: Mapping[Payer, Money]) -> None:
        for payer in self._payers:
            provider, account, currency = payer
            amount = float(sums[payer].amount) if payer in sums else 0.0
            gauge.set(amount, {PROVIDER: provider, ACCOUNT: account, CURRENCY: currency})


async def measure_store(store: Store, settings: Settings, clock: Clock) -> None:
    """Measure until this is cancelled. A store that cannot be read now may be readable later."""
    gauges = Gauges(store, settings, clock)
    while True:
        try:
            await gauges.measure()
        except JournalUnavailable as unavailable:
            logger.warning("The store is not measured: %s", unavailable)
        except Exception:  # it must not end the server
            logger.exception("The store is not measured; it is tried again.")
        await anyio.sleep(min(LONGEST_PAUSE, settings.telemetry.interval))
