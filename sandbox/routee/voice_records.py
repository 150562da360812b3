"""What the simulated Routee keeps about calls, conversations, and messages of other channels."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.routee.callbacks import Target
from sandbox.routee.records import Audience, Status
from sandbox.routee.wire import Wire, timestamp

CALL_STATUSES = (
    "Queued",
    "Initiated",
    "Ringing",
    "InProgress",
    "Completed",
    "Busy",
    "NoAnswer",
    "Failed",
    "Unknown",
    "Unsent",
    "Terminated",
)
FINAL_CALL_STATUSES = frozenset(CALL_STATUSES[4:])


@dataclass
class Recording:
    """A recorded call."""

    id: str
    call: "CallLeg"
    start: datetime
    end: datetime
    kind: str

    def to_wire(self) -> Wire:
        """The recording as conversations and trackings list it."""
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
    conversation: str = ""
    campaign: "VoiceCampaign | None" = None
    target: Target | None = None
    message: Wire = field(default_factory=Wire)
    hangup_delay: int | None = None
    talk: timedelta = timedelta(seconds=30)
    answered: datetime | None = None
    ended: datetime | None = None
    price: Decimal = Decimal(0)
    answered_by: str = "UNKNOWN"
    tones: str = ""
    recordings: list[Recording] = field(default_factory=list[Recording])
    recording_since: datetime | None = None
    recording_kind: str = "MP3"
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

    def recordings(self) -> list[Recording]:
        """Every recording of every leg."""
        return [recording for leg in self.legs for recording in leg.recordings]


@dataclass
class VoiceCampaign:
    """A message spoken to many."""

    id: str
    request: Wire
    created: datetime
    scheduled: datetime | None
    audience: Audience
    name: str
    target: Target | None
    campaign_target: Target | None
    application: str
    respect_quiet_hours: bool = False
    hangup_delay: int | None = None
    message: Wire = field(default_factory=Wire)
    state: str = "Scheduled"
    calls: list[CallLeg] = field(default_factory=list[CallLeg])

    def counts(self) -> dict[str, int]:
        """How many calls are in each status."""
        names = [call.status.name for call in self.calls]
        return {status: names.count(status) for status in CALL_STATUSES}


@dataclass
class ViberMessage:
    """A message through Viber."""

    id: str
    sender: str
    to: str
    country: str
    text: str
    price: Decimal
    created: datetime
    status: Status
    application: str
    ttl: int
    extra: Wire = field(default_factory=Wire)
    callback_url: str = ""
    inbound_url: str = ""
    campaign: "ViberCampaign | None" = None
    session: str = ""

    def to_wire(self) -> Wire:
        """The message as its send and its tracking show it."""
        return {
            "trackingId": self.id,
            "applicationName": self.application,
            "country": self.country,
            "direction": "Outbound",
            "from": self.sender,
            "to": self.to,
            "message": self.text,
            "originatingService": "Viber",
            "sessionMessage": bool(self.session),
            "status": self.status.tracked(),
            "ttl": str(self.ttl),
            **self.extra,
        }


@dataclass
class ViberCampaign:
    """A Viber message to many."""

    id: str
    request: Wire
    created: datetime
    scheduled: datetime | None
    audience: Audience
    name: str
    state: str = "Scheduled"
    messages: list[ViberMessage] = field(default_factory=list[ViberMessage])


@dataclass
class FailoverStep:
    """One channel of a failover: what to send, and the statuses that make the next one try."""

    kind: str
    order: int
    request: Wire
    next_on: tuple[str, ...]
    ttl: Decimal
    tracking_id: str = ""
    status: Status | None = None
    price: Decimal = Decimal(0)
    created: datetime | None = None


@dataclass
class Failover:
    """A message that tries one channel after another."""

    id: str
    created: datetime
    updated: datetime
    application_id: str
    application: str
    steps: list[FailoverStep]
    target: Target | None
    status: str = "Queued"
    channel: str = ""

    @property
    def price(self) -> Decimal:
        """What all channels cost together."""
        return sum((step.price for step in self.steps), Decimal(0))
