"""The tool that watches a Routee campaign until it ends."""

from typing import Any

import anyio
from pydantic import BaseModel, ConfigDict, Field

from guard.money import Money
from tools.builtin import BuiltinCall, BuiltinEffect, Reply, builtin_tool, problem
from tools.overview.optional_reads import OptionalReads
from tools.policy_reader import Reader
from tools.routee.operations.account import GetBalance
from tools.routee.operations.campaigns import Campaign, GetCampaign

POLL_SECONDS = 2.0
ENDED = frozenset({"Finished", "Failed"})


class CampaignWatch(BaseModel):
    """Which campaign to watch."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: str = Field(max_length=128, description="`tracking_id` from routee_send_campaign.")
    seconds: float = Field(default=60, ge=0, le=600, description="How long to watch at most.")


@builtin_tool(
    "routee_watch_campaign",
    toolset="events",
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=CampaignWatch,
    synonyms=("follow campaign", "how is the campaign doing", "progress", "campaign status"),
)
async def watch_campaign(query: CampaignWatch, call: BuiltinCall) -> Reply:
    """Watch a Routee text campaign until it ends, with progress."""
    reader = call.services.reader(call.account, call.session) if call.account is not None else None
    if reader is None:
        return problem("Routee is not set up here; nothing was sent.", kind="NotConfigured")
    began = anyio.current_time()
    while True:
        campaign = await reader.send(GetCampaign(campaign_id=query.campaign_id))
        waited = anyio.current_time() - began
        if campaign.campaign_state in ENDED or waited >= query.seconds:
            return await _summarize(campaign, reader)
        await _report(call, campaign)
        await anyio.sleep(min(POLL_SECONDS, query.seconds - waited))


TOOLS = (watch_campaign,)


async def _report(call: BuiltinCall, campaign: Campaign) -> None:
    total = campaign.total_messages or (campaign.audience.number_of_recipients if campaign.audience else None) or 0
    done = sum(campaign.statuses.get(state, 0) for state in ("Delivered", "Undelivered", "Failed", "Unsent"))
    counts = ", ".join(f"{count} {state.lower()}" for state, count in campaign.statuses.items() if count)
    message = f"{campaign.campaign_state}: {counts or 'nothing sent yet'}"
    await call.session.report_progress(done, total or None, message)


async def _summarize(campaign: Campaign, reader: Reader) -> Reply:
    """Return the campaign as it is; without its cost, and with the reason, where the currency cannot be read."""
    optional = OptionalReads()
    cost = await optional.read(_cost_of(campaign, reader), shows="cost_so_far")
    notes = [f"What it cost is not shown: {why}" for why in optional.gaps.values()]
    return Reply(content=_summary(campaign, cost), notes=notes)


async def _cost_of(campaign: Campaign, reader: Reader) -> Money | None:
    """Return what it cost so far, in the currency of the account."""
    if campaign.cost_so_far is None:
        return None
    currency = (await reader.send(GetBalance())).currency
    return Money(campaign.cost_so_far, currency.code) if currency and currency.code else None


def _summary(campaign: Campaign, cost: Money | None) -> dict[str, Any]:
    summary = {
        "campaign": campaign.tracking_id,
        "name": campaign.campaign_name,
        "state": campaign.campaign_state,
        "ended": campaign.campaign_state in ENDED,
        "scheduled_for": campaign.scheduled_date.isoformat() if campaign.scheduled_date else None,
        "statuses": {state: count for state, count in campaign.statuses.items() if count},
        "messages": campaign.total_messages,
        "cost_so_far": str(cost) if cost is not None else None,
    }
    return {name: value for name, value in summary.items() if value is not None}
