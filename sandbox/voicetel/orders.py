"""Finding and buying numbers (operations 29, 30, 34)."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sandbox.frame.inputs import Body, Query
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import StateCode, Tn
from sandbox.voicetel.inventory import EXCHANGE, Offer
from sandbox.voicetel.state import DEFAULT_ROUTE, Account, Number, StoredOrder
from sandbox.voicetel.wire import Refusal, created, success

REPLAYED_FOR = timedelta(hours=24)
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
DEFAULT_QUANTITY = 10


class NumberWithRoute(Body):
    """An ordered number with the gateway that gets its calls."""

    number: Tn
    route: int = DEFAULT_ROUTE


class OrderBody(Body):
    """Numbers to buy, each with a route or without."""

    numbers: Annotated[list[Tn | NumberWithRoute], Field(min_length=1, max_length=100)]

    def wanted(self) -> dict[str, int]:
        """Return the route of each number."""
        return {
            item if isinstance(item, str) else item.number: DEFAULT_ROUTE if isinstance(item, str) else item.route
            for item in self.numbers
        }


class SearchQuery(Query):
    """Filters of a search for numbers."""

    tnMask: Annotated[str, StringConstraints(pattern=r"^[0-9*]+$")]
    quantity: Annotated[int, Field(ge=1, le=1000)] = DEFAULT_QUANTITY
    province: StateCode = ""
    rateCenter: str = ""
    lata: int = 0


Bucket = Literal["state", "city", "rateCenter", "npanxx", "block"]


class CoverageQuery(Query):
    """What to count numbers by, and filters."""

    countBy: Bucket
    locState: str = ""
    city: str = ""
    rcAbbre: str = ""
    npa: str = ""
    lata: int = 0


@operation("POST", "orders")
def order_numbers(call: Call, body: OrderBody) -> Answer:
    """Buy numbers, once for each Idempotency-Key within 24 hours."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return _order(call, body)
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Refusal(400, "Idempotency-Key must be 1-128 letters, digits, underscores or hyphens.")
    now = call.state.clock.now()
    stored = call.account.orders.get(key)
    if stored is not None and now - stored.at < REPLAYED_FOR:
        # inferred: also where the body is another one; a retry is told by its key, and no refusal is documented
        return stored.answer
    # inferred: only orders that went through are remembered; a refused one may be tried again under its key
    answer = _order(call, body)
    call.account.orders[key] = StoredOrder(now, answer)
    return answer


@operation("GET", "inventory")
def search_inventory(call: Call, query: SearchQuery) -> Answer:
    """Return numbers that match a mask; the answer may be ten minutes old."""

    def find() -> list[dict[str, object]]:
        matching = (offer for offer in call.state.inventory.matching(query.tnMask) if _fits(offer, query))
        return [offer.to_wire() for offer in matching][: query.quantity]

    key = ("search", *query.model_dump().values())
    return success(numbers=call.state.inventory.cached(key, find))


@operation("GET", "inventory/coverage")
def count_coverage(call: Call, query: CoverageQuery) -> Answer:
    """Count free numbers by state, city, rate centre, exchange or thousands block."""

    def find() -> list[dict[str, object]]:
        counts = Counter(
            _BUCKETS[query.countBy](offer) for offer in call.state.inventory.offers() if _covered(offer, query)
        )
        return [{**dict(bucket), "count": count} for bucket, count in counts.items()]

    key = ("coverage", *query.model_dump().values())
    return success(coverage=call.state.inventory.cached(key, find))


def _order(call: Call, body: OrderBody) -> Answer:
    """Order what is still there and charge one month for each number that was.

    inferred: the balance must cover all numbers asked for, and when none can be had the carrier refuses (502).
    """
    wanted = body.wanted()
    account, state = call.account, call.state
    _check_order(account, body, wanted)
    rate = account.rates["did"]
    account.require_cash(rate * len(wanted))
    available = [number for number in wanted if state.inventory.orderable(number)]
    if not available:
        raise Refusal(502, "The carrier refused the order; nothing was written.")
    order = f"{state.next('order', 48211)}"
    state.charge(account, "did", len(available), rate * len(available), order)
    for number in available:
        state.inventory.take(number)
        account.numbers[number] = Number(number, wanted[number])
    gone = [{"number": number, "reason": "Number not available"} for number in wanted if number not in available]
    return created(orderId=order, numbersOrdered=available, amountCharged=rate * len(available), failed=gone)


def _check_order(account: Account, body: OrderBody, wanted: dict[str, int]) -> None:
    if len(wanted) != len(body.numbers):
        raise Refusal(400, "A number is listed more than once.")
    for number, route in wanted.items():
        if account.gateway_for(route) is None:
            raise Refusal(400, f"Route {route} for {number} is not a gateway on this account.")


def _fits(offer: Offer, query: SearchQuery) -> bool:
    center = offer.center
    return (
        (not query.province or center.state == query.province.upper())
        and (not query.rateCenter or center.name.lower() == query.rateCenter.lower())
        and (not query.lata or center.lata == str(query.lata))
    )


def _covered(offer: Offer, query: CoverageQuery) -> bool:
    center = offer.center
    return (
        (not query.locState or center.state == query.locState.upper())
        and (not query.city or center.city.lower() == query.city.lower())
        and (not query.rcAbbre or center.name.lower() == query.rcAbbre.lower())
        and (not query.npa or center.npa == query.npa)
        and (not query.lata or center.lata == str(query.lata))
    )


_Fields = tuple[tuple[str, str], ...]


def _by_state(offer: Offer) -> _Fields:
    return (("locState", offer.center.state),)


def _by_city(offer: Offer) -> _Fields:
    return (*_by_state(offer), ("city", offer.center.city))


def _by_rate_center(offer: Offer) -> _Fields:
    return (*_by_state(offer), ("rcAbbre", offer.center.name), ("lata", offer.center.lata))


def _by_exchange(offer: Offer) -> _Fields:
    return (("npa", offer.center.npa), ("nxx", EXCHANGE))


def _by_block(offer: Offer) -> _Fields:
    return (*_by_exchange(offer), ("block", offer.number[6]))


# Which fields a bucket fills is inferred; the schema lists all of them as optional.
_BUCKETS: dict[Bucket, Callable[[Offer], _Fields]] = {
    "state": _by_state,
    "city": _by_city,
    "rateCenter": _by_rate_center,
    "npanxx": _by_exchange,
    "block": _by_block,
}
