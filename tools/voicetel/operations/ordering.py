"""VoiceTel inventory and orders: find numbers and buy them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.evidence import Evidence, all_present
from clients.fields import AnsweredNumber, Dollars, LooseText, UsNumber
from clients.operation import Answer, Operation, Precondition, Undo, Verification, wire_fields
from tools.voicetel.client import voicetel
from tools.voicetel.operations.phone_numbers import GetNumber, ListNumbers, Number, Numbers, ReleaseNumber

RouteId = Annotated[int, Field(ge=1)]

MOST_READ_SINGLY: Final = 3
"""Up to so many numbers of an order are looked up one by one, more of them in the list of all."""


class AvailableNumber(Answer):
    """A number that can be ordered."""

    number: AnsweredNumber | None = None
    city: str | None = None
    province: str | None = None
    rate_center: str | None = None
    lata: LooseText | None = None


class Inventory(Answer):
    """Numbers that can be ordered. VoiceTel keeps a search for ten minutes, so one may be gone when it is ordered."""

    numbers: list[AvailableNumber] = []


@voicetel.operation(
    "GET",
    "/v2.2/inventory",
    effect=Effect.READ,
    toolset="ordering",
    docs="#inventorySearch",
    rows="numbers",
    synonyms=("buy", "new", "available", "area code", "local", "find", "did"),
)
class SearchInventory(Operation[Inventory]):
    """Find telephone numbers that can be ordered; the price of one is `rates.did` in voicetel_get_account."""

    tn_mask: str = Field(pattern=r"^[0-9*]+$")
    """Leading digits without +1, with * for any digits: 201, 201555, 201555*."""

    quantity: int = Field(default=10, ge=1, le=1000)
    """How many to return."""

    province: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """State or province, two letters."""

    rate_center: str | None = None
    """Rate center, as voicetel_count_coverage names it."""

    lata: int | None = None
    """LATA number."""


class CoverageBucket(Answer):
    """How many numbers are free in one place. Which fields are filled depends on what was counted by."""

    count: int | None = None
    loc_state: str | None = None
    city: str | None = None
    rc_abbre: str | None = None
    npa: LooseText | None = None
    nxx: LooseText | None = None
    block: LooseText | None = None
    lata: LooseText | None = None


class Coverage(Answer):
    """Counts of free numbers."""

    coverage: list[CoverageBucket] = []


@voicetel.operation(
    "GET",
    "/v2.2/inventory/coverage",
    effect=Effect.READ,
    toolset="ordering",
    docs="#inventoryCoverage",
    rows="coverage",
    synonyms=("how many", "availability", "where", "rate centers", "stock"),
)
class CountCoverage(Operation[Coverage]):
    """Count the numbers that can be ordered, by state, city, rate center, exchange or block."""

    count_by: Literal["state", "city", "rateCenter", "npanxx", "block"]
    """What to count by."""

    loc_state: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """Only this state or province, two letters."""

    city: str | None = None
    """Only this city."""

    rc_abbre: str | None = None
    """Only this rate center, abbreviated."""

    npa: str | None = Field(default=None, pattern=r"^[2-9][0-9]{2}$")
    """Only this area code."""

    lata: int | None = None
    """Only this LATA."""


class FailedNumber(Answer):
    """A number that was not done, and why."""

    number: AnsweredNumber | None = None
    reason: str | None = None


class Order(Answer):
    """An order. It may have succeeded in part: check `failed`."""

    order_id: LooseText | None = None
    amount_charged: Dollars | None = None
    numbers_ordered: list[AnsweredNumber] = []
    failed: list[FailedNumber] = []


@voicetel.operation(
    "POST",
    "/v2.2/orders",
    effect=Effect.PAID,
    subject="Order {numbers:number}",
    toolset="ordering",
    docs="#orderCreate",
    confirmed_by=("order_id",),
    idempotency_header="Idempotency-Key",
    clean_failures=frozenset({502}),
    synonyms=("buy", "purchase", "get a number", "did", "provision"),
)
class OrderNumbers(Operation[Order]):
    """Order new telephone numbers; the balance is charged at once, one monthly fee per number."""

    numbers: list[UsNumber] = Field(min_length=1, max_length=100)
    """Numbers to buy, from voicetel_search_inventory."""

    route: int | None = Field(default=None, ge=1)
    """Gateway that receives their calls, from voicetel_list_gateways; VoiceTel takes 4 if left out."""

    routes: dict[UsNumber, RouteId] | None = None
    """Gateway by number, for those whose calls go elsewhere than to `route`."""

    @model_validator(mode="after")
    def _no_number_twice(self) -> Self:
        """Give each number once, and routes for these only."""
        if len(set(self.numbers)) < len(self.numbers):
            raise ValueError("numbers: each number stands once, since each is charged")
        if strange := sorted(set(self.routes or ()) - set(self.numbers)):
            raise ValueError(f"routes: {', '.join(strange)} is not among numbers")
        return self

    def charge(self) -> Charge:
        return Charge(item="number", quantity=len(self.numbers), rate="did", per="month")

    def warnings(self) -> tuple[str, ...]:
        return ("An order may succeed in part; numbers that fail are not charged.",)

    def preconditions(self) -> tuple[Precondition[Any], ...]:
        if len(self.numbers) > MOST_READ_SINGLY:
            return (Precondition(ListNumbers(), self._why_owned),)
        return tuple(Precondition(GetNumber(number=number), _why_taken) for number in self.numbers)

    def _why_owned(self, found: Numbers) -> str:
        owned = sorted({row.number for row in found.numbers if row.number} & set(self.numbers))
        return f"{', '.join(owned)} {'is' if len(owned) == 1 else 'are'} on this account already" if owned else ""

    def verification(self, sent_at: datetime) -> Verification[Numbers]:
        return Verification(read=ListNumbers(), check=self._are_owned, if_absent=Evidence.NO)

    def undo(self, before: Any, answer: Any) -> Undo:
        if len(self.numbers) != 1:
            return Undo(verdict="none", lost="Numbers are released one by one; the month's fee is not refunded.")
        return Undo(
            verdict="partial",
            operation=ReleaseNumber(number=self.numbers[0]),
            lost="The month's fee is not refunded, and a released number cannot be bought back.",
        )

    def spent(self, answer: Order) -> Decimal | None:
        return answer.amount_charged

    def to_wire(self) -> dict[str, Any]:
        on_wire: list[str] = wire_fields(self, exclude=frozenset({"routes"}))["numbers"]
        routes = [(self.routes or {}).get(number, self.route) for number in self.numbers]
        return {"numbers": [_line(number, route) for number, route in zip(on_wire, routes, strict=True)]}

    def _are_owned(self, owned: Numbers) -> Evidence:
        return all_present(self.numbers, [row.number for row in owned.numbers])


def _why_taken(found: Number) -> str:
    return f"{found.number or 'the number'} is on this account already"


def _line(number: str, route: int | None) -> str | dict[str, Any]:
    """Return one number of an order in VoiceTel's form: plain, or with its route."""
    return number if route is None else {"number": number, "route": route}
