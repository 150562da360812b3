"""Convirza SMS broadcasts: one text to many people. The documents show methods only: paths and names are inferred."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, PlainSerializer

from clients.effects import Charge, Effect
from clients.errors import InvalidRequest
from clients.evidence import Evidence
from clients.operation import (
    Answer,
    ChangesSomething,
    Members,
    Operation,
    Undo,
    UnresolvableRecipients,
    Verification,
    put_back,
    verify_removal,
)
from clients.segments import FitsTextMessage, Visible, segments
from tools.convirza.broadcast_models import NOW, Broadcast, as_when, is_changed, is_set, require_when
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import E164, FurtherFields, Id, Number, Word, body, numbers_in
from tools.convirza.grades import ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.updates import (
    STATE_UNREAD,
    describe_full_update,
    fields_of,
    is_new,
    restore_settings,
)

SENT_AT_ONCE: Final = "Sent at once: it cannot be recalled. We infer that leaving out the time sends at once."


When = Annotated[str, AfterValidator(require_when), PlainSerializer(as_when)]
"""UTC in the record and on the wire; the call itself keeps the offset, which a question checks."""


def _each_once(numbers: list[str]) -> list[str]:
    if len(set(numbers)) != len(numbers):
        raise ValueError("a number is given twice and would be texted twice")
    return numbers


Text = Annotated[Word, Visible, FitsTextMessage]

Everybody = Annotated[list[E164], Field(min_length=1), AfterValidator(_each_once)]

SETTABLE: Final = frozenset({"name", "message", "from_number", "recipients", "org_unit_id"})
NOT_SETTABLE: Final = frozenset(Broadcast.model_fields) - SETTABLE


class Broadcasts(Listing):
    """Broadcasts."""

    rows_name: ClassVar[str] = "broadcasts"
    broadcasts: list[Broadcast] = []


class BroadcastChange(Answer):
    """The broadcast, and whether it was sent."""

    broadcast_id: int | None = None
    status: str | None = None


@convirza.operation(
    "GET",
    "/v3/broadcast",
    effect=Effect.READ,
    toolset="messaging",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="broadcasts",
    synonyms=("bulk sms", "text blasts", "campaigns", "mass texts"),
)
class ListBroadcasts(PagedOperation[Broadcasts]):
    """List SMS broadcasts, sent and scheduled."""


@convirza.operation(
    "GET",
    "/v3/broadcast/{broadcast_id}",
    effect=Effect.READ,
    toolset="messaging",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("show", "bulk sms", "text blast", "delivered"),
)
class GetBroadcast(Operation[Broadcast]):
    """Show one SMS broadcast."""

    broadcast_id: Id
    """Broadcast, from convirza_list_broadcasts."""


def _charge(recipients: list[str] | None, message: str | None) -> Charge:
    why = "Convirza publishes no price for messages."
    if recipients is None or message is None:
        return Charge(item="SMS segment", quantity=len(recipients or [""]), unknown=f"{why} Each recipient is billed.")
    each = segments(message).count
    total = each * len(recipients)
    return Charge(
        item="SMS segment",
        quantity=total,
        unknown=f"{why} {len(recipients)} recipients of {each} segments each make {total} (estimated).",
    )


def _scheduled(when: str) -> dict[str, Any]:
    """Return the time on the wire.

    Raises:
        InvalidRequest: It has passed, so that Convirza would send at once.
    """
    if when == NOW:
        return {}
    if _is_past(when):
        raise InvalidRequest(f"when: {when} has passed, so it would be sent at once; nothing was sent.", status=0)
    return {"scheduled_at": as_when(when)}


def _is_past(when: str) -> bool:
    return when != NOW and datetime.fromisoformat(when) <= datetime.now(UTC)


def _timing(when: str) -> tuple[str, ...]:
    if when == NOW:
        return (SENT_AT_ONCE,)
    return (f"{when} has passed: the call will be refused.",) if _is_past(when) else ()


def _leaves_at(when: str) -> tuple[datetime, ...]:
    return () if when == NOW else (datetime.fromisoformat(when),)


def _further_recipients(call: FurtherFields) -> tuple[UnresolvableRecipients, ...]:
    """No page shows the body, so a further field may name a list of people."""
    named = ", ".join(sorted(call.extra_fields or ()))
    return (UnresolvableRecipients(f"`{named}` in extra_fields may name further recipients"),) if named else ()


def _recipients_of(found: Broadcast) -> tuple[str | None, ...]:
    return tuple(found.recipients) if found.recipients else (None,)


class _WholeBroadcast(FurtherFields):
    name: Annotated[Word, Field(serialization_alias="broadcast_name")]
    """Name."""

    message: Text
    """Text."""

    from_number: Annotated[Number, Field(serialization_alias="phone_number")]
    """Tracking number of a route with SMS, from convirza_list_provisioned_numbers."""

    recipients: Everybody
    """Who gets it, each once."""

    when: Annotated[When, Field(serialization_alias="scheduled_at")]
    """`now` sends at once; else the time with its zone."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    def charge(self) -> Charge:
        return _charge(self.recipients, self.message)

    def destinations(self) -> tuple[str, ...]:
        return (*self.recipients, *numbers_in(self.extra_fields))

    def members(self) -> tuple[UnresolvableRecipients, ...]:
        return _further_recipients(self)

    def scheduled_at(self) -> tuple[datetime, ...]:
        return _leaves_at(self.when)

    def warnings(self) -> tuple[str, ...]:
        return _timing(self.when)

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"broadcast_id", "when"})) | _scheduled(self.when)


@convirza.operation(
    "POST",
    "/v3/broadcast",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Text {people}[, {message:parts}][, at {when:time}]",
    toolset="messaging",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    synonyms=("bulk sms", "text blast", "send", "mass text", "notify"),
)
class CreateBroadcast(_WholeBroadcast, Operation[BroadcastChange]):
    """Text many people, now or at a time; each recipient and segment is billed."""

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == NOW:
            return Undo(verdict="none", lost="The messages have been sent.")
        lost = "Only until it is sent."
        return put_back(DeleteBroadcast, lost=lost, broadcast_id=getattr(answer, "broadcast_id", None))

    def verification(self, sent_at: datetime) -> Verification[Broadcasts]:
        wanted = fields_of(self, "when")
        return Verification(
            read=ListBroadcasts(limit=200),
            check=lambda found: Evidence.yes_if(
                any(is_set(row, wanted) is Evidence.YES and is_new(row.created, sent_at) for row in found.broadcasts)
            ),
        )


@convirza.operation(
    "PUT",
    "/v3/broadcast/{broadcast_id}",
    effect=Effect.PAID | Effect.DESTRUCTIVE | Effect.OUTWARD,
    subject="Replace broadcast {broadcast_id}: text {people}[, {message:parts}][, at {when:time}]",
    toolset="messaging",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    synonyms=("put", "full update", "overwrite", "bulk sms"),
)
class ReplaceBroadcast(_WholeBroadcast, Operation[BroadcastChange]):
    """Replace a scheduled broadcast, RESETTING what is left out; use convirza_update_broadcast instead."""

    broadcast_id: Id
    """Broadcast, from convirza_list_broadcasts."""

    def before(self) -> GetBroadcast:
        return GetBroadcast(broadcast_id=self.broadcast_id)

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Broadcast):
            return (STATE_UNREAD,)
        wanted = fields_of(self, "broadcast_id", "when")
        return (*_rescheduled(before, self.when), *describe_full_update(before, wanted, kept=NOT_SETTABLE))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Broadcast) or before.when is None or self.when == NOW:
            return Undo(verdict="none", lost="What was sent cannot be recalled.")
        settings = fields_of(before, *NOT_SETTABLE)
        lost = "Only until it is sent."
        return put_back(ReplaceBroadcast, lost=lost, broadcast_id=self.broadcast_id, when=before.when, **settings)

    def verification(self, sent_at: datetime) -> Verification[Broadcast]:
        wanted = fields_of(self, *_OWN)
        return Verification(read=self.before(), check=lambda found: is_changed(found, self.when, wanted, sent_at))


@convirza.operation(
    "PATCH",
    "/v3/broadcast/{broadcast_id}",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Change {settings} of the broadcast [{before.name:text}|{broadcast_id}] to {people}",
    toolset="messaging",
    docs="partial-update-broadcast-31106423e0",
    basis=ONLY_METHOD,
    synonyms=("patch", "reschedule", "postpone", "edit text", "bulk sms"),
)
class UpdateBroadcast(FurtherFields, ChangesSomething, Operation[BroadcastChange]):
    """Change a scheduled broadcast; what is left out stays."""

    broadcast_id: Id
    """Broadcast, from convirza_list_broadcasts."""

    name: Annotated[Word | None, Field(serialization_alias="broadcast_name")] = None
    """Name."""

    message: Text | None = None
    """Text."""

    from_number: Annotated[Number | None, Field(serialization_alias="phone_number")] = None
    """Tracking number, from convirza_list_provisioned_numbers."""

    recipients: Everybody | None = None
    """Who gets it, each once, in place of all before."""

    when: Annotated[When | None, Field(serialization_alias="scheduled_at")] = None
    """`now` sends at once; else the time with its zone."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    def before(self) -> GetBroadcast:
        return GetBroadcast(broadcast_id=self.broadcast_id)

    def charge(self) -> Charge:
        recipients = list(self.recipients) if self.recipients else None
        return _charge(recipients, self.message)

    def destinations(self) -> tuple[str, ...]:
        return (*(self.recipients or []), *numbers_in(self.extra_fields))

    def members(self) -> tuple[Members[Broadcast] | UnresolvableRecipients, ...]:
        """Whoever keeps its recipients sends to those it has."""
        kept = () if self.recipients else (Members(read=self.before(), numbers=_recipients_of, fixed_at="call"),)
        return (*kept, *_further_recipients(self))

    def scheduled_at(self) -> tuple[datetime, ...]:
        return _leaves_at(self.when) if self.when else ()

    def warnings(self) -> tuple[str, ...]:
        return _timing(self.when) if self.when else ()

    def changes(self, before: Any) -> tuple[str, ...]:
        return _rescheduled(before, self.when) if isinstance(before, Broadcast) else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        if self.when == NOW or not isinstance(before, Broadcast) or before.when is None:
            return Undo(verdict="none", lost="What was sent cannot be recalled.")
        ids = {"broadcast_id": self.broadcast_id} | ({"when": before.when} if self.when else {})
        lost = "Only until it is sent."
        wanted = fields_of(self, *_OWN)
        if not wanted:
            return put_back(UpdateBroadcast, lost=lost, **ids)
        return restore_settings(UpdateBroadcast, before, wanted, lost=lost, **ids)

    def verification(self, sent_at: datetime) -> Verification[Broadcast]:
        wanted = fields_of(self, *_OWN)
        return Verification(read=self.before(), check=lambda found: is_changed(found, self.when, wanted, sent_at))

    def to_wire(self) -> dict[str, Any]:
        wire = body(self, without=frozenset({"broadcast_id", "when"}))
        if self.when is None:
            return wire
        return wire | (_scheduled(self.when) or {"scheduled_at": None})


_OWN: Final = ("broadcast_id", "when")


def _rescheduled(before: Broadcast, when: str | None) -> tuple[str, ...]:
    if when is None or as_when(when) == before.when:
        return ()
    return (f"when: now {before.when or 'already sent'}, then {'at once' if when == NOW else as_when(when)}.",)


@convirza.operation(
    "DELETE",
    "/v3/broadcast/{broadcast_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the broadcast [{before.name:text}|{broadcast_id}]",
    toolset="messaging",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("cancel", "stop", "remove", "bulk sms", "unschedule"),
)
class DeleteBroadcast(Operation[BroadcastChange]):
    """Delete a broadcast; a scheduled one is not sent any more (inferred)."""

    broadcast_id: Id
    """Broadcast, from convirza_list_broadcasts."""

    def before(self) -> GetBroadcast:
        return GetBroadcast(broadcast_id=self.broadcast_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Broadcast) or before.when is None:
            return Undo(verdict="none", lost="No call restores a broadcast that was sent.")
        return put_back(CreateBroadcast, lost="A new id.", when=before.when, **fields_of(before, *NOT_SETTABLE))

    def verification(self, sent_at: datetime) -> Verification[Broadcast]:
        return verify_removal(self.before())
