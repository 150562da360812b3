"""A notice: what an operator is told on a channel such as mail, and the events of which there are notices."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from guard.money import Money

TEST: Final = "test"
"""The event of a notice that only tries a channel."""

GATHER: Final = timedelta(seconds=5)
"""How long several of one event are gathered for one notice. Whoever answers in that time gets none."""

PAUSE: Final = timedelta(minutes=1)
"""The least time between two gathered notices of one event: assistants propose one call after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told, in words and as data. No secret is in it, and no words but our own."""

    event: str
    """The value of an `Event`, or `test`."""

    title: str
    lines: tuple[str, ...] = ()
    at: datetime
    """When it was worded."""

    ids: tuple[str, ...] = ()
    """The actions, plans and requests that it is about."""

    amounts: tuple[Money, ...] = ()
    """What they cost together, by currency."""

    is_price_unknown: bool = False
    """True where some of them have a price that nobody knows."""

    requesters: tuple[str, ...] = ()
    """Who asks, as people read it."""

    expires_at: datetime | None = None
    """When the first of them expires."""

    link: str | None = None
    """The page where they are shown. Opening it changes nothing."""

    facts: dict[str, str] = field(default_factory=dict[str, str])
    """What else an event has, such as the budget of a `cap`."""
