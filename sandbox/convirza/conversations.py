"""Conversations: calls with their recordings and transcriptions, and text threads (three operations)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import E164, Instant, Limit, Offset, OpenQuery, bare, comma_list, page, parse_instant
from sandbox.convirza.recordings import recording_details
from sandbox.convirza.records import CallRecord, SmsConversation
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire

LONGEST_RANGE = timedelta(days=31)
DEFAULT_RANGE = timedelta(days=7)
DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL", "ABANDONED", "TRANSFERRED"})
INCLUDES = frozenset({"tags", "comments", "custom_sources", "call_flow", "recordings", "transcription"})


class OneCallQuery(OpenQuery):
    """What one call is shown with; inferred."""

    include: str | None = None


@operation("Get Calls List", "GET", "/v3/conversations/calls", "read", "documented")
def list_calls(
    call: Call,
    *,
    limit: Limit,
    start: Instant | None = None,
    end: Instant | None = None,
    offset: Offset = 0,
    call_id: int | None = None,
    org_unit_id: int | None = None,
    campaign_id: int | None = None,
    provisioned_route_id: int | None = None,
    disposition: str | None = None,
    caller_id: E164 | None = None,
    phone_number: str | None = None,
    ring_to: str | None = None,
    include: str | None = None,
) -> Answer:
    """List the calls of the last week or of the range, newest first (order inferred); out of scope is 403 (documented).

    With `call_id`, dates and paging are ignored (documented); inferred: `limit` is required all the same, and
    `disposition` and `include` take several values, comma-separated or repeated.
    """
    scope = call.scope(org_unit_id)
    included = comma_list(include, INCLUDES, "include")
    visible = [record for record in call.state.calls.values() if record.org_unit_id in scope]
    if call_id is not None:
        found = [record for record in visible if record.id == call_id]
        return page("calls", found, len(found), 0, lambda record: _call_row(call, record, included))
    first, last = _range(call, start, end)
    dispositions = comma_list(disposition, DISPOSITIONS, "disposition") or DISPOSITIONS
    found = [
        record
        for record in visible
        if first <= record.started < last
        and record.disposition in dispositions
        and campaign_id in {None, record.campaign_id}
        and provisioned_route_id in {None, record.route_id}
        and caller_id in {None, record.caller}
        and _same_number(phone_number, record.phone_number)
        and _same_number(ring_to, record.ring_to)
    ]
    found.sort(key=lambda record: record.started, reverse=True)
    return page("calls", found, limit, offset, lambda record: _call_row(call, record, included))


@operation("Get Call By ID", "GET", "/v3/conversations/calls/{id}", "read")
def show_call(call: Call, query: OneCallQuery) -> Answer:
    """Show one call; path, `include` and answer are inferred."""
    included = comma_list(query.include, INCLUDES, "include")
    return Answer(_call_row(call, call.find(call.state.calls, "Call"), included))


SMS_TYPES: dict[str, Callable[[SmsConversation, int], bool]] = {
    "allOpen": lambda thread, _: thread.closed is None,
    "assignedToYou": lambda thread, user: thread.closed is None and thread.user_id == user,
    "unassigned": lambda thread, _: thread.closed is None and thread.user_id is None,
    "close": lambda thread, _: thread.closed is not None,
}
"""inferred: only `close` shows closed threads."""


@operation("Get SMS Conversations", "GET", "/v3/conversations/sms", "read", "documented")
def list_sms(
    call: Call,
    *,
    offset: Offset = 0,
    limit: Limit = 7,
    type_: Literal["allOpen", "assignedToYou", "unassigned", "close"] = "allOpen",
    search: Annotated[str, Field(max_length=255)] = "",
    order: Literal["desc", "asc"] = "desc",
    start: Instant | None = None,
    end: Instant | None = None,
) -> Answer:
    """List text threads by last message; the list is called `conversation`, and seven are shown (both documented)."""
    scope = call.scope(None)
    wanted = search.lower()
    found = [
        thread
        for thread in call.state.sms.values()
        if thread.org_unit_id in scope
        and SMS_TYPES[type_](thread, call.user.id)
        and (wanted in thread.source_name.lower() or wanted in thread.source or wanted in thread.phone_number)
        and (start is None or parse_instant(start) <= thread.updated)
        and (end is None or thread.updated < parse_instant(end))
    ]
    found.sort(key=lambda thread: thread.updated, reverse=order == "desc")
    return page("conversation", found, limit, offset, lambda thread: _sms_row(call, thread))


def _range(call: Call, start: str | None, end: str | None) -> tuple[datetime, datetime]:
    """Return the range asked for; inferred: a missing end is now, a missing start is a week before the end."""
    last = parse_instant(end) if end else call.state.clock.now() + timedelta(seconds=1)
    first = parse_instant(start) if start else last - DEFAULT_RANGE
    if last <= first:
        raise Refusal(400, "end must be greater than start.")
    if last - first > LONGEST_RANGE + timedelta(seconds=1):
        raise Refusal(400, "The date range must not exceed 31 days.")
    return first, last


def _same_number(wanted: str | None, number: str) -> bool:
    """Return whether a filter fits; inferred: ten digits or E.164, since only caller_id is said to be E.164."""
    return wanted is None or bare(wanted) == bare(number)


def _call_row(call: Call, record: CallRecord, include: set[str]) -> Wire:
    """Return a call as the list shows it; every name but `recording_details.expires_at` is inferred."""
    row: Wire = {
        "call_id": record.id,
        "org_unit_id": record.org_unit_id,
        "org_unit_name": call.state.orgs[record.org_unit_id].name,
        "campaign_id": record.campaign_id,
        "provisioned_route_id": record.route_id,
        "provisioned_route_name": record.route_name,
        "call_started": iso_ms(record.started),
        "call_ended": iso_ms(record.started + timedelta(seconds=record.seconds)),
        "duration": record.seconds,
        "caller_id": record.caller,
        "caller_name": record.caller_name,
        "phone_number": record.phone_number,
        "ring_to": record.ring_to,
        "disposition": record.disposition,
        "call_score": record.score,
    }
    route = call.state.routes.get(record.route_id)
    parts: Wire = {
        "tags": record.tags,
        "comments": record.comments,
        "custom_sources": record.custom_sources,
        # the route's present configuration; inferred: none once the route is deleted
        "call_flow": None if route is None else route.body.routing_configuration.model_dump(),
        "transcription": record.transcription,
    }
    row.update({name: part for name, part in parts.items() if name in include})
    if "recordings" in include:
        row["recording_details"] = recording_details(call, record) if record.recorded else None
    return row


def _sms_row(call: Call, thread: SmsConversation) -> Wire:
    agent = call.state.users.get(thread.user_id or 0)
    status = "closed" if thread.closed else "unread" if thread.unread else "read"
    return {
        "conversation_id": thread.id,
        "phone_number": thread.phone_number,
        "first_response_time": thread.first_response,
        "avg_response_time": thread.average_response,
        "sms_type": thread.sms_type,
        "conversation_started": iso_ms(thread.started),
        "conversation_updated": iso_ms(thread.updated),
        "source": thread.source,
        "source_name": thread.source_name,
        "conversation_status": status,
        "ct_user_id": thread.user_id,
        "pin": thread.pinned,
        "message": thread.message,
        "unread_count": thread.unread,
        "agent": agent.name if agent else None,
        "closed_at": iso_ms(thread.closed) if thread.closed else None,
    }
