"""What the simulated Routee keeps about messages, numbers, pools and people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.routee.callbacks import Target
from sandbox.routee.wire import Wire, timestamp

SMS_STATUSES = ("Queued", "Sent", "Unsent", "Failed", "Delivered", "Undelivered")
FINAL_SMS_STATUSES = frozenset({"Delivered", "Undelivered", "Failed", "Unsent"})
SERVICES = ("Sms", "Voice", "Viber", "TwoStep", "Lookup", "NumberValidator")
"""The services that have a blacklist."""


@dataclass
class Status:
    """A status, since when, and why."""

    name: str
    at: datetime
    detailed: str = ""
    description: str = ""

    @property
    def reason(self) -> Wire:
        """The reason object, empty while there is nothing to say."""
        return {"detailedStatus": self.detailed, "description": self.description} if self.detailed else {}

    def tracked(self) -> Wire:
        """The status as tracking answers spell it: `status` and `date`."""
        return {"status": self.name, "date": timestamp(self.at), **({"reason": self.reason} if self.reason else {})}

    def called_back(self) -> Wire:
        """The status as callbacks spell it: `name` and `updatedDate`."""
        return {
            "name": self.name,
            "updatedDate": timestamp(self.at),
            **({"reason": self.reason} if self.reason else {}),
        }


@dataclass
class Part:
    """One part of a message and its price."""

    sms_id: str
    price: Decimal


@dataclass
class Sms:
    """A message, going out or coming in."""

    id: str
    sender: str
    to: str
    text: str
    country: str
    operator: str
    parts: list[Part]
    created: datetime
    status: Status
    application: str
    mcc: str
    mnc: str
    direction: str = "Outbound"
    label: str = ""
    target: Target | None = None
    campaign: "SmsCampaign | None" = None
    groups: list[str] = field(default_factory=list[str])
    pool: "Pool | None" = None
    pool_strategy: str = ""

    @property
    def price(self) -> Decimal:
        """What all parts cost together."""
        return sum((part.price for part in self.parts), Decimal(0))

    @property
    def latency(self) -> int:
        """Seconds from acceptance to the last change of status (the unit is inferred)."""
        return int((self.status.at - self.created).total_seconds())


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
    labels: dict[str, str] = field(default_factory=dict[str, str])
    groups: list[str] = field(default_factory=list[str])
    blacklisted: list[str] = field(default_factory=list[str])

    def label(self, name: str) -> str:
        """The value of a label, built in or the account's own."""
        built_in = {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "mobile": self.mobile,
            "email": self.email,
            "country": self.country,
        }
        return self.labels.get(name, built_in.get(name, ""))

    def to_wire(self) -> Wire:
        """The contact as every operation on contacts shows it."""
        wire: Wire = {
            "id": self.id,
            "mobile": self.mobile,
            "country": self.country,
            "vip": self.vip,
            "groups": list(self.groups),
            "blacklistedServices": list(self.blacklisted),
            "labels": [{"name": name, "value": value} for name, value in self.labels.items()],
        }
        optional = {"firstName": self.first_name, "lastName": self.last_name, "email": self.email}
        return wire | {name: value for name, value in optional.items() if value}


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


@dataclass
class Reminder:
    """Test messages before and after a campaign."""

    to: list[str]
    before: int | None
    after: int | None

    def to_wire(self) -> Wire:
        """The reminder object."""
        minutes = {"minutesBefore": self.before, "minutesAfter": self.after}
        return {"to": self.to, **{name: value for name, value in minutes.items() if value is not None}}


@dataclass
class CampaignPlan:
    """A bulk send as it is asked for."""

    sender: str
    text: str
    to: list[str]
    contacts: list[str]
    groups: list[str]
    scheduled: datetime | None
    name: str
    flash: bool
    respect_quiet_hours: bool
    target: Target | None
    campaign_target: Target | None
    reminder: Reminder | None
    fallback_values: dict[str, str]
    ttl: int
    transcode: bool
    application: str


@dataclass
class SmsCampaign:
    """A bulk send and how far it is; `revision` tells what was planned for an older version of it."""

    id: str
    created: datetime
    plan: CampaignPlan
    audience: Audience
    state: str = "Scheduled"
    revision: int = 0
    messages: list[Sms] = field(default_factory=list[Sms])
    ended: datetime | None = None

    @property
    def cost(self) -> Decimal:
        """What it has cost so far (that this is no estimate is inferred)."""
        return sum((message.price for message in self.messages), Decimal(0))

    def counts(self) -> dict[str, int]:
        """How many messages are in each status."""
        names = [message.status.name for message in self.messages]
        return {status: names.count(status) for status in SMS_STATUSES}


@dataclass(frozen=True)
class NumberOffer:
    """A number and its terms."""

    msisdn: str
    country: str
    services: tuple[str, ...]
    monthly: Decimal
    activation: Decimal
    inbound: tuple[tuple[str, Decimal], ...]
    charge_interval: int = 60
    toll_free: bool = False
    area_code: str = ""

    @property
    def number_type(self) -> str:
        """The type that a search filters on."""
        return "TOLL_FREE" if self.toll_free else "VLN"

    def inbound_price(self, service: str) -> Decimal:
        """What one message or charge interval coming in costs."""
        return dict(self.inbound).get(service, Decimal(0))


@dataclass
class RentedNumber:
    """A number that the account pays for every month."""

    tracking_id: str
    offer: NumberOffer
    next_renewal: datetime
    inbound_sms_url: str = ""
    voice_strategy: dict[str, str] = field(default_factory=dict[str, str])
    inbound_voice_url: str = ""


@dataclass
class SmsSettings:
    """How a pool chooses senders; `inboundSMSCallbackUrl` has a capital SMS here, unlike at numbers."""

    sticky: bool = True
    geomatch: bool = True
    transcode: bool = False
    default_country: str = ""
    alphanumeric: str = ""
    inbound_url: str = ""
    target: Target | None = None
    multiple_sender: list[Wire] = field(default_factory=list[Wire])

    def to_wire(self, *, brief: bool = False) -> Wire:
        """The settings object; `brief` leaves out what the list of pools does not show."""
        wire: Wire = {"sticky": self.sticky, "geomatch": self.geomatch, "transcode": self.transcode}
        if self.default_country:
            wire["defaultCountry"] = self.default_country
        if brief:
            return wire
        if self.alphanumeric:
            wire["alphanumericSenderId"] = self.alphanumeric
        if self.inbound_url:
            wire["inboundSMSCallbackUrl"] = self.inbound_url
        if self.target is not None:
            wire["callback"] = self.target.to_wire()
        if self.multiple_sender:
            wire["multipleSender"] = self.multiple_sender
        return wire


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

    id: str
    to: str
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

    @property
    def after(self) -> Decimal:
        """The balance after it."""
        return self.before + self.amount


DEFAULT_TTL = timedelta(hours=72)
"""Documented: how long delivery of an SMS is attempted."""
