"""Enswitch calling cards, call shops and unlimited access.

Rests on guide 4.4. The page of cards/groups/create was read as far as `expires`: what follows is left out, and so are
allow_balance, callerid, card_length, change_pin, charge*, clock, dialplan and dnumber of a group, and card_length,
locked, method and pin_length of a batch. No page deletes a card group, a batch or a call shop.
"""

from typing import cast

from pydantic import Field, model_validator

from clients.effects import Charge, Effect
from clients.fields import LooseText
from clients.operation import Answer, Operation
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Amount, Currency, Flag, Id, Positive, Text, Whole, Words
from tools.enswitch.groups import Accepted, Created, DryRun, ForCustomer, Listing


@enswitch.function(
    "cards/groups/create",
    effect=Effect.PRIVILEGED,
    subject="Create the group of calling cards {name:text}",
    toolset="billing",
    basis=COLUMNS_INFERRED,
    unverifiable="no documented call lists card groups",
    synonyms=("calling card", "prepaid card", "phone card"),
)
class CreateCardGroup(ForCustomer, Operation[Created]):
    """Create a group of calling cards. Not every setting is offered."""

    name: Words
    """Name."""

    plan: Id
    """From enswitch_list_plans."""

    description: Text | None = None
    """Description."""

    balance: Amount | None = None
    """Balance of a new card."""

    credit: Amount | None = None
    """Credit of a card."""

    currency: Currency | None = None
    """Currency, such as USD."""

    expires: Whole | None = None
    """Days that a card lasts."""


@enswitch.function(
    "cards/batches/create",
    effect=Effect.PAID,
    subject="Make {batch_number:batch} of {number:calling card} in card group {cardgroup}[, each with {balance}]",
    toolset="billing",
    confirmed_by=("id",),
    unverifiable="no documented call lists cards",
    irreversible=True,
    synonyms=("calling card", "prepaid card", "print cards", "issue"),
)
class CreateCardBatches(DryRun, Operation[Created]):
    """Make batches of calling cards that can be spent at once."""

    cardgroup: Id
    """Card group."""

    batch_name: Words
    """Name of the batch."""

    batch_number: int = Field(default=1, ge=1)
    """How many batches."""

    number: int = Field(default=1, ge=1)
    """Cards a batch."""

    balance: Amount | None = None
    """Balance of a card."""

    currency: Currency | None = None
    """Its currency."""

    lock_cards: Flag | None = None
    """Lock the cards."""

    def recipient_count(self) -> int:
        return self.number * self.batch_number

    def charge(self) -> Charge:
        cards = self.recipient_count()
        if self.balance is None:
            return Charge(
                item="card", quantity=cards, unknown="What a card is worth without balance is not documented."
            )
        if self.currency is None:
            return Charge(item="card", quantity=cards, rate="balance")
        source = "the balance of this call"
        return Charge(item="card", quantity=cards, each=self.balance, currency=self.currency, source=source)


class Callshop(Answer):
    """A call shop's customer and its telephone line. The line's password is left out."""

    customer: int | None = None
    username: LooseText | None = None


class Callshops(Accepted):
    """The customers that were made."""

    shops: list[Callshop] = []

    @model_validator(mode="before")
    @classmethod
    def _array_is_shops(cls, data: object) -> object:
        return {"shops": cast("object", data)} if isinstance(data, list) else data


@enswitch.function(
    "callshops/create",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Make {number:call shop}, each with {credit} of credit",
    toolset="billing",
    confirmed_by=("shops",),
    unverifiable="no documented call lists callshops",
    irreversible=True,
    synonyms=("booth", "cabin", "phone shop"),
)
class CreateCallshops(DryRun, ForCustomer, Operation[Callshops]):
    """Make call shop customers, each with a telephone line and credit."""

    credit: Positive
    """Credit limit of each."""

    number: int = Field(ge=1)
    """How many."""

    plan: Id
    """From enswitch_list_plans."""

    def charge(self) -> Charge:
        return Charge(
            item="call shop's credit", quantity=self.number, rate="credit", source="fees of the lines come on top"
        )


class UnlimitedAccount(Answer):
    """An unlimited access account. Its columns are inferred."""

    id: int | None = None
    name: str | None = None
    customer: int | None = None


class UnlimitedAccounts(Listing):
    """Unlimited access accounts."""

    accounts: list[UnlimitedAccount] = []


@enswitch.function(
    "unlimited/list",
    effect=Effect.READ,
    toolset="billing",
    basis=COLUMNS_INFERRED,
    synonyms=("flat rate", "access numbers"),
)
class ListUnlimitedAccounts(ForCustomer, Operation[UnlimitedAccounts]):
    """List a customer's unlimited access accounts."""
