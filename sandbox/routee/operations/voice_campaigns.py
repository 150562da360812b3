"""Messages spoken to many, and the tracking of calls."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated

from pydantic import Field, model_validator

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer
from sandbox.routee.bulk import UNKNOWN_CAMPAIGN, check_plan, delete, report, schedule
from sandbox.routee.calling import new_leg, place, track
from sandbox.routee.endpoint import PAGE, REFERENCE, Call, in_path, operation
from sandbox.routee.fields import (
    CampaignName,
    Dates,
    Filters,
    Flag,
    MessageCallback,
    Moment,
    Positive,
    Recipients,
    SortedPageQuery,
    Text,
    refuse_unknown_fields,
    select,
)
from sandbox.routee.networks import voice_price
from sandbox.routee.operations.conversations import Gender, Language, SpokenText, WavUrl
from sandbox.routee.recipients import gather, quiet_until
from sandbox.routee.records import Campaign, Recipient
from sandbox.routee.state import State
from sandbox.routee.voice_records import CallLeg
from sandbox.routee.wire import ok

FILTER_FIELDS = {"id": "messageId", "recipient": "to"} | {
    name: name for name in ("from", "collectedTones", "groups", "country", "status.status", "campaign")
}
"""What a filter may name, and where that is in the answer."""

PathCall = Annotated[CallLeg, in_path("calls", "404013003", "The call does not exist.")]
PathCampaign = Annotated[Campaign[CallLeg], in_path("voice_campaigns", *UNKNOWN_CAMPAIGN)]


class Speech(Body):
    """The message; which of its members are required is not documented, the text is (inferred)."""

    text: SpokenText
    language: Language | None = None
    gender: Gender | None = None


class AnalysisBody(Recipients):
    """Body of `POST /voice/analysis`; the message is spoken or played."""

    sender: Text = Field(alias="from")
    fileURL: WavUrl | None = None
    message: Speech | None = None

    @model_validator(mode="after")
    def _has_one_message(self) -> "AnalysisBody":
        if (self.fileURL is None) == (self.message is None):
            raise ValueError("give either fileURL or message")
        return self


class VoiceCampaignBody(AnalysisBody):
    """Body of `POST /voice/campaign`."""

    name: CampaignName | None = None
    respectQuietHours: bool = False
    ignoreDnd: bool = False
    scheduledDate: Moment | None = None
    hangupDelay: int | None = Field(default=None, ge=1, le=60)
    campaignCallback: MessageCallback | None = None
    callback: MessageCallback | None = None
    collectDtmfDigits: bool = False
    collectDtmfAwaitSeconds: Positive | None = None


class CallsQuery(SortedPageQuery, Dates):
    """Which calls of which time."""

    dateStart: Moment | None = Field(default=None, alias="from")
    dateEnd: Moment | None = Field(default=None, alias="to")
    trackingId: str | None = None
    tagged: Flag | None = None


@operation("POST", "/voice/campaign", REFERENCE, paid=True, inferred="the balance has to cover a minute of each call")
def start_campaign(call: Call, body: VoiceCampaignBody) -> Answer:
    """Call many now, or at `scheduledDate`."""
    state = call.state
    check_plan(state, state.voice_campaigns, body.name, body.scheduledDate)
    audience = gather(state, "Voice", body)
    # inferred: the balance has to cover a minute of each call
    state.require(sum((voice_price(one.number) for one in audience.recipients), Decimal(0)))
    shown = {"sender", "to", "contacts", "groups", "respectQuietHours", "message", "fileURL", "name"}
    campaign = Campaign[CallLeg](
        id=state.new_id("voice campaign"),
        kind="Voice",
        created=state.now(),
        application=call.application.name,
        name=body.name or "",
        scheduled=body.scheduledDate,
        request=body.model_dump(by_alias=True, exclude_none=True, include=shown),
        audience=audience,
        callback=body.campaignCallback,
    )
    state.voice_campaigns[campaign.id] = campaign
    schedule(state, campaign, partial(_run, state, campaign, body))
    more = {"statuses": campaign.count_statuses(), "voiceAnalysis": audience.analysis}
    return ok(campaign.to_wire() | more)


@operation("POST", "/voice/analysis", PAGE)
def analyze_campaign(call: Call, body: AnalysisBody) -> Answer:
    """Show who would be called; no cost."""
    return ok(gather(call.state, "Voice", body).analysis)


@operation("DELETE", "/voice/campaign/{trackingId}", REFERENCE, inferred="the empty answer")
def delete_campaign(call: Call, campaign: PathCampaign) -> Answer:
    """Delete a campaign that has not begun."""
    return delete(call.state.voice_campaigns, campaign)


@operation("GET", "/voice/tracking/{messageId}", REFERENCE)
def track_call(call: Call, leg: PathCall) -> Answer:
    """Show one call."""
    return ok(track(leg))


@operation("POST", "/voice/tracking", REFERENCE, inferred="that the body is an array")
def track_calls(call: Call, query: CallsQuery, body: Filters) -> Answer:
    """List calls that meet the filters, newest first (the order is inferred)."""
    refuse_unknown_fields(body, tuple(FILTER_FIELDS))
    items = [
        track(leg)
        for leg in sorted(call.state.calls.values(), key=lambda one: one.created, reverse=True)
        if query.cover(leg.created) and query.trackingId in {None, leg.campaign.id if leg.campaign else ""}
    ]
    return query.answer(select(items, body, FILTER_FIELDS))


@operation("GET", "/voice/tracking/campaign/{campaignTrackingId}", REFERENCE)
def track_campaign(call: Call, campaign: PathCampaign, query: SortedPageQuery) -> Answer:
    """List the calls of one campaign."""
    return query.answer([track(leg) for leg in campaign.messages])


def _run(state: State, campaign: Campaign[CallLeg], body: VoiceCampaignBody) -> None:
    campaign.state = "Running"
    report(state, campaign)
    last = state.now()
    for recipient in campaign.audience.recipients:
        moment = quiet_until(recipient.number, state.now()) if body.respectQuietHours else state.now()
        state.agenda.at(moment, partial(_call, state, campaign, body, recipient))
        last = max(last, moment)
    state.agenda.at(last + timedelta(minutes=2), partial(_finish, state, campaign))


def _call(state: State, campaign: Campaign[CallLeg], body: VoiceCampaignBody, recipient: Recipient) -> None:
    leg = new_leg(state, body.sender, recipient.number, campaign.application, body.callback)
    leg.message = body.message.model_dump(exclude_none=True) if body.message else {}
    leg.campaign = campaign
    leg.groups = list(recipient.groups)
    leg.hangup_delay = body.hangupDelay
    campaign.messages.append(leg)
    place(state, leg)


def _finish(state: State, campaign: Campaign[CallLeg]) -> None:
    campaign.state = "Finished"
    report(state, campaign)
