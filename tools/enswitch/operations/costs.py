"""Enswitch prices of calls and messages: what customers pay by plan, and what peers are paid.

Rests on guides 3.13 and 4.4. incosts/create lists a 200 with the id, its example shows a 204: both are accepted. Left
out: included, least_cost, message_media, priority, start and end, and a peer's caller_type, days, digits and media.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import model_validator

from clients.effects import Effect
from clients.operation import Answer, Operation
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    AnyPrefix,
    Flag,
    Id,
    Whole,
    is_given,
)
from tools.enswitch.groups import (
    Accepted,
    CallPrice,
    Created,
    DryRun,
    ForCustomer,
    Listing,
    Paged,
)
from tools.enswitch.versions import Since

OF_ONE = "give exactly one of peer and plan."


class Cost(Answer):
    """A price. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    plan: int | None = None
    peer: int | None = None
    outgroup_time: int | None = None
    ingroup_time: int | None = None
    callergroup: int | None = None
    connectfee: Decimal | None = None
    cost: Decimal | None = None
    """Price of a minute."""

    message: Decimal | None = None
    """Price of a text message."""

    currency: str | None = None
    increment: int | None = None
    minimum: int | None = None
    included: bool | None = None
    least_cost: bool | None = None
    priority: int | None = None
    description: str | None = None


class Costs(Listing):
    """Prices."""

    costs: list[Cost] = []


@enswitch.function(
    "outcosts/list",
    effect=Effect.READ,
    toolset="routing",
    basis=COLUMNS_INFERRED,
    synonyms=("rates", "price of calls", "outbound prices", "rate deck", "tariff"),
)
class ListOutcosts(Paged, Operation[Costs]):
    """List prices of outbound calls and messages, of a rate plan or a peer."""

    plan: Id | None = None
    """From enswitch_list_plans; or give peer."""

    peer: Id | None = None
    """Peer; or give plan."""

    outgroup: Id | None = None
    """Only this outbound group."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        """Give exactly one of peer and plan."""
        if is_given(self, "plan", "peer") != 1:
            raise ValueError(OF_ONE)
        return self


@enswitch.function(
    "outcosts/create",
    effect=Effect.PRIVILEGED,
    subject="Add a price of outbound calls to [plan {plan}|peer {peer}|the system]",
    toolset="routing",
    basis=COLUMNS_INFERRED,
    unverifiable="an older price of the same group looks the same",
    synonyms=("rate", "price of calls", "outbound price", "rate deck"),
)
class CreateOutcost(DryRun, CallPrice, Operation[Created]):
    """Add a price of outbound calls and messages to a rate plan or peer."""

    outgroup_time: Id
    """Time of an outbound group."""

    plan: Id | None = None
    """Rate plan that charges it; or give peer."""

    peer: Id | None = None
    """Peer that is paid it; or give plan."""

    callergroup: Whole | None = None
    """Caller group; 0 for any."""

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        """Give exactly one of peer and plan."""
        if is_given(self, "plan", "peer") != 1:
            raise ValueError(OF_ONE)
        return self


@enswitch.function(
    "outcosts/update",
    effect=Effect.PRIVILEGED,
    subject="Change {settings} of the outbound price {id}",
    toolset="routing",
    unverifiable="prices are listed by plan or peer, which the call does not name",
    synonyms=("rate", "price of calls", "outbound price", "reprice"),
)
class UpdateOutcost(DryRun, CallPrice, Operation[Accepted]):
    """Change a price of outbound calls and messages."""

    id: Id
    """From enswitch_list_outcosts."""

    callergroup: Whole
    """Its caller group, as listed: Enswitch resets it to 0 if it is not sent."""

    outgroup_time: Id | None = None
    """Time of an outbound group."""


@enswitch.function(
    "incosts/create",
    effect=Effect.PRIVILEGED,
    subject="Add a price of inbound calls to plan {plan}",
    toolset="routing",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists a plan's inbound prices",
    synonyms=("rate", "inbound price", "toll-free price"),
)
class CreateIncost(DryRun, CallPrice, Operation[Created]):
    """Add a price of inbound calls and messages to a rate plan."""

    ingroup_time: Id
    """Time of an inbound group."""

    plan: Id
    """From enswitch_list_plans; 1 is the system's."""

    callergroup: Whole | None = None
    """Caller group; 0 for any."""


@enswitch.function(
    "incosts/customer/list",
    effect=Effect.READ,
    toolset="routing",
    basis=COLUMNS_INFERRED,
    synonyms=("rates", "inbound prices", "toll-free price"),
)
class ListCustomerIncosts(Paged, ForCustomer, Operation[Costs]):
    """List what inbound calls cost a customer, in your own currency."""

    used: Flag | None = None
    """Only prices of groups that the customer has numbers in."""

    taxes: Annotated[Flag | None, Since((3, 14))] = None
    """With taxes."""


@enswitch.function(
    "peers/costs/create",
    effect=Effect.PRIVILEGED,
    subject="Add what peer {peer} is paid for calls[ to {called_prefix}]",
    toolset="routing",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists a peer's prices by prefix",
    admin_only=True,
    synonyms=("carrier rate", "supplier price", "buy rate", "lcr"),
)
class CreatePeerCost(DryRun, CallPrice, Operation[Created]):
    """Add what a peer is paid for calls, which least cost routing goes by."""

    peer: Id
    """Peer."""

    called_prefix: AnyPrefix | None = None
    """Called prefix to match."""

    caller_prefix: AnyPrefix | None = None
    """Caller ID prefix to match."""
