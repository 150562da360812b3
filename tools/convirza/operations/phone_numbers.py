"""Convirza phone numbers: find, order and release. Paths and names are inferred, mostly from the pages on v2."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence
from clients.fields import AnsweredNumber
from clients.operation import Answer, Operation, Precondition, Undo, Verification, put_back, verify_removal
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Id, Number, body, object_in
from tools.convirza.grades import ONLY_METHOD
from tools.convirza.internal_reads import FindNumber, FindOwnNumber, TrackingNumber, TrackingNumbers
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.updates import is_new

CARRIER: Final = 20002
"""The source of a carrier's number in v2's example of a search."""


@convirza.operation(
    "GET",
    "/v3/phone-numbers/assigned",
    effect=Effect.READ,
    toolset="numbers",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="phone_numbers",
    synonyms=("my numbers", "inventory", "dids", "reserved", "unused", "tracking"),
)
class ListAssignedNumbers(PagedOperation[TrackingNumbers]):
    """List all numbers of the account, used by a route or not."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""


@convirza.operation(
    "GET",
    "/v3/phone-numbers/provisioned",
    effect=Effect.READ,
    toolset="numbers",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="phone_numbers",
    synonyms=("live", "in use", "active", "dids", "tracking"),
)
class ListProvisionedNumbers(PagedOperation[TrackingNumbers]):
    """List the numbers that routes use."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""


class AvailableNumber(Answer):
    """A number to use or to order."""

    phone_number_id: int | None = Field(default=None, alias="number_id")
    """Only where the account has it already."""

    number: AnsweredNumber | None = None
    source: int | None = None


class AvailableNumbers(Listing):
    """Unused numbers of the account, then those of carriers."""

    rows_name: ClassVar[str] = "numbers"
    numbers: list[AvailableNumber] = []


@convirza.operation(
    "GET",
    "/v3/phone-numbers/available",
    effect=Effect.READ,
    toolset="ordering",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="numbers",
    synonyms=("buy", "find", "area code", "local", "did", "available"),
)
class SearchNumbers(PagedOperation[AvailableNumbers]):
    """Find numbers: unused ones of the account, which have an id, and ones to order."""

    starts_with: Annotated[str, Field(pattern=r"^[2-9][0-9]{0,9}$", serialization_alias="area_code")]
    """Area code, or more leading digits."""


class OrderedNumber(Answer):
    """The number as a route takes it."""

    phone_number_id: int | None = None
    phone_number: AnsweredNumber | None = None

    @model_validator(mode="before")
    @classmethod
    def _open(cls, data: object) -> object:
        found = object_in(data)
        return object_in(found.get("number")) or found if found else data


@convirza.operation(
    "POST",
    "/v3/phone-numbers",
    effect=Effect.PAID,
    subject="Order {number}",
    toolset="ordering",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    synonyms=("buy", "purchase", "reserve", "get a tracking number", "did"),
)
class OrderNumber(Operation[OrderedNumber]):
    """Order one number of a carrier for the account."""

    number: Number
    """Number without id, from convirza_search_numbers."""

    source: int = Field(default=CARRIER, ge=1)
    """Its source in that answer."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    def charge(self) -> Charge:
        return Charge(item="number", per="month", unknown="Convirza publishes no prices for numbers.")

    def undo(self, before: Any, answer: Any) -> Undo:
        lost = "What was charged stays charged, and a released number may be lost for good."
        return put_back(ReleaseNumber, lost=lost, phone_number_id=getattr(answer, "phone_number_id", None))

    def before(self) -> FindOwnNumber:
        return FindOwnNumber(phone_number=self.number)

    def preconditions(self) -> tuple[Precondition[TrackingNumber], ...]:
        return (Precondition(self.before(), lambda _: f"{self.number} is a number of this account already"),)

    def verification(self, sent_at: datetime) -> Verification[TrackingNumber]:
        return Verification(
            read=self.before(),
            check=lambda found: Evidence.yes_if(found.ordered is None or is_new(found.ordered, sent_at)),
            if_absent=Evidence.NO,
            must_be_new=True,
        )

    def to_wire(self) -> dict[str, Any]:
        return body(self) | {"number_id": None}


class Released(Answer):
    """Ids of the numbers that were released."""

    released: list[int] = []


@convirza.operation(
    "DELETE",
    # Not documented: where the id goes. In the path a wrong guess is a 404; a query that is ignored would mean all.
    "/v3/phone-numbers/reserved/{phone_number_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Release [{before.phone_number}|the number with id {phone_number_id}] for good",
    toolset="numbers",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    irreversible=True,
    synonyms=("give up", "cancel", "drop", "return", "delete reserved", "did"),
)
class ReleaseNumber(Operation[Released]):
    """Release an unused number; it may be lost for good."""

    phone_number_id: Id
    """Number that no route uses, from convirza_list_assigned_numbers."""

    def before(self) -> FindNumber:
        return FindNumber(phone_number_id=self.phone_number_id)

    def warnings(self) -> tuple[str, ...]:
        return (
            "No document shows how this call names the number; check afterwards that no other reserved number is gone.",
        )

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, TrackingNumber):
            return ("Which number this is could not be read.",)
        used = f", which route {before.route_id} uses" if before.route_id else ""
        return (f"Releases {before.phone_number}{used}.",)

    def verification(self, sent_at: datetime) -> Verification[TrackingNumber]:
        return verify_removal(self.before())
