"""Enswitch charges and transactions: what customers are billed beside calls, and what moved their balances.

Rests on guide 4.4. No page shows one charge or deletes it. Left out: buy and description of a charge, archive and sort
of the list.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, PlainSerializer, SerializationInfo, model_validator

from clients.effects import Charge, Effect, Period
from clients.evidence import Evidence
from clients.fields import WIRE, Moment
from clients.operation import Answer, Operation, Verification
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Amount, Currency, Id, ShownTime, Words, is_given
from tools.enswitch.groups import Accepted, Created, Descending, DryRun, ForCustomer, Listing, Window, with_wire_name


def _period(value: str, info: SerializationInfo) -> str:
    return "" if info.context == WIRE and value == "now" else value


BillingPeriod = Annotated[Literal["once", "monthly", "quarterly", "annually", "now"], PlainSerializer(_period)]
"""On the wire, an empty period bills immediately."""

OF_ONE = "give exactly one of customer and plan."
EVERYONE = "EVERY customer on the rate plan is billed."


@enswitch.function(
    "charges/create",
    effect=Effect.PAID,
    subject="Charge [EVERYBODY on plan {plan}|customer {customer}]: {amount}[ {currency}] {period} for {name:text}",
    toolset="billing",
    basis=COLUMNS_INFERRED,
    unverifiable="unless it comes again, a charge is not listed once it was billed",
    irreversible=True,
    synonyms=("bill", "fee", "subscription", "recurring", "invoice item"),
)
class CreateCharge(DryRun, Operation[Created]):
    """Create a charge for one customer, or for EVERY customer on a rate plan."""

    name: Words
    """Name."""

    customer: Id | None = None
    """From enswitch_list_customers; or give plan."""

    plan: Id | None = None
    """Rate plan whose customers all pay; or give customer."""

    amount: Amount
    """Price of one."""

    number: int = Field(default=1, ge=1)
    """How many."""

    period: BillingPeriod = "once"
    """When it is billed; now bills at once."""

    currency: Currency | None = None
    """Currency, such as USD."""

    start: Moment | None = None
    """First time, with zone."""

    end: Moment | None = None
    """Last time, with zone."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        """Give exactly one of customer and plan."""
        if is_given(self, "customer", "plan") != 1:
            raise ValueError(OF_ONE)
        return self

    def charge(self) -> Charge:
        if self.plan is not None:
            return Charge(item="charge", unknown=f"{EVERYONE} How many there are is not known.")
        per: Period = "month" if self.period == "monthly" else "once"
        if self.currency is None:
            return Charge(item=self.name, quantity=self.number, per=per, rate="amount")
        source = "the amount of this call"
        return Charge(
            item=self.name, quantity=self.number, per=per, each=self.amount, currency=self.currency, source=source
        )

    def verification(self, sent_at: datetime) -> "Verification[ListedCharges] | None":
        # A charge of this name and amount may be an older one; none shows that nothing was made.
        if self.dry_run or self.period in {"once", "now"}:
            return None
        return Verification(read=ListCharges(customer=self.customer, plan=self.plan), check=self._may_be_listed)

    def _may_be_listed(self, found: "ListedCharges") -> Evidence:
        return Evidence.no_if(all(row.name not in {None, self.name} for row in found.charges))

    def warnings(self) -> tuple[str, ...]:
        everyone = (EVERYONE,) if self.plan is not None else ()
        again = (f"It is billed again {self.period}.",) if self.period in {"quarterly", "annually"} else ()
        return everyone + again


@enswitch.function(
    "charges/charge",
    effect=Effect.PAID,
    subject="Bill charge {id} now",
    toolset="billing",
    unverifiable="a charge that was billed at its own time looks the same",
    irreversible=True,
    synonyms=("bill now", "apply", "debit", "collect"),
)
class BillCharge(Operation[Accepted]):
    """Bill a charge now, in proportion if it is periodic; one of a plan bills EVERY customer on it."""

    id: Id
    """From enswitch_list_charges."""

    def charge(self) -> Charge:
        return Charge(item="charge", unknown="No documented call shows one charge; enswitch_list_charges lists them.")

    def warnings(self) -> tuple[str, ...]:
        return ("If it is a charge of a rate plan, every customer on the plan is billed.",)


class ListedCharge(Answer):
    """A charge. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    name: str | None = None
    customer: int | None = None
    plan: int | None = None
    amount: Decimal | None = None
    currency: str | None = None
    number: int | None = None
    period: str | None = None
    description: str | None = None
    starts: ShownTime = Field(default=None, alias="start")
    ends: ShownTime = Field(default=None, alias="end")


class ListedCharges(Listing):
    """Charges."""

    charges: list[ListedCharge] = []


@enswitch.function(
    "charges/list",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    rows="charges",
    synonyms=("fees", "subscriptions", "recurring", "what is billed"),
)
class ListCharges(Operation[ListedCharges]):
    """List the charges of a customer or a rate plan."""

    customer: Id | None = None
    """From enswitch_list_customers; or give plan."""

    plan: Id | None = None
    """From enswitch_list_plans; or give customer."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        """Give exactly one of customer and plan."""
        if is_given(self, "customer", "plan") != 1:
            raise ValueError(OF_ONE)
        return self


class Transaction(Answer):
    """One change of a balance. Its columns are inferred."""

    id: int | None = None
    customer: int | None = None
    time: ShownTime = None
    type: str | None = None
    description: str | None = None
    amount: Decimal | None = None
    balance: Decimal | None = None
    """Balance after it."""

    currency: str | None = None
    invoice: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _time_by_name(cls, data: object) -> object:
        return with_wire_name(data, time="timestamp")


class Transactions(Listing):
    """Changes of a balance."""

    transactions: list[Transaction] = []


@enswitch.function(
    "transactions/list",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    rows="transactions",
    synonyms=("ledger", "statement", "balance history", "payments", "debits", "spent"),
)
class ListTransactions(Window, Descending, ForCustomer, Operation[Transactions]):
    """List what changed a customer's balance in a window of time, in Enswitch's order."""

    invoice: Id | None = None
    """Only of this invoice, from enswitch_list_invoices."""
