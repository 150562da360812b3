"""Tools over what providers posted: list it, wait for it, and watch a campaign to its end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from clients.errors import TelephonyError
from guard.action import Principal
from guard.money import Money
from server.mcp.dispatcher import TaintStore
from server.mcp.results import error_result, shown
from server.mcp.untrusted import Untrusted
from tools.builtin import LOCAL_READ, PROVIDER_READ, Outcome, builtin_tool
from tools.overview.handlers import AnyNumber
from tools.policy_reader import NotAllowed, Reader
from tools.routee.field_types import SENDER_ALONE
from tools.routee.operations.account import GetBalance
from tools.routee.operations.campaigns import Campaign, GetCampaign
from tools.webhooks import Callback

POLL_SECONDS = 0.5
CAMPAIGN_POLL_SECONDS = 2.0
ENDED = frozenset({"Finished", "Failed"})


class Event(Protocol):
    """A callback that was taken in."""

    @property
    def number(self) -> int: ...

    @property
    def received_at(self) -> datetime: ...

    @property
    def posted(self) -> Callback: ...


class Events(Protocol):
    """The record of what was posted."""

    async def listed(
        self,
        *,
        kind: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[Event]:
        """Events that fit, oldest first."""
        ...

    async def newest(self) -> int:
        """The number of the event that came last; 0 before the first."""
        ...


def _cursor(value: str) -> str:
    if not value.isdigit():
        raise ValueError("the `next_cursor` of the page before")
    return value


class Filtering(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["sms", "campaign", "inbound", "pool"] | None = Field(default=None, description="Only this kind.")
    number: AnyNumber | None = Field(default=None, description="Only to or from this number.")
    message: str | None = Field(default=None, max_length=128, description="Only of this message or campaign id.")


class Listing(Filtering):
    """Arguments of list_events."""

    since: AwareDatetime | None = Field(default=None, description="Older bound, with zone.")
    limit: int = Field(default=25, ge=1, le=200, description="Rows to show, oldest first.")
    cursor: Annotated[str, AfterValidator(_cursor)] = Field(default="0", description="`next_cursor` of before.")


class Waiting(Filtering):
    """Arguments of wait_for_events."""

    seconds: float = Field(default=60, gt=0, le=600, description="How long to wait at most.")
    cursor: Annotated[str, AfterValidator(_cursor)] | None = Field(
        default=None, description="Wait for what comes after this; else for what comes after the call."
    )


class Watching(BaseModel):
    """Arguments of routee_watch_campaign."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: str = Field(max_length=128, description="`tracking_id` from routee_send_campaign.")
    seconds: float = Field(default=60, gt=0, le=600, description="How long to watch at most.")


class EventHandlers:
    """Answers from the inbox's record, which every server on the store shares."""

    def __init__(
        self,
        *,
        events: Callable[[], Events],
        reader: Reader,
        memory: Callable[[], TaintStore],
        principal: Callable[[Context[Any, Any]], Principal],
        reached_at: Callable[[], bool],
    ) -> None:
        self._events = events
        self._reader = reader
        self._memory = memory
        self._principal = principal
        self._reached_at = reached_at

    async def list(self, asked: Listing, context: Context[Any, Any]) -> Outcome:
        """What was posted, oldest first."""
        found = await self._events().listed(
            kind=asked.kind,
            number=asked.number,
            subject=asked.message,
            since=asked.since,
            after=int(asked.cursor),
            limit=asked.limit,
        )
        return await self._told(found, context, is_full=len(found) == asked.limit)

    async def wait(self, asked: Waiting, context: Context[Any, Any]) -> Outcome:
        """The next that fits, or nothing when the time is over."""
        events = self._events()
        after = int(asked.cursor) if asked.cursor is not None else await events.newest()
        began = anyio.current_time()
        while True:
            found = await events.listed(
                kind=asked.kind, number=asked.number, subject=asked.message, after=after, limit=25
            )
            waited = anyio.current_time() - began
            if found or waited >= asked.seconds:
                return await self._told(found, context, is_full=False, cursor=after)
            await context.report_progress(round(waited, 1), asked.seconds, "Waiting for something to come in.")
            await anyio.sleep(min(POLL_SECONDS, asked.seconds - waited))

    async def watch(self, asked: Watching, context: Context[Any, Any]) -> Outcome:
        """How a campaign goes, until it ends or the time is over."""
        began = anyio.current_time()
        try:
            while True:
                campaign = await self._reader.send(GetCampaign(campaign_id=asked.campaign_id))
                waited = anyio.current_time() - began
                if campaign.campaign_state in ENDED or waited >= asked.seconds:
                    return await self._ended(campaign)
                await _report(context, campaign)
                await anyio.sleep(min(CAMPAIGN_POLL_SECONDS, asked.seconds - waited))
        except TelephonyError as error:
            fence = Untrusted()
            result = error_result(error, fence)
            await self._keep_in_mind(fence, context, source="routee_watch_campaign")
            return result

    async def _told(
        self, found: Sequence[Event], context: Context[Any, Any], *, is_full: bool, cursor: int = 0
    ) -> CallToolResult:
        fence = Untrusted()
        told: dict[str, Any] = {"events": [_row(event, fence) for event in found]}
        if is_full or cursor or found:
            told["next_cursor"] = str(found[-1].number if found else cursor)
        notes = [fence.note] if fence.is_used else []
        if not found and not self._reached_at():
            notes.append("No provider can reach an inbox here: the operator serves over HTTP at a public address.")
        await self._keep_in_mind(fence, context, source="list_events")
        return shown(told, notes, rows="events")

    async def _ended(self, campaign: Campaign) -> CallToolResult:
        """The campaign as it stands; without its cost where the currency may not be read, saying so."""
        try:
            return shown(_summary(campaign, await self._cost_of(campaign)))
        except NotAllowed as kept:
            return shown(_summary(campaign, None), [f"What it cost is not shown: {kept}"])

    async def _cost_of(self, campaign: Campaign) -> Money | None:
        """What it cost so far, in the currency of the account."""
        if campaign.cost_so_far is None:
            return None
        currency = (await self._reader.send(GetBalance())).currency
        return Money(campaign.cost_so_far, currency.code) if currency and currency.code else None

    async def _keep_in_mind(self, fence: Untrusted, context: Context[Any, Any], *, source: str) -> None:
        if fence.is_used:
            await self._memory().remember(self._principal(context), fence.texts, source=source)


async def _report(context: Context[Any, Any], campaign: Campaign) -> None:
    total = campaign.total_messages or (campaign.audience.number_of_recipients if campaign.audience else None) or 0
    done = sum(campaign.statuses.get(state, 0) for state in ("Delivered", "Undelivered", "Failed", "Unsent"))
    counts = ", ".join(f"{count} {state.lower()}" for state, count in campaign.statuses.items() if count)
    await context.report_progress(done, total or None, f"{campaign.campaign_state}: {counts or 'nothing sent yet'}")


def _summary(campaign: Campaign, cost: Money | None) -> dict[str, Any]:
    told = {
        "campaign": campaign.tracking_id,
        "name": campaign.campaign_name,
        "state": campaign.campaign_state,
        "ended": campaign.campaign_state in ENDED,
        "scheduled_for": campaign.scheduled_date.isoformat() if campaign.scheduled_date else None,
        "statuses": {state: count for state, count in campaign.statuses.items() if count},
        "messages": campaign.total_messages,
        "cost_so_far": str(cost) if cost is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _row(event: Event, fence: Untrusted) -> dict[str, Any]:
    posted = event.posted
    at = posted.at or event.received_at
    row = {
        "at": at.isoformat(timespec="seconds"),
        "kind": posted.kind,
        "message": posted.subject,
        "state": posted.state,
        "number": _other_side(posted, fence),
        "ours": posted.ours,
        "part": f"{posted.part} of {posted.parts}" if posted.parts > 1 and posted.kind != "campaign" else None,
        "price": str(posted.price) if posted.price is not None else None,
        "reason": posted.reason,
        "counts": posted.counts,
        "text": fence.around(posted.text) if posted.text else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _other_side(posted: Callback, fence: Untrusted) -> str | None:
    """Whoever texts may send any text as the number."""
    number = posted.number
    return fence.around(number) if number is not None and SENDER_ALONE.wrote(number) else number


def event_tools(desk: EventHandlers) -> list[Tool]:
    """The tools over what came in."""
    return [
        builtin_tool(
            "list_events",
            "List delivery reports, campaign progress and texts that came in, oldest first.",
            Listing,
            desk.list,
            LOCAL_READ,
            synonyms=("inbox", "receipts", "replies", "received texts", "callbacks", "webhook events", "dlr"),
        ),
        builtin_tool(
            "wait_for_events",
            "Wait until a delivery report or text comes in, with progress.",
            Waiting,
            desk.wait,
            LOCAL_READ,
            synonyms=("wait for reply", "wait for delivery", "notify me"),
        ),
        builtin_tool(
            "routee_watch_campaign",
            "Watch a Routee text campaign until it ends, with progress.",
            Watching,
            desk.watch,
            PROVIDER_READ,
            synonyms=("follow campaign", "how is the campaign doing", "progress", "campaign status"),
        ),
    ]
