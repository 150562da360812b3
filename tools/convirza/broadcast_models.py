"""A Convirza broadcast as it is read, and what that shows of a change to it. All names and words are inferred."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import Field

from clients.evidence import Evidence, all_of
from clients.fields import AnsweredNumber, AnsweredTime
from clients.operation import Answer
from tools.convirza.updates import is_new, same_settings

NOW: Final = "now"

NOT_YET: Final = frozenset({"scheduled", "draft"})
"""Words for a broadcast that has not gone out. Any other but `sent` may mean that it is on its way."""

ROUNDED_TO: Final = timedelta(minutes=1)
"""A time may be kept without its seconds."""


def as_when(value: str) -> str:
    """`now`, or a time in UTC."""
    if value == NOW:
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("`now`, or a time such as 2026-06-01T14:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("the time needs its zone, such as 2026-06-01T14:00:00Z")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def require_when(value: str) -> str:
    """Check that a text is `now` or a time with its zone, and return it with the offset that it was written with."""
    as_when(value)
    return value


class Broadcast(Answer):
    """A broadcast."""

    broadcast_id: int | None = None
    name: str | None = Field(default=None, alias="broadcast_name")
    status: str | None = None
    message: str | None = None
    from_number: AnsweredNumber | None = Field(default=None, alias="phone_number")
    recipients: list[AnsweredNumber] | None = None
    scheduled_at: AnsweredTime | None = None
    org_unit_id: int | None = None
    created: AnsweredTime | None = None
    sent_at: AnsweredTime | None = None
    sent_count: int | None = None
    opted_out_count: int | None = None

    @property
    def when(self) -> str | None:
        """The time as the operations take it, where it is still to be sent."""
        return as_when(self.scheduled_at.isoformat()) if self.scheduled_at and self.status != "sent" else None


def is_set(found: Broadcast, wanted: dict[str, Any]) -> Evidence:
    """Whether it has these settings. The order of the recipients means nothing."""
    shown = found.model_copy(update={"recipients": sorted(found.recipients)}) if found.recipients else found
    meant = wanted | ({"recipients": sorted(wanted["recipients"])} if "recipients" in wanted else {})
    return same_settings(shown, meant)


def is_changed(found: Broadcast, when: str | None, wanted: dict[str, Any], sent_at: datetime) -> Evidence:
    """Whether a change made at `sent_at` shows."""
    settings = [is_set(found, wanted)] if wanted else []
    if when == NOW:
        return _is_sent_as(settings, _was_sent(found, sent_at))
    return all_of(settings if when is None else [*settings, _is_scheduled_for(found, when)])


def _is_sent_as(settings: list[Evidence], went_out: Evidence) -> Evidence:
    # A broadcast that counts as not sent is sent again, so a setting that seems to differ does not prove that.
    if went_out is Evidence.NO:
        return Evidence.NO
    return Evidence.yes_if(all_of([*settings, went_out]) is Evidence.YES)


def _was_sent(found: Broadcast, sent_at: datetime) -> Evidence:
    status = (found.status or "").casefold()
    if status == "sent":
        return Evidence.yes_if(found.sent_at is None or is_new(found.sent_at, sent_at))
    return Evidence.no_if(status in NOT_YET and found.scheduled_at is not None)


def _is_scheduled_for(found: Broadcast, when: str) -> Evidence:
    if found.scheduled_at is None:
        return Evidence.UNKNOWN
    apart = abs(found.scheduled_at - datetime.fromisoformat(when))
    if apart >= ROUNDED_TO:
        return Evidence.NO
    return Evidence.yes_if(not apart)
