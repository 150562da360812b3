"""Routee failover: one message that tries SMS, Viber and voice one after another. Lifetimes are minutes here."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence, is_since
from clients.fields import E164, AnsweredTime, IsoMoment, LooseText
from clients.operation import Answer, Operation, Undo, Verification
from clients.segments import Visible
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    Gender,
    HttpsUrl,
    Id,
    Label,
    Language,
    Sender,
    Status,
    Text,
    iso,
    same_number,
    without_description,
    without_none,
)
from tools.routee.filters import Filter
from tools.routee.grades import ANSWER_INFERRED, SEEN
from tools.routee.operations.sms import NO_RECALL, SEARCH_AHEAD
from tools.routee.paging import Page, Paged
from tools.routee.personal_texts import PersonalText, label_warnings

_STATUSES = {
    "Sms": {"Undelivered", "Failed"},
    "Viber": {"Expired", "Failed", "Undelivered"},
    "Voice": {"Completed", "Busy", "NoAnswer", "Failed", "Unsent", "Terminated"},
}


class Step(BaseModel):
    """One channel, tried when the one before did not get through."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_extra=without_description
    )

    channel: Literal["Sms", "Viber", "Voice"]

    to: E164

    text: Annotated[Text, Visible]
    """What is sent or said."""

    sender: Sender | None = None
    """Sms, Voice: number or name."""

    sender_id: Id | None = None
    """Viber: the sender."""

    language: Language | None = None
    """Voice: such as en-GB."""

    gender: Gender | None = None
    """Voice: the voice."""

    image_url: HttpsUrl | None = None
    """Viber: a picture."""

    ttl_minutes: float | None = Field(default=None, ge=0.5, le=1440)
    """Sms, Viber: time to try."""

    next_on: list[str] | None = Field(default=None, min_length=1)
    """Statuses that make the next step try."""

    label: Label | None = None
    """Sms: your tag."""

    transcode: bool | None = None
    """Sms: fit GSM-7."""

    @model_validator(mode="after")
    def _fits_its_channel(self) -> Self:
        """Give Sms a sender, Viber a sender_id, Voice a sender and a language."""
        needed = {"Sms": ("sender",), "Viber": ("sender_id",), "Voice": ("sender", "language")}[self.channel]
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"{self.channel} needs {', '.join(missing)}")
        longest = {"Sms": 1600, "Viber": 1000, "Voice": 1000}[self.channel]
        if len(self.text) > longest:
            raise ValueError(f"text: {self.channel} takes at most {longest} characters")
        if strange := set(self.next_on or ()) - _STATUSES[self.channel]:
            allowed = ", ".join(sorted(_STATUSES[self.channel]))
            raise ValueError(f"next_on: {', '.join(sorted(strange))}; {self.channel} has {allowed}")
        return self

    @model_validator(mode="after")
    def _has_nothing_of_other_channels(self) -> Self:
        """Give a step only fields of its channel."""
        only = {
            "Sms": ("label", "transcode"),
            "Viber": ("sender_id", "image_url"),
            "Voice": ("language", "gender"),
        }
        strange = [
            name for channel, names in only.items() if channel != self.channel for name in names
            if getattr(self, name) is not None
        ]  # fmt: skip
        strange += ["sender"] if self.channel == "Viber" and self.sender else []
        strange += ["ttl_minutes"] if self.channel == "Voice" and self.ttl_minutes else []
        if strange:
            raise ValueError(f"{self.channel} has no {', '.join(strange)}")
        return self

    def is_in(self, shown: "FailoverMessage") -> bool:
        """Return True where all that is shown of this channel was asked for. A Viber sender is shown by its name."""
        text = shown.content.text if shown.content else None
        return (
            shown.type == self.channel
            and same_number(str(shown.to), self.to)
            and (self.sender is None or same_number(shown.sender, self.sender))
            and (self.channel == "Voice" or text == self.text)
            and (self.ttl_minutes is None or shown.minutes == self.ttl_minutes)
            and (self.next_on is None or set(re.findall(r"\w+", str(shown.next_on))) == set(self.next_on))
        )

    def to_wire(self, order: int) -> dict[str, Any]:
        """Return the step in Routee's form."""
        wire = without_none(
            type=self.channel,
            order=order,
            to=self.to,
            senderInfoTrackingId=self.sender_id,
            ttl=self.ttl_minutes,
            failoverOnStatuses=",".join(self.next_on) if self.next_on else None,
        )
        if self.sender:
            wire["from"] = self.sender.removeprefix("+")
        if self.channel == "Sms":
            return wire | {"message": without_none(body=self.text, label=self.label, transcode=self.transcode)}
        if self.channel == "Viber":
            return wire | {"message": without_none(text=self.text, imageUrl=self.image_url)}
        spoken = without_none(text=self.text, language=self.language, gender=self.gender)
        return wire | {"dialplan": {"verbs": [{"type": "SAY", "message": spoken}]}}


class StepContent(Answer):
    """What a channel sent."""

    text: str | None = None


class FailoverMessage(Answer):
    """What one channel did."""

    type: str | None = None
    order: int | None = None
    tracking_id: str | None = None
    status: Status | None = None
    price: Amount | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    to: object = None
    content: StepContent | None = Field(default=None, alias="body")
    """Not shown of calls."""

    country: str | None = None
    created_at: AnsweredTime | None = None
    ttl: LooseText | None = None
    next_on: object = Field(default=None, alias="failoverOnStatuses")

    @property
    def minutes(self) -> float | None:
        """How long it is tried; None where that is not shown as a number."""
        try:
            return float(self.ttl or "")
        except ValueError:
            return None


class Failover(Answer):
    """A failover and what it cost, in the currency of routee_get_balance."""

    tracking_id: str | None = None
    status: str | None = None
    termination_channel: str | None = None
    """Channel that it ended with."""

    total_price: Amount | None = None
    created_at: AnsweredTime | None = None
    updated_at: AnsweredTime | None = None
    application_id: str | None = None
    messages: list[FailoverMessage] = []


@routee.operation(
    "POST",
    "/failover",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Send a message to {people} by the first of {steps:channel} that works",
    toolset="failover",
    docs="send-a-failover-message",
    basis=ANSWER_INFERRED,
    confirmed_by=("tracking_id",),
    synonyms=("fallback", "omnichannel", "cascade", "backup channel", "viber then sms"),
)
class SendFailover(PersonalText, Operation[Failover]):
    """Send by the first channel, and by the next if that fails; billed by each that is tried."""

    steps: list[Step] = Field(min_length=1)
    """Channels, first to last."""

    callback_url: HttpsUrl | None = None
    """Where Routee posts progress."""

    callback_final_only: bool | None = None
    """Post only the end, not every step."""

    def charge(self) -> Charge:
        return Charge(item="failover", rate="failover")

    def destinations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.to for step in self.steps))

    def warnings(self) -> tuple[str, ...]:
        return (NO_RECALL, "Every channel that is tried is charged.", *label_warnings(*self.personal_texts()))

    def personal_texts(self) -> tuple[str, ...]:
        return tuple(step.text for step in self.steps if step.channel == "Viber")

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_RECALL)

    def verification(self, sent_at: datetime) -> "Verification[Failovers]":
        # The one like it since then shows that it was sent; none, and several, prove nothing.
        read = ListFailovers(since=sent_at, until=sent_at + SEARCH_AHEAD, limit=500)

        def check(found: Failovers) -> Evidence:
            since = [row for row in found.failovers if is_since(row.created_at, sent_at, whole_seconds=True)]
            alike = [row for row in since if self._is_this(row)]
            are_shown = found.is_whole and all(row.created_at and row.messages for row in found.failovers)
            return Evidence.yes_if(len(alike) == 1 and are_shown)

        return Verification(read=read, check=check)

    def _is_this(self, found: Failover) -> bool:
        """No read shows what was said in a call, so that calls alone could be another's."""
        shown = sorted(found.messages, key=lambda row: row.order or 0)
        if len(shown) != len(self.steps) or all(step.channel == "Voice" for step in self.steps):
            return False
        return all(step.is_in(message) for step, message in zip(self.steps, shown, strict=True))

    def to_wire(self) -> dict[str, Any]:
        strategy = "OnCompletion" if self.callback_final_only else "OnStep"
        posts = {"url": self.callback_url, "strategy": strategy} if self.callback_url else None
        return without_none(flow=[step.to_wire(order) for order, step in enumerate(self.steps, 1)], callback=posts)


@routee.operation(
    "GET",
    "/failover/tracking/{failover_id}",
    effect=Effect.READ,
    toolset="failover",
    docs="retrieve-failover-trackings",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    synonyms=("status", "which channel", "price", "delivered"),
)
class GetFailover(Operation[Failover]):
    """Show what each channel of a failover did and cost."""

    failover_id: Id
    """`tracking_id` from routee_send_failover."""


class Failovers(Page):
    """Failovers."""

    failovers: list[Failover] = Field(default=[], alias="content")


FailoverField = Literal["type", "to", "status", "terminationChannel"]


@routee.operation(
    "POST",
    "/failover/tracking",
    effect=Effect.READ,
    toolset="failover",
    docs="track-multiple-failovers-with-filters-for-a-specific-time-range",
    basis=ANSWER_INFERRED,
    synonyms=("history", "results"),
)
class ListFailovers(Paged[Failovers]):
    """Search failovers by time and conditions, in Routee's order."""

    since: IsoMoment | None = None
    """Older bound, with zone."""

    until: IsoMoment | None = None
    """Newer bound, with zone."""

    filters: list[Filter[FailoverField]] = []
    """Conditions that all hold."""

    def to_query(self) -> dict[str, Any]:
        times = {"dateStart": self.since, "dateEnd": self.until}
        return {name: iso(moment) for name, moment in times.items() if moment is not None} | self.page_query()

    def to_array(self) -> list[Any]:
        return [one.to_wire() for one in self.filters]
