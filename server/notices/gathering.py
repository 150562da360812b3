"""Gathers what there is to tell from the record, and hands it over to the outbox: one notice for several alike."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import anyio

from guard.notices.caps import Reached, reached_marks
from guard.notices.event import Event
from guard.notices.notice import GATHER, PAUSE
from server.notices.channel import Channel
from server.services import Services
from server.store.notices.outbox import Batch, News, Unread

_NAMES: Final[Mapping[Event, Collection[str]]] = {
    Event.WAITS: ("proposed", "plan proposed", "allowance requested", "one approval"),
    Event.UNKNOWN: ("unknown",),
    Event.FROZEN: ("frozen",),
    Event.RESUMED: ("unfrozen",),
    Event.SIGN_IN: ("signed in",),
}
"""What the audit log calls the events that come from it."""

_STALE: Final = timedelta(days=1)
"""A freeze or a sign-in of longer ago, when no server ran, is told no more."""

KEPT: Final = timedelta(days=62)
"""How long the outbox is kept: a month's cap is told once in its month."""

_FORGET_EVERY: Final = timedelta(days=1)

_TOLD_SINCE: Final = timedelta(days=2)
"""No approval waits for longer."""


@dataclass(slots=True)
class Gathering:
    """Looks on the record for what operators are to be told."""

    services: Services
    channels: Sequence[Channel]
    began_at: datetime
    """When the server began, by the clock of the audit log."""

    gather: timedelta = GATHER

    _seen: dict[Event, float] = field(default_factory=dict[Event, float])
    """Since when something of an event is gathered."""

    _last: int = -1
    """The last row of the audit log at the last look."""

    _forgot_at: datetime | None = None

    async def begin(self) -> None:
        """Have the record read from now on, where it was never read.

        Raises:
            JournalUnavailable: The store cannot be used.
        """
        await self.services.store.notices.begin(list(_NAMES), self.began_at)

    async def look(self) -> None:
        """Hand over what is gathered by now.

        Raises:
            JournalUnavailable: The store cannot be used.
        """
        outbox = self.services.store.notices
        await self._forget()
        unread = await outbox.unread(_NAMES)
        for event in unread.news:
            if await self._is_gathered(event):
                await outbox.hand_over(self._batch_of(event, unread), unread)
        await outbox.skip(unread)
        for event in unread.quiet:
            self._seen.pop(event, None)  # another process handed it over
        if unread.last != self._last and self._is_wanted(Event.CAP):
            await self._look_at_caps()
        self._last = unread.last
        if self._is_wanted(Event.NOT_PICKED_UP):
            await self._look_at_approvals()

    async def _forget(self) -> None:
        """Delete what is old in the outbox, once a day."""
        now = self.services.clock.now()
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            self._forgot_at = now
            await self.services.store.notices.forget(now - KEPT)

    async def _look_at_approvals(self) -> None:
        """Hand over what was approved and is not carried out."""
        event, now, outbox = Event.NOT_PICKED_UP, self.services.clock.now(), self.services.store.notices
        patience = timedelta(minutes=self.services.settings.notify.not_picked_up_minutes)
        since = now - _TOLD_SINCE
        found = await outbox.not_picked_up(now, patience)
        if not found or not set(found) - await outbox.told(event, since):
            self._seen.pop(event, None)
        elif await self._is_gathered(event):
            await outbox.hand_over_once(self._batch(event, found), since=since)

    async def _look_at_caps(self) -> None:
        """Hand over which caps have reached a mark, once for each window."""
        now, outbox = self.services.clock.now(), self.services.store.notices
        reached = list(reached_marks(await self.services.journal.spent(self.services.caps, now), now))
        if not reached:
            return
        since = min(one.since for one in reached)
        told = await outbox.told(Event.CAP, since)
        new = {one.key: _facts_of(one) for one in reached if told.isdisjoint(one.covered_by)}
        if new:
            await outbox.hand_over_once(self._batch(Event.CAP, list(new), new), since=since)

    def _is_wanted(self, event: Event) -> bool:
        return any(channel.wants(event) for channel in self.channels)

    async def _is_gathered(self, event: Event) -> bool:
        """Return True if what there is of an event may be told now."""
        if not event.is_gathered:
            return True
        since = self._seen.setdefault(event, anyio.current_time())
        if anyio.current_time() - since < self.gather.total_seconds():
            return False
        last = await self.services.store.notices.last_handed_over(event)
        if last is not None and timedelta() <= self.services.clock.now() - last < PAUSE:
            return False
        self._seen.pop(event, None)
        return True

    def _batch_of(self, event: Event, unread: Unread) -> Batch:
        """Return what the audit log says of an event."""
        news = unread.news[event]
        if event in {Event.WAITS, Event.UNKNOWN}:
            return self._batch(event, list(dict.fromkeys(one.about for one in news if one.about)))
        told = [one for one in news if one.at >= self.began_at - _STALE and _is_told(one)]
        by = [one.by for one in (told if event is Event.SIGN_IN else told[-1:])]
        facts = {"by": list(dict.fromkeys(by)), "at": told[-1].at.isoformat()} if told else {}
        return self._batch(event, (), facts, is_told=bool(told))

    def _batch(
        self, event: Event, about: Sequence[str], facts: Mapping[str, Any] | None = None, *, is_told: bool = True
    ) -> Batch:
        wanting = [channel.name for channel in self.channels if channel.wants(event) and is_told]
        return Batch(event=event, about=about, facts=facts or {}, channels=wanting, at=self.services.clock.now())


def _is_told(news: News) -> bool:
    """Return False for a sign-in in a browser that signed in before."""
    if news.detail is None:
        return True
    try:
        return bool(json.loads(news.detail)["browser"] == "new")
    except (ValueError, KeyError, TypeError):
        return False


def _facts_of(reached: Reached) -> dict[str, str]:
    return {
        "percent": str(reached.percent),
        "budget": reached.budget,
        "spent": str(reached.spent),
        "left": str(reached.left),
    }
