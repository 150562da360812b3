"""Reads what Routee posts: delivery reports, campaign progress, and messages that came in (documented, unsigned)."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from clients.fields import AnsweredTime, LooseText
from clients.operation import Answer
from clients.phone_numbers import read_with_country_code
from tools.routee.field_types import Amount, AnsweredSender, Status
from tools.webhooks import BadCallback, Callback, Kind

PROVIDER = "routee"
LONGEST_SENDER = 64
"""Anybody may send a text under any name; of a longer one the start is kept."""


class Report(Answer):
    """A delivery report: one for each part of a message."""

    message_id: str
    sms_id: str | None = None
    campaign_id: str | None = Field(default=None, alias="campaignTrackingId")
    part: int = 1
    parts: int = 1
    to: LooseText | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    status: Status
    price: Amount | None = None


class Progress(Answer):
    """How a campaign stands."""

    tracking_id: str
    state: str = Field(alias="campaignStatus")
    total: int | None = Field(default=None, alias="totalRecipients")
    counts: dict[str, int] = Field(default={}, alias="messageStatuses")


class Inbound(Answer):
    """A message that came in."""

    message_id: str
    sender: AnsweredSender = Field(alias="from")
    to: LooseText | None = None
    text: str = Field(default="", alias="message")
    parts: int = 1
    price: Amount | None = None
    received: AnsweredTime | None = Field(default=None, alias="receivedDate")


def read_callback(kind: Kind, body: object) -> Callback:
    """One callback of a kind.

    Raises:
        BadCallback: It is not what the documents show.
    """
    if not isinstance(body, dict):
        raise BadCallback("a JSON object is expected")
    try:
        if kind == "campaign":
            return _progress(Progress.model_validate(body))
        if kind == "inbound" or (kind == "pool" and "status" not in body):
            return _inbound(kind, Inbound.model_validate(body))
        return _report(kind, Report.model_validate(body))
    except ValidationError as misfit:
        fields = ", ".join(sorted({".".join(map(str, error["loc"])) for error in misfit.errors()}))
        raise BadCallback(f"missing or of another kind: {fields}") from None


def _report(kind: Kind, report: Report) -> Callback:
    state = report.status.name or report.status.status
    if not state:
        raise BadCallback("missing or of another kind: status.name")
    if report.price is not None and report.price < 0:
        raise BadCallback("price is below zero")
    at = report.status.updated_date or report.status.date
    reason = report.status.reason
    part = report.sms_id or str(report.part)
    return Callback(
        provider=PROVIDER,
        kind=kind,
        subject=report.message_id,
        identity=f"{report.message_id} {part} {state} {at.isoformat() if at else ''}",
        state=state,
        part=report.part,
        parts=report.parts,
        campaign=report.campaign_id,
        number=_e164(report.to),
        ours=_e164(report.sender),
        price=report.price,
        reason=reason.detailed_status if reason else None,
        at=at,
    )


def _progress(progress: Progress) -> Callback:
    counts = _sorted(progress.counts)
    return Callback(
        provider=PROVIDER,
        kind="campaign",
        subject=progress.tracking_id,
        identity=f"{progress.tracking_id} {progress.state} {counts}",
        state=progress.state,
        parts=progress.total or 1,
        campaign=progress.tracking_id,
        counts=counts,
    )


def _inbound(kind: Kind, message: Inbound) -> Callback:
    return Callback(
        provider=PROVIDER,
        kind=kind,
        subject=message.message_id,
        identity=f"{message.message_id} inbound",
        state="Received",
        parts=message.parts,
        number=_e164(message.sender),
        ours=_e164(message.to),
        text=message.text,
        price=message.price,
        at=message.received,
    )


def _sorted(counts: Mapping[str, Any]) -> str:
    return json.dumps(dict(sorted(counts.items())), separators=(",", ":"))


def _e164(number: str | None) -> str | None:
    """Return a number in E.164; names of senders, and digits that nobody can read as one number, as they are."""
    return None if number is None else read_with_country_code(number) or number[:LONGEST_SENDER]
