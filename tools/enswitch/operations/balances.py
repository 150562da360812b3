"""Enswitch balances: credit given to a customer, top-ups by card, and vouchers.

Rests on guides 4.2 and 4.4. None of these functions has a dry run, and no call undoes a payment: no page says that an
amount may be negative.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from clients.answers import NotShown
from clients.effects import Charge, Effect
from clients.errors import OutcomeUnknown, Refused, quoted
from clients.evidence import Evidence, is_since
from clients.fields import LooseText
from clients.operation import Answer, Operation, Verification
from clients.redaction import redact
from tools.enswitch.client import enswitch
from tools.enswitch.field_types import Currency, Id, Positive, Text, Whole, Words
from tools.enswitch.groups import Accepted, ForCustomer
from tools.enswitch.operations.charges import ListTransactions, Transaction, Transactions
from tools.enswitch.updates import same_settings, settings_of

AROUND: Final = timedelta(minutes=1)
"""How long before and after the sending the record is read: Enswitch may take its time, and its clock may differ."""


@enswitch.function(
    "customers/balance/add",
    effect=Effect.PAID | Effect.PRIVILEGED,
    subject="Add {amount}[ {currency}] to the balance of customer {id} for good",
    toolset="customers",
    guide="4.2",
    irreversible=True,
    synonyms=("credit", "refund", "top up", "give money", "goodwill"),
)
class AddCustomerBalance(Operation[Accepted]):
    """Give a customer balance; no documented call undoes it."""

    id: Id
    """From enswitch_list_customers."""

    amount: Positive
    """Amount, such as 25.00."""

    currency: Currency | None = None
    """Its currency; the customer's if left out."""

    transaction: Literal["credit", "topup"] = "credit"
    """How it is recorded."""

    description: Text | None = None
    """Description on the record."""

    def charge(self) -> Charge:
        source = "the amount of this call"
        if self.currency is None:
            return Charge(item="balance given", rate="amount")
        return Charge(item="balance given", each=self.amount, currency=self.currency, source=source)

    def verification(self, sent_at: datetime) -> Verification[Transactions]:
        """Look for the same transaction on the customer's record; its absence proves nothing.

        One from before the sending may be an earlier one like it. Times on the record are whole seconds.
        """
        read = ListTransactions(customer=self.id, since=sent_at - AROUND, until=sent_at + AROUND)

        def is_this(row: Transaction) -> bool:
            return is_since(row.time, sent_at, whole_seconds=True) and self._is_like(row)

        return Verification(read=read, check=lambda found: Evidence.yes_if(any(map(is_this, found.transactions))))

    def _is_like(self, row: Transaction) -> bool:
        wanted = {"type": self.transaction, **settings_of(self, "id", "transaction")}
        return same_settings(wanted, row) is Evidence.YES


_SAYS_NO: Final = re.compile(r"refus|declin|reject|den(?:y|ied)|fail|error|cancel|invalid|insufficient", re.IGNORECASE)
_SAYS_YES: Final = re.compile(r"approv|accept|success|complete|paid|\bok\b", re.IGNORECASE)
_NO_ERROR: Final = re.compile(r"[0.\s]*|none|null|ok|success", re.IGNORECASE)


class TopupRequest(Answer):
    """What the payment gateway answered; its wording is not documented."""

    status: LooseText | None = None
    error: int | str | None = None
    message: str | None = None

    @property
    def names_an_error(self) -> bool:
        """True for any error but zero."""
        return self.error is not None and _NO_ERROR.fullmatch(str(self.error)) is None

    @property
    def says_no(self) -> bool:
        """True where its status is a no."""
        return _SAYS_NO.search(self.status or "") is not None

    @property
    def says_yes(self) -> bool:
        """True where its status is a yes."""
        return not self.says_no and _SAYS_YES.search(self.status or "") is not None


@enswitch.function(
    "customers/topup/request",
    effect=Effect.PAID,
    subject="Charge the stored card and add {amount} to the balance[ of customer {id}]",
    toolset="customers",
    unverifiable="what was asked of the card processor is not shown",
    irreversible=True,
    synonyms=("pay", "charge card", "credit card", "recharge", "add funds"),
)
class RequestTopup(Operation[TopupRequest]):
    """Top a prepaid balance up by charging the stored card; without card processing, the reseller is asked to."""

    amount: Positive
    """Amount with tax, such as 50.00."""

    id: Id | None = None
    """Customer; your own if left out."""

    invoice: Whole | None = None
    """Number of the invoice that it is for."""

    def charge(self) -> Charge:
        return Charge(item="card payment", rate="amount")

    def select(self, content: Any) -> Any:
        """Raise what the gateway answered: a payment that it refused has the code of a success too (inferred).

        Raises:
            Refused: The card was not charged.
            OutcomeUnknown: It names an error, and says yes.
            NotShown: It says neither yes nor no.
        """
        response = TopupRequest.model_validate(content)
        if not response.status and response.error in (None, ""):
            raise NotShown("it shows neither status nor error of the payment")
        why = quoted(redact(response.message or response.status or "no reason given"))
        if response.names_an_error and response.says_yes:
            raise OutcomeUnknown(f"The payment gateway approved the top-up and names error {response.error}: {why}")
        if response.names_an_error or response.says_no:
            raise Refused(f"The payment gateway refused the top-up: {why}", status=200, code=str(response.error or ""))
        return content


class UsedVoucher(Answer):
    """What a voucher brought."""

    amount: Decimal | None = None
    balance: Decimal | None = None


@enswitch.function(
    "vouchers/use",
    effect=Effect.DESTRUCTIVE,
    subject="Use voucher {serial} up[ for customer {customer}]",
    toolset="customers",
    confirmed_by=("amount", "balance"),
    unverifiable="no documented call shows vouchers",
    irreversible=True,
    synonyms=("redeem", "coupon", "gift code", "top up"),
)
class UseVoucher(ForCustomer, Operation[UsedVoucher]):
    """Use a voucher up: its worth is added to the balance."""

    serial: Words
    """Serial number of the voucher."""
