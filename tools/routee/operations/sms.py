"""Routee single messages: send, price, track, search."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import AliasChoices, Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import E164, AnsweredTime, IsoMoment, LooseText, OutsideText
from clients.operation import Answer, Operation, Undo, Verification, wire_fields
from clients.segments import segments
from clients.shared.inbound_texts import InboundText
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    AnsweredSender,
    BodyAnalysis,
    Callback,
    Id,
    Label,
    PostsTo,
    Sender,
    SmsText,
    Status,
    callback,
    iso,
    same_number,
    without_none,
)
from tools.routee.filters import Filter
from tools.routee.grades import ANSWER_ON_PAGE, PAGES, PAGES_BUT_REQUEST
from tools.routee.paging import ByStatus, Page, Paged, fields_of

SEARCH_AHEAD: Final = timedelta(minutes=2)
"""How long after it was sent a lost call may be taken in. What Routee shows of later times is another's."""

MessageField = Literal["smsId", "to", "status.status", "direction", "label", "campaign"]

NO_RECALL: Final = "A message that was sent cannot be recalled."


class SentSms(Answer):
    """A message that was accepted. What it cost shows in routee_track_sms."""

    tracking_id: str | None = None
    created_at: AnsweredTime | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    to: LooseText | None = None
    text: str | None = Field(default=None, alias="body")
    status: str | None = None
    label: str | None = None
    body_analysis: BodyAnalysis | None = None
    flash: bool | None = None
    callback: Callback | None = None
    ttl: LooseText | None = None
    """Minutes for which delivery is tried."""


@routee.operation(
    "POST",
    "/sms",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {people}[transcode?|shorten_links_seconds?|, {text:parts}]",
    toolset="messaging",
    docs="send-single-sms",
    basis=PAGES_BUT_REQUEST,
    confirmed_by=("tracking_id",),
    synonyms=("text", "notify", "message", "reply", "create message"),
)
class SendSms(Operation[SentSms]):
    """Send a text message to one number; billed by part."""

    sender: Sender = Field(serialization_alias="from")
    """Number from routee_list_numbers, or a name of up to 11 characters."""

    to: E164
    """Recipient."""

    text: SmsText = Field(serialization_alias="body")
    """What it says; characters outside GSM-7 take more parts."""

    flash: bool | None = None
    """Show at once, unstored."""

    label: Label | None = None
    """Your tag, to find it by."""

    ttl_minutes: int | None = Field(default=None, ge=1, le=4320)
    """Minutes to try delivery; 72 hours if left out."""

    transcode: bool | None = None
    """Replace characters to fit GSM-7; the application's setting if left out."""

    shorten_links_seconds: int | None = Field(default=None, ge=3600, le=2592000)
    """Shorten links, valid for this long."""

    callback_url: PostsTo | None = None
    """Where Routee posts delivery; `inbox` for list_events."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    def charge(self) -> Charge:
        return Charge(item="SMS", rate="sms")

    def destinations(self) -> tuple[str, ...]:
        return (self.to,)

    def warnings(self) -> tuple[str, ...]:
        return (NO_RECALL, *text_warnings(self.text))

    def message_ids(self, answer: SentSms) -> tuple[str, ...]:
        return (answer.tracking_id,) if answer.tracking_id else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def verification(self, sent_at: datetime) -> Verification["Messages"]:
        # The one message like it since then shows that it was sent; none, and several, prove nothing.
        read = messages_since(sent_at, Filter[MessageField](field="to", term=self.to))
        return Verification(
            read=read, check=lambda found: Evidence.yes_if(only_match(found, self._is_this) is not None)
        )

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=SEND_EXTRAS) | sms_extras(self)

    def _is_this(self, row: "MessagePart") -> bool:
        same_label = (row.label or None) == self.label
        return is_text_to(row, self.to, self.text) and same_label and same_number(row.sender, self.sender)


def messages_since(
    sent_at: datetime, narrowed: Filter[MessageField], *, ahead: timedelta = SEARCH_AHEAD
) -> "ListMessages":
    """Return the read that shows a message sent at that time; rows have no time, so it asks for none from before."""
    return ListMessages(since=sent_at, until=sent_at + ahead, filters=[narrowed], limit=500)


def only_match(found: "Messages", is_this: Callable[["MessagePart"], bool]) -> "MessagePart | None":
    """Return the first part of the only message that fits; None where it may be another's.

    It may be where several fit, where not all are shown, and where one does not show to whom it went and what it says.
    """
    sent = [row for row in found.messages if row.direction != "Inbound"]
    rows = [row for row in sent if is_this(row)]
    is_alone = len({row.message_id for row in rows}) == 1 and found.is_whole
    are_shown = all(row.message_id and row.to and row.text is not None for row in sent)
    return rows[0] if is_alone and are_shown else None


def is_text_to(row: "MessagePart", to: str, text: str) -> bool:
    """Return True for a text of its own, of no campaign, to somebody."""
    return same_number(row.to, to) and row.text == text and not (row.campaign or row.campaign_id)


SEND_EXTRAS: Final = frozenset({"ttl_minutes", "shorten_links_seconds", "callback_url", "callback_final_only"})


def sms_extras(call: Any) -> dict[str, Any]:
    """Lifetime, short links and callback, in Routee's form."""
    seconds = call.shorten_links_seconds
    return without_none(
        ttl=call.ttl_minutes,
        urlShortener={"urlValidity": seconds} if seconds else None,
        callback=callback(call.callback_url, final_only=call.callback_final_only),
    )


def text_warnings(text: str) -> tuple[str, ...]:
    """Return what the characters of a text mean for its price."""
    outside = segments(text).outside
    if not outside:
        return ()
    shown = ", ".join(character if character.isprintable() else f"U+{ord(character):04X}" for character in outside[:5])
    return (f"Not in the GSM-7 alphabet: {shown}. So a part holds at most 70 characters, not 160.",)


class SmsAnalysis(Answer):
    """What a message would take and cost, in the currency of routee_get_balance."""

    body_analysis: BodyAnalysis | None = None
    cost_a_part: Amount | None = Field(default=None, alias="cost")


@routee.operation(
    "POST",
    "/sms/analyze",
    effect=Effect.READ,
    toolset="messaging",
    docs="smsanalyze",
    basis=PAGES_BUT_REQUEST,
    synonyms=("price", "cost", "how much", "segments", "dry run", "estimate"),
)
class AnalyzeSms(Operation[SmsAnalysis]):
    """Count the parts of a message and price one part, without sending it."""

    sender: Sender = Field(serialization_alias="from")
    """Sender, as in routee_send_sms."""

    to: E164
    """Recipient."""

    text: str = Field(min_length=1, serialization_alias="body")
    """What it would say."""


class MessagePart(Answer):
    """One part of a message. Its price is in the currency of routee_get_balance."""

    message_id: str | None = None
    sms_id: str | None = None
    direction: str | None = None
    sender: AnsweredSender | None = Field(default=None, alias="from")
    to: LooseText | None = None
    text: OutsideText | None = Field(default=None, alias="body")
    status: Status | None = None
    part: int | None = None
    parts: int | None = None
    price: Amount | None = None
    country: str | None = None
    operator: str | None = None
    latency: LooseText | None = None
    label: str | None = None
    groups: list[str] = []
    campaign: str | None = Field(default=None, validation_alias=AliasChoices("campaignName", "campaign"))
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")
    application_name: str | None = None
    originating_service: str | None = None
    received_date: AnsweredTime | None = None

    def own_texts(self) -> frozenset[str]:
        return frozenset({"text"}) if (self.direction or "").casefold() == "outbound" else frozenset()


def texts_received(parts: Iterable[MessagePart]) -> tuple[InboundText, ...]:
    """Return the texts among message parts that came in; both senders and directions are as Routee names them."""
    return tuple(
        InboundText(part.sender, part.text, part.to, part.message_id or part.sms_id, part.received_date)
        for part in parts
        if part.text and (part.direction or "").casefold() == "inbound"
    )


class MessageParts(Answer):
    """The parts of one message; what it cost is the sum of their prices (inferred)."""

    parts: list[MessagePart] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/sms/tracking/single/{message_id}",
    effect=Effect.READ,
    toolset="messaging",
    docs="smstrackingsingle",
    basis=PAGES,
    rows="parts",
    synonyms=("delivered", "status", "receipt", "dlr", "did it arrive"),
)
class TrackSms(Operation[MessageParts]):
    """Show status and price of each part of one message."""

    message_id: Id
    """`tracking_id` from routee_send_sms."""

    def inbound_texts(self, answer: MessageParts) -> tuple[InboundText, ...]:
        return texts_received(answer.parts)

    def select(self, content: Any) -> Any:
        # The page describes one object, its samples are arrays: both are taken.
        return {"content": [content]} if fields_of(content).keys() & {"smsId", "messageId"} else content


class Messages(Page):
    """Messages, a row for each part."""

    messages: list[MessagePart] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/sms/tracking/campaign/{campaign_id}",
    effect=Effect.READ,
    toolset="campaigns",
    docs="track-multiple-sms-of-a-specific-campaign",
    basis=PAGES_BUT_REQUEST,
    synonyms=("delivered", "status", "recipients", "bulk", "receipts"),
)
class ListCampaignMessages(ByStatus, Paged[Messages]):
    """List the messages of a campaign with status and price."""

    campaign_id: Id
    """`tracking_id` from routee_send_campaign."""

    def narrow(self, answer: Messages) -> Messages:
        return answer.model_copy(update={"messages": [row for row in answer.messages if self._is_wanted(row.status)]})

    def inbound_texts(self, answer: Messages) -> tuple[InboundText, ...]:
        return texts_received(answer.messages)


@routee.operation(
    "POST",
    "/sms/tracking",
    effect=Effect.READ,
    toolset="messaging",
    docs="track-multiple-sms-with-filters-for-a-specific-time-range",
    basis=ANSWER_ON_PAGE,
    synonyms=("inbox", "replies", "received", "inbound", "history", "sent messages", "texts", "log"),
)
class ListMessages(Paged[Messages]):
    """Search messages of the latest 7 days, in Routee's order; direction Inbound finds received ones (inferred)."""

    since: IsoMoment
    """Older bound, with zone; at most 7 days ago."""

    until: IsoMoment
    """Newer bound, with zone."""

    filters: list[Filter[MessageField]] = []
    """Conditions that all hold; everything if left out."""

    campaign_id: Id | None = None
    """Only this campaign."""

    campaigns_only: bool | None = None
    """Only messages of campaigns."""

    def inbound_texts(self, answer: Messages) -> tuple[InboundText, ...]:
        return texts_received(answer.messages)

    def to_query(self) -> dict[str, Any]:
        narrowed = without_none(trackingId=self.campaign_id, campaign=self.campaigns_only)
        return {"dateStart": iso(self.since), "dateEnd": iso(self.until)} | narrowed | self.page_query()

    def to_array(self) -> list[Any]:
        return [one.to_wire() for one in self.filters]


class QuietCountry(Answer):
    """A country, and whether quiet hours are known for it."""

    code: str | None = None
    name: str | None = None
    locale_name: str | None = None
    iso3: str | None = Field(default=None, alias="isoA3Code")
    supported: bool | None = None


class QuietCountries(Answer):
    """Countries with and without quiet hours."""

    countries: list[QuietCountry] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/sms/quietHours/countries/{language}",
    effect=Effect.READ,
    toolset="campaigns",
    docs="retrieve-the-countries-that-are-supported-by-the-quiet-hours-feature",
    basis=ANSWER_ON_PAGE,
    rows="countries",
    synonyms=("night", "do not disturb", "when may I send"),
)
class ListQuietHoursCountries(Operation[QuietCountries]):
    """List the countries for which a campaign can respect quiet hours (23-8 and 14-17 o'clock)."""

    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    """Language of the names, two letters."""
