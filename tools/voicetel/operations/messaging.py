"""VoiceTel messages, and the 10DLC brands and campaigns that carry them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, computed_field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence, is_since
from clients.fields import (
    AnsweredNumber,
    AnsweredTime,
    Dollars,
    LooseText,
    Moment,
    OutsideText,
    UsNumber,
)
from clients.operation import Answer, Operation, Precondition, Undo, Verification, wire_fields
from clients.segments import FitsTextMessage, is_blank, segments
from clients.shared.inbound_texts import InboundText
from tools.hosts import WebHost
from tools.voicetel.client import voicetel
from tools.voicetel.operations.number_messaging import GetNumberMessaging, NumberMessaging
from tools.voicetel.record_keys import time_of_key

SEARCH_BACK: Final = timedelta(minutes=1)
"""How much earlier than our own time of sending the search for a lost message begins: clocks differ."""

CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""How much earlier than our own time of sending a message may say that it was sent; an older one is another."""

KNOWN_CAMPAIGN: Final = re.compile(r"CAMPAIGN_(DCA_COMPLETE|PENDING_DCA|DCA_REJECTED|\w*_NO_NUMBERS_ASSIGNED)")
"""Statuses of campaigns that the network knows, as the newer SDK names them. Others come from the registry."""

INVALID_CAMPAIGN: Final = "CAMPAIGN_INVALID_ID"
"""The status of a campaign that the network does not know, as the newer SDK names it."""

PASSED_ON: Final = "Registry and carrier fees are passed through; no document names the amount."

_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)

RegistryId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")]
Text = Annotated[str, Field(min_length=1)]
MediaUrl = Annotated[str, Field(pattern=r"^https?://\S+$"), WebHost]


class MessageValue(Answer):
    """What a record says: of a message its far end, direction, text and price; of a receipt its two numbers."""

    direction: str | None = None
    """`in` or `out`; messages only."""

    far_end: AnsweredNumber | None = Field(default=None, alias="number")
    """Who texted, or who was texted; messages only."""

    source: AnsweredNumber | None = Field(default=None, alias="sourceNumber")
    """Receipts only."""

    destination: AnsweredNumber | None = Field(default=None, alias="destinationNumber")
    """Receipts only."""

    text: OutsideText | None = Field(default=None, alias="message")
    billed: Annotated[Dollars | LooseText | None, Field(union_mode="left_to_right")] = Field(default=None, alias="rate")
    """The amount; as it came where it is text that names none, as in VoiceTel's own example."""

    @property
    def amount(self) -> Decimal | None:
        """What was billed, in US dollars; None where that is not shown."""
        return self.billed if isinstance(self.billed, Decimal) else None

    def own_texts(self) -> frozenset[str]:
        return frozenset({"text"}) if self.direction == "out" else frozenset()


class MessageRecord(Answer):
    """One message, or one delivery receipt. Where a receipt keeps its status is not documented."""

    id: LooseText | None = None
    """Id of the record. That it is the id which sending returns is not documented."""

    key: list[LooseText | None] = []
    """Of a message its destination and time, of a receipt the account, the sender and the time."""

    value: MessageValue | None = None

    @computed_field  # type: ignore[prop-decorator]  # pydantic knows a decorated property, mypy does not
    @property
    def at(self) -> datetime | None:
        """The time that its key ends with; None where it ends with none."""
        return time_of_key(self.key)


def _newest_first(records: list[MessageRecord]) -> list[MessageRecord]:
    # So the document has them; what names no time comes last.
    return sorted(records, key=lambda record: record.at or _NO_TIME, reverse=True)


class Messages(Answer):
    """Messages of one number in a window of time."""

    number: AnsweredNumber | None = None
    type: str | None = None
    since: AnsweredTime | None = Field(default=None, alias="toTs")
    until: AnsweredTime | None = Field(default=None, alias="fromTs")
    messages: Annotated[list[MessageRecord], AfterValidator(_newest_first)] = []


@voicetel.operation(
    "GET",
    "/v2.2/messages",
    effect=Effect.READ,
    toolset="messaging",
    docs="#messageHistory",
    rows="messages",
    synonyms=("texts", "inbox", "replies", "received", "conversation", "history", "delivered", "read sms"),
)
class ListMessages(Operation[Messages]):
    """List texts of a number and who wrote or was written to (`far_end`), or receipts; newest first, of 24 hours."""

    number: UsNumber
    """Number of the account, from voicetel_list_numbers."""

    type: Literal["sms", "mms", "dlr"] = "sms"
    """`dlr` lists delivery receipts."""

    since: Moment | None = None
    """Older bound, with zone."""

    until: Moment | None = None
    """Newer bound, with zone."""

    def inbound_texts(self, answer: Messages) -> tuple[InboundText, ...]:
        # `direction` is documented as `in` or `out`; a receipt has none.
        received = (record for record in answer.messages if record.value and record.value.direction == "in")
        return tuple(
            InboundText(record.value.far_end, record.value.text, self.number, record.id, record.at)
            for record in received
            if record.value and record.value.text
        )

    def to_wire(self) -> dict[str, Any]:
        """VoiceTel's `from` is the newer bound and `to` the older one."""
        bounds = {"from": self.until, "to": self.since}
        times = {name: int(moment.timestamp()) for name, moment in bounds.items() if moment is not None}
        return wire_fields(self, exclude=frozenset({"since", "until"})) | times


class SentMessage(Answer):
    """A message that was accepted. Whether it arrived shows in the delivery receipts."""

    id: LooseText | None = None
    type: str | None = None
    from_number: AnsweredNumber | None = None
    to_number: AnsweredNumber | None = None
    segments: int | None = Field(default=None, alias="parts")
    """How many are billed."""

    subject: str | None = None
    media_urls: list[str] | None = None


@voicetel.operation(
    "POST",
    "/v2.2/messages",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {people}[media_urls?, a picture message|, {text:parts}]",
    toolset="messaging",
    docs="#messageSend",
    confirmed_by=("id",),
    synonyms=("text", "sms", "mms", "notify", "reply", "picture"),
)
class SendMessage(Operation[SentMessage]):
    """Send a text message, billed by segment, or a picture message when media is given."""

    from_number: UsNumber
    """Sender: a number of the account with messaging, from voicetel_get_number_messaging."""

    to_number: UsNumber
    """Recipient."""

    text: Annotated[str, FitsTextMessage] = ""
    """What it says; emoji, curly quotes and other characters outside GSM-7 take more segments."""

    media_urls: list[MediaUrl] | None = Field(default=None, min_length=1)
    """Public addresses of media; makes it an MMS."""

    subject: Text | None = None
    """Subject, with media only."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """Give text, media_urls, or both."""
        # The provider wants a text, and says nothing of its length: a picture may go without a word.
        if is_blank(self.text) and self.media_urls is None:
            raise ValueError("give text, media_urls, or both; a text needs at least one visible character")
        if self.subject is not None and self.media_urls is None:
            raise ValueError("subject: only an MMS has one; give media_urls too, or leave it out")
        return self

    def charge(self) -> Charge:
        if self.media_urls:
            return Charge(item="MMS message", rate="mms", source="one message, taken to be billed once (inferred)")
        found = segments(self.text)
        return Charge(
            item="SMS segment",
            quantity=found.count,
            rate="sms",
            source=f"segments estimated from the text ({found.encoding}); VoiceTel bills those it counts itself",
        )

    def destinations(self) -> tuple[str, ...]:
        return (self.to_number,)

    def preconditions(self) -> tuple[Precondition[NumberMessaging], ...]:
        return (Precondition(GetNumberMessaging(number=self.from_number), self._why_mute),)

    def _why_mute(self, found: NumberMessaging) -> str:
        """Say why the sender cannot text: VoiceTel refuses it (409) while messaging is off."""
        return f"messaging is off for {self.from_number}" if found.enabled is False else ""

    def warnings(self) -> tuple[str, ...]:
        if self.media_urls:
            return ("A message cannot be recalled; it is taken to be billed as one MMS (inferred).",)
        found = segments(self.text)
        notes = (
            "A message cannot be recalled. It is billed by segment, and the number of segments is an estimate.",
            f"Not in the GSM-7 alphabet: {', '.join(_named(character) for character in found.outside[:5])}. "
            "So a segment holds at most 70 characters, not 160.",
        )
        return notes if found.outside else notes[:1]

    def verification(self, sent_at: datetime) -> Verification[Messages]:
        # The same text out to the same far end since then shows that it was sent; none proves nothing.
        read = ListMessages(
            number=self.from_number,
            type="mms" if self.media_urls else "sms",
            since=sent_at - SEARCH_BACK,
        )
        return Verification(read=read, check=lambda history: self._is_among(history, sent_at))

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A message that was sent cannot be recalled.")

    def _is_among(self, history: Messages, sent_at: datetime) -> Evidence:
        if history.number not in {None, self.from_number}:
            return Evidence.UNKNOWN
        since = [record.value for record in history.messages if is_since(record.at, sent_at, tolerance=CLOCKS_DIFFER)]
        same = (
            value.direction == "out" and value.far_end == self.to_number and (value.text or "") == self.text
            for value in since
            if value is not None
        )
        return Evidence.yes_if(any(same))


def _named(character: str) -> str:
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"


class NetworkResult(Answer):
    """What the messaging network said."""

    status_code: LooseText | None = None
    status: str | None = None


class Registration(Answer):
    """A registration at the messaging network."""

    result: NetworkResult | None = None


@voicetel.operation(
    "POST",
    "/v2.2/messaging/brands",
    effect=Effect.PAID,
    subject="Register brand {brand_id} for good",
    toolset="messaging",
    docs="#messagingBrandCreate",
    unverifiable="no call shows brands",
    irreversible=True,
    synonyms=("10dlc", "tcr", "a2p", "company"),
)
class RegisterBrand(Operation[Registration]):
    """Register a brand that The Campaign Registry has issued at the messaging network; fees are passed on."""

    brand_id: str = Field(pattern=r"^B[A-Za-z0-9]+$", serialization_alias="messagingBrandId")
    """Id from the registry; starts with B."""

    name: Text = Field(serialization_alias="messagingBrandName")
    """Name shown for the brand."""

    description: Text | None = Field(default=None, serialization_alias="messagingBrandDescription")
    """What the brand is."""

    def charge(self) -> Charge:
        return Charge(item="brand registration", unknown=PASSED_ON)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The API has no call that removes a brand, and fees are not refunded.")


@voicetel.operation(
    "POST",
    "/v2.2/messaging/campaigns",
    effect=Effect.PAID,
    subject="Register campaign {campaign_id} of brand {brand_id} for good",
    toolset="messaging",
    docs="#messagingCampaignCreate",
    irreversible=True,
    synonyms=("10dlc", "tcr", "a2p"),
)
class RegisterCampaign(Operation[Registration]):
    """Register a 10DLC campaign at the messaging network; fees are passed on."""

    campaign_id: RegistryId = Field(serialization_alias="externalCampaignId")
    """Id from The Campaign Registry."""

    brand_id: RegistryId = Field(serialization_alias="messagingBrandId")
    """Brand it belongs to, as in voicetel_register_brand."""

    description: Text = Field(serialization_alias="campaignDescription")
    """What is sent and why."""

    start: AwareDatetime | None = Field(default=None, serialization_alias="campaignStartDate")
    """When it starts, with zone; today if left out."""

    class_name: Text | None = Field(default=None, serialization_alias="campaignClassName")
    """Class of the campaign; VoiceTel takes T if left out."""

    def charge(self) -> Charge:
        return Charge(item="campaign registration", unknown=PASSED_ON)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The API has no call that removes a campaign, and fees are not refunded.")

    def verification(self, sent_at: datetime) -> "Verification[Campaigns]":
        return Verification(read=GetCampaignStatus(ids=[self.campaign_id]), check=self._is_known)

    def _is_known(self, found: "Campaigns") -> Evidence:
        """Only the newer documents say how a campaign is shown that the network does not know."""
        row = next((row for row in found.campaigns if row.id == self.campaign_id), None)
        if row is None or row.status is None:
            return Evidence.UNKNOWN
        if KNOWN_CAMPAIGN.fullmatch(row.status):
            return Evidence.YES
        return Evidence.no_if(row.status == INVALID_CAMPAIGN)


class CarrierReview(Answer):
    """One carrier's review of a campaign."""

    carrier: str | None = None
    status: str | None = None
    detail: OutsideText | None = None
    updated_at: AnsweredTime | None = None


class Review(Answer):
    """The carriers' review of a campaign. Newer servers only."""

    election_complete: bool | None = None
    elected_carriers: object = None
    carriers: list[CarrierReview] = []


class Campaign(Answer):
    """A campaign at the messaging network."""

    id: str | None = None
    status: str | None = None
    numbers: list[AnsweredNumber] = []
    review: Review | None = Field(default=None, alias="dca")


class Campaigns(Answer):
    """Campaigns, as they stand at the messaging network."""

    campaigns: list[Campaign] = []


@voicetel.operation(
    "GET",
    "/v2.2/messaging/campaigns",
    effect=Effect.READ,
    toolset="messaging",
    docs="#messagingCampaignStatus",
    rows="campaigns",
    synonyms=("10dlc", "a2p", "approved", "review", "which numbers"),
)
class GetCampaignStatus(Operation[Campaigns]):
    """Show status and bound numbers of 10DLC campaigns; no call lists all of them."""

    ids: list[RegistryId] = Field(min_length=1, max_length=100)
    """Campaign ids, such as those voicetel_list_number_messaging shows."""

    def to_wire(self) -> dict[str, Any]:
        return {"ids": ",".join(self.ids)}
