"""What the simulated Convirza keeps about each thing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from sandbox.convirza.bodies import ROLE_IDS, BroadcastBody, GroupBody, TagBody, UserBody, VoiceAgentBody, WebhookBody
from sandbox.convirza.route_body import RouteBody

B = TypeVar("B", bound=BroadcastBody | RouteBody | TagBody | VoiceAgentBody | WebhookBody)


@dataclass
class Item(Generic[B]):
    """A thing that is kept as it was sent, and belongs to an org unit."""

    id: int
    org_unit_id: int
    body: B
    created: datetime


Webhook = Item[WebhookBody]
VoiceAgent = Item[VoiceAgentBody]
Tag = Item[TagBody]


@dataclass
class Org:
    """A group, which the API calls an organization unit; the top one is the account."""

    id: int
    parent: int | None
    body: GroupBody
    created: datetime
    modified: datetime
    active: bool = True

    @property
    def name(self) -> str:
        """The display name."""
        return self.body.org_unit_name

    @property
    def org_unit_id(self) -> int:
        """The unit that it is."""
        return self.id


@dataclass
class User:
    """A user; without a password it cannot log in (a created one gets an invitation, inferred)."""

    id: int
    body: UserBody
    created: datetime
    password: str | None = None
    deleted: bool = False

    @property
    def org_unit_id(self) -> int:
        """The unit the user belongs to."""
        return self.body.ct_user_ou_id

    @property
    def role_id(self) -> int:
        """1 Admin, 2 Standard, 3 ReadOnly."""
        return ROLE_IDS[self.body.role or "ReadOnly"]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.body.first_name} {self.body.last_name}"

    @property
    def status(self) -> str:
        """`active`, `inactive` or `deleted`."""
        return "deleted" if self.deleted else self.body.user_status


@dataclass
class Session:
    """A pair of tokens; expiry of the access token moves with every request that uses it."""

    user_id: int
    access: str
    refresh: str
    access_expires: datetime
    refresh_expires: datetime


@dataclass
class MediaPrompt:
    """An uploaded audio file."""

    id: str
    org_unit_id: int
    file_name: str
    message_type: str
    size: int
    created: datetime


@dataclass
class PhoneNumber:
    """A number of the account: reserved, and provisioned as soon as a route has it."""

    id: int
    number: str
    source: int
    org_unit_id: int
    ordered: datetime
    route_id: int | None = None


@dataclass
class ProvisionedRoute(Item[RouteBody]):
    """A tracking route."""

    modified: datetime


@dataclass
class Broadcast(Item[BroadcastBody]):
    """One text to many people."""

    status: Literal["scheduled", "sent"] = "scheduled"
    sent_at: datetime | None = None
    sent_count: int = 0
    opted_out_count: int = 0


@dataclass
class CallRecord:
    """One call to a tracking number; numbers are E.164."""

    id: int
    org_unit_id: int
    route_id: int
    route_name: str
    caller: str
    caller_name: str
    phone_number: str
    ring_to: str
    started: datetime
    seconds: int
    disposition: str
    score: int | None = None
    recorded: bool = False
    transcription: str | None = None
    tags: list[str] = field(default_factory=list[str])
    comments: list[str] = field(default_factory=list[str])
    custom_sources: dict[str, str] = field(default_factory=dict[str, str])
    campaign_id: int | None = None


@dataclass
class SmsConversation:
    """A text thread; numbers are eleven digits without plus, as in the example."""

    id: int
    org_unit_id: int
    phone_number: str
    source: str
    source_name: str
    message: str
    started: datetime
    updated: datetime
    sms_type: str = "incoming"
    unread: int = 0
    pinned: bool = False
    user_id: int | None = None
    first_response: str | None = None
    average_response: str | None = None
    closed: datetime | None = None
