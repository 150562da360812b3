"""Routee Viber messages: single, to many, one-time passwords, sessions.

Lifetimes are SECONDS here, minutes elsewhere. Text alone is billed as transactional, everything else as promotional.
Documents and videos are left out.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import E164, IsoMoment, LooseText, OutsideText
from clients.operation import Answer, Operation, Undo, wire_fields
from clients.segments import Visible
from clients.shared.inbound_texts import InboundText
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    AnsweredSender,
    HttpsUrl,
    Id,
    Label,
    Status,
    Text,
    WebPage,
    iso,
    without_none,
)
from tools.routee.grades import ANSWER_INFERRED, SEEN
from tools.routee.operations.sms import NO_RECALL
from tools.routee.paging import Page, Paged
from tools.routee.personal_texts import PersonalText, label_warnings

ViberText = Annotated[str, Field(min_length=1, max_length=1000), Visible]


class ViberContent(PersonalText):
    """What a message shows."""

    sender_id: Id = Field(serialization_alias="senderInfoTrackingId")
    """Viber sender, from Routee's platform."""

    text: ViberText | None = None
    """What it says; text alone costs less."""

    image_url: HttpsUrl | None = None
    """Picture."""

    button_caption: str | None = Field(default=None, min_length=1, max_length=30)
    """Text on a button."""

    button_url: WebPage | None = None
    """Page that the button opens."""

    ttl_seconds: int | None = Field(default=None, ge=30, le=86400)
    """Seconds to try delivery."""

    label: Label | None = None
    """Your tag."""

    is_session_message: bool | None = None
    """Belongs to a session that the recipient began."""

    callback_url: HttpsUrl | None = None
    """Where Routee posts delivery."""

    inbound_url: HttpsUrl | None = None
    """Where Routee posts replies."""

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        """Give at least one of text, image_url, and button_caption with button_url."""
        if (self.button_caption is None) != (self.button_url is None):
            raise ValueError("button_caption goes with button_url")
        if not (self.text or self.image_url or self.button_url):
            raise ValueError("give at least one of text, image_url and a button")
        return self

    @property
    def is_text_only(self) -> bool:
        """True for what is billed as transactional."""
        return not (self.image_url or self.button_url)

    def personal_texts(self) -> tuple[str, ...]:
        return (self.text or "",)

    def content(self) -> dict[str, Any]:
        """`body` in Routee's form."""
        button = without_none(caption=self.button_caption, targetUrl=self.button_url)
        return without_none(text=self.text, imageURL=self.image_url, action=button or None)


CONTENT = frozenset({"text", "image_url", "button_caption", "button_url", "ttl_seconds", "fallback_values", "when"})


class ViberFile(Answer):
    """A file; who sent it gave it its name."""

    name: OutsideText | None = Field(default=None, alias="fileName")
    type: OutsideText | None = Field(default=None, alias="fileType")
    url: OutsideText | None = Field(default=None, alias="fileUrl")


class ViberVideo(Answer):
    """A video."""

    url: OutsideText | None = Field(default=None, alias="videoUrl")
    thumbnail: OutsideText | None = Field(default=None, alias="videoThumbnail")
    seconds: int | None = Field(default=None, alias="duration")
    megabytes: Amount | None = Field(default=None, alias="fileSize")


class ViberButton(Answer):
    """A button and the page that it opens."""

    caption: str | None = None
    url: str | None = Field(default=None, alias="targetUrl")


class ViberMessage(Answer):
    """A Viber message. Its price, if shown, is in the currency of routee_get_balance."""

    tracking_id: str | None = None
    direction: str | None = None
    sender: AnsweredSender | None = Field(default=None, alias="from")
    to: LooseText | None = None
    text: OutsideText | None = Field(default=None, alias="message")
    status: Status | None = None
    price: Amount | None = None
    country: str | None = None
    ttl: LooseText | None = None
    label: str | None = None
    session_message: bool | None = None
    application_name: str | None = None
    image_url: OutsideText | None = None
    file: ViberFile | None = None
    video: ViberVideo | None = Field(default=None, alias="viberVideo")
    button: ViberButton | None = Field(default=None, alias="viberAction")
    session_id: str | None = None
    callback_url: str | None = None
    inbound_url: str | None = None
    campaign: str | None = None
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")

    def own_texts(self) -> frozenset[str]:
        return frozenset({"text", "image_url"}) if (self.direction or "").casefold() == "outbound" else frozenset()


def viber_received(messages: Iterable[ViberMessage]) -> tuple[InboundText, ...]:
    """Return the texts among Viber messages that came in."""
    return tuple(
        InboundText(message.sender, message.text, message.to, message.tracking_id)
        for message in messages
        if message.text and (message.direction or "").casefold() == "inbound"
    )


@routee.operation(
    "POST",
    "/viber",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Send a Viber message to {people}",
    toolset="viber",
    docs="send-a-viber-single-message",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    synonyms=("chat", "message", "notify"),
)
class SendViber(ViberContent, Operation[ViberMessage]):
    """Send a Viber message to one number; billed."""

    to: E164
    """Recipient."""

    def charge(self) -> Charge:
        return Charge(item="Viber message", rate="viber")

    def destinations(self) -> tuple[str, ...]:
        return (self.to,)

    def warnings(self) -> tuple[str, ...]:
        return label_warnings(self.text or "")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=CONTENT) | without_none(body=self.content(), ttl=self.ttl_seconds)


class ViberCode(Answer):
    """A one-time password that was sent."""

    tracking_id: str | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    to: object = None
    status: Status | None = None
    country: str | None = None
    label: str | None = None
    seq: LooseText | None = None
    template_id: str | None = None
    template_lang: str | None = None
    ttl: LooseText | None = None
    type: str | None = None


@routee.operation(
    "POST",
    "/viber/otp",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Send a one-time password to {people} by Viber",
    toolset="viber",
    docs="viber-otp-request",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    synonyms=("otp", "one-time password", "2fa", "code"),
)
class SendViberCode(Operation[ViberCode]):
    """Send a one-time password by Viber from a template; billed."""

    sender_id: Id = Field(serialization_alias="senderInfoTrackingId")
    """Viber sender, from Routee's platform."""

    to: E164
    """Recipient."""

    template_id: Text
    """Template, from Routee's platform."""

    template_params: dict[str, str] | None = None
    """Values for the template."""

    template_lang: Text | None = None
    """Its language, such as en."""

    ttl_seconds: int | None = Field(default=None, ge=1, serialization_alias="ttl")
    """Seconds to try delivery."""

    seq: Text | None = None
    """Your sequence number."""

    label: Literal["transactional", "promotional"] | None = None
    """How it is billed."""

    type: Literal["PRIMARY_ONLY", "ALL_DEVICE"] | None = None
    """Devices that get it."""

    def charge(self) -> Charge:
        return Charge(item="Viber message", rate="viber")

    def destinations(self) -> tuple[str, ...]:
        return (self.to,)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def to_wire(self) -> dict[str, Any]:
        # The recipient is an array of one here.
        return wire_fields(self) | {"to": [self.to]}


@routee.operation(
    "GET",
    "/viber/tracking/{message_id}",
    effect=Effect.READ,
    toolset="viber",
    docs="retrieve-single-viber-tracking",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    synonyms=("delivered", "seen", "status", "price"),
)
class GetViberMessage(Operation[ViberMessage]):
    """Show a Viber message's status and price."""

    message_id: Id
    """`tracking_id` from routee_send_viber."""

    def inbound_texts(self, answer: ViberMessage) -> tuple[InboundText, ...]:
        return viber_received([answer])


class ViberSession(Answer):
    """A conversation by Viber."""

    session_id: str | None = None
    messages: list[ViberMessage] = Field(default=[], alias="sessionMessages")


class ViberSessions(Page):
    """Conversations by Viber."""

    sessions: list[ViberSession] = Field(default=[], alias="content")


@routee.operation(
    "POST",
    "/viber/session",
    effect=Effect.READ,
    toolset="viber",
    docs="get-all-viber-session-messages-by-a-phone-number",
    basis=SEEN,
    synonyms=("chats", "replies", "inbox", "conversation"),
)
class ListViberSessions(Paged[ViberSessions]):
    """List the Viber conversations with one person, in Routee's order."""

    number: E164
    """The person's number."""

    since: IsoMoment | None = None
    """Older bound, with zone."""

    until: IsoMoment | None = None
    """Newer bound, with zone."""

    def inbound_texts(self, answer: ViberSessions) -> tuple[InboundText, ...]:
        return viber_received(message for session in answer.sessions for message in session.messages)

    def to_query(self) -> dict[str, Any]:
        times = {"dateStart": self.since, "dateEnd": self.until}
        return {name: iso(moment) for name, moment in times.items() if moment is not None} | self.page_query()

    def to_wire(self) -> dict[str, Any]:
        return {"phoneNumber": self.number}


@routee.operation(
    "GET",
    "/viber/session/{session_id}",
    effect=Effect.READ,
    toolset="viber",
    docs="get-viber-session-by-a-sessionid",
    basis=ANSWER_INFERRED,
    synonyms=("chat", "replies", "conversation"),
)
class GetViberSession(Operation[ViberSession]):
    """Show the messages of one Viber conversation."""

    session_id: Id
    """`session_id` from routee_list_viber_sessions."""

    def inbound_texts(self, answer: ViberSession) -> tuple[InboundText, ...]:
        return viber_received(answer.messages)
