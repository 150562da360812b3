"""Messages through Viber: single, to many, and one-time passwords."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from sandbox.routee import networks
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    CampaignName,
    Label,
    Moment,
    PageQuery,
    Phone,
    SortedPageQuery,
    Text,
    Url,
)
from sandbox.routee.networks import is_mobile, require_country
from sandbox.routee.recipients import fill_labels, gather
from sandbox.routee.records import Recipient, Status
from sandbox.routee.sending import SENT_AFTER, SETTLED_AFTER, require_mobile
from sandbox.routee.state import State
from sandbox.routee.voice_records import ViberCampaign, ViberMessage
from sandbox.routee.wire import Answer, Refusal, Wire, invalid, nothing, ok, page_of, refused, timestamp

NO_VIBER = "0021"
"""Numbers that end like this have no Viber, so that messages to them are Undelivered."""

MOST_RECIPIENTS = 1000
TWO_WEEKS = 1_209_600
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://\S+$", max_length=1000)]


class ActionBody(Body):
    """A button."""

    caption: str = Field(min_length=1, max_length=30)
    targetUrl: Url


class FileBody(Body):
    """A file; a campaign spells its address `fileUrl`."""

    fileName: str = Field(min_length=1, max_length=25)
    fileType: Text
    fileURL: HttpsUrl


class CampaignFileBody(Body):
    """A file of a campaign."""

    fileName: str = Field(min_length=1, max_length=25)
    fileType: Text
    fileUrl: HttpsUrl


class VideoBody(Body):
    """A video; size in MB, duration in seconds."""

    videoURL: HttpsUrl
    videoThumbnail: HttpsUrl
    fileSize: int = Field(gt=0, le=200)
    duration: int = Field(gt=0, le=600)


class BaseContentBody(Body):
    """What a message shows."""

    text: str | None = Field(default=None, min_length=1, max_length=1000)
    imageURL: HttpsUrl | None = None
    action: ActionBody | None = None
    viberVideo: VideoBody | None = None

    @model_validator(mode="after")
    def _shows_something(self) -> "BaseContentBody":
        if not self.model_fields_set:
            raise ValueError("the body is empty")
        return self

    def price(self) -> Decimal:
        """Text alone is transactional, everything else promotional (documented)."""
        return networks.VIBER_TRANSACTIONAL if self.model_fields_set == {"text"} else networks.VIBER_PROMOTIONAL


class ContentBody(BaseContentBody):
    """What a single message shows."""

    viberFile: FileBody | None = None


class CampaignContentBody(BaseContentBody):
    """What the messages of a campaign show."""

    viberFile: CampaignFileBody | None = None
    fallbackValues: dict[str, str] = {}

    def price(self) -> Decimal:
        """Fallback values show nothing by themselves."""
        shown = self.model_fields_set - {"fallbackValues"}
        return networks.VIBER_TRANSACTIONAL if shown == {"text"} else networks.VIBER_PROMOTIONAL


class ViberBody(Body):
    """Body of `POST /viber`; the time to live is in SECONDS here. That a body is required is inferred."""

    senderInfoTrackingId: str
    to: Phone
    body: ContentBody
    ttl: int = Field(default=TWO_WEEKS, ge=30)
    callbackUrl: Url | None = None
    inboundUrl: Url | None = None
    label: Label = ""
    isSessionMessage: bool = False

    @model_validator(mode="after")
    def _ttl_is_a_day_at_most(self) -> "ViberBody":
        if "ttl" in self.model_fields_set and self.ttl > 86_400:
            raise ValueError("ttl is 30 to 86400 seconds")
        return self


class ViberCampaignBody(Body):
    """Body of `POST /viber/campaign`."""

    senderInfoTrackingId: str
    to: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    contacts: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    groups: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    campaignName: CampaignName | None = None
    isSessionMessage: bool = False
    scheduledDate: Moment | None = None
    body: CampaignContentBody
    ttl: int = Field(default=86_400, ge=30, le=86_400)
    callbackUrl: Url | None = None
    inboundUrl: Url | None = None
    label: Label = ""


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
    templateLang: str = Field(default="en", pattern=r"^[a-z]{2}$")


class SessionsQuery(PageQuery):
    """Which page of sessions."""


class SessionsBody(Body):
    """Whose sessions of which time; that these are in the body is inferred from the method."""

    phoneNumber: Phone
    dateStart: Moment | None = None
    dateEnd: Moment | None = None


def send_message(call: Call, body: ViberBody) -> Answer:
    """Send one message."""
    sender = _sender(call.state, body.senderInfoTrackingId)
    require_mobile(body.to)
    message = _message(call.state, call.application.name, sender, body.to, body.body.text or "", body.ttl)
    message.price = body.body.price()
    message.extra = _extra(body.body)
    message.callback_url, message.inbound_url = body.callbackUrl or "", body.inboundUrl or ""
    message.session = call.state.new_id("viber session") if body.isSessionMessage else ""
    _send(call.state, message)
    answer = message.to_wire()
    del answer["originatingService"]
    return ok(answer | _urls(message))


def send_otp(call: Call, body: OtpBody) -> Answer:
    """Send a one-time password from a template."""
    sender = _sender(call.state, body.senderInfoTrackingId)
    require_mobile(body.to[0])
    text = f"{body.templateId}: {body.templateParams.get('pin', '')}"
    message = _message(call.state, call.application.name, sender, body.to[0], text, body.ttl)
    message.price = networks.VIBER_TRANSACTIONAL if body.label == "transactional" else networks.VIBER_PROMOTIONAL
    _send(call.state, message)
    shown = {"trackingId", "applicationName", "country", "direction", "from", "to", "status"}
    return ok(
        {name: value for name, value in message.to_wire().items() if name in shown}
        | {"ttl": body.ttl, **body.model_dump(include={"label", "type", "templateId", "templateParams"})}
        | {"templateLang": body.templateLang}
        | ({"seq": body.seq} if body.seq is not None else {})
    )


def start_campaign(call: Call, body: ViberCampaignBody) -> Answer:
    """Send to many now, or at `scheduledDate`."""
    state = call.state
    sender = _sender(state, body.senderInfoTrackingId)
    if body.scheduledDate is not None and body.scheduledDate <= state.now():
        raise invalid("scheduledDate: the date is past.", {"scheduledDate": "past"})
    if body.campaignName is not None and body.campaignName in {one.name for one in state.viber_campaigns.values()}:
        raise refused("409009003", "Your account already has a campaign with the given name.")
    audience = gather(state, "Viber", body.to, body.contacts, body.groups, is_mobile)
    state.require(body.body.price() * len(audience.recipients))
    request: Wire = body.model_dump(exclude_none=True, exclude={"scheduledDate"})
    campaign = ViberCampaign(
        id=state.new_id("viber campaign"),
        request={**request, "senderInfoName": sender},
        created=state.now(),
        scheduled=body.scheduledDate,
        audience=audience,
        name=body.campaignName or "",
        state="Queued" if body.scheduledDate is None else "Scheduled",
    )
    state.viber_campaigns[campaign.id] = campaign
    start = body.scheduledDate or state.now() + timedelta(seconds=1)
    state.agenda.at(start, partial(_run, state, campaign, body, sender, call.application.name))
    return ok(_campaign_wire(campaign, body.body.text or ""))


def delete_campaign(call: Call) -> Answer:
    """Delete a campaign that has not begun."""
    campaign = _known_campaign(call.state, call.path["campaignTrackingId"])
    if campaign.state != "Scheduled":
        raise refused("400009002", "The campaign status is not Scheduled.")
    del call.state.viber_campaigns[campaign.id]
    return nothing()


def track_message(call: Call, query: SortedPageQuery) -> Answer:
    """One message with its price; it takes paging although it is one object."""
    message = call.state.viber.get(call.path["trackingId"])
    if message is None:
        raise refused("404019001", "The message does not exist.")
    return ok(message.to_wire() | {"price": message.price})


def track_campaign(call: Call, query: SortedPageQuery) -> Answer:
    """The messages of one campaign."""
    campaign = _known_campaign(call.state, call.path["campaignTrackingId"])
    items: list[Wire] = [
        {**message.to_wire(), "price": message.price, "campaign": campaign.name, "campaignTrackingId": campaign.id}
        for message in campaign.messages
    ]
    return page_of(items, query.page, query.size, query.sort)


def list_sessions(call: Call, query: SessionsQuery, body: SessionsBody) -> Answer:
    """The sessions with one person."""
    wanted = [
        message
        for message in call.state.viber.values()
        if message.session and message.to == body.phoneNumber and _within(message.created, body)
    ]
    return page_of([_session_wire([message]) for message in wanted], query.page, query.size)


def show_session(call: Call) -> Answer:
    """One session."""
    messages = [message for message in call.state.viber.values() if message.session == call.path["sessionId"]]
    if not messages:
        raise refused("404019002", "The session does not exist.")
    return ok(_session_wire(messages))


def settle(state: State, message: ViberMessage, status: str) -> None:
    """Put a message into a status and post that, if somebody wants it (the body of the callback is inferred)."""
    message.status = Status(status, state.now(), status, f"Message status: {status}")
    if message.callback_url:
        payload = {**message.to_wire(), "price": message.price}
        state.outbox.post("viber report", message.callback_url, payload)


def viber_fate(to: str) -> str:
    """What becomes of a message to a number."""
    return "Undelivered" if to.endswith(NO_VIBER) else "Delivered"


def _message(state: State, application: str, sender: str, to: str, text: str, ttl: int) -> ViberMessage:
    return ViberMessage(
        id=state.new_id("viber"),
        sender=sender,
        to=to,
        country=require_country(to).iso,
        text=text,
        price=Decimal(0),
        created=state.now(),
        status=Status("Queued", state.now()),
        application=application,
        ttl=ttl,
    )


def _send(state: State, message: ViberMessage) -> None:
    state.pay("viber", 1, message.price, message.id)
    state.viber[message.id] = message
    state.agenda.at(state.now() + SENT_AFTER, partial(settle, state, message, "Sent"))
    state.agenda.at(state.now() + SETTLED_AFTER, partial(settle, state, message, viber_fate(message.to)))


def _run(state: State, campaign: ViberCampaign, body: ViberCampaignBody, sender: str, application: str) -> None:
    if campaign.id not in state.viber_campaigns:
        return
    campaign.state = "Running"
    for recipient in campaign.audience.recipients:
        campaign.messages.append(_send_to(state, body, sender, application, recipient))
    state.agenda.at(state.now() + SETTLED_AFTER + timedelta(seconds=1), partial(_finish, campaign))


def _send_to(
    state: State, body: ViberCampaignBody, sender: str, application: str, recipient: Recipient
) -> ViberMessage:
    text = fill_labels(body.body.text or "", recipient.contact, body.body.fallbackValues)
    message = _message(state, application, sender, recipient.number, text, body.ttl)
    message.price = body.body.price()
    message.callback_url = body.callbackUrl or ""
    try:
        _send(state, message)
    except Refusal:
        message.price = Decimal(0)
        state.viber[message.id] = message
        settle(state, message, "Unsent")
    return message


def _finish(campaign: ViberCampaign) -> None:
    campaign.state = "Finished"


def _sender(state: State, identifier: str) -> str:
    if identifier not in state.viber_senders:
        raise refused("404020001", "The Viber sender does not exist.")
    return state.viber_senders[identifier]


def _known_campaign(state: State, identifier: str) -> ViberCampaign:
    campaign = state.viber_campaigns.get(identifier)
    if campaign is None:
        raise refused("404009001", "The campaign with the given tracking id doesn't exist.")
    return campaign


def _within(moment: datetime, body: SessionsBody) -> bool:
    return (body.dateStart is None or moment >= body.dateStart) and (body.dateEnd is None or moment <= body.dateEnd)


def _extra(content: ContentBody) -> Wire:
    extra: Wire = {}
    if content.imageURL is not None:
        extra["imageUrl"] = content.imageURL
    if content.action is not None:
        extra["viberAction"] = content.action.model_dump()
    if content.viberVideo is not None:
        video = content.viberVideo.model_dump()
        extra["viberVideo"] = {"videoUrl" if name == "videoURL" else name: value for name, value in video.items()}
    return extra


def _urls(message: ViberMessage) -> Wire:
    urls = {"callbackUrl": message.callback_url, "inboundUrl": message.inbound_url}
    return {name: url for name, url in urls.items() if url}


def _session_wire(messages: list[ViberMessage]) -> Wire:
    return {
        "sessionId": messages[0].session,
        "sessionMessages": [{**message.to_wire(), "price": message.price} for message in messages],
    }


def _campaign_wire(campaign: ViberCampaign, text: str) -> Wire:
    wire: Wire = {
        "trackingId": campaign.id,
        "createdAt": timestamp(campaign.created),
        "type": "Viber",
        "state": campaign.state,
        "cost": sum((message.price for message in campaign.messages), Decimal(0)),
        "totalMessages": len(campaign.audience.recipients),
        "respectQuietHours": False,
        "viberAnalysis": {**campaign.audience.analysis, "bodyAnalysis": {"characters": len(text)}},
        **campaign.request,
    }
    if campaign.scheduled is not None:
        wire["scheduledDate"] = timestamp(campaign.scheduled)
    return wire
