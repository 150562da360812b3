"""Routee SMS campaigns: one text to many, now or at a time."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, Field, model_validator

from clients.changes import describe_resets
from clients.effects import Charge, Effect
from clients.evidence import Evidence, is_since
from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import (
    UNREAD,
    Answer,
    Done,
    Members,
    Operation,
    Precondition,
    Undo,
    Verification,
    put_back,
    verify_removal,
    wire_fields,
)
from clients.questions.differences import Difference, differences
from tools.routee.campaign_plans import is_same_plan
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    Audience,
    Callback,
    CampaignName,
    Fault,
    GroupName,
    Id,
    PostsTo,
    Sender,
    SmsText,
    When,
    callback,
    scheduled,
    timing_warnings,
    without_none,
)
from tools.routee.filters import Filter
from tools.routee.grades import ANSWER_INFERRED, PAGES, PAGES_BUT_REQUEST
from tools.routee.operations.sms import SEND_EXTRAS, MessageField, Messages, messages_since, sms_extras, text_warnings
from tools.routee.personal_texts import PersonalText, label_warnings
from tools.routee.recipients import members_of

RUNS_FOR: Final = timedelta(minutes=30)
"""How long after its start a campaign's messages are searched for: quiet hours and many recipients delay them."""

PARTS: Final = "[transcode?|shorten_links_seconds?|fallback_values?|, {text:parts}]"
"""Part of a subject: how many parts each text has, where nothing makes it longer or shorter on the way."""

NOT_SHOWN: Final = "allow_invalid, transcode and shorten_links_seconds fall back to defaults"

_PLAN_EXTRAS = SEND_EXTRAS | {
    "campaign_callback_url", "when", "reminder_to", "reminder_minutes_before", "reminder_minutes_after",
}  # fmt: skip


class Reminder(Answer):
    """Test messages around the run."""

    to: list[LooseText] = []
    minutes_before: int | None = None
    minutes_after: int | None = None


class Campaign(Answer):
    """A campaign. Its cost is what was spent so far (inferred), in the currency of routee_get_balance."""

    tracking_id: str | None = None
    campaign_state: str | None = Field(default=None, alias="state")
    """Scheduled, Queued, Sent, Running, Finished or Failed."""

    campaign_name: str | None = None
    created_at: AnsweredTime | None = None
    scheduled_date: AnsweredTime | None = None
    ended_at: AnsweredTime | None = None
    type: str | None = None
    sender: LooseText | None = Field(default=None, alias="from")
    text: str | None = Field(default=None, alias="body")
    to: list[LooseText] = []
    contacts: list[str] = []
    groups: list[str] = []
    statuses: dict[str, int] = {}
    """Messages by status."""

    total_messages: int | None = None
    cost_so_far: Amount | None = Field(default=None, alias="cost")
    audience: Audience | None = Field(default=None, alias="smsAnalysis")
    flash: bool | None = None
    respect_quiet_hours: bool | None = None
    callback: Callback | None = None
    campaign_callback: Callback | None = None
    reminder: Reminder | None = None
    fallback_values: dict[str, str] = {}
    ttl: int | None = None
    quiet_hours_report: dict[str, int] | None = None
    """How many wait for the end of quiet hours; seen in a public client."""

    errors: list[Fault] = []

    def plan(self) -> dict[str, Any]:
        """Return what was asked for, as arguments of a campaign; the details do not show all of it."""
        reminder = self.reminder or Reminder()
        callbacks = [known for known in (self.callback, self.campaign_callback) if known is not None]
        return without_none(
            sender=self.sender,
            text=self.text,
            when=self.scheduled_date,
            to=self.to or None,
            contacts=self.contacts or None,
            groups=self.groups or None,
            campaign_name=self.campaign_name,
            flash=self.flash,
            respect_quiet_hours=self.respect_quiet_hours,
            fallback_values=self.fallback_values or None,
            ttl_minutes=self.ttl,
            reminder_to=reminder.to or None if reminder.minutes_before or reminder.minutes_after else None,
            reminder_minutes_before=reminder.minutes_before or None if reminder.to else None,
            reminder_minutes_after=reminder.minutes_after or None if reminder.to else None,
            callback_url=self.callback.url if self.callback else None,
            campaign_callback_url=self.campaign_callback.url if self.campaign_callback else None,
            callback_final_only=callbacks[0].is_final_only if callbacks else None,
        )


class Recipients(BaseModel):
    """Who a bulk send goes to: at least one of the three."""

    to: list[E164] | None = Field(default=None, min_length=1, max_length=30000)
    """Numbers."""

    contacts: list[Id] | None = Field(default=None, min_length=1)
    """Contact ids, from routee_list_contacts."""

    groups: list[GroupName] | None = Field(default=None, min_length=1)
    """Group names, from routee_list_groups."""

    @model_validator(mode="after")
    def _goes_to_somebody(self) -> Self:
        """Give at least one of to, contacts and groups."""
        if not (self.to or self.contacts or self.groups):
            raise ValueError("give at least one of to, contacts and groups")
        return self


class CampaignPlan(Recipients, PersonalText, Operation[Campaign]):
    """What a campaign is, when it is made and when it is changed."""

    sender: Sender = Field(serialization_alias="from")
    """Number from routee_list_numbers, or a name of up to 11 characters."""

    text: SmsText = Field(serialization_alias="body")
    """What it says; contact labels as [~{label}] or [~label]."""

    when: When
    """`now`, or a time with zone."""

    campaign_name: CampaignName | None = None
    """Unique; refused a second time."""

    fallback_values: dict[str, str] | None = None
    """Values for missing labels."""

    allow_invalid: bool | None = None
    """Drop invalid numbers; else one blocks all."""

    respect_quiet_hours: bool | None = None
    """Wait out quiet hours there."""

    flash: bool | None = None
    """Show at once, unstored."""

    ttl_minutes: int | None = Field(default=None, ge=1, le=4320)
    """Minutes to try delivery."""

    transcode: bool | None = None
    """Replace characters to fit GSM-7."""

    shorten_links_seconds: int | None = Field(default=None, ge=3600, le=2592000)
    """Shorten links, valid for this long."""

    reminder_to: list[E164] | None = Field(default=None, min_length=1)
    """Get test messages."""

    reminder_minutes_before: int | None = Field(default=None, ge=1)
    """Minutes before the run."""

    reminder_minutes_after: int | None = Field(default=None, ge=1)
    """Minutes after it."""

    callback_url: PostsTo | None = None
    """Where Routee posts each delivery; or `inbox`."""

    campaign_callback_url: PostsTo | None = None
    """Where Routee posts progress; or `inbox`."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    @model_validator(mode="after")
    def _reminder_is_whole(self) -> Self:
        """Give reminder_to with minutes before or after."""
        is_timed = self.reminder_minutes_before is not None or self.reminder_minutes_after is not None
        if (self.reminder_to is not None) != is_timed:
            raise ValueError("reminder_to goes with reminder_minutes_before or reminder_minutes_after")
        return self

    def charge(self) -> Charge:
        return Charge(item="campaign", rate="campaign")

    def destinations(self) -> tuple[str, ...]:
        return (*(self.to or ()), *(self.reminder_to or ()))

    def members(self) -> tuple[Members[Any], ...]:
        return members_of(self.contacts, self.groups, "Sms")

    def scheduled_at(self) -> tuple[datetime, ...]:
        if self.when == "now":
            return ()
        before, after = self.reminder_minutes_before or 0, self.reminder_minutes_after or 0
        return (self.when, self.when - timedelta(minutes=before), self.when + timedelta(minutes=after))

    def warnings(self) -> tuple[str, ...]:
        notes = [*timing_warnings(self.when, "It is sent at once and cannot be recalled."), *text_warnings(self.text)]
        if self.allow_invalid:
            notes.append("Invalid numbers are left out.")
        else:
            notes.append("One invalid number blocks the whole send.")
        return (*notes, *label_warnings(self.text))

    def personal_texts(self) -> tuple[str, ...]:
        return (self.text,)

    def to_wire(self) -> dict[str, Any]:
        reminder = without_none(
            to=self.reminder_to,
            minutesBefore=self.reminder_minutes_before,
            minutesAfter=self.reminder_minutes_after,
        )
        return (
            wire_fields(self, exclude=_PLAN_EXTRAS)
            | sms_extras(self)
            | without_none(
                scheduledDate=scheduled(self.when),
                campaignCallback=callback(self.campaign_callback_url, final_only=self.callback_final_only),
                reminder=reminder or None,
            )
        )

    def is_of(self, found: Campaign) -> Evidence:
        """Whether this is the plan of a campaign that is shown."""
        return is_same_plan({name: getattr(self, name) for name in CampaignPlan.model_fields}, found.plan())


@routee.operation(
    "POST",
    "/sms/campaign",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {people}" + PARTS + "[, at {when:time}]",
    toolset="campaigns",
    docs="send-bulk-messages",
    basis=PAGES_BUT_REQUEST,
    confirmed_by=("tracking_id",),
    unverifiable="unless it has a name and goes out now, it is shown only by the id that its answer brings",
    synonyms=("bulk", "broadcast", "mass text", "newsletter", "many", "blast", "schedule"),
)
class SendCampaign(CampaignPlan):
    """Send one text to many, now or at a time; billed by part and recipient."""

    def warnings(self) -> tuple[str, ...]:
        if self.campaign_name:
            return super().warnings()
        return (
            *super().warnings(),
            "Without a name Routee's web platform does not show it, and nothing stops the same send a second time.",
        )

    def message_ids(self, answer: Campaign) -> tuple[str, ...]:
        return (answer.tracking_id,) if answer.tracking_id else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == "now" or not isinstance(answer, Campaign) or answer.tracking_id is None:
            return Undo(verdict="none", lost="A campaign that began cannot be recalled.")
        return Undo(verdict="full", operation=DeleteCampaign(campaign_id=answer.tracking_id))

    def verification(self, sent_at: datetime) -> Verification[Messages] | None:
        # A message under its name leads to the campaign, whose time and plan verify it; no message proves nothing.
        name = self.campaign_name
        if name is None or self.when != "now":
            return None
        read = messages_since(sent_at, Filter[MessageField](field="campaign", term=name), ahead=RUNS_FOR)

        def check(found: Messages) -> Evidence | Verification[Campaign]:
            ids = {row.campaign_id for row in found.messages if row.campaign == name}
            campaign = ids.pop() if len(ids) == 1 else None
            if campaign is None:
                return Evidence.UNKNOWN
            return Verification(read=GetCampaign(campaign_id=campaign), check=is_this)

        def is_this(found: Campaign) -> Evidence:
            is_newer = is_since(found.created_at, sent_at, whole_seconds=True)
            return Evidence.yes_if(is_newer and self.is_of(found) is Evidence.YES)

        return Verification(read=read, check=check)


@routee.operation(
    "PUT",
    "/sms/{campaign_id}",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Replace campaign {campaign_id}: text {people}" + PARTS + "[, at {when:time}]",
    toolset="campaigns",
    docs="update-a-scheduled-message-campaign",
    basis=PAGES_BUT_REQUEST,
    confirmed_by=("tracking_id",),
    synonyms=("reschedule", "edit", "change", "postpone", "move"),
)
class UpdateCampaign(CampaignPlan):
    """Replace a campaign that is still scheduled, whole; `now` sends it at once."""

    campaign_id: Id
    """`tracking_id` from routee_send_campaign."""

    def before(self) -> "GetCampaign":
        return GetCampaign(campaign_id=self.campaign_id)

    def preconditions(self) -> tuple[Precondition[Campaign], ...]:
        return (Precondition(self.before(), _why_fixed),)

    def warnings(self) -> tuple[str, ...]:
        return (*super().warnings(), "The whole campaign is replaced: what is left out goes back to its default.")

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Campaign):
            return ()
        return describe_resets(before.plan(), self._wanted())

    def differences(self, before: Any) -> tuple[Difference, ...]:
        return differences(before.plan(), self._wanted()) if isinstance(before, Campaign) else ()

    def _wanted(self) -> dict[str, Any]:
        return without_none(**{name: getattr(self, name) for name in self.model_fields_set})

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == "now":
            return Undo(verdict="none", lost="A campaign that began cannot be recalled.")
        if not isinstance(before, Campaign):
            return UNREAD
        return put_back(UpdateCampaign, lost=f"Not shown before: {NOT_SHOWN}.", **_again(self.campaign_id, before))

    def verification(self, sent_at: datetime) -> Verification[Campaign]:
        return Verification(read=GetCampaign(campaign_id=self.campaign_id), check=self._is_taken)

    def _is_taken(self, found: Campaign) -> Evidence:
        # What is not in its details was not read, so that nothing is known of it.
        if self.when != "now":
            return self.is_of(found)
        if found.campaign_state is None:
            return Evidence.UNKNOWN
        if found.campaign_state == "Scheduled":
            return Evidence.NO
        evidence = self.is_of(found)
        return Evidence.yes_if(_began_by_a_call(found)) if evidence is Evidence.YES else evidence


@routee.operation(
    "DELETE",
    "/sms/{campaign_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the scheduled campaign [{before.campaign_name:text}|{campaign_id}]",
    toolset="campaigns",
    docs="delete-a-scheduled-campaign",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    synonyms=("cancel", "stop", "call off", "remove"),
)
class DeleteCampaign(Operation[Done]):
    """Delete a campaign that is still scheduled."""

    campaign_id: Id
    """`tracking_id` from routee_send_campaign."""

    def before(self) -> "GetCampaign":
        return GetCampaign(campaign_id=self.campaign_id)

    def preconditions(self) -> tuple[Precondition[Campaign], ...]:
        return (Precondition(self.before(), _why_fixed),)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Campaign):
            return UNREAD
        return put_back(SendCampaign, lost=f"It gets another id. Not shown before: {NOT_SHOWN}.", **before.plan())

    def verification(self, sent_at: datetime) -> Verification[Campaign]:
        return verify_removal(GetCampaign(campaign_id=self.campaign_id))


@routee.operation(
    "GET",
    "/campaigns/{campaign_id}",
    effect=Effect.READ,
    toolset="campaigns",
    docs="retrieve-details-for-a-campaign",
    basis=PAGES,
    confirmed_by=("tracking_id",),
    synonyms=("status", "progress", "details", "spent"),
)
class GetCampaign(Operation[Campaign]):
    """Show a campaign's state, message counts and cost; no call lists all campaigns."""

    campaign_id: Id
    """`tracking_id` from routee_send_campaign."""


@routee.operation(
    "POST",
    "/sms/analyze/campaign",
    effect=Effect.READ,
    toolset="campaigns",
    docs="analyze-bulk-messages",
    basis=PAGES_BUT_REQUEST,
    synonyms=("dry run", "how many", "recipients", "check", "preview", "estimate"),
)
class AnalyzeCampaign(Recipients, Operation[Audience]):
    """Count recipients by country and group, and parts, without sending; it shows no price."""

    sender: Sender = Field(serialization_alias="from")
    """Sender, as in routee_send_campaign."""

    text: Annotated[str, Field(min_length=1)] = Field(serialization_alias="body")
    """What it would say."""


def _why_fixed(found: Campaign) -> str:
    """Say why a campaign can be neither changed nor deleted: Routee refuses both unless it is scheduled (400009002)."""
    if found.campaign_state in (None, "Scheduled"):
        return ""
    return f"the campaign is {found.campaign_state}, and Routee changes and deletes scheduled campaigns only"


def _again(campaign_id: str, before: Campaign) -> dict[str, Any]:
    return {"campaign_id": campaign_id, **before.plan()}


def _began_by_a_call(found: Campaign) -> bool:
    """Return True for a campaign that began without a date or was over before its date: a call began it."""
    if found.scheduled_date is None:
        return True
    return found.ended_at is not None and found.ended_at < found.scheduled_date
