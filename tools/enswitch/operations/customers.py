"""Enswitch customers: the tree of companies that an installation serves.

Rests on guides 3.14 and 4.4; customers/undelete is named in customers/delete only. The pages of customers/create and
update were read as far as `call_maximum`: what follows, and the groups `affiliate_*` and `bank_*`, are left out, and so
are account, bill_ref, bulk_calls and further lines of the address. No page shows one customer, so no read shows
what a change replaces.
"""

from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from clients.effects import Charge, Effect
from clients.fields import LooseText
from clients.grades import Grades
from clients.operation import Answer, ChangesSomething, Operation, Precondition, Undo, put_back
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Amount, BillType, Csv, Flag, Id, Mail, SpendLimit, Text, Words
from tools.enswitch.groups import Accepted, Created, Listing, Paged
from tools.enswitch.operations.routing import Imported
from tools.enswitch.versions import Version


class Customer(Answer):
    """A customer. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    parent: int | None = None
    name: str | None = None
    account: LooseText | None = None
    description: str | None = None
    email: str | None = None
    plan: int | None = None
    bill_type: str | None = None
    balance: Decimal | None = None
    currency: str | None = None
    call_maximum: Decimal | None = None
    """Most that it may spend on calls a day; -1 without limit, -2 as the plan says."""

    deleted: bool | None = None


class Customers(Listing):
    """Customers."""

    customers: list[Customer] = []


@enswitch.function(
    "customers/list",
    effect=Effect.READ,
    toolset="customers",
    basis=COLUMNS_INFERRED,
    synonyms=("companies", "tenants", "accounts", "resellers", "subaccounts", "balance"),
)
class ListCustomers(Paged, Operation[Customers]):
    """List the customers below you, with plan and balance."""

    name: Words | None = None
    """Only names that have this."""

    parent: Id | None = None
    """Only customers of this one."""

    recursive: Flag | None = None
    """With those further below."""

    deleted: Literal[0, 1, -1] | None = None
    """0 leaves deleted ones out, 1 shows only them, -1 shows all."""


class CustomerSettings(BaseModel):
    """Settings of a customer."""

    address1: Text | None = None
    """Address, first line."""

    address_city: Text | None = None
    """City."""

    address_code: Text | None = None
    """Postal code."""

    address_state: Text | None = None
    """State."""

    auto_topup: Flag | None = None
    """Top up by itself."""

    balance: Amount | None = None
    """Balance to set."""

    bill_type: BillType | None = None
    """How it pays."""

    call_maximum: SpendLimit | None = None
    """Most it may spend on calls a day; -1 for no limit, -2 as the plan."""


@enswitch.function(
    "customers/create",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Create the customer {name:text}[ with a balance of {balance}]",
    toolset="customers",
    basis=COLUMNS_INFERRED,
    unverifiable="customers may have one name, so an older one looks the same",
    synonyms=("add", "tenant", "company", "subaccount", "onboard"),
)
class CreateCustomer(CustomerSettings, Operation[Created]):
    """Create a customer below you; a balance is credit given. Not every setting is offered."""

    name: Words
    """Name."""

    plan: Id
    """From enswitch_list_plans."""

    email: Mail
    """Mail address."""

    def charge(self) -> Charge | None:
        return Charge(item="balance given", rate="balance") if self.balance else None

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeleteCustomer, lost="It stays as a deleted customer.", id=getattr(answer, "id", None))


@enswitch.function(
    "customers/update",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Change {settings} of customer {id}, which no call undoes",
    toolset="customers",
    unverifiable="no documented call shows one customer's settings",
    irreversible=True,
    synonyms=("change", "plan", "credit limit", "address", "tenant"),
)
class UpdateCustomer(CustomerSettings, ChangesSomething, Operation[Accepted]):
    """Change a customer; what is left out stays. Not every setting is offered."""

    id: Id
    """From enswitch_list_customers."""

    name: Words | None = None
    """Name."""

    plan: Id | None = None
    """From enswitch_list_plans."""

    email: Mail | None = None
    """Mail address."""

    def charge(self) -> Charge | None:
        return Charge(item="balance set", rate="balance") if self.balance is not None else None

    def warnings(self) -> tuple[str, ...]:
        if self.balance is None:
            return ()
        return ("What is spent meanwhile is overwritten; enswitch_add_customer_balance adds to a balance safely.",)


@enswitch.function(
    "customers/delete",
    effect=Effect.DESTRUCTIVE,
    subject="Delete customer {id}",
    toolset="customers",
    unverifiable="customers are listed below a parent, which the call does not name",
    synonyms=("remove", "close", "tenant", "suspend"),
)
class DeleteCustomer(Operation[Accepted]):
    """Delete a customer: it can no longer use the system until it is restored or purged."""

    id: Id
    """From enswitch_list_customers."""

    def preconditions(self) -> tuple[Precondition[Customers], ...]:
        return (Precondition(ListCustomers(parent=self.id, limit=1), _why_kept),)

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(RestoreCustomer, id=self.id)


@enswitch.function(
    "customers/undelete",
    effect=Effect.PRIVILEGED,
    subject="Bring customer {id} back",
    toolset="customers",
    basis=Grades(path="inferred", request="inferred", answer="inferred"),
    unverifiable="customers are listed below a parent, which the call does not name",
    synonyms=("undelete", "reopen", "reactivate", "bring back"),
)
class RestoreCustomer(Operation[Accepted]):
    """Bring a deleted customer back; named in customers/delete only."""

    id: Id
    """From enswitch_list_customers with deleted=1."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeleteCustomer, id=self.id)


@enswitch.function(
    "customers/purge",
    effect=Effect.DESTRUCTIVE,
    subject="Erase customer {id} and everything it had, for good",
    toolset="customers",
    unverifiable="customers are listed below a parent, which the call does not name",
    irreversible=True,
    synonyms=("erase", "wipe", "gdpr", "for good"),
)
class PurgeCustomer(Operation[Accepted]):
    """Erase a deleted customer with everything it had, for good."""

    id: Id
    """From enswitch_list_customers with deleted=1."""

    def preconditions(self) -> tuple[Precondition[Customers], ...]:
        # No read shows one customer; below whom it is, this lists those that are not deleted.
        return (Precondition(ListCustomers(recursive=True, limit=500), self._why_not_deleted),)

    def _why_not_deleted(self, found: Customers) -> str:
        is_active = any(customer.id == self.id and customer.deleted is not True for customer in found.customers)
        return "the customer is not deleted, and Enswitch purges deleted customers only" if is_active else ""


@enswitch.function(
    "customers/move",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Move customer {id} under customer {parent} and to plan {plan}",
    toolset="customers",
    unverifiable="customers are listed without their parent",
    admin_only=True,
    irreversible=True,
    synonyms=("transfer", "reparent", "hand over"),
)
class MoveCustomer(Operation[Accepted]):
    """Move a customer under another parent and to another rate plan."""

    id: Id
    """From enswitch_list_customers."""

    parent: Id
    """New parent."""

    plan: Id
    """New rate plan, from enswitch_list_plans."""


@enswitch.function(
    "customers/import",
    effect=Effect.PRIVILEGED,
    subject="Create customers from CSV",
    toolset="customers",
    confirmed_by=("count",),
    unverifiable="what an import did shows in its answer only",
    admin_only=True,
    irreversible=True,
    synonyms=("bulk", "upload", "onboard"),
)
class ImportCustomers(Operation[Imported]):
    """Create customers from CSV; each is deleted singly."""

    added_in: ClassVar[Version] = (4, 0)

    csv: Csv
    """The file's text, with a header line."""


class ExportedCustomer(Answer):
    """A customer of an export."""

    id: int | None = None
    name: str | None = None


class Export(Listing):
    """Which customers an export holds."""

    customers: list[ExportedCustomer] = []


@enswitch.function(
    "customers/export",
    effect=Effect.PRIVILEGED,
    subject="Export customers and their settings for the operator",
    toolset="customers",
    confirmed_by=("customers",),
    unverifiable="an export changes nothing that a read could show",
    guide="3.14",
    admin_only=True,
    synonyms=("backup", "dump", "download"),
)
class ExportCustomers(Operation[Export]):
    """Export customers with their settings for the operator, without voicemail and recordings."""

    added_in: ClassVar[Version] = (3, 14)

    customer: Id | None = None
    """Customer; your own if left out."""

    deleted: Flag | None = None
    """With deleted ones."""

    recursive: Flag | None = None
    """With customers below."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="The exported data has left the system.")


def _why_kept(found: Customers) -> str:
    """Say why a customer cannot be deleted: Enswitch refuses it (400) for one with customers below it."""
    return "the customer has customers below it, and Enswitch deletes none of those" if found.customers else ""
