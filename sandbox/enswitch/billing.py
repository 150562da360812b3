"""Money: balances, transactions, and what calls and texts cost; every change is written to the sandbox ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from sandbox.enswitch.fields import Row
from sandbox.enswitch.state import State
from sandbox.enswitch.wire import refuse

NOTHING = Decimal("0.00")
CENT = Decimal("0.01")
PHONE_FEE = Decimal("5.00")
"""inferred: the guide says that creating a telephone charges a creation fee, not how much."""
FAX_FEE = Decimal("0.10")
"""inferred: faxes are billed; the price of one is not documented."""


def can_pay(state: State, customer: int, amount: Decimal) -> bool:
    """Return whether a prepaid customer's balance covers the amount; others may owe (inferred)."""
    row = state.row("customers", customer)
    return not row.text("bill_type").startswith("prepaid") or row.money("balance") >= amount


def require_funds(state: State, customer: int, amount: Decimal) -> None:
    """Check that a prepaid customer can pay.

    Raises:
        Refusal: 400 if the balance is too low (inferred: the guide names no code for it).
    """
    if not can_pay(state, customer, amount):
        raise refuse(400, "", "Insufficient balance.")


def charge(state: State, customer: int, what: str, amount: Decimal, reference: str, quantity: int = 1) -> None:
    """Take money from a customer's balance."""
    _book(state, customer, "charge", -amount, what)
    _write(state, customer, what, amount, reference, quantity)


def add_balance(state: State, customer: int, what: str, amount: Decimal, kind: str, description: str = "") -> None:
    """Give a customer balance; without a `kind` there is no transaction record (documented)."""
    if kind:
        _book(state, customer, kind, amount, description or what)
    else:
        row = state.row("customers", customer)
        row["balance"] = row.money("balance") + amount
    _write(state, customer, what, amount, f"customer {customer}")


def note(state: State, customer: int, what: str, amount: Decimal, reference: str, quantity: int = 1) -> None:
    """Write down an effect on money that is no change of a balance, such as cards made or an invoice paid."""
    _write(state, customer, what, amount, reference, quantity)


def _book(state: State, customer: int, kind: str, amount: Decimal, description: str) -> None:
    row = state.row("customers", customer)
    row["balance"] = row.money("balance") + amount
    state.insert(
        "transactions",
        customer=customer,
        time=state.now(),
        type=kind,
        description=description,
        amount=amount,
        balance=row["balance"],
        currency=row["currency"],
        invoice=0,
    )


def _write(state: State, customer: int, what: str, amount: Decimal, reference: str, quantity: int = 1) -> None:
    currency = state.row("customers", customer).text("currency")
    state.write_charge(what, quantity, amount, reference, currency)


@dataclass(frozen=True)
class Price:
    """What an outbound destination costs a rate plan."""

    allowed: bool
    connectfee: Decimal = NOTHING
    per_minute: Decimal = NOTHING
    message: Decimal = NOTHING

    def for_seconds(self, seconds: int) -> Decimal:
        """Return a call's price; begun minutes count (inferred), rounded up to cents."""
        minutes = -(-seconds // 60)
        return (self.connectfee + self.per_minute * minutes).quantize(CENT, ROUND_UP)


def outbound_price(state: State, plan: int, number: str) -> Price:
    """Return the price of calling or texting `number`.

    inferred: the longest called prefix wins, first among the plan's routes, which may forbid it, then among the
    system's, which lead to an outbound group, whose costs the plan or else the system plan sets.
    """
    dialled = number.removeprefix("+")
    own = _longest(state.where("plan_routes", plan=plan), dialled)
    # inferred: time groups are always active here, so 2 (while active) allows and 3 (while not) forbids
    if own is not None and own.whole("allow") in {0, 3}:
        return Price(allowed=False)
    route = _longest(state.tables["routes"], dialled)
    if route is None:
        return Price(allowed=False)
    times = {row["id"] for row in state.where("outgroup_times", outgroup=route["outgroup"])}
    for priced in (plan, 1):
        for cost in state.where("outcosts", plan=priced):
            if cost["outgroup_time"] in times:
                return Price(True, cost.money("connectfee"), cost.money("cost"), cost.money("message"))
    return Price(allowed=True)


def _longest(routes: Iterable[Row], dialled: str) -> Row | None:
    matching = [route for route in routes if dialled.startswith(route.text("called_prefix"))]
    return max(matching, key=lambda route: len(route.text("called_prefix")), default=None)
