"""Convirza conversations: calls with their recordings and transcriptions, and text threads. All personal data."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from clients.effects import Effect
from clients.fields import AnsweredNumber, AnsweredTime, LooseText, OutsideText
from clients.operation import Answer, Operation
from clients.shared.inbound_texts import InboundText
from tools.convirza.client import convirza
from tools.convirza.field_types import E164, EmptyIsNone, Id, IsoTime, Number, list_in, object_in
from tools.convirza.grades import ANSWER_INFERRED
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.route_models import Routing

LONGEST_RANGE: Final = timedelta(days=31)

Include = Literal["tags", "comments", "custom_sources", "call_flow", "recordings", "transcription"]
Disposition = Literal["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL", "ABANDONED", "TRANSFERRED"]


class SourceOfCall(Answer):
    """What a custom source says of a call."""

    slot: str | None = None
    value: OutsideText | None = None


def _sources(value: object) -> object:
    found = object_in(value)
    return value if found is None else [{"slot": slot, "value": str(text)} for slot, text in found.items()]


class RecordingRead(Answer):
    """Whether a call was recorded. The signed link, which opens for anyone, is shown for one call only."""

    duration: int | None = None
    link_expires: AnsweredTime | None = Field(default=None, alias="expires_at")


class RecordingLink(RecordingRead):
    """A recording with its signed link."""

    url: str | None = Field(default=None, alias="recording_url")
    """Opens for anyone until it expires, seven days after it was read."""


class CallParts(Answer):
    """A call. Names of fields are inferred; the documents show the filters only."""

    call_id: int | None = None
    started: AnsweredTime | None = Field(default=None, alias="call_started")
    seconds: int | None = Field(default=None, alias="duration")
    disposition: str | None = None
    caller: AnsweredNumber | None = Field(default=None, alias="caller_id")
    caller_name: OutsideText | None = None
    number: AnsweredNumber | None = Field(default=None, alias="phone_number")
    rang: Annotated[AnsweredNumber | None, EmptyIsNone] = Field(default=None, alias="ring_to")
    route_id: int | None = Field(default=None, alias="provisioned_route_id")
    route_name: str | None = Field(default=None, alias="provisioned_route_name")
    campaign_id: int | None = None
    org_unit_id: int | None = None
    org_unit_name: str | None = None
    score: int | None = Field(default=None, alias="call_score")
    tags: list[OutsideText] | None = None
    comments: list[OutsideText] | None = None
    custom_sources: Annotated[list[SourceOfCall] | None, BeforeValidator(_sources)] = None
    call_flow: Routing | None = None
    transcription: OutsideText | None = None


class ListedCall(CallParts):
    """A call in the list."""

    recording: RecordingRead | None = Field(default=None, alias="recording_details")


class Call(CallParts):
    """One call."""

    recording: RecordingLink | None = Field(default=None, alias="recording_details")


class Calls(Listing):
    """Calls, newest first (inferred)."""

    rows_name: ClassVar[str] = "calls"
    calls: list[ListedCall] = []


@convirza.operation(
    "GET",
    "/v3/conversations/calls",
    effect=Effect.READ,
    toolset="calls",
    docs="get-calls-list-31106437e0",
    basis=ANSWER_INFERRED,
    rows="calls",
    synonyms=("call log", "history", "who called", "missed", "leads", "transcripts", "cdr", "caller name"),
)
class ListCalls(PagedOperation[Calls]):
    """List calls of a time range, the last 7 days if left out; newest first (inferred)."""

    since: Annotated[IsoTime | None, Field(serialization_alias="start")] = None
    """Older bound, with zone."""

    until: Annotated[IsoTime | None, Field(serialization_alias="end")] = None
    """Newer bound, at most 31 days later."""

    call_id: Id | None = None
    """One call, whatever its time."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    campaign_id: Id | None = None
    """Campaign, as a call shows it."""

    route_id: Annotated[Id | None, Field(serialization_alias="provisioned_route_id")] = None
    """Route, from convirza_list_provisioned_routes."""

    caller: Annotated[E164 | None, Field(serialization_alias="caller_id")] = None
    """Who called."""

    number: Annotated[Number | None, Field(serialization_alias="phone_number")] = None
    """Tracking number that was called."""

    rang: Annotated[Number | None, Field(serialization_alias="ring_to")] = None
    """Number that rang."""

    dispositions: Annotated[list[Disposition] | None, Field(serialization_alias="disposition")] = None
    """How they ended."""

    include: list[Include] | None = None
    """Further parts; links to recordings are in convirza_get_call."""

    @model_validator(mode="after")
    def _range_is_allowed(self) -> Self:
        """Give a range of at most 31 days."""
        if self.since and self.until and not timedelta(0) < self.until - self.since <= LONGEST_RANGE:
            raise ValueError("until: later than since, by at most 31 days")
        return self

    def to_wire(self) -> dict[str, Any]:
        return _joined(super().to_wire())


def _joined(wire: dict[str, Any]) -> dict[str, Any]:
    """Several values with commas between them (inferred; the page says one or more)."""
    return {name: value if (several := list_in(value)) is None else ",".join(several) for name, value in wire.items()}


@convirza.operation(
    "GET",
    "/v3/conversations/calls/{call_id}",
    effect=Effect.READ,
    toolset="calls",
    docs="get-call-by-id-31927186e0",
    basis="inferred",
    synonyms=("recording", "listen", "audio", "transcript", "what was said", "details"),
)
class GetCall(Operation[Call]):
    """Show one call; a recording's link opens for anyone during 7 days."""

    call_id: Id
    """Call, from convirza_list_calls."""

    include: list[Include] | None = None
    """Further parts."""

    def to_wire(self) -> dict[str, Any]:
        return {"include": ",".join(self.include)} if self.include else {}


class SmsConversation(Answer):
    """A text thread with its last message."""

    conversation_id: int | None = None
    number: AnsweredNumber | None = Field(default=None, alias="phone_number")
    """The account's number."""

    sender: AnsweredNumber | None = Field(default=None, alias="source")
    sender_name: OutsideText | None = Field(default=None, alias="source_name")
    message: OutsideText | None = None
    type: str | None = Field(default=None, alias="sms_type")
    status: str | None = Field(default=None, alias="conversation_status")
    unread: int | None = Field(default=None, alias="unread_count")
    pinned: bool | None = Field(default=None, alias="pin")
    user_id: int | None = Field(default=None, alias="ct_user_id")
    agent: str | None = None
    started: AnsweredTime | None = Field(default=None, alias="conversation_started")
    updated: AnsweredTime | None = Field(default=None, alias="conversation_updated")
    closed: AnsweredTime | None = Field(default=None, alias="closed_at")
    first_response_time: LooseText | None = None
    average_response_time: LooseText | None = Field(
        default=None, validation_alias=AliasChoices("avg_response_time", "average_response_time")
    )

    def own_texts(self) -> frozenset[str]:
        # No page says what `sms_type` may be; that it names the direction of the last message is inferred.
        return frozenset({"message"}) if (self.type or "").casefold() in OUTGOING else frozenset()


class SmsConversations(Listing):
    """Text threads. The wire calls the list `conversation`."""

    rows_name: ClassVar[str] = "conversations"
    conversations: list[SmsConversation] = Field(default=[], alias="conversation")


OUTGOING: Final = frozenset({"out", "outbound", "outgoing", "sent"})
INCOMING: Final = frozenset({"in", "inbound", "incoming", "received"})
FOLDERS: Final = {"open": "allOpen", "mine": "assignedToYou", "unassigned": "unassigned", "closed": "close"}


@convirza.operation(
    "GET",
    "/v3/conversations/sms",
    effect=Effect.READ,
    toolset="messaging",
    docs="get-sms-conversations-31106438e0",
    rows="conversations",
    synonyms=("texts", "inbox", "messages", "replies", "threads", "unread"),
)
class ListSmsConversations(PagedOperation[SmsConversations]):
    """List text threads with their last message."""

    folder: Literal["open", "mine", "unassigned", "closed"] = "open"
    """Which threads."""

    search: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Words or number to look for."""

    order: Literal["asc", "desc"] = "desc"
    """By time; `desc` is newest first."""

    since: Annotated[IsoTime | None, Field(serialization_alias="start")] = None
    """Older bound, with zone."""

    until: Annotated[IsoTime | None, Field(serialization_alias="end")] = None
    """Newer bound, with zone."""

    def inbound_texts(self, answer: SmsConversations) -> tuple[InboundText, ...]:
        # No page says what `sms_type` may be; that it names the direction of the last message is inferred.
        return tuple(
            InboundText(one.sender, one.message, one.number, at=one.updated)
            for one in answer.conversations
            if one.message and (one.type or "").casefold() in INCOMING
        )

    def to_wire(self) -> dict[str, Any]:
        wire = super().to_wire()
        return wire | {"type": FOLDERS[wire.pop("folder")]}
