"""What campaigns of every channel have in common: how one is checked, waits, reports its progress and is deleted."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.frame.wire import Answer, Wire
from sandbox.routee.records import Campaign, M
from sandbox.routee.state import State
from sandbox.routee.wire import empty, refuse, refuse_input

STARTS_AFTER = timedelta(seconds=1)
UNKNOWN_CAMPAIGN = ("404009001", "The campaign with the given tracking id doesn't exist.")


def check_plan(
    state: State,
    campaigns: dict[str, Campaign[M]],
    name: str | None,
    scheduled: datetime | None,
    replaced: Campaign[M] | None = None,
) -> None:
    """Check date and name of a new campaign, or of one that replaces another.

    Raises:
        Refusal: 400000000 if the date is past, 409009003 if the name is taken.
    """
    if scheduled is not None and scheduled <= state.now():
        # inferred: what a date in the past means is not documented
        raise refuse_input("scheduledDate: the date is past.", {"scheduledDate": "past"})
    if name is not None and any(one.name == name for one in campaigns.values() if one is not replaced):
        raise refuse("409009003", "Your account already has a campaign with the given name.")


def schedule(state: State, campaign: Campaign[M], run: Callable[[], None]) -> datetime:
    """Let a campaign run when its time comes, at once if it has none; return that time."""
    campaign.state = "Queued" if campaign.scheduled is None else "Scheduled"
    report(state, campaign)
    start = campaign.scheduled or state.now() + STARTS_AFTER
    plan(state, campaign, start, run)
    return start


def plan(state: State, campaign: Campaign[M], moment: datetime, happen: Callable[[], None]) -> None:
    """Plan something that does not happen any more once the campaign is replaced or deleted."""
    revision = campaign.revision

    def unless_changed() -> None:
        if campaign.revision == revision:
            happen()

    state.agenda.at(moment, unless_changed)


def require_scheduled(campaign: Campaign[M]) -> None:
    """Check that a campaign has not begun.

    Raises:
        Refusal: 400009002 if it has.
    """
    if campaign.state != "Scheduled":
        raise refuse("400009002", "The campaign status is not Scheduled.")


def delete(campaigns: dict[str, Campaign[M]], campaign: Campaign[M]) -> Answer:
    """Delete a campaign that has not begun.

    Raises:
        Refusal: 400009002 if it has.
    """
    require_scheduled(campaign)
    campaign.revision += 1
    del campaigns[campaign.id]
    return empty()


def report(state: State, campaign: Campaign[M]) -> None:
    """Post the progress, if somebody wants it; that a voice campaign's looks like that of SMS is inferred."""
    payload: Wire = {
        "trackingId": campaign.id,
        "name": campaign.name,
        "totalRecipients": len(campaign.audience.recipients),
        "campaignStatus": campaign.state,
        "messageStatuses": campaign.count_statuses(),
        "callbackInfo": campaign.callback.model_dump() if campaign.callback else {},
    }
    state.outbox.report("campaign report", campaign.callback, campaign.state in {"Finished", "Failed"}, payload)
