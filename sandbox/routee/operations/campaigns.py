"""SMS campaigns: start, analyze, change, delete, show; one runs in five steps of a fifth each."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated

from pydantic import Field

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.bulk import UNKNOWN_CAMPAIGN, check_plan, delete, plan, report, require_scheduled, schedule
from sandbox.routee.endpoint import PAGE, SOURCES, Call, in_path, operation
from sandbox.routee.fields import (
    CampaignName,
    MessageCallback,
    Moment,
    Positive,
    Recipients,
    Restrictions,
    SmsText,
    SmsTtl,
    Text,
    UrlShortener,
    require_sender,
)
from sandbox.routee.networks import is_mobile
from sandbox.routee.recipients import fill_labels, gather, quiet_until
from sandbox.routee.records import Campaign, Draft, Recipient, Sms
from sandbox.routee.segmentation import analyze
from sandbox.routee.sending import SETTLED_AFTER, send_if_paid
from sandbox.routee.short_links import shorten
from sandbox.routee.state import State
from sandbox.routee.wire import ok, refuse, timestamp

STEPS = 5
BETWEEN_STEPS = timedelta(seconds=2)

PathCampaign = Annotated[Campaign[Sms], in_path("campaigns", *UNKNOWN_CAMPAIGN)]


class Reminder(Body):
    """Test messages; `minutesAfter` is in older documents and in the answer of the details."""

    to: list[str] = Field(min_length=1)
    minutesBefore: Positive | None = None
    minutesAfter: Positive | None = None


class SmsRecipients(Recipients):
    """Who an SMS campaign goes to."""

    to: list[str] = Field(default=[], max_length=30_000)
    contacts: list[str] = []
    groups: list[str] = []


class CampaignBody(SmsRecipients):
    """Body of `POST /sms/campaign` and of its update, which replaces everything."""

    sender: str = Field(alias="from")
    text: SmsText = Field(alias="body")
    scheduledDate: Moment | None = None
    campaignName: CampaignName | None = None
    flash: bool = False
    respectQuietHours: bool = False
    campaignCallback: MessageCallback | None = None
    callback: MessageCallback | None = None
    reminder: Reminder | None = None
    fallbackValues: dict[str, str] = {}
    ttl: SmsTtl = 4320
    allowInvalid: bool = False
    urlShortener: UrlShortener | None = None
    restrictions: Restrictions | None = None
    transcode: bool = False


class AnalysisBody(SmsRecipients):
    """Body of `POST /sms/analyze/campaign`."""

    sender: str = Field(alias="from")
    text: Text = Field(alias="body")


@operation("POST", "/sms/campaign", PAGE, "sms", paid=True)
def start_campaign(call: Call, body: CampaignBody) -> Answer:
    """Send now, or at `scheduledDate`."""
    return _schedule(call, body, None)


@operation("POST", "/sms/analyze/campaign", PAGE, "sms")
def analyze_campaign(call: Call, body: AnalysisBody) -> Answer:
    """Show recipients and parts without any cost."""
    require_sender(body.sender)
    audience = gather(call.state, "Sms", body)
    return ok({**audience.analysis, "bodyAnalysis": analyze(body.text).to_wire(), "errors": audience.errors})


@operation("PUT", "/sms/{campaignTrackingId}", PAGE, "sms", paid=True)
def update_campaign(call: Call, campaign: PathCampaign, body: CampaignBody) -> Answer:
    """Replace a scheduled campaign; without `scheduledDate` it is sent at once (documented)."""
    require_scheduled(campaign)
    return _schedule(call, body, campaign)


@operation("DELETE", "/sms/{campaignTrackingId}", SOURCES, "sms", inferred="the empty answer")
def delete_campaign(call: Call, campaign: PathCampaign) -> Answer:
    """Delete a campaign that has not begun."""
    return delete(call.state.campaigns, campaign)


@operation("GET", "/campaigns/{trackingId}", PAGE, "sms")
def show_campaign(call: Call, campaign: PathCampaign) -> Answer:
    """Show the details, with the cost so far."""
    return ok(_to_wire(campaign) | ({"endedAt": timestamp(campaign.ended)} if campaign.ended else {}))


def _schedule(call: Call, body: CampaignBody, replaced: Campaign[Sms] | None) -> Answer:
    state = call.state
    require_sender(body.sender)
    check_plan(state, state.campaigns, body.campaignName, body.scheduledDate, replaced)
    audience = gather(state, "Sms", body, allow_invalid=body.allowInvalid)
    reminder = body.reminder
    if reminder is not None and not all(is_mobile(number) for number in reminder.to):
        raise refuse("400005000", "The recipients of the reminder are not valid. (errorCode: 008)")
    body = body.model_copy(update={"text": shorten(body.text, body.urlShortener)})
    drafts = [_draft(body, call.application.name, recipient) for recipient in audience.recipients]
    state.require(sum((draft.estimate() for draft in drafts), Decimal(0)))
    not_shown = {"scheduledDate", "allowInvalid", "urlShortener", "restrictions", "transcode"}
    campaign = Campaign[Sms](
        id=replaced.id if replaced else state.new_id("campaign"),
        kind="Sms",
        created=replaced.created if replaced else state.now(),
        application=call.application.name,
        name=body.campaignName or "",
        scheduled=body.scheduledDate,
        request=body.model_dump(by_alias=True, exclude_none=True, exclude=not_shown),
        audience=audience,
        callback=body.campaignCallback,
    )
    if replaced is not None:
        replaced.revision += 1
    state.campaigns[campaign.id] = campaign
    start = schedule(state, campaign, partial(_run, state, campaign, body))
    if reminder is not None:
        remind = partial(_remind, state, campaign, body, reminder)
        if reminder.minutesBefore is not None:
            plan(state, campaign, start - timedelta(minutes=reminder.minutesBefore), remind)
        if reminder.minutesAfter is not None:
            plan(state, campaign, start + timedelta(minutes=reminder.minutesAfter), remind)
    return ok(_to_wire(campaign))


def _run(state: State, campaign: Campaign[Sms], body: CampaignBody) -> None:
    """Divide the recipients into steps; quiet hours move single ones to a later time."""
    campaign.state = "Running"
    report(state, campaign)
    recipients = campaign.audience.recipients
    steps: dict[datetime, list[Recipient]] = defaultdict(list)
    for position, recipient in enumerate(recipients):
        moment = state.now() + BETWEEN_STEPS * (position * STEPS // len(recipients))
        steps[quiet_until(recipient.number, moment) if body.respectQuietHours else moment].append(recipient)
    for moment, group in steps.items():
        plan(state, campaign, moment, partial(_send_step, state, campaign, body, group))
    plan(state, campaign, max(steps), partial(_close, state, campaign))


def _send_step(state: State, campaign: Campaign[Sms], body: CampaignBody, recipients: list[Recipient]) -> None:
    for recipient in recipients:
        draft = _draft(body, campaign.application, recipient)
        draft.campaign = campaign
        campaign.messages.append(send_if_paid(state, draft))
    report(state, campaign)


def _close(state: State, campaign: Campaign[Sms]) -> None:
    campaign.state = "Sent"
    report(state, campaign)
    plan(state, campaign, state.now() + SETTLED_AFTER + timedelta(seconds=1), partial(_finish, state, campaign))


def _finish(state: State, campaign: Campaign[Sms]) -> None:
    """End it; Failed if not one message could be paid (inferred)."""
    unsent = campaign.count_statuses()["Unsent"]
    campaign.state = "Failed" if unsent == len(campaign.messages) else "Finished"
    campaign.ended = state.now()
    report(state, campaign)


def _remind(state: State, campaign: Campaign[Sms], body: CampaignBody, reminder: Reminder) -> None:
    """Send the test messages; that they cost as much as any SMS is inferred."""
    for number in reminder.to:
        send_if_paid(state, _draft(body, campaign.application, Recipient(number, state.contact_with(number))))


def _draft(body: CampaignBody, application: str, recipient: Recipient) -> Draft:
    """Return the message for one recipient, personal labels filled in."""
    return Draft(
        sender=body.sender,
        to=recipient.number,
        text=fill_labels(body.text, recipient.contact, body.fallbackValues),
        application=application,
        callback=body.callback,
        ttl=body.ttl,
        transcode=body.transcode,
        groups=list(recipient.groups),
    )


def _to_wire(campaign: Campaign[Sms]) -> Wire:
    return {
        **campaign.to_wire(),
        "statuses": campaign.count_statuses(),
        "smsAnalysis": {
            **campaign.audience.analysis,
            "bodyAnalysis": analyze(str(campaign.request["body"])).to_wire(),
        },
        "totalMessages": len(campaign.messages),
        **({"errors": campaign.audience.errors} if campaign.audience.errors else {}),
    }
