"""Conversations: calls with their recordings and transcriptions, and text threads (three operations)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from sandbox.convirza.endpoint import Call, Endpoint, parse_query, refuse_body
from sandbox.convirza.fields import (
    E164,
    Instant,
    Limit,
    Offset,
    OpenQuery,
    Query,
    bare,
    comma_list,
    page,
    parse_instant,
)
from sandbox.convirza.recordings import recording_details
from sandbox.convirza.records import CallRecord, SmsConversation
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed

LONGEST_RANGE = timedelta(days=31)
DEFAULT_RANGE = timedelta(days=7)
DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL", "ABANDONED", "TRANSFERRED"})
INCLUDES = frozenset({"tags", "comments", "custom_sources", "call_flow", "recordings", "transcription"})


class CallQuery(Query):
    """Documented. `disposition` and `include` take several values, comma-separated or repeated (inferred)."""

    limit: Limit
    start: Instant | None = None
    end: Instant | None = None
    offset: Offset = Field(default=0)
    call_id: int | None = None
    org_unit_id: int | None = None
    campaign_id: int | None = None
    provisioned_route_id: int | None = None
    disposition: str | None = None
    caller_id: E164 | None = None
    phone_number: str | None = None
    ring_to: str | None = None
    include: str | None = None


class OneCallQuery(OpenQuery):
    """inferred."""

    include: str | None = None


class SmsQuery(Query):
    """Documented, with its unusual default of seven."""

    offset: Offset = Field(default=0)
    limit: Limit = 7
    type: Literal["allOpen", "assignedToYou", "unassigned", "close"] = "allOpen"
    search: str = Field(default="", max_length=255)
    order: Literal["desc", "asc"] = "desc"
    start: Instant | None = None
    end: Instant | None = None


def list_calls(call: Call) -> Answer:
    """Calls of the last week or of the range, newest first (order inferred); out of scope is 403 (documented).

    With `call_id`, dates and paging are ignored (documented); inferred: `limit` is required all the same.
    """
    refuse_body(call)
    query = parse_query(call, CallQuery)
    scope = call.scope(query.org_unit_id)
    include = _includes(query.include)
    visible = [record for record in call.state.calls.values() if record.org_unit_id in scope]
    if query.call_id is not None:
        found = [record for record in visible if record.id == query.call_id]
        return listed("calls", [_call_row(call, record, include) for record in found], len(found))
    start, end = _range(call, query)
    dispositions = comma_list(query.disposition, DISPOSITIONS, "disposition") if query.disposition else DISPOSITIONS
    found = [
        record
        for record in visible
        if start <= record.started < end
        and record.disposition in dispositions
        and query.campaign_id in {None, record.campaign_id}
        and query.provisioned_route_id in {None, record.route_id}
        and query.caller_id in {None, record.caller}
        and _same_number(query.phone_number, record.phone_number)
        and _same_number(query.ring_to, record.ring_to)
    ]
    found.sort(key=_call_start, reverse=True)
    rows = [_call_row(call, record, include) for record in page(found, query.limit, query.offset)]
    return listed("calls", rows, len(found))


def show_call(call: Call) -> Answer:
    """One call; path, `include` and answer are inferred."""
    refuse_body(call)
    include = _includes(parse_query(call, OneCallQuery).include)
    record = call.state.calls.get(call.id)
    if record is None or not call.sees(record.org_unit_id):
        raise Refusal(404, "Call not found.")
    return Answer(_call_row(call, record, include))


SMS_TYPES: dict[str, Callable[[SmsConversation, int], bool]] = {
    "allOpen": lambda thread, _: thread.closed is None,
    "assignedToYou": lambda thread, user: thread.closed is None and thread.user_id == user,
    "unassigned": lambda thread, _: thread.closed is None and thread.user_id is None,
    "close": lambda thread, _: thread.closed is not None,
}
"""inferred: only `close` shows closed threads."""


def list_sms(call: Call) -> Answer:
    """Text threads by last message; the list is called `conversation` (documented)."""
    refuse_body(call)
    query = parse_query(call, SmsQuery)
    scope = call.scope(None)
    wanted = query.search.lower()
    found = [
        thread
        for thread in call.state.sms.values()
        if thread.org_unit_id in scope
        and SMS_TYPES[query.type](thread, call.user.id)
        and (wanted in thread.source_name.lower() or wanted in thread.source or wanted in thread.phone_number)
        and (query.start is None or parse_instant(query.start) <= thread.updated)
        and (query.end is None or thread.updated < parse_instant(query.end))
    ]
    found.sort(key=_last_message, reverse=query.order == "desc")
    rows = [_sms_row(call, thread) for thread in page(found, query.limit, query.offset)]
    return listed("conversation", rows, len(found))


def _range(call: Call, query: CallQuery) -> tuple[datetime, datetime]:
    """The range asked for; inferred: a missing end is now, a missing start is a week before the end."""
    end = parse_instant(query.end) if query.end else call.state.clock.now() + timedelta(seconds=1)
    start = parse_instant(query.start) if query.start else end - DEFAULT_RANGE
    if end <= start:
        raise Refusal(400, "end must be greater than start.")
    if end - start > LONGEST_RANGE + timedelta(seconds=1):
        raise Refusal(400, "The date range must not exceed 31 days.")
    return start, end


def _includes(text: str | None) -> set[str]:
    return comma_list(text, INCLUDES, "include") if text else set()


def _same_number(wanted: str | None, number: str) -> bool:
    """inferred: these two filters take ten digits or E.164; only caller_id is said to be E.164."""
    return wanted is None or bare(wanted) == bare(number)


def _call_start(record: CallRecord) -> datetime:
    return record.started


def _last_message(thread: SmsConversation) -> datetime:
    return thread.updated


def _call_row(call: Call, record: CallRecord, include: set[str]) -> dict[str, object]:
    """A call as the list shows it; every name but `recording_details.expires_at` is inferred."""
    row: dict[str, object] = {
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
    parts: dict[str, Callable[[], object]] = {
        "tags": lambda: list(record.tags),
        "comments": lambda: list(record.comments),
        "custom_sources": lambda: dict(record.custom_sources),
        "call_flow": lambda: _call_flow(call, record),
        "transcription": lambda: record.transcription,
    }
    row.update({name: make() for name, make in parts.items() if name in include})
    if "recordings" in include:
        row["recording_details"] = recording_details(call, record) if record.recorded else None
    return row


def _call_flow(call: Call, record: CallRecord) -> dict[str, object] | None:
    """The route's present configuration; inferred: none once the route is deleted."""
    route = call.state.routes.get(record.route_id)
    return None if route is None else route.body.routing_configuration.model_dump()


def _sms_row(call: Call, thread: SmsConversation) -> dict[str, object]:
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


ENDPOINTS = (
    Endpoint("Get Calls List", "GET", "/v3/conversations/calls", "documented", "read", list_calls),
    Endpoint("Get Call By ID", "GET", "/v3/conversations/calls/{id}", "inferred", "read", show_call),
    Endpoint("Get SMS Conversations", "GET", "/v3/conversations/sms", "documented", "read", list_sms),
)
