"""Messages through Viber: single, to many, and one-time passwords."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer, Refusal, Wire
from sandbox.routee.bulk import UNKNOWN_CAMPAIGN, check_plan, delete, plan, schedule
from sandbox.routee.endpoint import REFERENCE, SOURCES, Call, in_path, operation
from sandbox.routee.fields import (
    CampaignName,
    Dates,
    Label,
    Moment,
    PageQuery,
    Phone,
    Recipients,
    SortedPageQuery,
    Text,
    Url,
)
from sandbox.routee.networks import VIBER_PROMOTIONAL, VIBER_TRANSACTIONAL, require_country
from sandbox.routee.recipients import fill_labels, gather
from sandbox.routee.records import Campaign, Recipient, Status
from sandbox.routee.sending import SENT_AFTER, SETTLED_AFTER, require_mobile
from sandbox.routee.state import State
from sandbox.routee.voice_records import ViberMessage
from sandbox.routee.wire import drop_empty, ok, refuse

NO_VIBER = "0021"
"""Numbers that end like this have no Viber, so that messages to them are Undelivered."""

TWO_WEEKS = 1_209_600
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://\S+$", max_length=1000)]
PathMessage = Annotated[ViberMessage, in_path("viber", "404019001", "The message does not exist.")]
PathCampaign = Annotated[Campaign[ViberMessage], in_path("viber_campaigns", *UNKNOWN_CAMPAIGN)]


class Action(Body):
    """A button."""

    caption: str = Field(min_length=1, max_length=30)
    targetUrl: Url


class MessageFile(Body):
    """A file; a campaign spells its address `fileUrl`."""

    fileName: str = Field(min_length=1, max_length=25)
    fileType: Text
    fileURL: HttpsUrl


class CampaignFile(Body):
    """A file of a campaign."""

    fileName: str = Field(min_length=1, max_length=25)
    fileType: Text
    fileUrl: HttpsUrl


FileKind = TypeVar("FileKind", MessageFile, CampaignFile)


class Video(Body):
    """A video; size in MB, duration in seconds."""

    videoURL: HttpsUrl
    videoThumbnail: HttpsUrl
    fileSize: int = Field(gt=0, le=200)
    duration: int = Field(gt=0, le=600)


class Content(Body, Generic[FileKind]):
    """What a message shows."""

    text: str | None = Field(default=None, min_length=1, max_length=1000)
    imageURL: HttpsUrl | None = None
    action: Action | None = None
    viberVideo: Video | None = None
    viberFile: FileKind | None = None

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("the body is empty")
        return self

    def price(self) -> Decimal:
        """Return the price: text alone is transactional, all else promotional (documented); fallbacks show nothing."""
        return price_of(text_only=self.model_fields_set - {"fallbackValues"} == {"text"})


class CampaignContent(Content[CampaignFile]):
    """What the messages of a campaign show."""

    fallbackValues: dict[str, str] = {}


class Options(Body):
    """What single messages and campaigns have in common; the time to live is in SECONDS here, a day at most."""

    senderInfoTrackingId: str
    ttl: int = Field(default=86_400, ge=30, le=86_400)
    callbackUrl: Url | None = None
    inboundUrl: Url | None = None
    label: Label = ""
    isSessionMessage: bool = False


class ViberBody(Options):
    """Body of `POST /viber`. That a body is required is inferred; without a time to live it is two weeks."""

    to: Phone
    body: Content[MessageFile]
    ttl: int = Field(default=TWO_WEEKS, ge=30, le=86_400)


class ViberCampaignBody(Options, Recipients):
    """Body of `POST /viber/campaign`."""

    campaignName: CampaignName | None = None
    scheduledDate: Moment | None = None
    body: CampaignContent


class OtpBody(Body):
    """Body of `POST /viber/otp`; only the sender is marked as required, so one recipient is needed too (inferred)."""

    senderInfoTrackingId: str
    to: list[Phone] = Field(min_length=1, max_length=1)
    ttl: int = Field(default=300, ge=1)
    seq: str | None = None
    label: Literal["transactional", "promotional"] = "transactional"
    type: Literal["PRIMARY_ONLY", "ALL_DEVICE"] = "PRIMARY_ONLY"
    templateId: Text
    templateParams: dict[str, str] = {}
    templateLang: Text = "en"


class SessionsBody(Dates, Body):
    """Whose sessions of which time; that these are in the body is inferred from the method."""

    phoneNumber: Phone


@operation("POST", "/viber", SOURCES, paid=True)
def send_message(call: Call, body: ViberBody) -> Answer:
    """Send one message."""
    sender = call.state.require_viber_sender(body.senderInfoTrackingId)
    require_mobile(body.to)
    content = body.body
    message = _message(
        call.state, call.application.name, sender, body.to, content.text or "", body.ttl, content.price()
    )
    message.request |= _media(content)
    message.callback_url = body.callbackUrl or ""
    message.session = call.state.new_id("viber session") if body.isSessionMessage else ""
    _send(call.state, message)
    answer = message.to_wire()
    del answer["originatingService"]
    return ok(answer | drop_empty({"callbackUrl": body.callbackUrl, "inboundUrl": body.inboundUrl}))


@operation("POST", "/viber/otp", REFERENCE, paid=True)
def send_otp(call: Call, body: OtpBody) -> Answer:
    """Send a one-time password from a template."""
    sender = call.state.require_viber_sender(body.senderInfoTrackingId)
    require_mobile(body.to[0])
    text = f"{body.templateId}: {body.templateParams.get('pin', '')}"
    price = price_of(text_only=body.label == "transactional")
    message = _message(call.state, call.application.name, sender, body.to[0], text, body.ttl, price)
    _send(call.state, message)
    shown = {"trackingId", "applicationName", "country", "direction", "from", "to", "status"}
    return ok(
        {name: value for name, value in message.to_wire().items() if name in shown}
        | body.model_dump(exclude={"senderInfoTrackingId", "to"}, exclude_none=True)
    )


@operation("POST", "/viber/campaign", REFERENCE, paid=True)
def start_campaign(call: Call, body: ViberCampaignBody) -> Answer:
    """Send to many now, or at `scheduledDate`."""
    state = call.state
    sender = state.require_viber_sender(body.senderInfoTrackingId)
    check_plan(state, state.viber_campaigns, body.campaignName, body.scheduledDate)
    audience = gather(state, "Viber", body)
    state.require(body.body.price() * len(audience.recipients))
    campaign = Campaign[ViberMessage](
        id=state.new_id("viber campaign"),
        kind="Viber",
        created=state.now(),
        application=call.application.name,
        name=body.campaignName or "",
        scheduled=body.scheduledDate,
        request={**body.model_dump(exclude_none=True, exclude={"scheduledDate"}), "senderInfoName": sender},
        audience=audience,
    )
    state.viber_campaigns[campaign.id] = campaign
    schedule(state, campaign, partial(_run, state, campaign, body, sender))
    analysis = {**audience.analysis, "bodyAnalysis": {"characters": len(body.body.text or "")}}
    more = {"totalMessages": len(audience.recipients), "respectQuietHours": False, "viberAnalysis": analysis}
    return ok(campaign.to_wire() | more)


@operation("DELETE", "/viber/campaign/{campaignTrackingId}", REFERENCE, inferred="the empty answer")
def delete_campaign(call: Call, campaign: PathCampaign) -> Answer:
    """Delete a campaign that has not begun."""
    return delete(call.state.viber_campaigns, campaign)


@operation("GET", "/viber/tracking/{trackingId}", REFERENCE)
def track_message(call: Call, message: PathMessage, query: SortedPageQuery) -> Answer:
    """Show one message with its price; it takes paging although it is one object."""
    return ok(message.to_tracking())


@operation("GET", "/viber/tracking/campaign/{campaignTrackingId}", REFERENCE)
def track_campaign(call: Call, campaign: PathCampaign, query: SortedPageQuery) -> Answer:
    """List the messages of one campaign."""
    more = {"campaign": campaign.name, "campaignTrackingId": campaign.id}
    return query.answer([message.to_tracking() | more for message in campaign.messages])


@operation("POST", "/viber/session", REFERENCE, inferred="paging in the query, the rest in the body")
def list_sessions(call: Call, query: PageQuery, body: SessionsBody) -> Answer:
    """List the sessions with one person."""
    wanted = [
        message
        for message in call.state.viber.values()
        if message.session and message.to == body.phoneNumber and body.cover(message.created)
    ]
    return query.answer([_session([message]) for message in wanted])


@operation("GET", "/viber/session/{sessionId}", REFERENCE)
def show_session(call: Call) -> Answer:
    """Show one session."""
    messages = [message for message in call.state.viber.values() if message.session == call.path["sessionId"]]
    if not messages:
        raise refuse("404019002", "The session does not exist.")
    return ok(_session(messages))


def price_of(*, text_only: bool) -> Decimal:
    """Return the price of a message."""
    return VIBER_TRANSACTIONAL if text_only else VIBER_PROMOTIONAL


def outcome_of(to: str) -> str:
    """Return what becomes of a message to a number."""
    return "Undelivered" if to.endswith(NO_VIBER) else "Delivered"


def _message(state: State, application: str, sender: str, to: str, text: str, ttl: int, price: Decimal) -> ViberMessage:
    country = require_country(to).iso
    request: Wire = {
        "applicationName": application,
        "country": country,
        "direction": "Outbound",
        "from": sender,
        "to": to,
        "message": text,
        "originatingService": "Viber",
        "ttl": str(ttl),
    }
    return ViberMessage(state.new_id("viber"), to, price, state.now(), Status("Queued", state.now()), request)


def _send(state: State, message: ViberMessage) -> None:
    state.pay("viber", 1, message.price, message.id)
    state.viber[message.id] = message
    state.agenda.at(state.now() + SENT_AFTER, partial(_move, state, message, "Sent"))
    state.agenda.at(state.now() + SETTLED_AFTER, partial(_move, state, message, outcome_of(message.to)))


def _move(state: State, message: ViberMessage, status: str) -> None:
    """Put a message into a status and post that, if somebody wants it (the body of the callback is inferred)."""
    message.status = Status(status, state.now(), status)
    state.outbox.post("viber report", message.callback_url, message.to_tracking())


def _run(state: State, campaign: Campaign[ViberMessage], body: ViberCampaignBody, sender: str) -> None:
    campaign.state = "Running"
    for recipient in campaign.audience.recipients:
        campaign.messages.append(_send_to(state, campaign, body, sender, recipient))
    plan(state, campaign, state.now() + SETTLED_AFTER + timedelta(seconds=1), partial(_finish, campaign))


def _send_to(
    state: State, campaign: Campaign[ViberMessage], body: ViberCampaignBody, sender: str, recipient: Recipient
) -> ViberMessage:
    content = body.body
    text = fill_labels(content.text or "", recipient.contact, content.fallbackValues)
    message = _message(state, campaign.application, sender, recipient.number, text, body.ttl, content.price())
    message.callback_url = body.callbackUrl or ""
    try:
        _send(state, message)
    except Refusal:
        message.price = Decimal(0)
        state.viber[message.id] = message
        _move(state, message, "Unsent")
    return message


def _finish(campaign: Campaign[ViberMessage]) -> None:
    campaign.state = "Finished"


def _media(content: Content[Any]) -> Wire:
    """Return the image, button and video as answers spell them."""
    video = content.viberVideo.model_dump() if content.viberVideo else {}
    return drop_empty(
        {
            "imageUrl": content.imageURL,
            "viberAction": content.action.model_dump() if content.action else None,
            "viberVideo": {"videoUrl" if name == "videoURL" else name: value for name, value in video.items()},
        }
    )


def _session(messages: list[ViberMessage]) -> Wire:
    return {
        "sessionId": messages[0].session,
        "sessionMessages": [message.to_tracking() for message in messages],
    }
