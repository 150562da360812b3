"""VoiceTel support tickets: reading them, opening them, answering.

Documented. Of VoiceTel's large nested shapes only what a customer reads is kept. Notes and drafts of VoiceTel's staff
are part of the schema; they are left out here, since they are not meant for the customer.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from clients.effects import Effect
from clients.evidence import Evidence, is_since
from clients.fields import AnsweredEmail, AnsweredTime, Email, OutsideText
from clients.operation import Answer, Done, Operation, Undo, Verification, verify_removal
from tools.voicetel.client import voicetel

Status = Literal["active", "pending", "closed", "spam"]

_TAG: Final = re.compile(r"<[^<>]*>")

CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""How much earlier than our own time of sending a ticket or reply may say that it was made."""


class Attachment(Answer):
    """A file that came with a message."""

    file_name: OutsideText | None = None
    url: str | None = Field(default=None, alias="fileUrl")


class TicketMessage(Answer):
    """One message of a ticket, in HTML; `type` is `customer` or `message`, the latter from VoiceTel."""

    id: int | None = None
    type: str | None = None
    body: OutsideText | None = None
    created_at: AnsweredTime | None = None
    created_by: AnsweredEmail | None = Field(default=None, validation_alias=AliasPath("createdBy", "email"))
    attachments: list[Attachment] = Field(default=[], validation_alias=AliasPath("embedded", "attachments"))


def _meant_for_customers(messages: object) -> object:
    """Without notes, which are staff-only, and without drafts, which nobody has sent yet."""
    if not isinstance(messages, list):
        return messages
    return [row for row in cast("list[object]", messages) if not _is_for_staff(row)]


def _is_for_staff(row: object) -> bool:
    if not isinstance(row, Mapping):
        return False
    message = cast("Mapping[str, Any]", row)
    return message.get("type") == "note" or message.get("state") == "draft"


Messages = Annotated[list[TicketMessage], BeforeValidator(_meant_for_customers)]


class Customer(Answer):
    """Who asked."""

    first_name: OutsideText | None = None
    last_name: OutsideText | None = None
    email: AnsweredEmail | None = None


class Ticket(Answer):
    """A support ticket without its messages."""

    id: int | None = None
    number: int | None = None
    """The number that people quote; calls take the `id`."""

    subject: OutsideText | None = None
    status: str | None = None
    state: str | None = None
    """State of the record itself: `published`, `draft`, or `deleted` where VoiceTel still shows one that is gone."""

    preview: OutsideText | None = None
    customer: Customer | None = None
    created_at: AnsweredTime | None = None
    updated_at: AnsweredTime | None = None
    closed_at: AnsweredTime | None = None


class TicketWithMessages(Ticket):
    """A support ticket."""

    messages: Messages = Field(default=[], validation_alias=AliasPath("embedded", "threads"))


class Tickets(Answer):
    """Support tickets. VoiceTel may count more than it lists, and has no way to ask for the rest."""

    total_count: int | None = None
    tickets: list[Ticket] = []


@voicetel.operation(
    "GET",
    "/v2.2/support/tickets",
    effect=Effect.READ,
    toolset="support",
    docs="#ticketsList",
    rows="tickets",
    synonyms=("help desk", "issues", "cases", "complaints"),
)
class ListTickets(Operation[Tickets]):
    """List support tickets with subject, status and preview."""


class TicketAnswer(Answer):
    """One ticket."""

    ticket: TicketWithMessages | None = None


@voicetel.operation(
    "GET",
    "/v2.2/support/tickets/{ticket_id}",
    effect=Effect.READ,
    toolset="support",
    docs="#ticketsGet",
    synonyms=("help desk", "case", "show"),
)
class GetTicket(Operation[TicketAnswer]):
    """Show a support ticket with its messages."""

    ticket_id: int = Field(ge=1)
    """`id` from voicetel_list_tickets."""


class TicketMessages(Answer):
    """The messages of a ticket. Older documents call the list `threads`."""

    messages: Messages = Field(default=[], validation_alias=AliasChoices("messages", "threads"))


@voicetel.operation(
    "GET",
    "/v2.2/support/tickets/{ticket_id}/messages",
    effect=Effect.READ,
    toolset="support",
    docs="#supportTicketMessages",
    rows="messages",
    synonyms=("help desk", "conversation", "threads", "replies", "answers"),
)
class ListTicketMessages(Operation[TicketMessages]):
    """List the messages of a support ticket, in pages."""

    ticket_id: int = Field(ge=1)
    """`id` from voicetel_list_tickets."""


@voicetel.operation(
    "POST",
    "/v2.2/support/tickets",
    effect=Effect.OUTWARD,
    subject="Open the support ticket {subject:text}",
    toolset="support",
    docs="#ticketsCreate",
    synonyms=("help desk", "contact", "ask", "complain", "report a problem", "open"),
)
class CreateTicket(Operation[TicketAnswer]):
    """Open a support ticket, which VoiceTel's staff reads."""

    subject: str = Field(min_length=1)
    """Subject line."""

    message: str = Field(min_length=1)
    """What is wrong or wanted."""

    email: Email | None = None
    """Customer to open it for; administrators only."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="VoiceTel has the ticket; voicetel_set_ticket_status can close it.")

    def verification(self, sent_at: datetime) -> Verification[Tickets]:
        return Verification(read=ListTickets(), check=lambda found: self._may_be_listed(found, sent_at))

    def _may_be_listed(self, found: Tickets, sent_at: datetime) -> Evidence:
        # A ticket of this subject may be an older one, and the list may be cut off.
        same = [ticket for ticket in found.tickets if (ticket.subject or "").strip() == self.subject.strip()]
        if any(is_since(ticket.created_at, sent_at, tolerance=CLOCKS_DIFFER) for ticket in same):
            return Evidence.YES
        is_whole = found.total_count is None or found.total_count <= len(found.tickets)
        return Evidence.no_if(is_whole and not same)


class ReplyAdded(Answer):
    """What VoiceTel says to it."""

    message: str | None = None


@voicetel.operation(
    "POST",
    "/v2.2/support/tickets/{ticket_id}/replies",
    effect=Effect.OUTWARD,
    subject="Reply to support ticket {ticket_id}",
    toolset="support",
    docs="#supportTicketReplyCreate",
    synonyms=("help desk", "answer", "respond", "comment"),
)
class ReplyToTicket(Operation[ReplyAdded]):
    """Add a customer reply to a support ticket, which VoiceTel's staff reads."""

    ticket_id: int = Field(ge=1)
    """`id` from voicetel_list_tickets."""

    message: str = Field(min_length=1)
    """Text of the reply."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A reply that was sent cannot be recalled.")

    def verification(self, sent_at: datetime) -> Verification[TicketMessages]:
        return Verification(
            read=ListTicketMessages(ticket_id=self.ticket_id), check=lambda found: self._is_among(found, sent_at)
        )

    def _is_among(self, found: TicketMessages, sent_at: datetime) -> Evidence:
        # A customer's message of these words and no others shows that it was added; none proves nothing.
        same = (
            row.type == "customer"
            and _has_the_words(row.body or "", self.message)
            and is_since(row.created_at, sent_at, tolerance=CLOCKS_DIFFER)
            for row in found.messages
        )
        return Evidence.yes_if(any(same))


def _has_the_words(body: str, message: str) -> bool:
    """Return True if a body says this, as text or as HTML, which may break its lines elsewhere."""
    wanted = message.split()
    return wanted in (unescape(body).split(), unescape(_TAG.sub(" ", body)).split())


class TicketStatus(Answer):
    """The status a ticket has now."""

    id: int | None = None
    status: str | None = None


@voicetel.operation(
    "PUT",
    "/v2.2/support/tickets/{ticket_id}",
    effect=Effect.OUTWARD,
    subject="Set support ticket {ticket_id} to {status}",
    toolset="support",
    docs="#ticketsPut",
    synonyms=("help desk", "close", "reopen", "resolve"),
)
class SetTicketStatus(Operation[TicketStatus]):
    """Close or reopen a support ticket, or set another status; VoiceTel's staff works by it."""

    ticket_id: int = Field(ge=1)
    """`id` from voicetel_list_tickets."""

    status: Status
    """New status."""

    sets: ClassVar[Mapping[str, str]] = {"status": "ticket.status"}

    def before(self) -> GetTicket:
        return GetTicket(ticket_id=self.ticket_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        ticket = before.ticket if isinstance(before, TicketAnswer) else None
        old = ticket.status if ticket else None
        if old not in {"active", "pending", "closed", "spam"}:
            return Undo(verdict="none", lost="The status before the change was not read.")
        return Undo(
            verdict="partial",
            operation=SetTicketStatus(ticket_id=self.ticket_id, status=cast("Status", old)),
            lost="VoiceTel's staff may have seen the change.",
        )

    def verification(self, sent_at: datetime) -> Verification[TicketAnswer]:
        return Verification(
            read=GetTicket(ticket_id=self.ticket_id),
            check=lambda now: Evidence.of(now.ticket.status == self.status) if now.ticket else Evidence.UNKNOWN,
        )


@voicetel.operation(
    "DELETE",
    "/v2.2/support/tickets/{ticket_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete support ticket {ticket_id} for good",
    toolset="support",
    docs="#ticketsDelete",
    admin_only=True,
    irreversible=True,
    synonyms=("help desk", "remove", "erase"),
)
class DeleteTicket(Operation[Done]):
    """Delete a support ticket with all its messages."""

    ticket_id: int = Field(ge=1)
    """`id` from voicetel_list_tickets."""

    def before(self) -> GetTicket:
        return GetTicket(ticket_id=self.ticket_id)

    def verification(self, sent_at: datetime) -> Verification[TicketAnswer]:
        return replace(verify_removal(GetTicket(ticket_id=self.ticket_id)), check=_is_deleted)


def _is_deleted(found: TicketAnswer) -> Evidence:
    """Tell from a ticket that is still shown whether it was deleted: its record is then in the state `deleted`."""
    return Evidence.of(found.ticket.state == "deleted") if found.ticket else Evidence.UNKNOWN
