"""Enswitch numbers of a customer: find, buy, configure and release them.

Rests on guides 3.13, 4.2 and 4.4. The page of numbers/update was read as far as `play_message`: that and what follows
is left out, and its dry run too, which is inferred; so are direct, directory, language, music and panel.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from clients.effects import Charge, Effect
from clients.evidence import Evidence, same_value
from clients.fields import KeptFromModel, Secret
from clients.grades import Grades
from clients.operation import (
    ChangesSomething,
    NumberForward,
    Operation,
    Precondition,
    Undo,
    Verification,
    verify_addition,
)
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    AS_WHOLE,
    CallerIdTarget,
    Flag,
    Id,
    Kind,
    Limit,
    Number,
    ShownNumber,
    Target,
    Text,
    Whole,
    Words,
    dialled_numbers,
    new_pin,
)
from tools.enswitch.groups import Accepted, Destination, DryRun, ForCustomer, Listing, Paged
from tools.enswitch.internal_reads import FindNumber, OwnedNumber, OwnedNumbers
from tools.enswitch.updates import restore_settings, verify_settings
from tools.enswitch.versions import Since

NO_PRICE = "The price is that of the number's class on the customer's rate plan, which no documented call shows."


@enswitch.function(
    "numbers/list",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    synonyms=("dids", "phone numbers", "my numbers", "inventory", "where does it ring"),
)
class ListNumbers(Paged, ForCustomer, Operation[OwnedNumbers]):
    """List a customer's numbers and where their calls go."""


@enswitch.function(
    "numbers/get",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    guide="4.2",
    synonyms=("show", "details", "destination", "where does it ring"),
)
class GetNumber(Operation[OwnedNumber]):
    """Show one number and where its calls go."""

    number: Number
    """From enswitch_list_numbers."""


class AvailableNumbers(Listing):
    """Numbers that nobody has."""

    numbers: list[ShownNumber] = []


@enswitch.function(
    "numbers/available/list",
    effect=Effect.READ,
    toolset="numbers",
    guide="3.13",
    synonyms=("buy", "search", "new", "find", "inventory", "did"),
)
class ListAvailableNumbers(ForCustomer, Operation[AvailableNumbers]):
    """Find numbers that can be bought; prices are not shown."""

    ingroup: Id
    """Inbound group."""

    number_class: Whole | None = Field(default=None, serialization_alias="class")
    """Number class; any if left out."""

    count: Annotated[int, Field(ge=1), AS_WHOLE] = 10
    """How many."""

    preferred: Words | None = None
    """Digits to prefer."""


@enswitch.function(
    "numbers/purchase",
    effect=Effect.PAID,
    subject="Buy {number:number}",
    toolset="numbers",
    synonyms=("buy", "order", "did", "port in", "provision"),
)
class PurchaseNumber(ForCustomer, Operation[Accepted]):
    """Buy a number; may order it from a vendor, or port it in when ingroup is given."""

    number: Number
    """From enswitch_list_available_numbers."""

    ingroup: Annotated[Id | None, Since((3, 14))] = None
    """Inbound group, only to port the number in."""

    def charge(self) -> Charge:
        return Charge(item="number", per="month", unknown=NO_PRICE)

    def before(self) -> FindNumber:
        return FindNumber(number=self.number, customer=self.customer)

    def preconditions(self) -> tuple[Precondition[OwnedNumber], ...]:
        return (Precondition(self.before(), lambda _: f"the customer has {self.number} already"),)

    def verification(self, sent_at: datetime) -> Verification[OwnedNumber]:
        return verify_addition(self.before())

    def undo(self, before: Any, answer: Any) -> Undo:
        lost = "What was charged stays charged, and it may not be possible to buy the number back."
        return Undo(verdict="partial", operation=ReleaseNumber(number=self.number), lost=lost)


@enswitch.function(
    "numbers/delete",
    effect=Effect.DESTRUCTIVE,
    subject="Release {number:number} for good",
    toolset="numbers",
    basis=Grades(path="inferred", request="inferred", answer="inferred"),
    irreversible=True,
    synonyms=("give up", "cancel", "drop", "delete", "return", "port out"),
)
class ReleaseNumber(Operation[Accepted]):
    """Release a number, with billing; named in numbers/system/update only."""

    number: Number
    """From enswitch_list_numbers."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def verification(self, sent_at: datetime) -> Verification[OwnedNumber]:
        """Who sees the pool still sees the number there, as nobody's."""
        return Verification(
            read=self.before(),
            check=lambda found: same_value(found.customer, 0),
            if_absent=Evidence.YES,
            must_be_new=True,
        )


@enswitch.function(
    "numbers/update",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change {settings} of {number:number}",
    toolset="numbers",
    synonyms=("forward", "point", "route", "redirect", "destination", "fax", "pin"),
)
class UpdateNumber(Destination, ChangesSomething, Operation[Accepted]):
    """Change where a number's calls go and its settings. Not every setting is offered."""

    number: Number
    """From enswitch_list_numbers."""

    allow_callerid: Flag | None = None
    """May be used as caller ID."""

    callerid: CallerIdTarget | None = None
    """Caller ID."""

    description: Text | None = None
    """Description."""

    emergency_register: Flag | None = None
    """Register for emergency calls."""

    fax_detect: Flag | None = None
    """Detect faxes."""

    fax_dtype: Kind | None = None
    """Destination type of faxes."""

    fax_dnumber: Target | None = None
    """Destination of faxes."""

    maximum_seconds: Limit | None = None
    """Longest call; -1 for no limit."""

    owner: Whole | None = None
    """From enswitch_list_people; 0 none."""

    password: Annotated[Secret | None, KeptFromModel(generate=new_pin)] = None
    """Set a new PIN, kept for the operator."""

    def before(self) -> GetNumber:
        return GetNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "number")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "number")

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber), (self.fax_dtype, self.fax_dnumber))

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        return tuple(NumberForward(self.number, to) for to in dialled_numbers((self.dtype, self.dnumber)))


@enswitch.function(
    "numbers/times/update",
    effect=Effect.REROUTES,
    subject="Change where calls of {number:number} go in time group {timegroup}[, to {dtype} {dnumber:number}]",
    toolset="numbers",
    unverifiable="the call that shows it is documented without the names of its columns for the destination",
    synonyms=("schedule", "after hours", "night", "holiday", "opening hours", "forward"),
)
class UpdateNumberTimes(DryRun, Destination, ChangesSomething, Operation[Accepted]):
    """Change where a number's calls go while a time group is active; enswitch_list_timegroup_uses shows it."""

    number: Number
    """From enswitch_list_numbers."""

    timegroup: Id
    """From enswitch_list_timegroups."""

    def destinations(self) -> tuple[str, ...]:
        return dialled_numbers((self.dtype, self.dnumber))

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        return tuple(NumberForward(self.number, to) for to in dialled_numbers((self.dtype, self.dnumber)))
