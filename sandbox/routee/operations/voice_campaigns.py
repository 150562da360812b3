"""Messages spoken to many, and the tracking of calls."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Literal

from pydantic import Field, model_validator

from sandbox.routee.callbacks import Target
from sandbox.routee.calling import new_leg, place, tracked
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    CallbackBody,
    CampaignName,
    Filters,
    Moment,
    SortedPageQuery,
    Text,
    matching,
    refuse_unknown_fields,
)
from sandbox.routee.networks import is_callable, voice_price
from sandbox.routee.operations.conversations import Gender, Language, SpokenText, WavUrl
from sandbox.routee.recipients import gather, quiet_until
from sandbox.routee.records import Recipient
from sandbox.routee.state import State
from sandbox.routee.voice_records import VoiceCampaign
from sandbox.routee.wire import Answer, Wire, invalid, nothing, ok, page_of, refused, timestamp

MOST_RECIPIENTS = 1000
FILTER_FIELDS = {
    "id": "messageId",
    "recipient": "to",
    "from": "from",
    "collectedTones": "collectedTones",
    "groups": "groups",
    "country": "country",
    "status.status": "status.status",
    "campaign": "campaign",
}
"""What a filter may name, and where that is in the answer."""


class SpokenBody(Body):
    """The message; which of its members are required is not documented, the text is (inferred)."""

    text: SpokenText
    language: Language | None = None
    gender: Gender | None = None


class VoiceAnalysisBody(Body):
    """Body of `POST /voice/analysis`; the message is spoken or played."""

    sender: Text = Field(alias="from")
    to: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    contacts: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    groups: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    fileURL: WavUrl | None = None
    message: SpokenBody | None = None

    @model_validator(mode="after")
    def _has_one_message(self) -> "VoiceAnalysisBody":
        if (self.fileURL is None) == (self.message is None):
            raise ValueError("give either fileURL or message")
        return self


class VoiceCampaignBody(VoiceAnalysisBody):
    """Body of `POST /voice/campaign`."""

    name: CampaignName | None = None
    respectQuietHours: bool = False
    ignoreDnd: bool = False
    scheduledDate: Moment | None = None
    hangupDelay: int | None = Field(default=None, ge=1, le=60)
    campaignCallback: CallbackBody | None = None
    callback: CallbackBody | None = None
    collectDtmfDigits: bool = False
    collectDtmfAwaitSeconds: int | None = Field(default=None, ge=1)


class CallsQuery(SortedPageQuery):
    """Which calls of which time."""

    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    trackingId: str | None = None
    tagged: Literal["true", "false"] | None = None


def start_campaign(call: Call, body: VoiceCampaignBody) -> Answer:
    """Call many now, or at `scheduledDate`."""
    state = call.state
    if body.scheduledDate is not None and body.scheduledDate <= state.now():
        raise invalid("scheduledDate: the date is past.", {"scheduledDate": "past"})
    if body.name is not None and body.name in {one.name for one in state.voice_campaigns.values()}:
        raise refused("409009003", "Your account already has a campaign with the given name.")
    audience = gather(state, "Voice", body.to, body.contacts, body.groups, is_callable)
    # inferred: the balance has to cover a minute of each call
    state.require(sum((voice_price(one.number) for one in audience.recipients), Decimal(0)))
    campaign = VoiceCampaign(
        id=state.new_id("voice campaign"),
        request=_request_wire(body),
        created=state.now(),
        scheduled=body.scheduledDate,
        audience=audience,
        name=body.name or "",
        target=_target(body.callback),
        campaign_target=_target(body.campaignCallback),
        application=call.application.name,
        respect_quiet_hours=body.respectQuietHours,
        hangup_delay=body.hangupDelay,
        message=body.message.model_dump(exclude_none=True) if body.message else {},
        state="Queued" if body.scheduledDate is None else "Scheduled",
    )
    state.voice_campaigns[campaign.id] = campaign
    _report(state, campaign)
    state.agenda.at(body.scheduledDate or state.now() + timedelta(seconds=1), partial(_run, state, campaign))
    return ok(_wire(campaign))


def analyze_campaign(call: Call, body: VoiceAnalysisBody) -> Answer:
    """Who would be called; no cost."""
    return ok(gather(call.state, "Voice", body.to, body.contacts, body.groups, is_callable).analysis)


def delete_campaign(call: Call) -> Answer:
    """Delete a campaign that has not begun."""
    campaign = _known(call.state, call.path["trackingId"])
    if campaign.state != "Scheduled":
        raise refused("400009002", "The campaign status is not Scheduled.")
    del call.state.voice_campaigns[campaign.id]
    return nothing()


def track_call(call: Call) -> Answer:
    """One call."""
    leg = call.state.calls.get(call.path["messageId"])
    if leg is None:
        raise refused("404013003", "The call does not exist.")
    return ok(tracked(leg))


def track_calls(call: Call, query: CallsQuery, filters: Filters) -> Answer:
    """Calls that meet the filters, newest first (the order is inferred)."""
    refuse_unknown_fields(filters, tuple(FILTER_FIELDS))
    items = [
        tracked(leg)
        for leg in sorted(call.state.calls.values(), key=lambda one: one.created, reverse=True)
        if (query.start is None or leg.created >= query.start)
        and (query.end is None or leg.created <= query.end)
        and query.trackingId in {None, leg.campaign.id if leg.campaign else ""}
    ]
    return page_of(matching(items, filters, FILTER_FIELDS), query.page, query.size, query.sort)


def track_campaign(call: Call, query: SortedPageQuery) -> Answer:
    """The calls of one campaign."""
    campaign = _known(call.state, call.path["campaignTrackingId"])
    return page_of([tracked(leg) for leg in campaign.calls], query.page, query.size, query.sort)


def _run(state: State, campaign: VoiceCampaign) -> None:
    if campaign.id not in state.voice_campaigns:
        return
    campaign.state = "Running"
    _report(state, campaign)
    last = state.now()
    for recipient in campaign.audience.recipients:
        moment = quiet_until(recipient.number, state.now()) if campaign.respect_quiet_hours else state.now()
        state.agenda.at(moment, partial(_call, state, campaign, recipient))
        last = max(last, moment)
    state.agenda.at(last + timedelta(minutes=2), partial(_finish, state, campaign))


def _call(state: State, campaign: VoiceCampaign, recipient: Recipient) -> None:
    leg = new_leg(state, str(campaign.request["from"]), recipient.number, campaign.application, campaign.target)
    leg.message = campaign.message
    leg.campaign = campaign
    leg.groups = list(recipient.groups)
    leg.hangup_delay = campaign.hangup_delay
    campaign.calls.append(leg)
    place(state, leg)


def _finish(state: State, campaign: VoiceCampaign) -> None:
    campaign.state = "Finished"
    _report(state, campaign)


def _report(state: State, campaign: VoiceCampaign) -> None:
    """Post the progress; that it looks like that of an SMS campaign is inferred."""
    target = campaign.campaign_target
    if target is None or not target.wants(campaign.state == "Finished"):
        return
    payload: Wire = {
        "trackingId": campaign.id,
        "name": campaign.name,
        "totalRecipients": len(campaign.audience.recipients),
        "campaignStatus": campaign.state,
        "messageStatuses": campaign.counts(),
        "callbackInfo": target.to_wire(),
    }
    state.outbox.post("campaign report", target.url, payload)


def _known(state: State, identifier: str) -> VoiceCampaign:
    campaign = state.voice_campaigns.get(identifier)
    if campaign is None:
        raise refused("404009001", "The campaign with the given tracking id doesn't exist.")
    return campaign


def _target(callback: CallbackBody | None) -> Target | None:
    return callback.target() if callback else None


def _request_wire(body: VoiceCampaignBody) -> Wire:
    kept = {"from", "to", "contacts", "groups", "respectQuietHours", "message", "fileURL", "name"}
    wire: Wire = body.model_dump(by_alias=True, exclude_none=True)
    return {name: value for name, value in wire.items() if name in kept}


def _wire(campaign: VoiceCampaign) -> Wire:
    wire: Wire = {
        "trackingId": campaign.id,
        "createdAt": timestamp(campaign.created),
        "type": "Voice",
        "state": campaign.state,
        "statuses": campaign.counts(),
        "voiceAnalysis": campaign.audience.analysis,
        "cost": sum((leg.price for leg in campaign.calls), Decimal(0)),
        **campaign.request,
    }
    if campaign.scheduled is not None:
        wire["scheduledDate"] = timestamp(campaign.scheduled)
    return wire
