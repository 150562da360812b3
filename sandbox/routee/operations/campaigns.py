"""SMS campaigns: start, analyze, change, delete, show."""

from pydantic import Field

from sandbox.routee.campaigning import estimate, schedule, withdraw
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import CallbackBody, CampaignName, Moment, Text, UrlShortenerBody, require_sender
from sandbox.routee.networks import is_mobile
from sandbox.routee.operations.sms import LONGEST_TEXT, Restrictions
from sandbox.routee.recipients import gather
from sandbox.routee.records import Audience, CampaignPlan, Reminder, SmsCampaign
from sandbox.routee.segmentation import analyze
from sandbox.routee.short_links import shorten
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, Wire, invalid, nothing, ok, refused, timestamp

MOST_RECIPIENTS = 30_000


class ReminderBody(Body):
    """Test messages; `minutesAfter` is in older documents and in the answer of the details."""

    to: list[str] = Field(min_length=1)
    minutesBefore: int | None = Field(default=None, ge=1)
    minutesAfter: int | None = Field(default=None, ge=1)


class AudienceBody(Body):
    """Who a bulk send goes to; one of the three is needed."""

    to: list[str] = Field(default=[], max_length=MOST_RECIPIENTS)
    contacts: list[str] = []
    groups: list[str] = []


class CampaignBody(AudienceBody):
    """Body of `POST /sms/campaign` and of its update, which replaces everything."""

    sender: str = Field(alias="from")
    text: str = Field(alias="body", min_length=1, max_length=LONGEST_TEXT)
    scheduledDate: Moment | None = None
    campaignName: CampaignName | None = None
    flash: bool = False
    respectQuietHours: bool = False
    campaignCallback: CallbackBody | None = None
    callback: CallbackBody | None = None
    reminder: ReminderBody | None = None
    fallbackValues: dict[str, str] = {}
    ttl: int = Field(default=4320, ge=1, le=4320)
    allowInvalid: bool = False
    urlShortener: UrlShortenerBody | None = None
    restrictions: Restrictions | None = None
    transcode: bool = False


class CampaignAnalysisBody(AudienceBody):
    """Body of `POST /sms/analyze/campaign`."""

    sender: str = Field(alias="from")
    text: Text = Field(alias="body")


def start_campaign(call: Call, body: CampaignBody) -> Answer:
    """Send now, or at `scheduledDate`."""
    plan, audience = _check(call, body, None)
    campaign = SmsCampaign(call.state.new_id("campaign"), call.state.now(), plan, audience)
    call.state.campaigns[campaign.id] = campaign
    schedule(call.state, campaign)
    return ok(_wire(campaign))


def analyze_campaign(call: Call, body: CampaignAnalysisBody) -> Answer:
    """Recipients and parts without any cost."""
    require_sender(body.sender)
    audience = gather(call.state, "Sms", body.to, body.contacts, body.groups, is_mobile)
    return ok({**audience.analysis, "bodyAnalysis": analyze(body.text).to_wire(), "errors": audience.errors})


def update_campaign(call: Call, body: CampaignBody) -> Answer:
    """Replace a scheduled campaign; without `scheduledDate` it is sent at once (documented)."""
    campaign = _scheduled(call.state, call.path["campaignTrackingId"])
    campaign.plan, campaign.audience = _check(call, body, campaign)
    schedule(call.state, campaign)
    return ok(_wire(campaign))


def delete_campaign(call: Call) -> Answer:
    """Delete a campaign that has not begun."""
    campaign = _scheduled(call.state, call.path["campaignTrackingId"])
    withdraw(campaign)
    del call.state.campaigns[campaign.id]
    return nothing()


def show_campaign(call: Call) -> Answer:
    """The details, with the cost so far."""
    campaign = _known(call.state, call.path["trackingId"])
    return ok(_wire(campaign) | ({"endedAt": timestamp(campaign.ended)} if campaign.ended else {}))


def _check(call: Call, body: CampaignBody, changed: SmsCampaign | None) -> tuple[CampaignPlan, Audience]:
    state = call.state
    require_sender(body.sender)
    if body.scheduledDate is not None and body.scheduledDate <= state.now():
        # inferred: what a date in the past means is not documented
        raise invalid("scheduledDate: the date is past.", {"scheduledDate": "past"})
    taken = {one.plan.name for one in state.campaigns.values() if one is not changed and one.plan.name}
    if body.campaignName in taken:
        raise refused("409009003", "Your account already has a campaign with the given name.")
    audience = gather(state, "Sms", body.to, body.contacts, body.groups, is_mobile, allow_invalid=body.allowInvalid)
    plan = _plan(call, body)
    if plan.reminder is not None and not all(is_mobile(number) for number in plan.reminder.to):
        raise refused("400005000", "The recipients of the reminder are not valid. (errorCode: 008)")
    state.require(estimate(plan, audience.recipients))
    return plan, audience


def _plan(call: Call, body: CampaignBody) -> CampaignPlan:
    reminder = body.reminder
    return CampaignPlan(
        sender=body.sender,
        text=shorten(body.text, body.urlShortener.urlValidity).text if body.urlShortener else body.text,
        to=body.to,
        contacts=body.contacts,
        groups=body.groups,
        scheduled=body.scheduledDate,
        name=body.campaignName or "",
        flash=body.flash,
        respect_quiet_hours=body.respectQuietHours,
        target=body.callback.target() if body.callback else None,
        campaign_target=body.campaignCallback.target() if body.campaignCallback else None,
        reminder=Reminder(reminder.to, reminder.minutesBefore, reminder.minutesAfter) if reminder else None,
        fallback_values=body.fallbackValues,
        ttl=body.ttl,
        transcode=body.transcode,
        application=call.application.name,
    )


def _known(state: State, identifier: str) -> SmsCampaign:
    campaign = state.campaigns.get(identifier)
    if campaign is None:
        raise refused("404009001", "The campaign with the given tracking id doesn't exist.")
    return campaign


def _scheduled(state: State, identifier: str) -> SmsCampaign:
    campaign = _known(state, identifier)
    if campaign.state != "Scheduled":
        raise refused("400009002", "The campaign status is not Scheduled.")
    return campaign


def _wire(campaign: SmsCampaign) -> Wire:
    plan = campaign.plan
    wire: Wire = {
        "trackingId": campaign.id,
        "createdAt": timestamp(campaign.created),
        "type": "Sms",
        "from": plan.sender,
        "to": plan.to,
        "body": plan.text,
        "state": campaign.state,
        "statuses": campaign.counts(),
        "smsAnalysis": {**campaign.audience.analysis, "bodyAnalysis": analyze(plan.text).to_wire()},
        "flash": plan.flash,
        "respectQuietHours": plan.respect_quiet_hours,
        "contacts": plan.contacts,
        "groups": plan.groups,
        "fallbackValues": plan.fallback_values,
        "ttl": plan.ttl,
        "cost": campaign.cost,
        "totalMessages": len(campaign.messages),
    }
    optional = {
        "scheduledDate": timestamp(plan.scheduled) if plan.scheduled else None,
        "campaignName": plan.name or None,
        "callback": plan.target.to_wire() if plan.target else None,
        "campaignCallback": plan.campaign_target.to_wire() if plan.campaign_target else None,
        "reminder": plan.reminder.to_wire() if plan.reminder else None,
        "errors": campaign.audience.errors or None,
    }
    return wire | {name: value for name, value in optional.items() if value is not None}
