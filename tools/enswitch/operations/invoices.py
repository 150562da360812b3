"""Enswitch invoices and taxes.

Rests on guide 4.4. The document of an invoice (`file`) is not fetched. What most settings of a tax mean is inferred
from their names; no page shows a tax or deletes one. Left out of a tax: accounts, cardgroups, products, shared.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from clients.effects import Effect
from clients.fields import LooseText
from clients.operation import Answer, ChangesSomething, Operation, Undo, Verification
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Amount, Currency, Flag, Id, ShownTime, Text, Words, is_given
from tools.enswitch.groups import Accepted, Created, Descending, DryRun, ForCustomer, Listing, Paged, Window
from tools.enswitch.updates import restore_settings, verify_settings

Status = Literal[
    "approved", "cancelled", "due", "overdue", "paid", "payment_refused", "pending", "prepaid", "queued", "superceded"
]


class Invoice(Answer):
    """An invoice. Its columns are inferred."""

    id: int | None = None
    """What tools take; not the invoice's number."""

    number: LooseText | None = None
    customer: int | None = None
    status: str | None = None
    time: ShownTime = None
    total: Decimal | None = None
    currency: str | None = None


class Invoices(Listing):
    """Invoices."""

    invoices: list[Invoice] = []


@enswitch.function(
    "invoices/list",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    synonyms=("bills", "unpaid", "owed", "overdue", "receivables"),
)
class ListInvoices(Window, Paged, Descending, Operation[Invoices]):
    """List invoices of a window of time, in Enswitch's order."""

    customer: str | None = Field(default=None, pattern=r"^([0-9]+|all|system)$")
    """Customer id, all or system; your own if left out."""

    status: Literal["both", Status] | None = None
    """Only this status; both means approved and queued."""


@enswitch.function(
    "invoices/get",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    synonyms=("bill", "show", "last invoice"),
)
class GetInvoice(Operation[Invoice]):
    """Show an invoice, or a customer's last one."""

    id: Id | None = None
    """From enswitch_list_invoices; or give customer."""

    customer: Id | None = None
    """Customer, for its last one; or give id."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        """Give exactly one of id and customer."""
        if is_given(self, "id", "customer") != 1:
            raise ValueError("give exactly one of id and customer.")
        return self


@enswitch.function(
    "invoices/update",
    effect=Effect.PRIVILEGED,
    subject="Set invoice {id} to {status}",
    toolset="billing",
    synonyms=("mark paid", "cancel", "write off", "void"),
)
class UpdateInvoice(Operation[Accepted]):
    """Change an invoice's status, such as paid or cancelled."""

    id: Id
    """From enswitch_list_invoices."""

    status: Status
    """New status."""

    def before(self) -> GetInvoice:
        return GetInvoice(id=self.id)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "id")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "id")


class SentInvoices(Answer):
    """How many invoices were mailed."""

    count: int | None = None


@enswitch.function(
    "invoices/send",
    effect=Effect.PRIVILEGED | Effect.OUTWARD,
    subject="Mail EVERY invoice of the status {status} to its customer",
    toolset="billing",
    confirmed_by=("count",),
    unverifiable="no documented call shows what was mailed",
    irreversible=True,
    synonyms=("mail", "bill run", "email invoices"),
)
class SendInvoices(Operation[SentInvoices]):
    """Mail EVERY invoice of a status to its customer; there is no way to send one."""

    status: Literal["approved", "queued", "both"]
    """Status of the invoices to send."""

    reseller: Id | None = None
    """Reseller whose customers they are; you if left out."""


EVERY_CUSTOMER: Final = "EVERY existing customer becomes liable."


class TaxSettings(BaseModel):
    """Settings of a tax."""

    rate: Amount | None = None
    """Rate in percent."""

    amount: Amount | None = None
    """Fixed amount."""

    currency: Currency | None = None
    """Its currency."""

    liable: Literal[0, 1, 2] | None = None
    """Who pays unless set otherwise: 0 nobody, 1 new customers, 2 existing ones too."""

    calls: Flag | None = None
    """On calls."""

    charges: Flag | None = None
    """On charges."""

    features: Flag | None = None
    """On features."""

    messages: Flag | None = None
    """On messages."""

    numbers: Flag | None = None
    """On numbers."""

    description: Text | None = None
    """Description."""

    def warnings(self) -> tuple[str, ...]:
        """Return what goes beyond new customers."""
        return (EVERY_CUSTOMER,) if self.liable == 2 else ()


@enswitch.function(
    "taxes/create",
    effect=Effect.PRIVILEGED,
    subject="Create the tax {name:text}",
    toolset="billing",
    confirmed_by=("id",),
    unverifiable="no documented call shows taxes",
    synonyms=("vat", "sales tax", "levy"),
)
class CreateTax(DryRun, TaxSettings, ForCustomer, Operation[Created]):
    """Create a tax. What is left out is on: existing customers are liable, and everything is taxed."""

    name: Words
    """Name."""

    def warnings(self) -> tuple[str, ...]:
        return (EVERY_CUSTOMER,) if self.liable in {None, 2} else ()


@enswitch.function(
    "taxes/update",
    effect=Effect.PRIVILEGED,
    subject="Change {settings} of tax {id}",
    toolset="billing",
    unverifiable="no documented call shows taxes",
    synonyms=("vat", "sales tax", "rate", "levy"),
)
class UpdateTax(DryRun, TaxSettings, ForCustomer, ChangesSomething, Operation[Accepted]):
    """Change a tax; what is left out stays."""

    besides: ClassVar = frozenset({"dry_run", "customer"})

    id: Id
    """Tax."""

    name: Words | None = None
    """Name."""


class TaxLiability(Answer):
    """Whether a tax is paid. The answer's shape is inferred."""

    liable: bool | None = None


class Taxed(BaseModel):
    """What a tax may be paid on."""

    tax: Id
    """Tax."""

    type: Literal["cardgroup", "charge", "customer", "product"]
    """What may be liable."""

    number: Id
    """Its id."""


@enswitch.function(
    "taxes/liable/get",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    synonyms=("taxed", "exempt", "vat", "liable"),
)
class GetTaxLiability(Taxed, Operation[TaxLiability]):
    """Show whether a customer, charge, card group or product is liable to a tax."""


@enswitch.function(
    "taxes/liable/set",
    effect=Effect.PRIVILEGED,
    subject="[liable?Make {type} {number} liable to tax {tax}|Exempt {type} {number} from tax {tax}]",
    toolset="billing",
    synonyms=("taxed", "exempt", "vat", "liable"),
)
class SetTaxLiability(Taxed, Operation[Accepted]):
    """Make a customer, charge, card group or product liable to a tax, or exempt."""

    liable: Flag
    """True to tax it."""

    def before(self) -> GetTaxLiability:
        return GetTaxLiability(tax=self.tax, type=self.type, number=self.number)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "tax", "type", "number")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "tax", "type", "number")
