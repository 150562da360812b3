"""What the simulated Routee keeps about calls, conversations, and messages of other channels."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.frame.wire import Wire
from sandbox.routee.fields import Callback
from sandbox.routee.records import STATUSES, Campaign, Status
from sandbox.routee.wire import timestamp

FINAL_CALL_STATUSES = frozenset(STATUSES["Voice"][4:])


@dataclass
class Recording:
    """A recorded call."""

    id: str
    call: "CallLeg"
    start: datetime
    end: datetime

    def to_wire(self) -> Wire:
        """Return the recording as conversations and trackings list it."""
        return {
            "trackingId": self.id,
            "start": timestamp(self.start),
            "end": timestamp(self.end),
            "from": self.call.sender,
            "to": self.call.to,
            "url": f"https://connect.routee.net/recordings/my/downloads/{self.id}",
            "voiceTrackingIds": [self.call.id],
            "conversationTrackingId": self.call.conversation,
            "duration": int((self.end - self.start).total_seconds()),
        }


@dataclass
class CallLeg:
    """One call to one number, charged by the second once it is answered."""

    id: str
    sender: str
    to: str
    country: str
    per_minute: Decimal
    created: datetime
    status: Status
    application: str
    callback: Callback[Any] | None
    talk: timedelta
    """How long it lasts unless something ends it."""
    conversation: str = ""
    campaign: "Campaign[CallLeg] | None" = None
    message: Wire = field(default_factory=Wire)
    hangup_delay: int | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    price: Decimal = Decimal(0)
    answered_by: str = "UNKNOWN"
    tones: str = ""
    recordings: list[Recording] = field(default_factory=list[Recording])
    recording_since: datetime | None = None
    record_whole: bool = False
    detect_machine: str = ""
    playing: str = ""
    groups: list[str] = field(default_factory=list[str])

    @property
    def final(self) -> bool:
        """Whether the call is over."""
        return self.status.name in FINAL_CALL_STATUSES

    @property
    def duration(self) -> int:
        """Whole seconds from answer to end; 0 while it lasts."""
        if self.answered is None or self.ended is None:
            return 0
        return int((self.ended - self.answered).total_seconds())


@dataclass
class Conversation:
    """A voice conversation with its legs: the call itself, its DIAL and its transfers."""

    id: str
    request: Wire
    created: datetime
    legs: list[CallLeg] = field(default_factory=list[CallLeg])

    def recordings(self) -> list[Wire]:
        """Return every recording of every leg."""
        return [recording.to_wire() for leg in self.legs for recording in leg.recordings]


@dataclass
class ViberMessage:
    """A message through Viber; `request` is what answers repeat of it."""

    id: str
    to: str
    price: Decimal
    created: datetime
    status: Status
    request: Wire
    callback_url: str = ""
    session: str = ""

    def to_wire(self) -> Wire:
        """Return the message as its send shows it."""
        status = self.status.to_tracking()
        return {"trackingId": self.id, "sessionMessage": bool(self.session), "status": status, **self.request}

    def to_tracking(self) -> Wire:
        """Return the message as its tracking shows it, with the price."""
        return {**self.to_wire(), "price": self.price}


@dataclass
class FailoverStep:
    """One channel of a failover: what to send, and the statuses that make the next one try."""

    kind: str
    order: int
    request: Wire
    next_on: tuple[str, ...]
    ttl: Decimal
    cost: Decimal
    """What trying it costs."""
    tracking_id: str = ""
    status: Status | None = None
    price: Decimal = Decimal(0)
    """What was taken for it."""
    created: datetime | None = None

    @property
    def to(self) -> str:
        """The number it tries."""
        return str(self.request["to"])


@dataclass
class Failover:
    """A message that tries one channel after another."""

    id: str
    created: datetime
    updated: datetime
    application_id: str
    application: str
    steps: list[FailoverStep]
    callback: Callback[Any] | None
    status: str = "Queued"
    channel: str = ""
