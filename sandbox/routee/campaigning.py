"""How an SMS campaign waits, runs in five steps of a fifth each, and ends."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from sandbox.routee.recipients import fill_labels, quiet_until
from sandbox.routee.records import CampaignPlan, Recipient, SmsCampaign
from sandbox.routee.sending import SETTLED_AFTER, Dispatch, send_if_paid
from sandbox.routee.state import State
from sandbox.routee.wire import Wire

STARTS_AFTER = timedelta(seconds=1)
STEPS = 5
BETWEEN_STEPS = timedelta(seconds=2)


def estimate(plan: CampaignPlan, recipients: list[Recipient]) -> Decimal:
    """What all its messages will cost, personal labels filled in."""
    return sum((_dispatch(plan, recipient).price() for recipient in recipients), Decimal(0))


def schedule(state: State, campaign: SmsCampaign) -> None:
    """Let a campaign run when its time comes; at once if it has none."""
    campaign.revision += 1
    scheduled = campaign.plan.scheduled
    campaign.state = "Queued" if scheduled is None else "Scheduled"
    report(state, campaign)
    start = state.now() + STARTS_AFTER if scheduled is None else scheduled
    _when(state, campaign, start, partial(_run, state, campaign))
    reminder = campaign.plan.reminder
    if reminder is None:
        return
    if reminder.before is not None:
        _when(state, campaign, start - timedelta(minutes=reminder.before), partial(_remind, state, campaign))
    if reminder.after is not None:
        _when(state, campaign, start + timedelta(minutes=reminder.after), partial(_remind, state, campaign))


def withdraw(campaign: SmsCampaign) -> None:
    """Make everything void that was planned for it."""
    campaign.revision += 1


def report(state: State, campaign: SmsCampaign) -> None:
    """Post the progress of a campaign, if somebody wants it."""
    target = campaign.plan.campaign_target
    if target is not None and target.wants(campaign.state in {"Finished", "Failed"}):
        state.outbox.post("campaign report", target.url, _payload(campaign))


def _when(state: State, campaign: SmsCampaign, moment: datetime, happen: partial[None]) -> None:
    """Plan something that does not happen any more once the campaign is changed or deleted."""
    revision = campaign.revision

    def unless_changed() -> None:
        if campaign.revision == revision:
            happen()

    state.agenda.at(moment, unless_changed)


def _run(state: State, campaign: SmsCampaign) -> None:
    """Divide the recipients into steps; quiet hours move single ones to a later time."""
    campaign.state = "Running"
    report(state, campaign)
    recipients = campaign.audience.recipients
    steps: dict[datetime, list[Recipient]] = defaultdict(list)
    for position, recipient in enumerate(recipients):
        moment = state.now() + BETWEEN_STEPS * (position * STEPS // len(recipients))
        steps[quiet_until(recipient.number, moment) if campaign.plan.respect_quiet_hours else moment].append(recipient)
    for moment, group in steps.items():
        _when(state, campaign, moment, partial(_send_step, state, campaign, group))
    _when(state, campaign, max(steps), partial(_close, state, campaign))


def _send_step(state: State, campaign: SmsCampaign, recipients: list[Recipient]) -> None:
    for recipient in recipients:
        dispatch = _dispatch(campaign.plan, recipient)
        dispatch.campaign = campaign
        campaign.messages.append(send_if_paid(state, dispatch))
    report(state, campaign)


def _close(state: State, campaign: SmsCampaign) -> None:
    campaign.state = "Sent"
    report(state, campaign)
    _when(state, campaign, state.now() + SETTLED_AFTER + timedelta(seconds=1), partial(_finish, state, campaign))


def _finish(state: State, campaign: SmsCampaign) -> None:
    """End it; Failed if not one message could be paid (inferred)."""
    unsent = campaign.counts()["Unsent"]
    campaign.state = "Failed" if unsent == len(campaign.messages) else "Finished"
    campaign.ended = state.now()
    report(state, campaign)


def _remind(state: State, campaign: SmsCampaign) -> None:
    """Send the test messages; that they cost as much as any SMS is inferred."""
    for number in campaign.plan.reminder.to if campaign.plan.reminder else ():
        send_if_paid(state, _dispatch(campaign.plan, Recipient(number, state.contact_with(number))))


def _dispatch(plan: CampaignPlan, recipient: Recipient) -> Dispatch:
    return Dispatch(
        sender=plan.sender,
        to=recipient.number,
        text=fill_labels(plan.text, recipient.contact, plan.fallback_values),
        application=plan.application,
        target=plan.target,
        ttl=plan.ttl,
        transcode=plan.transcode,
        groups=recipient.groups,
    )


def _payload(campaign: SmsCampaign) -> Wire:
    target = campaign.plan.campaign_target
    return {
        "trackingId": campaign.id,
        "name": campaign.plan.name,
        "totalRecipients": len(campaign.audience.recipients),
        "campaignStatus": campaign.state,
        "messageStatuses": campaign.counts(),
        "callbackInfo": target.to_wire() if target else {},
    }
