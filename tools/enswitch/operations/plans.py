"""Enswitch rate plans: what they are, what numbers cost on them, and which features and groups they include.

Rests on guides 3.14 to 4.4. The page of plans/create was read as far as `inconnect_margin`, whose type is not known: it
and what follows are left out. So are bill_defer, bulk_calls, callerid_in_external, carry_forward_*, conference_calls,
contract, cos_timegroup, dialplan and huntgroup_dests of a plan, and inheritable, parent, reseller and sort of the list.
"""

from decimal import Decimal

from clients.effects import Effect
from clients.operation import Answer, ChangesSomething, Operation
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    Amount,
    BillType,
    Currency,
    Flag,
    Id,
    Limit,
    SpendLimit,
    Text,
    Whole,
    Words,
)
from tools.enswitch.groups import Accepted, Created, DryRun, ForCustomer, Listing, Paged


class Plan(Answer):
    """A rate plan. Columns are named as the parameters of plans/create are (inferred)."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    customer: int | None = None
    currency: str | None = None
    bill_type: str | None = None
    call_maximum: Decimal | None = None
    """Most that a customer may spend on calls a day; -1 without limit."""

    bulk_calls: int | None = None
    external_out: bool | None = None
    included_messages: int | None = None
    included_seconds: int | None = None
    inheritable: bool | None = None
    signup: bool | None = None


class Plans(Listing):
    """Rate plans."""

    plans: list[Plan] = []


@enswitch.function(
    "plans/list",
    effect=Effect.READ,
    toolset="plans",
    basis=COLUMNS_INFERRED,
    synonyms=("tariffs", "price lists", "rates", "packages"),
)
class ListPlans(Paged, ForCustomer, Operation[Plans]):
    """List rate plans; at most one of signup and system."""

    name: Words | None = None
    """Only names that have this."""

    signup: Flag | None = None
    """Only those open for sign-up."""

    system: Flag | None = None
    """The system's."""


@enswitch.function(
    "plans/get", effect=Effect.READ, toolset="plans", basis=COLUMNS_INFERRED, synonyms=("show", "tariff", "details")
)
class GetPlan(Operation[Plan]):
    """Show one rate plan."""

    id: Id
    """From enswitch_list_plans."""


@enswitch.function(
    "plans/create",
    effect=Effect.PRIVILEGED,
    subject="Create the rate plan {name:text}",
    toolset="plans",
    confirmed_by=("id",),
    unverifiable="plans may have one name, so an older one looks the same",
    synonyms=("add", "tariff", "package"),
)
class CreatePlan(ForCustomer, Operation[Created]):
    """Create a rate plan. Not every setting is offered."""

    name: Words
    """Name."""

    description: Text | None = None
    """Description."""

    currency: Currency | None = None
    """Currency, such as USD."""

    bill_type: BillType | None = None
    """How customers pay."""

    auto_topup: Flag | None = None
    """Top up by itself."""

    call_maximum: SpendLimit | None = None
    """Most a customer may spend on calls a day; -1 for no limit."""

    external_out: Flag | None = None
    """Outbound external calls; on if left out."""

    included_messages: Whole | None = None
    """Included messages."""

    included_seconds: Whole | None = None
    """Included seconds."""

    def warnings(self) -> tuple[str, ...]:
        return () if self.call_maximum not in {None, -1} else ("Without call_maximum a day's calls have no limit.",)


@enswitch.function(
    "plans/classes/update",
    effect=Effect.PRIVILEGED,
    subject="Change {settings} of plan class {id}",
    toolset="plans",
    unverifiable="no documented call shows what a plan's number classes cost",
    synonyms=("did price", "number price", "monthly fee", "setup fee"),
)
class UpdatePlanClass(DryRun, ChangesSomething, Operation[Accepted]):
    """Change what numbers of a class cost on a rate plan, for every customer on it."""

    id: Id
    """The plan's number class; no documented call lists them."""

    description: Text | None = None
    """Description."""

    fee: Amount | None = None
    """Price of a period."""

    signup: Amount | None = None
    """Price of the purchase."""


@enswitch.function(
    "plans/features/set",
    effect=Effect.PRIVILEGED,
    subject="Let plan {plan} include {included} and allow {maximum} of the feature {feature}",
    toolset="plans",
    unverifiable="no documented call shows a plan's features",
    guide="4.0",
    synonyms=("limit", "quota", "allowance", "entitlement"),
)
class SetPlanFeature(Operation[Accepted]):
    """Set how many of a feature a rate plan includes and allows, for every customer on it."""

    feature: Words
    """Feature."""

    plan: Id
    """From enswitch_list_plans."""

    included: Whole = 0
    """How many are included in the price."""

    maximum: Limit = -1
    """How many are allowed; 0 forbids, -1 for no limit."""


@enswitch.function(
    "plans/ingroups/delete",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Take inbound group {ingroup} and its prices out of plan {plan} for good",
    toolset="plans",
    unverifiable="no documented call shows a plan's inbound groups",
    irreversible=True,
    synonyms=("remove", "inbound", "did group"),
)
class RemovePlanIngroup(Operation[Accepted]):
    """Take an inbound group and its prices out of a rate plan."""

    ingroup: Id
    """Inbound group."""

    plan: Id
    """From enswitch_list_plans."""


@enswitch.function(
    "plans/outgroups/delete",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Take outbound group {outgroup} and its prices out of plan {plan} for good",
    toolset="plans",
    unverifiable="no documented call shows a plan's outbound groups",
    irreversible=True,
    synonyms=("remove", "outbound", "destinations"),
)
class RemovePlanOutgroup(Operation[Accepted]):
    """Take an outbound group and its prices out of a rate plan."""

    outgroup: Id
    """Outbound group."""

    plan: Id
    """From enswitch_list_plans."""
