"""Enswitch queues, who answers their calls, and callers who wait to be called back.

Rests on guides 4.0 and 4.4. The pages of queues/create and update were read as far as `strategy`: what follows, and the
group `play_*`, are left out, and so are allow_forwards, answer, destinations_same, events, missed_logout, music, panel,
priority, recordgroup and screen. When the destinations a, d, h and n are used was not read. No page shows a queue or
deletes one, and an update resets those destinations and `events_url` if they are not sent, so they are required here.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, model_validator

from clients.effects import Effect
from clients.operation import Answer, Operation, Verification, verify_addition
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    CallerIdText,
    CallerNumber,
    Flag,
    Id,
    Kind,
    ShownTime,
    Target,
    Text,
    Whole,
    Words,
    dialled_numbers,
    is_given,
)
from tools.enswitch.groups import Accepted, Created, DryRun, ForCustomer, Listing
from tools.enswitch.internal_reads import FindQueueDestination, QueueDestination, QueueDestinations
from tools.enswitch.versions import Version
from tools.hosts import require_web_host


def _empty_or_host(value: str) -> str:
    return require_web_host(value) if value else value


EventsUrl = Annotated[Text, AfterValidator(_empty_or_host)]

AnswererKind = Literal["forward", "peer", "phone", "sipuri"]


class QueueSettings(BaseModel):
    """Settings of a queue."""

    description: Text | None = None
    """Description."""

    strategy: Words | None = None
    """How destinations are chosen."""

    ringtime: Whole | None = None
    """Seconds that a destination rings."""

    holdtime: Whole | None = None
    """Longest wait in seconds."""

    maximum_queued: Whole | None = None
    """Most callers waiting."""

    callback: Flag | None = None
    """Offer to call back."""

    callerid: CallerIdText | None = None
    """Caller ID."""

    owner: Whole | None = None
    """From enswitch_list_people; 0 none."""


@enswitch.function(
    "queues/create",
    effect=Effect.REROUTES,
    subject="Create the queue {name:text}",
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call shows a queue",
    synonyms=("call center", "acd", "agents", "hold", "waiting line"),
)
class CreateQueue(QueueSettings, ForCustomer, Operation[Created]):
    """Create a queue, which hangs up on whom it cannot serve until it is updated."""

    name: Words
    """Name."""


@enswitch.function(
    "queues/update",
    effect=Effect.REROUTES,
    subject="Change destinations and settings of queue {id}",
    toolset="telephony",
    unverifiable="no documented call shows a queue",
    synonyms=("call center", "acd", "hold", "overflow", "change queue"),
)
class UpdateQueue(QueueSettings, Operation[Accepted]):
    """Change a queue. Destinations and events_url are reset if not sent, so all are asked for."""

    id: Id
    """Queue."""

    atype: Kind
    """Type of destination a, such as hangup."""

    anumber: Target
    """Destination a; empty for none."""

    dtype: Kind
    """Type of destination d."""

    dnumber: Target
    """Destination d; empty for none."""

    htype: Kind
    """Type of destination h."""

    hnumber: Target
    """Destination h; empty for none."""

    ntype: Kind
    """Type of destination n."""

    nnumber: Target
    """Destination n; empty for none."""

    events_url: EventsUrl
    """Address that events are sent to; empty for none."""

    name: Words | None = None
    """Name."""

    def destinations(self) -> tuple[str, ...]:
        ends = (self.atype, self.anumber), (self.dtype, self.dnumber), (self.htype, self.hnumber)
        return dialled_numbers(*ends, (self.ntype, self.nnumber))

    def warnings(self) -> tuple[str, ...]:
        return ("No documented call shows a queue, so what this replaces is not known.",)


@enswitch.function(
    "queues/destinations/create",
    effect=Effect.REROUTES,
    subject="Let {dtype} {dnumber:number} answer calls of queue {queue}",
    toolset="telephony",
    confirmed_by=("id",),
    synonyms=("agent", "add agent", "add member", "log in to queue"),
)
class CreateQueueDestination(DryRun, Operation[Created]):
    """Let a line, peer or number answer a queue's calls."""

    queue: Id
    """Queue."""

    dtype: AnswererKind
    """What answers."""

    dnumber: Target
    """Its name, id or number."""

    available: Flag = True
    """Calls are sent to it."""

    priority: Annotated[int, Field(ge=1, le=10)] | None = None
    """Order among destinations, 1 to 10; 1 if left out."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))

    def before(self) -> FindQueueDestination:
        kept = {name: getattr(self, name) for name in FindQueueDestination.model_fields}
        return FindQueueDestination.model_validate(kept)

    def verification(self, sent_at: datetime) -> Verification[QueueDestination] | None:
        return None if self.dry_run else verify_addition(self.before())


@enswitch.function(
    "queues/destinations/get",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    synonyms=("agent", "member", "available"),
)
class GetQueueDestination(Operation[QueueDestination]):
    """Show one that answers a queue's calls."""

    id: Id | None = None
    """Queue destination; or give queue, dtype and dnumber."""

    queue: Id | None = None
    """Queue."""

    dtype: AnswererKind | None = None
    """What answers."""

    dnumber: Target | None = None
    """Its name, id or number."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        """Give id, or queue, dtype and dnumber."""
        if is_given(self, "queue", "dtype", "dnumber") != (3 if self.id is None else 0):
            raise ValueError("give id, or queue, dtype and dnumber.")
        return self


@enswitch.function(
    "queues/destinations/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    rows="destinations",
    synonyms=("agents", "members", "who answers"),
)
class ListQueueDestinations(Operation[QueueDestinations]):
    """List who answers a queue's calls, or the queues that one answers."""

    queue: Id | None = None
    """Queue; or give dtype and dnumber."""

    dtype: AnswererKind | None = None
    """What answers."""

    dnumber: Target | None = None
    """Its name, id or number."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        """Give queue, or dtype and dnumber."""
        if is_given(self, "dtype", "dnumber") != (2 if self.queue is None else 0):
            raise ValueError("give queue, or dtype and dnumber.")
        return self


class Callback(Answer):
    """A caller who waits to be called back. Its columns besides the queue's name and the number are inferred."""

    id: int | None = None
    queue: int | None = None
    queue_name: str | None = Field(default=None, alias="queue_name")
    number: CallerNumber | None = Field(default=None, validation_alias=AliasChoices("cnumber1", "number"))
    time: ShownTime = None


class Callbacks(Listing):
    """Callers who wait to be called back."""

    callbacks: list[Callback] = []


@enswitch.function(
    "queues/callbacks/list",
    effect=Effect.READ,
    toolset="telephony",
    basis=COLUMNS_INFERRED,
    rows="callbacks",
    synonyms=("missed", "call me back", "abandoned", "waiting"),
)
class ListQueueCallbacks(ForCustomer, Operation[Callbacks]):
    """List callers who asked a queue to call them back."""

    added_in: ClassVar[Version] = (4, 0)

    queue: Id | None = None
    """Only this queue."""
