"""Phone numbers (five operations).

Methods are in the sidebar and the base path on the Architecture page; everything else is inferred from v2, whose
knowledge-base page shows the search result, the reservation and the pair that a route takes.
"""

from pydantic import Field

from sandbox.convirza.bodies import NumberOrder
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import Limit, Offset, OpenQuery, UnitQuery, page
from sandbox.convirza.inventory import CARRIER
from sandbox.convirza.records import PhoneNumber
from sandbox.convirza.state import PRICES
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire


class AvailableQuery(OpenQuery):
    """Paging and the leading digits, as v2 searches (inferred)."""

    area_code: str = Field(default="", pattern=r"^[0-9]{0,10}$")
    limit: Limit = 20
    offset: Offset = 0


@operation("Assigned Numbers", "GET", "/v3/phone-numbers/assigned", "read")
def list_assigned(call: Call, query: UnitQuery) -> Answer:
    """List every number of the hierarchy, in use or not."""
    return _page(call, query, provisioned_only=False)


@operation("Provisioned Numbers", "GET", "/v3/phone-numbers/provisioned", "read")
def list_provisioned(call: Call, query: UnitQuery) -> Answer:
    """List the numbers that a route uses."""
    return _page(call, query, provisioned_only=True)


@operation("Available Numbers", "GET", "/v3/phone-numbers/available", "read")
def list_available(call: Call, query: AvailableQuery) -> Answer:
    """List the account's unused numbers (with identifier), then carrier numbers (identifier null), as in v2."""
    own: list[Wire] = [
        {"number_id": held.id, "number": held.number, "source": held.source}
        for held in call.state.numbers.values()
        if held.route_id is None and call.sees(held.org_unit_id) and held.number.startswith(query.area_code)
    ]
    carrier: list[Wire] = [
        {"number_id": None, "number": number, "source": CARRIER}
        for number in call.state.carrier.search(query.area_code)
    ]
    return page("numbers", own + carrier, query.limit, query.offset, dict)


@operation("Phone Numbers", "POST", "/v3/phone-numbers", "write")
def order_number(call: Call, body: NumberOrder) -> Answer:
    """Take a carrier number into the account; charged at once, and answered with the pair that a route takes."""
    org = call.writable_org(body.org_unit_id)
    if body.number_id is not None:
        raise Refusal(400, "The number already has a number_id, so it need not be reserved.")
    if body.source not in {None, CARRIER} or not call.state.carrier.take(body.number):
        raise Refusal(400, "The number is no longer available.")
    number = PhoneNumber(call.state.next("number", 67890), body.number, CARRIER, org.id, call.state.clock.now())
    call.state.numbers[number.id] = number
    call.state.write_charge("number_order", 1, PRICES["number_order"], f"number-{number.number}")
    return Answer({"number": {"phone_number_id": number.id, "phone_number": number.number}}, 201)


@operation("Reserved Numbers", "DELETE", "/v3/phone-numbers/reserved/{id}", "write")
def release_number(call: Call) -> Answer:
    """Give a reserved number back, for good; a number that a route uses cannot be released.

    inferred: its id is in the path, as with every other DELETE of the API.
    """
    number = call.find(call.state.numbers, f"Phone number {call.id}")
    if number.route_id is not None:
        raise Refusal(400, f"Phone number {number.id} is used by route {number.route_id}.")
    del call.state.numbers[number.id]
    return Answer({"released": [number.id]})


def _page(call: Call, query: UnitQuery, *, provisioned_only: bool) -> Answer:
    scope = call.scope(query.org_unit_id)
    found = [
        number
        for number in call.state.numbers.values()
        if number.org_unit_id in scope and not (provisioned_only and number.route_id is None)
    ]
    return page("phone_numbers", found, query.limit, query.offset, lambda number: _row(call, number))


def _row(call: Call, number: PhoneNumber) -> Wire:
    route = call.state.routes.get(number.route_id or 0)
    return {
        "phone_number_id": number.id,
        "phone_number": number.number,
        "source": number.source,
        "status": "reserved" if route is None else "provisioned",
        "org_unit_id": number.org_unit_id,
        "provisioned_route_id": number.route_id,
        "provisioned_route_name": None if route is None else route.body.provisioned_route_name,
        "ordered": iso_ms(number.ordered),
    }
