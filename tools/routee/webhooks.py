"""Reads what Routee posts: delivery reports, campaign progress, and messages that came in (documented, unsigned).

What is refused is lost in the end, a STOP as well. So as much of a callback is taken in as can be read, and only what
names no message and no sender is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import BeforeValidator, Field

from clients.answers import parse
from clients.fields import AnsweredTime, LooseText
from clients.operation import Answer
from clients.phone_numbers import read_with_country_code
from tools.routee.field_types import Amount, AnsweredSender, Status
from tools.webhooks import BadCallback, Callback, Kind

PROVIDER = "routee"
LONGEST_SENDER = 64
"""Anybody may send a text under any name; of a longer one the start is kept."""

LONGEST_ID: Final = 128
LONGEST_STATE: Final = 32
LONGEST_LABEL: Final = 350

M = TypeVar("M", bound=Answer)


def _as_status(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Report(Answer):
    """A delivery report: one for each part of a message."""

    message_id: str | None = None
    sms_id: str | None = None
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")
    campaign_name: str | None = None
    part: int | None = None
    parts: int | None = None
    to: LooseText | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    status: Annotated[Status, BeforeValidator(_as_status)] | None = None
    price: Amount | None = None
    label: str | None = None
    country: str | None = None
    operator: str | None = None
    latency: LooseText | None = None
    """How long delivery took; no document names the unit."""

    pool_name: str | None = None


class Progress(Answer):
    """How a campaign stands."""

    tracking_id: str | None = None
    state: str | None = Field(default=None, alias="campaignStatus")
    total: int | None = Field(default=None, alias="totalRecipients")
    counts: dict[str, int] = Field(default={}, alias="messageStatuses")


class Inbound(Answer):
    """A message that came in."""

    message_id: str | None = None
    sender: AnsweredSender | None = Field(default=None, alias="from")
    to: LooseText | None = None
    text: LooseText | None = Field(default=None, alias="message")
    parts: int | None = None
    price: Amount | None = None
    received: AnsweredTime | None = Field(default=None, alias="receivedDate")


def read_callback(kind: Kind, body: object) -> Callback:
    """One callback of a kind, as far as it can be read.

    Raises:
        BadCallback: It does not show what it is about.
    """
    if not isinstance(body, dict):
        raise BadCallback("a JSON object is expected")
    fields = cast("dict[str, Any]", body)
    if _came_in(kind, fields):
        return _inbound(kind, fields)
    return _progress(fields) if kind == "campaign" else _report(kind, fields)


def _came_in(kind: Kind, body: Mapping[str, Any]) -> bool:
    """Return True for a message from outside, to whichever address it was posted: it may be a STOP."""
    if kind == "inbound" or str(body.get("direction")).casefold() == "inbound":
        return True
    return kind != "campaign" and "status" not in body and {"from", "message"} <= body.keys()


def _report(kind: Kind, body: Mapping[str, Any]) -> Callback:
    report, unread = _parsed(Report, body)
    status = report.status or Status()
    state = status.name or status.status
    if not report.message_id or not state:
        raise BadCallback("missing or of another kind: messageId, status.name")
    at = status.updated_date or status.date
    part = report.sms_id or str(report.part or 1)
    is_priced = not {"price", "part", "parts"} & set(unread) and report.price is not None and report.price >= 0
    return Callback(
        provider=PROVIDER,
        kind=kind,
        subject=_cut(report.message_id, LONGEST_ID),
        identity=f"{report.message_id} {part} {state} {at.isoformat() if at else _digest(body)}",
        state=_cut(state, LONGEST_STATE),
        part=report.part or 1,
        parts=report.parts or 1,
        campaign=_cut(report.campaign_id, LONGEST_ID) if report.campaign_id else None,
        number=_e164(report.to),
        ours=_e164(report.sender),
        price=report.price if is_priced else None,
        reason=status.reason.detailed_status if status.reason else None,
        at=at,
        details=_named(
            label=report.label,
            country=report.country,
            operator=report.operator,
            latency=report.latency,
            campaign=report.campaign_name,
            pool=report.pool_name,
        ),
        raw=_raw(body, unread, is_odd=report.price is not None and not is_priced),
    )


def _progress(body: Mapping[str, Any]) -> Callback:
    progress, unread = _parsed(Progress, body)
    if not progress.tracking_id or not progress.state:
        raise BadCallback("missing or of another kind: trackingId, campaignStatus")
    counts = _sorted(progress.counts)
    return Callback(
        provider=PROVIDER,
        kind="campaign",
        subject=_cut(progress.tracking_id, LONGEST_ID),
        identity=f"{progress.tracking_id} {progress.state} {counts}",
        state=_cut(progress.state, LONGEST_STATE),
        parts=max(progress.total or 0, 0),
        campaign=_cut(progress.tracking_id, LONGEST_ID),
        counts=counts,
        raw=_raw(body, unread),
    )


def _inbound(kind: Kind, body: Mapping[str, Any]) -> Callback:
    message, unread = _parsed(Inbound, body)
    if not message.sender and not (message.message_id and message.text):
        raise BadCallback("missing or of another kind: from, messageId")
    subject = message.message_id or _digest(body)
    return Callback(
        provider=PROVIDER,
        kind="pool" if kind == "pool" else "inbound",
        subject=_cut(subject, LONGEST_ID),
        identity=f"{subject} inbound",
        state="Received",
        parts=message.parts or 1,
        number=_e164(message.sender),
        ours=_e164(message.to),
        text=message.text or "",
        price=message.price if message.price is not None and message.price >= 0 else None,
        at=message.received,
        raw=_raw(body, unread),
    )


def _parsed(kind: type[M], body: Mapping[str, Any]) -> tuple[M, tuple[str, ...]]:
    """Return what can be read of a body, and the paths of what cannot, also of what is empty."""
    typed = parse(kind, body)
    if typed is None:
        return kind(), ("the whole",)
    return typed.answer, typed.unread


def _named(**details: str | None) -> dict[str, str]:
    return {name: _cut(value, LONGEST_LABEL) for name, value in details.items() if value}


def _raw(body: Mapping[str, Any], unread: tuple[str, ...], *, is_odd: bool = False) -> str | None:
    """Return the body for the record where a part of it could not be read or taken."""
    return json.dumps(body, ensure_ascii=False) if unread or is_odd else None


def _digest(body: Mapping[str, Any]) -> str:
    """Return what tells a body from others: the same one may be posted again."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _cut(text: str, longest: int) -> str:
    """Return the start of a text, without what no database stores: half an emoji, or a NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:longest]


def _sorted(counts: Mapping[str, Any]) -> str:
    return json.dumps(dict(sorted(counts.items())), separators=(",", ":"))


def _e164(number: str | None) -> str | None:
    """Return a number in E.164; names of senders, and digits that nobody can read as one number, as they are."""
    return None if number is None else read_with_country_code(number) or _cut(number, LONGEST_SENDER)
