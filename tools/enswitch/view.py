"""Enswitch in the common view, for the customer of the person whose credentials are set."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from clients.errors import NotFound
from clients.phone_numbers import valid_form
from guard.money import Money
from tools.enswitch.field_types import dialled_numbers
from tools.enswitch.internal_reads import OwnedNumber as EnswitchNumber
from tools.enswitch.operations.charges import ListTransactions
from tools.enswitch.operations.customers import Customer, ListCustomers
from tools.enswitch.operations.phone_numbers import GetNumber, ListNumbers
from tools.enswitch.settings import EnswitchSettings
from tools.enswitch.traffic import NO_TEXTS, read_calls
from tools.overview.failures import Failure
from tools.overview.optional_reads import OptionalReads
from tools.overview.traffic import NumberUse, Span, Traffic
from tools.overview.views import (
    Balance,
    Delivery,
    Details,
    NotOffered,
    NumberQuery,
    Offer,
    OwnedNumber,
    Partial,
    Spending,
    TooLong,
    read_every_page,
)
from tools.policy_reader import Reader

NAME = "enswitch"
NO_STATES = "Enswitch does not show whether a text arrived"
MOST_CUSTOMERS = 50
"""Numbers are listed by customer, so this many lists are read for one view."""


class EnswitchView:
    """One customer of an Enswitch installation, and those below it."""

    def __init__(self, reader: Reader, account: EnswitchSettings) -> None:
        self._reader = reader
        self._currency = account.currency

    async def numbers(self) -> list[OwnedNumber] | Partial[list[OwnedNumber]]:
        optional = OptionalReads()
        lists = [await optional.read(self._numbers_of(None), shows="own numbers")]
        for customer in await optional.read(self._below(), shows="numbers of the customers below") or []:
            what = f"numbers of customer {customer.id}"
            lists.append(await optional.read(self._numbers_of(customer.id), shows=what))
        if all(rows is None for rows in lists):
            optional.raise_failure()
        found = {row.number: _owned_number(row) for rows in lists for row in rows or [] if row.number}
        return optional.complete(list(found.values()))

    async def number(self, number: str) -> Details | None:
        try:
            row = await self._reader.send(GetNumber(number=number))
        except NotFound:
            return None
        return Details(_owned_number(row), {"customer": row.customer, "status": row.status}) if row.number else None

    async def owned(self, number: str) -> OwnedNumber | None:
        details = await self.number(number)
        return details.number if details else None

    async def offers(self, wanted: NumberQuery) -> list[Offer]:
        raise NotOffered("Enswitch lists numbers by inbound group; use enswitch_list_available_numbers")

    async def balances(self) -> list[Balance]:
        return [
            Balance(NAME, Money(row.balance, row.currency or self._currency), row.name or f"customer {row.id}")
            for row in await self._customers(recursive=False)
            if row.balance is not None
        ]

    async def spending(self, since: datetime, until: datetime) -> list[Spending]:
        rows = (await self._reader.send(ListTransactions(since=since, until=until))).transactions
        totals: dict[tuple[str, str], tuple[Decimal, int]] = {}
        for row in rows:
            if row.amount is not None and row.amount < 0:
                kind = (row.type or "charge", row.currency or self._currency)
                spent, count = totals.get(kind, (Decimal(0), 0))
                totals[kind] = (spent - row.amount, count + 1)
        return [
            Spending(NAME, what, Money(amount, currency), count) for (what, currency), (amount, count) in totals.items()
        ]

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery]:
        raise NotOffered(NO_STATES)

    async def failures(self, since: datetime, until: datetime, number: str | None) -> list[Failure]:
        raise NotOffered(NO_STATES)

    async def number_use(self, numbers: Sequence[OwnedNumber], span: Span) -> NumberUse:
        return NumberUse([await read_calls(self._reader, span), Traffic("texts", not_shown=NO_TEXTS)])

    async def _numbers_of(self, customer: int | None) -> list[EnswitchNumber]:
        """Return the numbers of one customer; None stands for the one whose credentials are set."""
        rows: list[EnswitchNumber] = await read_every_page(
            self._reader, ListNumbers(limit=500, customer=customer), lambda page: page.numbers
        )
        return rows

    async def _below(self) -> list[Customer]:
        """Return the customers below whose numbers are listed, at any depth."""
        below = await self._customers(recursive=True)
        if len(below) > MOST_CUSTOMERS:
            raise TooLong(f"Enswitch has {len(below)} customers; ask enswitch_list_numbers for one of them")
        return below

    async def _customers(self, *, recursive: bool) -> list[Customer]:
        """Those below: at any depth, or the next ones."""
        return await read_every_page(
            self._reader, ListCustomers(limit=500, recursive=recursive), lambda page: page.customers
        )


def _owned_number(row: EnswitchNumber) -> OwnedNumber:
    target = " ".join(part for part in (row.dtype, row.dnumber) if part) or None
    dialled = next(iter(dialled_numbers((row.dtype, row.dnumber))), None)
    forwards_to = valid_form(dialled) if dialled else None
    return OwnedNumber(number=row.number or "", provider=NAME, calls_to=target, forwards_to=forwards_to)
