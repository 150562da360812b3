"""What the simulated Routee keeps about messages, campaigns, numbers, pools and people."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from pydantic import Field

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Wire
from sandbox.routee.fields import Callback, CountryCode, MessageCallback, Text, Url
from sandbox.routee.networks import Network, network_of
from sandbox.routee.segmentation import analyze
from sandbox.routee.wire import drop_empty, timestamp

STATUSES = {
    "Sms": ("Queued", "Sent", "Unsent", "Failed", "Delivered", "Undelivered"),
    "Viber": ("Queued", "Sent", "Unsent", "Delivered", "Undelivered"),
    "Voice": (
        *("Queued", "Initiated", "Ringing", "InProgress"),
        *("Completed", "Busy", "NoAnswer", "Failed", "Unknown", "Unsent", "Terminated"),
    ),
}
"""The statuses of each channel."""

FINAL_SMS_STATUSES = frozenset({"Delivered", "Undelivered", "Failed", "Unsent"})
SERVICES = ("Sms", "Voice", "Viber", "TwoStep", "Lookup", "NumberValidator")
"""The services that have a blacklist."""


@dataclass
class Status:
    """A status, since when, and why."""

    name: str
    at: datetime
    detailed: str = ""

    def to_tracking(self) -> Wire:
        """Return the status as tracking answers spell it: `status` and `date`."""
        return {"status": self.name, "date": timestamp(self.at), **self._reason()}

    def to_callback(self) -> Wire:
        """Return the status as callbacks spell it: `name` and `updatedDate`."""
        return {"name": self.name, "updatedDate": timestamp(self.at), **self._reason()}

    def _reason(self) -> Wire:
        if not self.detailed:
            return {}
        return {"reason": {"detailedStatus": self.detailed, "description": f"Message status: {self.detailed}"}}


class Priced(Protocol):
    """A message or a call."""

    @property
    def price(self) -> Decimal:
        """Return what it cost so far."""
        ...

    @property
    def status(self) -> Status:
        """Return its status."""
        ...


M = TypeVar("M", bound=Priced)
NO_NETWORK = Network("", "", "", Decimal(0))
"""Where a message comes from that comes in."""


@dataclass
class Contact:
    """A person in the address book; `labels` are the account's own fields."""

    id: str
    mobile: str
    country: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    vip: bool = False
    labels: dict[str, str | Decimal] = field(default_factory=dict[str, str | Decimal])
    """A label of type Number holds a number."""
    label_types: dict[str, str] = field(default_factory=dict[str, str])
    groups: list[str] = field(default_factory=list[str])
    blacklisted: list[str] = field(default_factory=list[str])

    def label(self, name: str) -> str:
        """Return the value of a label, built in or the account's own."""
        built_in = {**self._names(), "mobile": self.mobile, "country": self.country}
        return str(self.labels.get(name, built_in.get(name, "")))

    def to_wire(self) -> Wire:
        """Return the contact as every operation on contacts shows it."""
        return {
            "id": self.id,
            "mobile": self.mobile,
            "country": self.country,
            "vip": self.vip,
            "groups": list(self.groups),
            "blacklistedServices": list(self.blacklisted),
            "labels": [
                {"name": name, "type": self.label_types.get(name, "Text"), "value": value}
                for name, value in self.labels.items()
            ],
            **drop_empty(self._names()),
        }

    def _names(self) -> dict[str, str]:
        return {"firstName": self.first_name, "lastName": self.last_name, "email": self.email}


@dataclass(frozen=True)
class Recipient:
    """One number that a bulk send goes to, and the contact and groups it comes from."""

    number: str
    contact: Contact | None = None
    groups: tuple[str, ...] = ()


@dataclass
class Audience:
    """Everybody that a bulk send goes to, and the analysis of them."""

    recipients: list[Recipient]
    analysis: Wire
    errors: list[Wire]


@dataclass(kw_only=True)
class Campaign(Generic[M]):
    """A bulk send and how far it is; what was planned for an older `revision` of it does not happen."""

    id: str
    kind: str
    """Sms, Voice or Viber."""
    created: datetime
    application: str
    name: str
    scheduled: datetime | None
    request: Wire
    """What was asked for, as answers repeat it."""
    audience: Audience
    callback: Callback[Any] | None = None
    state: str = "Scheduled"
    revision: int = 0
    messages: list[M] = field(default_factory=list[M])
    ended: datetime | None = None

    def count_statuses(self) -> dict[str, int]:
        """Return how many messages or calls are in each status."""
        names = [message.status.name for message in self.messages]
        return {status: names.count(status) for status in STATUSES[self.kind]}

    def to_wire(self) -> Wire:
        """Return what every channel shows; `cost` is what it has cost so far (that this is no estimate is inferred)."""
        return {
            "trackingId": self.id,
            "createdAt": timestamp(self.created),
            "type": self.kind,
            "state": self.state,
            "cost": sum((message.price for message in self.messages), Decimal(0)),
            **self.request,
            **({"scheduledDate": timestamp(self.scheduled)} if self.scheduled else {}),
        }


@dataclass(kw_only=True)
class Draft:
    """One SMS that is not sent yet; `ttl` is in minutes."""

    sender: str
    to: str
    text: str
    application: str = ""
    label: str = ""
    callback: Callback[Any] | None = None
    ttl: int | None = None
    transcode: bool = False
    campaign: "Campaign[Sms] | None" = None
    groups: list[str] = field(default_factory=list[str])
    pool: "Pool | None" = None
    pool_strategy: str = ""

    def count_parts(self) -> int:
        """Return how many parts it will have."""
        return analyze(self.text).parts_sent(self.transcode)

    def estimate(self) -> Decimal:
        """Return what it will cost."""
        return network_of(self.to).sms * self.count_parts()


@dataclass
class Part:
    """One part of a message and its price."""

    sms_id: str
    price: Decimal


@dataclass(kw_only=True)
class Sms(Draft):
    """A message, going out or coming in."""

    id: str
    country: str
    network: Network = NO_NETWORK
    parts: list[Part]
    created: datetime
    status: Status
    direction: str = "Outbound"

    @property
    def price(self) -> Decimal:
        """What all parts cost together."""
        return sum((part.price for part in self.parts), Decimal(0))

    def describe_parts(self) -> list[Wire]:
        """Return what trackings and delivery reports have in common, one object for each part.

        `latency` is in seconds from acceptance to the last change of status (the unit is inferred).
        """
        common: Wire = {
            "applicationName": self.application,
            "country": self.country,
            "messageId": self.id,
            "groups": self.groups,
            "operator": self.network.name,
            "originatingService": "Sms",
            "to": self.to,
            "latency": int((self.status.at - self.created).total_seconds()),
            "parts": len(self.parts),
            "from": self.sender,
            "direction": self.direction,
        }
        return [
            {**common, "smsId": part.sms_id, "part": position, "price": part.price}
            for position, part in enumerate(self.parts, start=1)
        ]


@dataclass(frozen=True)
class NumberOffer:
    """A number and its terms."""

    msisdn: str
    country: str
    services: tuple[str, ...]
    monthly: Decimal
    activation: Decimal
    inbound: tuple[tuple[str, Decimal], ...]
    """For each service what one message or charge interval coming in costs."""
    charge_interval: int = 60
    toll_free: bool = False
    area_code: str = ""

    @property
    def number_type(self) -> str:
        """The type that a search filters on."""
        return "TOLL_FREE" if self.toll_free else "VLN"


@dataclass
class RentedNumber:
    """A number that the account pays for every month."""

    tracking_id: str
    offer: NumberOffer
    next_renewal: datetime
    inbound_sms_url: str = ""
    voice_strategy: dict[str, str] = field(default_factory=dict[str, str])
    inbound_voice_url: str = ""


class PoolSender(Body):
    """One of several senders of a pool."""

    country: CountryCode
    senderId: Text
    keyword: str = ""
    shortCode: str = ""


class SmsSettings(Body):
    """How a pool chooses senders; `inboundSMSCallbackUrl` has a capital SMS here, unlike at numbers."""

    sticky: bool = True
    geomatch: bool = True
    transcode: bool = False
    defaultCountry: CountryCode | None = None
    alphanumericSenderId: str | None = Field(default=None, pattern=r"^[A-Za-z0-9 ._&-]{1,11}$")
    inboundSMSCallbackUrl: Url | None = None
    callback: MessageCallback | None = None
    multipleSender: list[PoolSender] = []

    def to_wire(self) -> Wire:
        """Return the settings object."""
        return self.model_dump(include={"sticky", "geomatch", "transcode"}) | self.model_dump(exclude_defaults=True)

    def to_brief(self) -> Wire:
        """Return what the list of pools shows."""
        return self.model_dump(include={"sticky", "geomatch", "transcode", "defaultCountry"}, exclude_none=True)


@dataclass
class Pool:
    """A set of rented numbers that messages are sent from; `chosen` remembers the number of each recipient."""

    id: str
    name: str
    settings: SmsSettings
    updated: datetime
    numbers: list[str] = field(default_factory=list[str])
    chosen: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Verification:
    """A 2-step verification."""

    id: str
    method: str
    recipient: str
    country: str
    code: str
    application: str
    max_retries: int
    updated: datetime
    expires: datetime
    status: str = "Pending"
    tried: int = 0


@dataclass
class Lookup:
    """One HLR lookup or number validation that was paid."""

    price: Decimal
    created: datetime
    answer: Wire
    status: str = "Active"


@dataclass
class TopUp:
    """Money that came in; charges are never listed as transactions."""

    id: str
    at: datetime
    amount: Decimal
    before: Decimal
    source: str
