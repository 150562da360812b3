"""Enswitch numbers of the system: the pool that customers buy from.

Rests on guide 4.4. Left out: alias and shortcut, and stype and region when numbers are made.
"""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.operation import ChangesSomething, Operation, Undo, Verification, verify_removal
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Flag, Id, Number, Text, Whole
from tools.enswitch.groups import Accepted, DryRun
from tools.enswitch.internal_reads import OwnedNumber
from tools.enswitch.operations.phone_numbers import NO_PRICE
from tools.enswitch.updates import restore_settings, same_settings, verify_settings

MOST = 1_000_000


class CreatedNumbers(Accepted):
    """How many numbers were made."""

    count: int | None = None


@enswitch.function(
    "numbers/system/create",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Add {start:number}[ to {end:number}] to the system",
    toolset="numbers",
    confirmed_by=("count",),
    admin_only=True,
    synonyms=("add range", "block", "import dids", "pool", "stock"),
)
class CreateSystemNumbers(DryRun, Operation[CreatedNumbers]):
    """Add a number or a range of up to 1,000,000 to the system; each is deleted singly."""

    start: Number
    """First number."""

    end: Number | None = None
    """Last number; only the first if left out."""

    number_class: Id = Field(serialization_alias="class")
    """Number class, which sets the price."""

    ingroup: Id
    """Inbound group."""

    customer: Whole = 0
    """Customer that gets them; 0 for the pool."""

    charge_customer: Flag = False
    """Charge that customer."""

    @model_validator(mode="after")
    def _range_fits(self) -> Self:
        """Give `end` as many digits as `start`."""
        if self.end and not (self.start.isdigit() and self.end.isdigit() and len(self.start) == len(self.end)):
            raise ValueError("start and end are digits of one length.")
        if not 1 <= self.quantity <= MOST:
            raise ValueError(f"end is not below start, and at most {MOST:,} numbers are made by one call.")
        return self

    @property
    def quantity(self) -> int:
        """How many numbers the range has."""
        return int(self.end) - int(self.start) + 1 if self.end else 1

    def charge(self) -> Charge | None:
        if not (self.customer and self.charge_customer):
            return None
        return Charge(item="number", quantity=self.quantity, per="month", unknown=NO_PRICE)

    def recipient_count(self) -> int:
        return self.quantity

    def warnings(self) -> tuple[str, ...]:
        return (f"This makes {self.quantity:,} numbers.",) if self.quantity > 1 else ()

    def before(self) -> "GetSystemNumber":
        return GetSystemNumber(number=self.start)

    def verification(self, sent_at: datetime) -> "Verification[OwnedNumber] | None":
        # The first number of a range shows that some were made, not how many.
        if self.dry_run:
            return None
        return Verification(read=self.before(), check=self._is_this, if_absent=Evidence.NO, must_be_new=True)

    def _is_this(self, found: OwnedNumber) -> Evidence:
        if self.quantity > 1:
            return Evidence.UNKNOWN
        return same_settings({"number_class": self.number_class, "ingroup": self.ingroup}, found)


@enswitch.function(
    "numbers/system/get",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    admin_only=True,
    synonyms=("show", "owner", "class", "pool"),
)
class GetSystemNumber(Operation[OwnedNumber]):
    """Show the system's settings of one number: customer, class, region."""

    number: Number
    """Number."""


@enswitch.function(
    "numbers/system/update",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change {settings} of the system number {number:number}",
    toolset="numbers",
    admin_only=True,
    synonyms=("move", "assign", "transfer", "reclass"),
)
class UpdateSystemNumber(DryRun, ChangesSomething, Operation[Accepted]):
    """Change the system's settings of a number; another customer gets it without any billing."""

    number: Number
    """Number."""

    customer: Whole | None = None
    """Customer that gets it; 0 for the pool."""

    number_class: Id | None = Field(default=None, serialization_alias="class")
    """Number class, which sets the price."""

    region: Text | None = None
    """Region."""

    def before(self) -> GetSystemNumber:
        return GetSystemNumber(number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "number")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "number")


@enswitch.function(
    "numbers/system/delete",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Delete {number:number} from the system for good",
    toolset="numbers",
    admin_only=True,
    irreversible=True,
    synonyms=("remove", "purge", "drop"),
)
class DeleteSystemNumber(Operation[Accepted]):
    """Delete a number from the system, and from its customer first."""

    number: Number
    """Number."""

    def before(self) -> GetSystemNumber:
        return GetSystemNumber(number=self.number)

    def verification(self, sent_at: datetime) -> Verification[OwnedNumber]:
        return verify_removal(GetSystemNumber(number=self.number))
