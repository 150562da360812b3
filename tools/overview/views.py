"""The reads that all providers answer in one form. A provider without such a read raises `NotOffered`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, Protocol, TypeVar

from clients.operation import Operation
from guard.money import Money
from tools.overview.failures import Failure
from tools.overview.traffic import NumberUse, Span
from tools.policy_reader import Reader

T_co = TypeVar("T_co", covariant=True)

MOST_PAGES = 200
"""Most pages of one list that a view reads."""

NOT_READ: Final = "not read"
"""Stands in a field whose read failed. Why it failed is among the gaps of the answer."""


class NotOffered(Exception):
    """The provider has no read for this. The message says so in one sentence."""


class TooLong(Exception):
    """A list has more pages than a view reads."""


@dataclass(frozen=True, slots=True)
class Partial(Generic[T_co]):
    """An answer of which a part could not be read."""

    found: T_co
    gaps: Mapping[str, str]
    """Why a part is missing, by the field or part, such as `calls_to`."""


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number of the company, and how it is used."""

    number: str
    provider: str
    calls_to: str | None = None
    """Where its calls go: a gateway, a route, a number or a line."""

    forwards_to: str | None = None
    """The telephone number among the places where its calls go, in E.164."""

    texts: str | None = None
    """Whether it texts, and by which campaign or address."""

    monthly: Money | None = None
    name: str | None = None
    needed_for: tuple[str, ...] = ()
    """What it is for beside calls and texts, such as faxes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that can be ordered."""

    number: str
    provider: str
    order_with: str
    place: str | None = None
    activation: Money | None = None
    monthly: Money | None = None
    """None where the provider publishes no price; it is then unknown, not free."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left to spend at a provider."""

    provider: str
    amount: Money
    of: str = "account"
    kept_since: datetime | None = None
    """When it was read, where it is an earlier figure because the provider allows no newer read; None for now."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent on something in a span of time."""

    provider: str
    what: str
    amount: Money
    count: int | None = None
    kept_since: datetime | None = None
    """As in `Balance`."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The state of one message."""

    provider: str
    message: str
    to: str | None = None
    state: str | None = None
    price: Money | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumberQuery:
    """Which numbers to search for."""

    country: str
    prefixes: tuple[str, ...]
    """Area codes or leading digits, without the country's code; none for any number."""

    limit: int

    @property
    def share(self) -> int:
        """How many numbers to ask for with each prefix, so that every one is among the answer."""
        return -(-self.limit // max(1, len(self.prefixes)))


@dataclass(frozen=True, slots=True)
class Details:
    """Everything that one provider knows about one number."""

    number: OwnedNumber
    more: dict[str, Any] = field(default_factory=dict[str, Any])


class View(Protocol):
    """One provider's answers. Each method raises `NotOffered` where the provider has no read for it.

    A read that only adds to an answer never takes the answer away: where it fails, the answer is `Partial`.
    """

    async def numbers(self) -> list[OwnedNumber] | Partial[list[OwnedNumber]]:
        """Return every number of the account."""
        ...

    async def number(self, number: str) -> Details | Partial[Details] | None:
        """Return one number; None where the account does not have it."""
        ...

    async def owned(self, number: str) -> OwnedNumber | None:
        """Return a number and where its calls go, with as few reads as that takes; None if the account lacks it."""
        ...

    async def offers(self, wanted: NumberQuery) -> list[Offer] | Partial[list[Offer]]:
        """Return numbers that can be ordered."""
        ...

    async def balances(self) -> list[Balance] | Partial[list[Balance]]:
        """Return what is left to spend."""
        ...

    async def spending(self, since: datetime, until: datetime) -> list[Spending] | Partial[list[Spending]]:
        """Return what was spent, by the provider's reports."""
        ...

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery] | Partial[list[Delivery]]:
        """Return the state of a message, or of the latest messages to or from a number."""
        ...

    async def failures(
        self, since: datetime, until: datetime, number: str | None
    ) -> list[Failure] | Partial[list[Failure]]:
        """Return the texts, all or those to a number, that did not arrive, a row for each message."""
        ...

    async def number_use(self, numbers: Sequence[OwnedNumber], span: Span) -> NumberUse:
        """Return what the records of calls and texts show of these numbers of the account.

        Records that cannot be read are `Traffic` that says why it shows nothing.
        """
        ...


async def read_every_page(
    client: Reader, call: Operation[Any], rows: Callable[[Any], list[Any]], *, most: int | None = None
) -> list[Any]:
    """Return all rows of a list that the provider pages, or at most `most` of them.

    Raises:
        TooLong: There are more pages than `MOST_PAGES`, or the provider shows the same page again and again.
    """
    found: list[Any] = []
    page: list[Any] = []
    for _ in range(MOST_PAGES):
        answer = await client.send(call)
        before, page = page, rows(answer)
        if page and page == before:
            raise TooLong(f"the provider shows the same page of its list again; call {call.spec.tool_name} itself")
        found += page
        cursor = call.next_cursor(answer) if "cursor" in type(call).model_fields else None
        if cursor is None or (most is not None and len(found) >= most):
            return found[:most]
        call = call.model_copy(update={"cursor": cursor})
    raise TooLong(f"its list has more than {MOST_PAGES} pages; call {call.spec.tool_name} itself")


def dollars(amount: Decimal | None) -> Money | None:
    """Return an amount in US dollars; None for None."""
    return Money(amount) if amount is not None else None
