"""A notice: what an operator is told on a channel such as mail, and the events of which there are notices."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from guard.money import Money


class Event(StrEnum):
    """Something that operators are told of. The values are those of the settings and of the webhook."""

    WAITS = "waits"
    NOT_PICKED_UP = "not_picked_up"
    UNKNOWN = "unknown"
    CAP = "cap"
    FROZEN = "frozen"
    RESUMED = "resumed"
    SIGN_IN = "sign_in"

    @property
    def when(self) -> str:
        """When there is a notice of it, as a clause."""
        return _WHEN[self]

    @property
    def is_gathered(self) -> bool:
        """True where several within a short time make one notice; False where each is told at once."""
        return self not in {Event.FROZEN, Event.RESUMED}


_WHEN: Final = {
    Event.WAITS: "a call, a plan or an allowance request waits for approval",
    Event.NOT_PICKED_UP: "a person approved something and the assistant does not carry it out",
    Event.UNKNOWN: "a call was sent and its outcome is unknown",
    Event.CAP: "a budget is used by 80%, and when it is used up",
    Event.FROZEN: "every guarded call was stopped",
    Event.RESUMED: "guarded calls can be made again after a freeze",
    Event.SIGN_IN: "somebody signs in to the approval page in a browser that did not sign in before",
}

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
