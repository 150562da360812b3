"""Enswitch calls: making, ending and watching them, and their records.

Rests on guides 3.14, 4.0, 4.1, 4.2 and 4.4 and two operators' copies. The pages of calls/active/list and cdrs/list were
read in part: what follows `dtype` and `smatch` is left out, and so are the matching rules (`*_match`), cost_customer,
names, and of calls/make answer, card, cdialplan, recordgroup, screen, wait and warn (a warning is given by default).
"""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import FromOutside, LooseText, Moment, OutsideText
from clients.operation import Answer, ChangesSomething, Operation, Undo
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    CallerId,
    CallerIdTarget,
    CallerNumber,
    Id,
    Kind,
    ShownNumber,
    ShownTime,
    Target,
    Whole,
    Words,
    dialled_numbers,
    is_given,
)
from tools.enswitch.groups import (
    Accepted,
    ForCustomer,
    Listing,
    Paged,
    Window,
    with_wire_name,
)
from tools.enswitch.versions import Version

Direction = Literal["in", "internal", "in_out", "out"]
Meant = Annotated[str, Field(pattern=r"^([0-9]+|all|recursive|system)$")]
ONE_OF = "give exactly one of uniqueid and callid."


@enswitch.function(
    "calls/make",
    effect=Effect.PAID | Effect.OUTWARD,
    subject="Call {snumber:number} and connect it to {cnumber:number}",
    toolset="calls",
    unverifiable="a call that somebody else made looks the same, and one that is over is not shown",
    guide="4.1",
    synonyms=("dial", "ring", "click to call", "phone somebody", "connect"),
)
class MakeCall(ForCustomer, Operation[Accepted]):
    """Call one number, then connect it to another; both legs are billed, and it starts after the answer."""

    snumber: Target
    """First end: telephone line, from enswitch_list_phones, or number."""

    cnumber: Target
    """Second end: number or name."""

    stype: Kind | None = None
    """Type of the first end, such as phone or external."""

    ctype: Kind | None = None
    """Type of the second end, such as external or phone."""

    callerid1: CallerId | None = None
    """Caller ID shown to the first end."""

    callerid2: CallerId | None = None
    """Caller ID shown to the second end."""

    def charge(self) -> Charge:
        why = "Both legs are billed by the minute, and no documented call shows the price of one number."
        return Charge(item="call leg", quantity=2, per="call", unknown=why)

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.stype, self.snumber), (self.ctype, self.cnumber))


@enswitch.function(
    "calls/hangup",
    effect=Effect.DESTRUCTIVE,
    subject="End the call [{uniqueid}|{callid}]",
    toolset="calls",
    unverifiable="that a call has ended does not show what ended it",
    guide="4.2",
    synonyms=("end", "stop", "terminate", "drop", "disconnect"),
)
class HangUpCall(Operation[Accepted]):
    """End a live call; people who are talking are cut off."""

    uniqueid: Words | None = None
    """Call, from enswitch_list_active_calls; or give callid."""

    callid: Words | None = None
    """SIP call ID, without the markers it is shown in; or give uniqueid."""

    @model_validator(mode="after")
    def _one_call(self) -> Self:
        """Give exactly one of uniqueid and callid."""
        if is_given(self, "uniqueid", "callid") != 1:
            raise ValueError(ONE_OF)
        return self

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="A call that has ended must be made again.")


@enswitch.function(
    "calls/update",
    effect=Effect.DESTRUCTIVE,
    subject="Overwrite {settings} of the call [{uniqueid}|{callid}]",
    toolset="calls",
    unverifiable="that a call is elsewhere does not show what sent it there",
    synonyms=("rewrite", "correct", "annotate"),
)
class UpdateCall(ChangesSomething, Operation[Accepted]):
    """Overwrite what is recorded of a live call; the call itself goes on."""

    besides: ClassVar = frozenset({"uniqueid", "callid"})

    uniqueid: Words | None = None
    """Call, from enswitch_list_active_calls; or give callid."""

    callid: Words | None = None
    """SIP call ID, without the markers it is shown in; or give uniqueid."""

    stype: Kind | None = None
    """Source type."""

    snumber: CallerIdTarget | None = None
    """Source."""

    ctype: Kind | None = None
    """Type of what was called."""

    cnumber: Target | None = None
    """What was called."""

    dtype: Kind | None = None
    """Destination type."""

    dnumber: Target | None = None
    """Destination."""

    @model_validator(mode="after")
    def _one_call(self) -> Self:
        """Give exactly one of uniqueid and callid."""
        if is_given(self, "uniqueid", "callid") != 1:
            raise ValueError(ONE_OF)
        return self


class Call(Answer):
    """A call. Columns are named as the parameters are (inferred)."""

    uniqueid: LooseText | None = None
    callid: Annotated[LooseText, FromOutside()] | None = None
    """SIP call ID, which the caller's device made up."""

    customer: int | None = None
    direction: str | None = None
    status: str | None = None
    stype: str | None = None
    snumber: CallerNumber | None = None
    callername: OutsideText | None = None
    """Caller's name as it came in."""

    ctype: str | None = None
    cnumber: CallerNumber | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None
    phone: str | None = None
    started: ShownTime = None
    ended: ShownTime = None
    talktime: int | None = None
    """Seconds talked."""

    cost: Decimal | None = None
    currency: str | None = None
    peer: int | None = None
    invoice: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _times_by_name(cls, data: object) -> object:
        return with_wire_name(data, started="start", ended="end")

    def own_texts(self) -> frozenset[str]:
        return frozenset({"callid", "callername"}) if self.direction == "out" else frozenset()


class Calls(Listing):
    """Calls."""

    calls: list[Call] = []


@enswitch.function(
    "calls/active/list",
    effect=Effect.READ,
    toolset="calls",
    basis=COLUMNS_INFERRED,
    rows="calls",
    synonyms=("live", "ongoing", "who is talking", "current calls", "in progress"),
)
class ListActiveCalls(Operation[Calls]):
    """List ongoing calls."""

    customer: Meant | None = None
    """Customer id, all, recursive or system; your own if left out."""

    direction: Direction | None = None
    """Only this direction."""

    phone: Words | None = None
    """Only this telephone line."""

    snumber: Target | None = None
    """Only this source."""

    cnumber: Target | None = None
    """Only calls to this number or name."""


@enswitch.function(
    "calls/active/list/panel",
    effect=Effect.READ,
    toolset="calls",
    basis=COLUMNS_INFERRED,
    rows="calls",
    synonyms=("live", "operator panel", "switchboard"),
)
class ListPanelCalls(ForCustomer, Operation[Calls]):
    """List ongoing calls in brief, as the panel shows them."""


@enswitch.function(
    "cdrs/list",
    effect=Effect.READ,
    toolset="calls",
    basis=COLUMNS_INFERRED,
    guide="4.0",
    synonyms=("cdr", "call log", "call history", "who called", "detail records"),
)
class ListCallRecords(Window, Paged, Operation[Calls]):
    """List call records of a window of time, one for each leg of a call, in Enswitch's order."""

    customer: Meant | None = None
    """Customer id, all, recursive or system; your own if left out."""

    direction: Direction | None = None
    """Only this direction."""

    status: Words | None = None
    """Only this status."""

    phone: Words | None = None
    """Only this telephone line."""

    talktime_minimum: Whole | None = None
    """Fewest seconds talked."""


class HourTotal(Answer):
    """How many calls an interval had, an hour unless the installation counts otherwise."""

    customer: int | None = None
    starts: ShownTime = Field(default=None, alias="start")
    ends: ShownTime = Field(default=None, alias="end")
    """Its last second."""

    inbound: int | None = None
    outbound: int | None = None
    internal: int | None = None


class HourTotals(Listing):
    """How many calls each interval had."""

    hours: list[HourTotal] = []


@enswitch.function(
    "cdrs/totals/list",
    effect=Effect.READ,
    toolset="calls",
    rows="hours",
    synonyms=("call volume", "statistics", "traffic", "busy hours", "report"),
)
class ListCallTotals(Window, ForCustomer, Operation[HourTotals]):
    """List how many calls each hour wholly within a window had, in Enswitch's order."""

    added_in: ClassVar[Version] = (4, 0)


class TracedCall(Answer):
    """A call in a SIP trace. Its columns besides the call ID are inferred."""

    callid: Annotated[LooseText, FromOutside()] | None = None
    """SIP call ID, which the caller's device made up."""

    snumber: CallerNumber | None = None
    cnumber: CallerNumber | None = None
    started: ShownTime = Field(default=None, alias="start")


class Traces(Listing):
    """The calls in a SIP trace."""

    traces: list[TracedCall] = []


@enswitch.function(
    "traces/calls/list",
    effect=Effect.READ,
    toolset="calls",
    basis=COLUMNS_INFERRED,
    admin_only=True,
    rows="traces",
    synonyms=("sip log", "debug", "packet capture", "troubleshoot"),
)
class ListCallTraces(Operation[Traces]):
    """List the calls in a SIP trace that was taken on one machine."""

    machine: Id
    """Machine."""

    timestamp: Moment
    """Time of the trace, with zone."""
