"""Routee in the common view. Prices carry their currency in lists of costs, and the account's elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from phonenumbers import country_code_for_region

from clients.errors import TelephonyError
from clients.phone_numbers import read_with_country_code, spellings
from guard.money import Money
from tools.overview.failures import Failure
from tools.overview.optional_reads import OptionalReads
from tools.overview.traffic import NumberUse, Span
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
    read_every_page,
)
from tools.policy_reader import NotAllowed, Reader
from tools.routee.failures import FAILED, explain_failure
from tools.routee.field_types import Costs
from tools.routee.filters import Filter
from tools.routee.operations.account import Balance as AccountBalance
from tools.routee.operations.account import GetBalance
from tools.routee.operations.groups import ListGroups
from tools.routee.operations.phone_numbers import ListAvailableNumbers, ListNumbers, Number
from tools.routee.operations.reports import ReportSpending
from tools.routee.operations.sms import ListMessages, MessageField, MessagePart, TrackSms
from tools.routee.settings import RouteeSettings
from tools.routee.traffic import LOOKS_BACK, PAGE, read_calls, read_texts

NAME = "routee"
AREA_CODE: Final = 3
"""Digits of an area code of the US."""


class RouteeView:
    """One Routee account."""

    def __init__(self, reader: Reader, _account: RouteeSettings) -> None:
        self._reader = reader

    async def numbers(self) -> list[OwnedNumber]:
        return [_owned_number(row) for row in await self._rented()]

    async def number(self, number: str) -> Details | None:
        row = next((row for row in await self._rented() if _e164(row.number) in spellings(number)), None)
        if row is None:
            return None
        renewal = row.next_renewal.isoformat(timespec="seconds") if row.next_renewal else None
        return Details(_owned_number(row), {"services": row.services, "next_renewal": renewal})

    async def owned(self, number: str) -> OwnedNumber | None:
        row = next((row for row in await self._rented() if _e164(row.number) in spellings(number)), None)
        return _owned_number(row) if row else None

    async def offers(self, wanted: NumberQuery) -> list[Offer]:
        searches = [
            ListAvailableNumbers(country=wanted.country, area_code=code, limit=min(wanted.share * 4, 200))
            for code in _area_codes(wanted) or (None,)
        ]
        found = [
            await read_every_page(self._reader, search, lambda page: page.numbers, most=search.limit)
            for search in searches
        ]
        fitting = [row for rows in found for row in rows if _fits(row.number, wanted)]
        return [
            Offer(
                number=_e164(row.number) or "",
                provider=NAME,
                order_with="routee_rent_number",
                place=row.country,
                activation=_cost(row.activation),
                monthly=_cost(row.monthly),
            )
            for row in fitting[: wanted.limit]
        ]

    async def balances(self) -> list[Balance]:
        found = await self._reader.send(GetBalance())
        if found.balance is None:
            raise NotOffered("Routee's answer shows no balance")
        return [Balance(NAME, Money(found.balance, _code(found)))]

    async def spending(self, since: datetime, until: datetime) -> list[Spending]:
        currency = await self._currency()
        rows = (await self._reader.send(ReportSpending(since=since, until=until))).rows
        priced = [row for row in rows if row.price is not None]
        if not priced:
            return []
        total = sum((row.price for row in priced if row.price is not None), start=Decimal(0))
        return [Spending(NAME, "messages", Money(total, currency), sum(row.count or 0 for row in priced))]

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery] | Partial[list[Delivery]]:
        if message is not None:
            rows = (await self._reader.send(TrackSms(message_id=message))).parts
        else:
            by_number = [Filter[MessageField](field="to", term=number)] if number else []
            call = ListMessages(since=max(since, until - LOOKS_BACK), until=until, filters=by_number)
            rows = await read_every_page(self._reader, call, lambda page: page.messages, most=50)
        optional = OptionalReads()
        currency = await optional.read(self._currency(), shows="price") if rows else None
        return optional.complete([_delivery(row, currency) for row in rows])

    async def failures(
        self, since: datetime, until: datetime, number: str | None
    ) -> list[Failure] | Partial[list[Failure]]:
        earliest = until - LOOKS_BACK
        to = [Filter[MessageField](field="to", term=number)] if number else []
        rows: list[MessagePart] = []
        for state in FAILED:
            filters = [Filter[MessageField](field="status.status", term=state), *to]
            search = ListMessages(since=max(since, earliest), until=until, filters=filters, limit=PAGE)
            rows += await read_every_page(self._reader, search, lambda page: page.messages, most=PAGE)
        optional = OptionalReads()
        currency = await optional.read(self._currency(), shows="price") if rows else None
        failures = list({one.message: one for one in (_failure(row, currency) for row in rows)}.values())
        older = {"older failures": "Routee shows the messages of the latest 7 days only"} if since < earliest else {}
        gaps = {**optional.gaps, **older}
        return Partial(failures, gaps) if gaps else failures

    async def number_use(self, numbers: Sequence[OwnedNumber], span: Span) -> NumberUse:
        return NumberUse([await read_calls(self._reader, span), await read_texts(self._reader, span)])

    async def _rented(self) -> list[Number]:
        return await read_every_page(self._reader, ListNumbers(limit=200), lambda page: page.numbers)

    async def _currency(self) -> str:
        return _code(await self._reader.send(GetBalance()))


async def list_group_names(reader: Reader) -> list[str]:
    """List the names of the account's groups, for completion; none where they cannot be read."""
    try:
        found = await reader.send(ListGroups())
    except (TelephonyError, NotAllowed):
        return []
    return [group.name for group in found.groups if group.name]


def _code(balance: AccountBalance) -> str:
    if balance.currency is None or balance.currency.code is None:
        raise NotOffered("Routee did not name the currency of the account")
    return balance.currency.code


def _e164(number: str | None) -> str | None:
    return (read_with_country_code(number) or f"+{number.removeprefix('+')}") if number else None


def _cost(costs: Costs) -> Money | None:
    """Return the price if there is exactly one: of several services or currencies none stands for all."""
    priced = [cost for cost in costs if cost.price is not None and cost.currency is not None]
    if len(priced) != 1 or priced[0].price is None or priced[0].currency is None:
        return None
    return Money(priced[0].price, priced[0].currency)


def _area_codes(wanted: NumberQuery) -> tuple[str, ...]:
    """Return the area codes that Routee's list itself searches by, which it does for the US only (documented)."""
    is_searched = wanted.country == "US" and all(len(prefix) == AREA_CODE for prefix in wanted.prefixes)
    return wanted.prefixes if is_searched else ()


def _fits(number: str | None, wanted: NumberQuery) -> bool:
    code = country_code_for_region(wanted.country)
    beginnings = tuple(f"+{code}{prefix}" for prefix in wanted.prefixes or ("",))
    return number is not None and (_e164(number) or "").startswith(beginnings)


def _owned_number(row: Number) -> OwnedNumber:
    calls_to = row.forwarded_to or (row.voice.dialplan_url if row.voice else None)
    return OwnedNumber(
        number=_e164(row.number) or "",
        provider=NAME,
        calls_to=calls_to,
        forwards_to=read_with_country_code(row.forwarded_to) if row.forwarded_to else None,
        texts="texts" if "Sms" in row.services else None,
        monthly=_cost(row.monthly),
    )


def _delivery(row: MessagePart, currency: str | None) -> Delivery:
    return Delivery(
        provider=NAME,
        message=row.message_id or row.sms_id or "",
        to=_e164(row.to),
        state=row.status.status or row.status.name if row.status else None,
        price=Money(row.price, currency) if row.price is not None and currency else None,
        at=row.status.date or row.status.updated_date if row.status else None,
    )


def _failure(row: MessagePart, currency: str | None) -> Failure:
    """Return a message by its part that failed; several parts of one share its id."""
    delivery = _delivery(row, currency)
    state = delivery.state or "Unknown"
    detail = row.status.reason.detailed_status if row.status and row.status.reason else None
    return Failure(
        provider=NAME,
        message=delivery.message,
        state=state,
        code=detail,
        cause=explain_failure(state, detail),
        to=delivery.to,
        at=delivery.at,
        price=delivery.price,
    )
