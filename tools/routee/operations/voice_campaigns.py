"""Routee voice campaigns: one message spoken to many; and the tracking of calls."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import E164, AnsweredTime, IsoMoment, LooseText
from clients.operation import Answer, Done, Members, Operation, Undo, wire_fields
from tools.routee.calls import Call, Calls, Spoken, SpokenText
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    Audience,
    CampaignName,
    Gender,
    GroupName,
    HttpsUrl,
    Id,
    Language,
    Sender,
    WavUrl,
    When,
    callback,
    iso,
    scheduled,
    timing_warnings,
    without_none,
)
from tools.routee.filters import Filter
from tools.routee.grades import ANSWER_INFERRED, REQUEST_INFERRED, SEEN
from tools.routee.paging import Paged
from tools.routee.recipients import members_of


class VoiceCampaign(Answer):
    """A voice campaign. Its cost is what was spent so far (inferred)."""

    tracking_id: str | None = None
    campaign_state: str | None = Field(default=None, alias="state")
    type: str | None = None
    name: str | None = None
    created_at: AnsweredTime | None = None
    scheduled_date: AnsweredTime | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    to: list[LooseText] = []
    contacts: list[str] = []
    groups: list[str] = []
    statuses: dict[str, int] = {}
    spoken: Spoken | None = Field(default=None, alias="message")
    file_url: str | None = Field(default=None, alias="fileURL")
    audience: Audience | None = Field(default=None, alias="voiceAnalysis")
    cost_so_far: Amount | None = Field(default=None, alias="cost")
    respect_quiet_hours: bool | None = None


HEARD = frozenset({"text", "language", "gender", "file_url"})


class Announcement(BaseModel):
    """Who hears what: at least one kind of recipients, and either a file or a speech."""

    sender: Sender = Field(serialization_alias="from")
    """Caller id: a number from routee_list_numbers."""

    to: list[E164] | None = Field(default=None, min_length=1, max_length=1000)
    """Numbers."""

    contacts: list[Id] | None = Field(default=None, min_length=1, max_length=1000)
    """Contact ids, from routee_list_contacts."""

    groups: list[GroupName] | None = Field(default=None, min_length=1, max_length=1000)
    """Group names, from routee_list_groups."""

    text: SpokenText | None = None
    """Text to speak."""

    language: Language | None = None
    """Its language, such as en-GB."""

    gender: Gender | None = None
    """The voice."""

    file_url: WavUrl | None = None
    """WAV file to play instead."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Give at least one of to, contacts and groups, and either text with language or file_url."""
        if not (self.to or self.contacts or self.groups):
            raise ValueError("give at least one of to, contacts and groups")
        if (self.text is None) == (self.file_url is None):
            raise ValueError("give either text or file_url")
        if (self.text is None) != (self.language is None):
            raise ValueError("text goes with language")
        return self

    def spoken_content(self) -> dict[str, Any]:
        """Speech or file, in Routee's form."""
        spoken = without_none(text=self.text, language=self.language, gender=self.gender)
        return {"fileURL": self.file_url} if self.file_url else {"message": spoken}


@routee.operation(
    "POST",
    "/voice/campaign",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Call {people} and [text?speak a text|play a file][, at {when:time}]",
    toolset="voice",
    docs="send-a-voice-campaign",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    synonyms=("robocall", "broadcast", "announce", "text to speech", "bulk call", "call many"),
)
class SendVoiceCampaign(Announcement, Operation[VoiceCampaign]):
    """Call many and speak or play a message, now or at a time; billed by the second."""

    when: When
    """`now`, or a time with zone."""

    name: CampaignName | None = None
    """Unique name."""

    respect_quiet_hours: bool | None = None
    """Wait for the end of quiet hours there."""

    ignore_dnd: bool | None = None
    """Call also who is on a do-not-disturb list; transactional messages only."""

    hangup_delay: int | None = Field(default=None, ge=1)
    """Seconds to wait for an answer."""

    collect_keys_seconds: int | None = Field(default=None, ge=1)
    """Collect keys after the message, for so long."""

    callback_url: HttpsUrl | None = None
    """Where Routee posts each call."""

    campaign_callback_url: HttpsUrl | None = None
    """Where Routee posts progress."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    def charge(self) -> Charge:
        return Charge(item="voice campaign", rate="call")

    def destinations(self) -> tuple[str, ...]:
        return tuple(self.to or ())

    def members(self) -> tuple[Members[Any], ...]:
        return members_of(self.contacts, self.groups, "Voice")

    def scheduled_at(self) -> tuple[datetime, ...]:
        return () if self.when == "now" else (self.when,)

    def warnings(self) -> tuple[str, ...]:
        notes = [*timing_warnings(self.when, "It starts at once."), "Charged by the second for each answered call."]
        if self.ignore_dnd:
            notes.append("Calling who asked not to be called may break the law.")
        return tuple(notes)

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == "now" or not isinstance(answer, VoiceCampaign) or answer.tracking_id is None:
            return Undo(verdict="none", lost="A campaign that began cannot be recalled.")
        return Undo(verdict="full", operation=DeleteVoiceCampaign(campaign_id=answer.tracking_id))

    def to_wire(self) -> dict[str, Any]:
        extras = HEARD | {
            "when",
            "callback_url",
            "campaign_callback_url",
            "callback_final_only",
            "collect_keys_seconds",
        }
        return (
            wire_fields(self, exclude=extras)
            | self.spoken_content()
            | without_none(
                scheduledDate=scheduled(self.when),
                collectDtmfDigits=True if self.collect_keys_seconds else None,
                collectDtmfAwaitSeconds=self.collect_keys_seconds,
                callback=callback(self.callback_url, final_only=self.callback_final_only),
                campaignCallback=callback(self.campaign_callback_url, final_only=self.callback_final_only),
            )
        )


@routee.operation(
    "POST",
    "/voice/analysis",
    effect=Effect.READ,
    toolset="voice",
    docs="analyze-a-voice-campaign",
    basis=SEEN,
    synonyms=("dry run", "how many", "check", "preview"),
)
class AnalyzeVoiceCampaign(Announcement, Operation[Audience]):
    """Count who a voice campaign would call, by country and group; it shows no price."""

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=HEARD) | self.spoken_content()


@routee.operation(
    "DELETE",
    "/voice/campaign/{campaign_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the scheduled voice campaign {campaign_id}",
    toolset="voice",
    docs="delete-a-voice-campaign",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    unverifiable="no call shows a voice campaign that is scheduled",
    synonyms=("cancel", "stop", "call off"),
)
class DeleteVoiceCampaign(Operation[Done]):
    """Delete a voice campaign that is still scheduled; no call shows what it was."""

    campaign_id: Id
    """`tracking_id` from routee_send_voice_campaign."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="No call shows a voice campaign, so it cannot be made again from here.")


@routee.operation(
    "GET",
    "/voice/tracking/{call_id}",
    effect=Effect.READ,
    toolset="voice",
    docs="voicemessagetracking",
    basis=SEEN,
    confirmed_by=("call_id",),
    synonyms=("status", "answered", "price", "duration"),
)
class GetCall(Operation[Call]):
    """Show one call: status, duration, price, keys pressed."""

    call_id: Id
    """`call_id` from routee_list_calls."""


CallField = Literal["id", "recipient", "from", "collectedTones", "groups", "country", "status.status", "campaign"]


@routee.operation(
    "POST",
    "/voice/tracking",
    effect=Effect.READ,
    toolset="voice",
    docs="calltracking",
    basis=REQUEST_INFERRED,
    synonyms=("call log", "cdr", "history", "calls made"),
)
class ListCalls(Paged[Calls]):
    """Search calls by time and conditions, in Routee's order (that these are an array is inferred)."""

    since: IsoMoment | None = None
    """Older bound, with zone."""

    until: IsoMoment | None = None
    """Newer bound, with zone."""

    filters: list[Filter[CallField]] = []
    """Conditions that all hold."""

    campaign_id: Id | None = None
    """Only this voice campaign."""

    def to_query(self) -> dict[str, Any]:
        times = {"from": self.since, "to": self.until}
        return (
            {name: iso(moment) for name, moment in times.items() if moment is not None}
            | without_none(trackingId=self.campaign_id)
            | self.page_query()
        )

    def to_array(self) -> list[Any]:
        return [one.to_wire() for one in self.filters]


@routee.operation(
    "GET",
    "/voice/tracking/campaign/{campaign_id}",
    effect=Effect.READ,
    toolset="voice",
    docs="retrieve-voice-tracking-by-campaign",
    basis=SEEN,
    synonyms=("status", "answered", "robocall results"),
)
class ListVoiceCampaignCalls(Paged[Calls]):
    """List the calls of a voice campaign with status and price."""

    campaign_id: Id
    """`tracking_id` from routee_send_voice_campaign."""
