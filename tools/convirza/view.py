"""Convirza in the common view: tracking numbers and the routes they stand on. It publishes no prices or balances."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tools.convirza.internal_reads import TrackingNumber
from tools.convirza.operations.phone_numbers import ListAssignedNumbers, SearchNumbers
from tools.convirza.operations.provisioned_routes import ListProvisionedRoutes
from tools.convirza.route_models import RouteRow
from tools.convirza.settings import ConvirzaSettings
from tools.convirza.traffic import read_calls, read_texts
from tools.overview.failures import Failure
from tools.overview.optional_reads import OptionalReads
from tools.overview.traffic import NumberUse, Span
from tools.overview.views import (
    NOT_READ,
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
from tools.policy_reader import Reader

NAME = "convirza"
NO_STATES = "Convirza shows text threads, not what became of a message"
NO_MONEY = "Convirza shows no amounts"


class ConvirzaView:
    """One user's part of a Convirza account."""

    def __init__(self, reader: Reader, _account: ConvirzaSettings) -> None:
        self._reader = reader

    async def numbers(self) -> list[OwnedNumber] | Partial[list[OwnedNumber]]:
        rows = await self._assigned()
        optional = OptionalReads()
        routes = await optional.read(self._routes_by_number(), shows="calls_to")
        return optional.complete([_owned_number(row, routes) for row in rows if row.phone_number])

    async def number(self, number: str) -> Details | Partial[Details] | None:
        row = next((row for row in await self._assigned() if row.phone_number == number), None)
        if row is None:
            return None
        optional = OptionalReads()
        routes = await optional.read(self._routes_by_number(), shows="calls_to")
        more: dict[str, Any] = {"phone_number_id": row.phone_number_id}
        if routes and (route := routes.get(number)):
            more |= {"route_id": route.route_id, "route_status": route.status}
        return optional.complete(Details(_owned_number(row, routes), more))

    async def owned(self, number: str) -> OwnedNumber | None:
        row = next((row for row in await self._assigned() if row.phone_number == number), None)
        if row is None:
            return None
        return _owned_number(row, await OptionalReads().read(self._routes_by_number(), shows="calls_to"))

    async def offers(self, wanted: NumberQuery) -> list[Offer]:
        if wanted.country not in {"US", "CA"}:
            raise NotOffered("Convirza has numbers of the US and Canada only")
        if not wanted.prefixes or any(prefix[0] in "01" for prefix in wanted.prefixes):
            raise NotOffered("Convirza searches by area code; give one")
        searches = [SearchNumbers(starts_with=prefix, limit=min(wanted.share, 200)) for prefix in wanted.prefixes]
        rows = [row for search in searches for row in (await self._reader.send(search)).numbers]
        return [
            Offer(number=row.number, provider=NAME, order_with="convirza_order_number")
            for row in rows
            if row.number and row.phone_number_id is None
        ]

    async def balances(self) -> list[Balance]:
        raise NotOffered(NO_MONEY)

    async def spending(self, since: datetime, until: datetime) -> list[Spending]:
        raise NotOffered(NO_MONEY)

    async def deliveries(
        self, message: str | None, number: str | None, since: datetime, until: datetime
    ) -> list[Delivery]:
        raise NotOffered(NO_STATES)

    async def failures(self, since: datetime, until: datetime, number: str | None) -> list[Failure]:
        raise NotOffered(NO_STATES)

    async def number_use(self, numbers: Sequence[OwnedNumber], span: Span) -> NumberUse:
        return NumberUse([await read_calls(self._reader, span), await read_texts(self._reader, span)])

    async def _assigned(self) -> list[TrackingNumber]:
        rows: list[TrackingNumber] = await read_every_page(
            self._reader, ListAssignedNumbers(limit=200), lambda page: page.phone_numbers
        )
        return rows

    async def _routes_by_number(self) -> dict[str, RouteRow]:
        rows: list[RouteRow] = await read_every_page(
            self._reader, ListProvisionedRoutes(limit=200), lambda page: page.routes
        )
        return {one.phone_number: row for row in rows for one in row.phone_numbers if one.phone_number}


def _owned_number(row: TrackingNumber, routes: Mapping[str, RouteRow] | None) -> OwnedNumber:
    """Return a number as its route shows it; `routes` are None where they could not be read."""
    number = row.phone_number or ""
    if routes is None:
        return OwnedNumber(number=number, provider=NAME, calls_to=NOT_READ, name=row.route_name)
    route = routes.get(number)
    calls_to = route.ring_to if route and route.status != "inactive" else None
    name = (route.name if route else None) or row.route_name
    return OwnedNumber(number=number, provider=NAME, calls_to=calls_to or "nowhere", forwards_to=calls_to, name=name)
