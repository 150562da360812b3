"""Tools over received webhooks: list them, and wait for more."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from tools.builtin import BuiltinCall, BuiltinEffect, Reply, UntrustedText, builtin_tool
from tools.events.record import Event
from tools.phone_number import AnyNumber
from tools.webhooks import PLAIN_SENDER, Callback

TOOLSET = "events"
POLL_SECONDS = 0.5
EVENTS_AT_ONCE = 25


def _digits(value: str) -> str:
    if not re.fullmatch("[0-9]{1,18}", value):  # what every database holds
        raise ValueError("the `next_cursor` of the page before is expected")
    return value


class EventFilter(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["sms", "campaign", "inbound", "pool"] | None = Field(default=None, description="Only this kind.")
    number: AnyNumber | None = Field(default=None, description="Only to or from this number.")
    message: str | None = Field(default=None, max_length=128, description="Only of this message or campaign id.")


class EventPage(EventFilter):
    """Which page of events."""

    since: AwareDatetime | None = Field(default=None, description="Older bound, with zone.")
    limit: int = Field(default=25, ge=1, le=200, description="Rows to show, oldest first.")
    cursor: Annotated[str, AfterValidator(_digits)] = Field(default="0", description="`next_cursor` of before.")


class EventWait(EventFilter):
    """What to wait for."""

    seconds: float = Field(default=60, ge=0, le=600, description="How long to wait at most.")
    cursor: Annotated[str, AfterValidator(_digits)] | None = Field(
        default=None, description="Wait for events after this one; if left out, after the call."
    )


@builtin_tool(
    "list_events",
    toolset=TOOLSET,
    effect=BuiltinEffect.LOCAL_READ,
    arguments=EventPage,
    synonyms=("inbox", "receipts", "replies", "received texts", "callbacks", "webhook events", "dlr"),
)
async def list_events(query: EventPage, call: BuiltinCall) -> Reply:
    """List delivery reports, campaign progress and texts that came in, oldest first."""
    found = await call.services.events.find(
        kind=query.kind,
        number=query.number,
        subject=query.message,
        since=query.since,
        accounts=visible_accounts(call),
        after=int(query.cursor),
        limit=query.limit,
    )
    return _reply(found, call, is_full=len(found) == query.limit)


@builtin_tool(
    "wait_for_events",
    toolset=TOOLSET,
    effect=BuiltinEffect.LOCAL_READ,
    arguments=EventWait,
    synonyms=("wait for reply", "wait for delivery", "notify me"),
)
async def wait_for_events(query: EventWait, call: BuiltinCall) -> Reply:
    """Wait until a delivery report or text comes in, with progress."""
    events, accounts = call.services.events, visible_accounts(call)
    after = int(query.cursor) if query.cursor is not None else await events.newest()
    began = anyio.current_time()
    while True:
        found = await events.find(
            kind=query.kind,
            number=query.number,
            subject=query.message,
            accounts=accounts,
            after=after,
            limit=EVENTS_AT_ONCE,
        )
        waited = anyio.current_time() - began
        if found or waited >= query.seconds:
            return _reply(found, call, is_full=False, cursor=after)
        await call.session.report_progress(round(waited, 1), query.seconds, "Waiting for an event.")
        await anyio.sleep(min(POLL_SECONDS, query.seconds - waited))


TOOLS = (list_events, wait_for_events)


def visible_accounts(call: BuiltinCall) -> list[str] | None:
    """Return the names of the accounts whose events the session may see; None where it may see all."""
    if not call.session.is_bound_to_accounts:
        return None
    every = [name for provider in call.services.set_up for name in call.services.accounts_of(provider)]
    return [name for name in every if call.session.may_use(name)]


def _reply(found: Sequence[Event], call: BuiltinCall, *, is_full: bool, cursor: int = 0) -> Reply:
    content: dict[str, Any] = {"events": [_row(event, call) for event in found]}
    if is_full or cursor or found:
        content["next_cursor"] = str(found[-1].number if found else cursor)
    notes: list[str] = []
    if not found and not call.services.can_receive_webhooks:
        notes.append("No webhooks arrive here: the operator would have to serve over HTTP at a public address.")
    return Reply(content=content, notes=notes, rows="events")


def _row(event: Event, call: BuiltinCall) -> dict[str, Any]:
    callback = event.callback
    has_several = len(call.services.accounts_of(callback.provider)) > 1
    at = callback.at or event.received_at
    row = {
        "at": at.isoformat(timespec="seconds"),
        "kind": callback.kind,
        "account": callback.received_for if has_several else None,
        "message": callback.subject,
        "state": callback.state,
        "number": _other_side(callback),
        "ours": callback.ours,
        "part": f"{callback.part} of {callback.parts}" if callback.parts > 1 and callback.kind != "campaign" else None,
        "price": str(callback.price) if callback.price is not None else None,
        "reason": callback.reason,
        "counts": callback.counts,
        **callback.details,
        "text": UntrustedText(callback.text) if callback.text else None,
        "unread_body": UntrustedText(callback.raw) if callback.raw else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _other_side(callback: Callback) -> str | None:
    """Return the other number. A sender may be any text, so only a plain number is shown without a fence."""
    number = callback.number
    return number if number is None or PLAIN_SENDER.fullmatch(number) else UntrustedText(number)
