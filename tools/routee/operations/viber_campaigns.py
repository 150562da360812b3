"""Routee Viber campaigns: one message to many, now or at a time."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import E164, AnsweredTime, LooseText
from clients.operation import Answer, Done, Members, Operation, Undo, wire_fields
from clients.shared.inbound_texts import InboundText
from tools.routee.client import routee
from tools.routee.field_types import (
    Amount,
    Audience,
    CampaignName,
    GroupName,
    Id,
    When,
    scheduled,
    timing_warnings,
    without_none,
)
from tools.routee.grades import ANSWER_INFERRED, SEEN
from tools.routee.operations.viber import CONTENT, ViberContent, ViberMessage, viber_received
from tools.routee.paging import ByStatus, Page, Paged
from tools.routee.personal_texts import label_warnings
from tools.routee.recipients import members_of


class ViberCampaign(Answer):
    """A Viber campaign. Its cost is what was spent so far (inferred)."""

    tracking_id: str | None = None
    campaign_state: str | None = Field(default=None, alias="state")
    type: str | None = None
    campaign_name: str | None = None
    created_at: AnsweredTime | None = None
    scheduled_date: AnsweredTime | None = None
    sender_name: str | None = Field(default=None, alias="senderInfoName")
    to: list[LooseText] = []
    contacts: list[str] = []
    groups: list[str] = []
    cost_so_far: Amount | None = Field(default=None, alias="cost")
    total_messages: int | None = None
    audience: Audience | None = Field(default=None, alias="viberAnalysis")


@routee.operation(
    "POST",
    "/viber/campaign",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Send a Viber message to {people}[, at {when:time}]",
    toolset="viber",
    docs="send-a-viber-campaign",
    basis=SEEN,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    synonyms=("bulk", "broadcast", "newsletter", "many"),
)
class SendViberCampaign(ViberContent, Operation[ViberCampaign]):
    """Send a Viber message to many, now or at a time; billed by recipient."""

    when: When
    """`now`, or a time with zone."""

    to: list[E164] | None = Field(default=None, min_length=1, max_length=1000)
    """Numbers."""

    contacts: list[Id] | None = Field(default=None, min_length=1, max_length=1000)
    """Contact ids, from routee_list_contacts."""

    groups: list[GroupName] | None = Field(default=None, min_length=1, max_length=1000)
    """Group names, from routee_list_groups."""

    campaign_name: CampaignName | None = None
    """Unique name."""

    fallback_values: dict[str, str] | None = None
    """What to put in for labels that a contact lacks."""

    @model_validator(mode="after")
    def _goes_to_somebody(self) -> Self:
        """Give at least one of to, contacts and groups."""
        if not (self.to or self.contacts or self.groups):
            raise ValueError("give at least one of to, contacts and groups")
        return self

    def charge(self) -> Charge:
        return Charge(item="Viber campaign", rate="viber campaign")

    def destinations(self) -> tuple[str, ...]:
        return tuple(self.to or ())

    def members(self) -> tuple[Members[Any], ...]:
        return members_of(self.contacts, self.groups, "Viber")

    def scheduled_at(self) -> tuple[datetime, ...]:
        return () if self.when == "now" else (self.when,)

    def warnings(self) -> tuple[str, ...]:
        timing = timing_warnings(self.when, "It is sent at once and cannot be recalled.")
        return (*timing, *label_warnings(self.text or ""))

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == "now" or not isinstance(answer, ViberCampaign) or answer.tracking_id is None:
            return Undo(verdict="none", lost="A campaign that began cannot be recalled.")
        return Undo(verdict="full", operation=DeleteViberCampaign(campaign_id=answer.tracking_id))

    def to_wire(self) -> dict[str, Any]:
        body = self.content() | without_none(fallbackValues=self.fallback_values)
        return wire_fields(self, exclude=CONTENT) | without_none(
            body=body, ttl=self.ttl_seconds, scheduledDate=scheduled(self.when)
        )


@routee.operation(
    "DELETE",
    "/viber/campaign/{campaign_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the scheduled Viber campaign {campaign_id}",
    toolset="viber",
    docs="delete-a-scheduled-viber-campaign",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    unverifiable="no call shows a Viber campaign that is scheduled",
    synonyms=("cancel", "stop", "call off"),
)
class DeleteViberCampaign(Operation[Done]):
    """Delete a Viber campaign that is still scheduled; no call shows what it was."""

    campaign_id: Id
    """`tracking_id` from routee_send_viber_campaign."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="No call shows a Viber campaign, so it cannot be made again from here.")


class ViberMessages(Page):
    """Viber messages."""

    messages: list[ViberMessage] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/viber/tracking/campaign/{campaign_id}",
    effect=Effect.READ,
    toolset="viber",
    docs="retrieve-viber-tracking-by-campaign",
    basis=SEEN,
    synonyms=("delivered", "seen", "status", "recipients"),
)
class ListViberCampaignMessages(ByStatus, Paged[ViberMessages]):
    """List the messages of a Viber campaign with status and price."""

    campaign_id: Id
    """`tracking_id` from routee_send_viber_campaign."""

    def narrow(self, answer: ViberMessages) -> ViberMessages:
        return answer.model_copy(update={"messages": [row for row in answer.messages if self._is_wanted(row.status)]})

    def inbound_texts(self, answer: ViberMessages) -> tuple[InboundText, ...]:
        return viber_received(answer.messages)
