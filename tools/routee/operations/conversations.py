"""Routee voice conversations: call somebody and follow a dialplan; see what came of it."""

from typing import Any, Final, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import AnsweredTime
from clients.operation import Answer, Operation, Undo, UnresolvableRecipients, wire_fields
from tools.routee.calls import CalledParty, Callee, Calls, Recording, Verb, called_numbers, callee
from tools.routee.client import CONVERSATIONS, routee
from tools.routee.field_types import AnsweredSender, Callback, HttpsUrl, Id, Sender, callback, without_none
from tools.routee.grades import PAGES
from tools.routee.paging import Paged

NO_UNCALL: Final = "A call cannot be unmade; routee_end_call hangs it up."


class MachineDetection(Answer):
    """What happens when a machine answers."""

    strategy: str | None = None
    event_url: str | None = None


class Conversation(Answer):
    """A conversation. Its price shows in routee_list_conversation_calls."""

    tracking_id: str | None = None
    direction: str | None = None
    sender: AnsweredSender | None = Field(default=None, alias="from")
    to: CalledParty | None = None
    created_at: AnsweredTime | None = None
    dial_plan_url: str | None = None
    dial_plan: object = Field(default=None, validation_alias=AliasChoices("dialPlan", "dialPlans"))
    """Newer pages use the singular, samples the plural."""

    callback: Callback | None = None
    hangup_delay: int | None = None
    max_duration: int | None = None
    machine_detection: MachineDetection | None = None
    recordings: list[Recording] = []


@routee.operation(
    "POST",
    "/voice/conversation",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Call {to}",
    toolset="voice",
    docs="perform-a-voice-conversation",
    basis=PAGES,
    confirmed_by=("tracking_id",),
    unverifiable="it is shown only by the id that its answer brings",
    limit=CONVERSATIONS,
    synonyms=("call", "dial", "phone", "ring", "text to speech", "ivr"),
)
class StartConversation(Operation[Conversation]):
    """Call somebody and follow a dialplan; billed by the second once answered. One a second."""

    to: Callee
    """Number, or SIP address."""

    sender: Sender = Field(serialization_alias="from")
    """Caller id: a number from routee_list_numbers."""

    verbs: list[Verb] | None = Field(default=None, min_length=1)
    """Once answered: SAY (text, language), PLAY (file_url), COLLECT (event_url), one billed DIAL (sender, to)."""

    dial_plan_url: HttpsUrl | None = None
    """Where Routee fetches the dialplan instead."""

    hangup_delay: int | None = Field(default=None, ge=1, le=60)
    """Seconds to wait for an answer."""

    max_duration: int | None = Field(default=None, ge=1)
    """Longest seconds."""

    on_machine: Literal["Hangup", "Continue"] | None = None
    """What to do if a machine answers."""

    machine_url: HttpsUrl | None = None
    """Continue: where Routee fetches the dialplan for machines."""

    callback_url: HttpsUrl | None = None
    """Where Routee posts the call's status."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    @model_validator(mode="after")
    def _follows_one_dialplan(self) -> Self:
        """Give either verbs, with at most one DIAL, or dial_plan_url; machine_url goes with on_machine Continue."""
        if (self.verbs is None) == (self.dial_plan_url is None):
            raise ValueError("give either verbs or dial_plan_url")
        if sum(verb.type == "DIAL" for verb in self.verbs or ()) > 1:
            raise ValueError("verbs: at most one DIAL")
        if (self.on_machine == "Continue") != (self.machine_url is not None):
            raise ValueError("machine_url goes with on_machine=Continue")
        return self

    def charge(self) -> Charge:
        return Charge(item="call", rate="call")

    def destinations(self) -> tuple[str, ...]:
        return (*called_numbers(self.to), *(verb.to for verb in self.verbs or () if verb.to is not None))

    def members(self) -> tuple[UnresolvableRecipients, ...]:
        fetched = self.dial_plan_url or self.machine_url or any(verb.event_url for verb in self.verbs or ())
        return (
            (UnresolvableRecipients("a dialplan that Routee fetches during the call may dial any number"),)
            if fetched
            else ()
        )

    def warnings(self) -> tuple[str, ...]:
        notes = ["Charged by the second from the answer on; unanswered calls are free."]
        if any(verb.type == "DIAL" for verb in self.verbs or ()):
            notes.append("DIAL opens a second call, which is charged too (inferred).")
        if any(character.isalpha() for character in self.sender):
            notes.append("Not all networks carry a name as caller id, Greek ones do not.")
        return tuple(notes)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost=NO_UNCALL)

    def to_wire(self) -> dict[str, Any]:
        extras = frozenset({"verbs", "on_machine", "machine_url", "callback_url", "callback_final_only"})
        return wire_fields(self, exclude=extras) | without_none(
            to=callee(self.to),
            dialPlan={"verbs": [verb.to_wire() for verb in self.verbs]} if self.verbs else None,
            machineDetection=without_none(strategy=self.on_machine, eventUrl=self.machine_url) or None,
            callback=callback(self.callback_url, final_only=self.callback_final_only),
        )


@routee.operation(
    "GET",
    "/voice/conversation/{conversation_id}",
    effect=Effect.READ,
    toolset="voice",
    docs="retrieve-conversation-tracking",
    basis=PAGES,
    confirmed_by=("tracking_id",),
    synonyms=("show", "recordings", "details"),
)
class GetConversation(Operation[Conversation]):
    """Show a conversation and its recordings."""

    conversation_id: Id
    """`tracking_id` from routee_start_conversation."""


@routee.operation(
    "GET",
    "/voice/tracking/conversation/{conversation_id}",
    effect=Effect.READ,
    toolset="voice",
    docs="retrieve-conversation-dial-tracking",
    basis=PAGES,
    synonyms=("legs", "status", "answered", "cost", "keys pressed", "dials"),
)
class ListConversationCalls(Paged[Calls]):
    """List a conversation's calls with status, duration, price and keys pressed."""

    conversation_id: Id
    """`tracking_id` from routee_start_conversation."""
