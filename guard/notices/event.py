"""The events of which there are notices. Imported at every start, so it imports nothing of the guard."""

from enum import StrEnum
from typing import Final


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
