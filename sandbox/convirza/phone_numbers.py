"""Phone numbers (five operations).

Methods are in the sidebar and the base path on the Architecture page; everything else is inferred from v2, whose
knowledge-base page shows the search result, the reservation and the pair that a route takes.
"""

from pydantic import Field

from sandbox.convirza.bodies import NumberOrder
from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.inventory import CARRIER
from sandbox.convirza.records import PhoneNumber
from sandbox.convirza.state import NUMBER_ORDER
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class NumberQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


class AvailableQuery(OpenQuery):
    """inferred: the leading digits, as v2 searches."""

    area_code: str = Field(default="", pattern=r"^[0-9]{0,10}$")
    limit: Limit = 20
    offset: Offset = Field(default=0)


def list_assigned(call: Call) -> Answer:
    """Every number of the hierarchy, in use or not."""
    return _listed(call, provisioned_only=False)


def list_provisioned(call: Call) -> Answer:
    """The numbers that a route uses."""
    return _listed(call, provisioned_only=True)


def list_available(call: Call) -> Answer:
    """The account's unused numbers (with identifier), then carrier numbers (identifier null), as in v2."""
    refuse_body(call)
    query = parse_query(call, AvailableQuery)
    own: list[dict[str, object]] = [
        {"number_id": held.id, "number": held.number, "source": held.source}
        for held in call.state.numbers.values()
        if held.route_id is None and call.sees(held.org_unit_id) and held.number.startswith(query.area_code)
    ]
    carrier: list[dict[str, object]] = [
        {"number_id": None, "number": number, "source": CARRIER}
        for number in call.state.carrier.search(query.area_code)
    ]
    found = own + carrier
    return listed("numbers", page(found, query.limit, query.offset), len(found))


def order_number(call: Call) -> Answer:
    """Take a carrier number into the account; charged at once, and answered with the pair that a route takes."""
    order = parse_body(call, NumberOrder)
    org = call.writable_org(order.org_unit_id)
    if order.number_id is not None:
        raise Refusal(400, "The number already has a number_id, so it need not be reserved.")
    if order.source not in {None, CARRIER} or not call.state.carrier.take(order.number):
        raise Refusal(400, "The number is no longer available.")
    number = PhoneNumber(call.state.next("number", 67890), order.number, CARRIER, org.id, call.state.clock.now())
    call.state.numbers[number.id] = number
    call.state.charge("number_order", 1, NUMBER_ORDER, f"number-{number.number}")
    return Answer({"number": {"phone_number_id": number.id, "phone_number": number.number}}, 201)


def release_number(call: Call) -> Answer:
    """Give a reserved number back, for good; a number that a route uses cannot be released.

    inferred: its id is in the path, as with every other DELETE of the API.
    """
    refuse_body(call)
    number = call.state.numbers.get(call.id)
    if number is None or not call.sees(number.org_unit_id):
        raise Refusal(404, f"Phone number {call.id} not found.")
    if number.route_id is not None:
        raise Refusal(400, f"Phone number {number.id} is used by route {number.route_id}.")
    del call.state.numbers[number.id]
    return Answer({"released": [number.id]})


def _listed(call: Call, *, provisioned_only: bool) -> Answer:
    refuse_body(call)
    query = parse_query(call, NumberQuery)
    scope = call.scope(query.org_unit_id)
    found = [
        number
        for number in call.state.numbers.values()
        if number.org_unit_id in scope and not (provisioned_only and number.route_id is None)
    ]
    return listed(
        "phone_numbers", [_row(call, number) for number in page(found, query.limit, query.offset)], len(found)
    )


def _row(call: Call, number: PhoneNumber) -> dict[str, object]:
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


ENDPOINTS = (
    Endpoint("Assigned Numbers", "GET", "/v3/phone-numbers/assigned", "inferred", "read", list_assigned),
    Endpoint("Provisioned Numbers", "GET", "/v3/phone-numbers/provisioned", "inferred", "read", list_provisioned),
    Endpoint("Reserved Numbers", "DELETE", "/v3/phone-numbers/reserved/{id}", "inferred", "write", release_number),
    Endpoint("Phone Numbers", "POST", "/v3/phone-numbers", "inferred", "write", order_number, "inferred"),
    Endpoint("Available Numbers", "GET", "/v3/phone-numbers/available", "inferred", "read", list_available),
)
