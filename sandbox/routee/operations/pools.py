"""Pools: make, change, fill, send from."""

from typing import Annotated, Literal

from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import PAGE, REFERENCE, Call, in_path, operation
from sandbox.routee.fields import PageQuery, Phone, SmsText, Text, UrlShortener
from sandbox.routee.networks import require_country
from sandbox.routee.operations.rented_numbers import PathNumber
from sandbox.routee.records import Draft, Pool, SmsSettings
from sandbox.routee.segmentation import analyze
from sandbox.routee.sending import require_mobile, send
from sandbox.routee.short_links import list_links, shorten
from sandbox.routee.state import State
from sandbox.routee.wire import empty, ok, refuse, timestamp

MOST_NUMBERS = 1000
DEFAULT_SENDER = "InfoSMS"
"""Documented: the sender when nothing of the pool fits."""

# inferred: no error list is published for pools
PathPool = Annotated[Pool, in_path("pools", "404021005", "The pool does not exist.")]


@operation("POST", "/pools/my", REFERENCE, inferred="it is free")
def create_pool(call: Call, *, poolName: Text, smsSettings: SmsSettings) -> Answer:
    """Make an empty pool."""
    pool = Pool(call.state.new_id("pool"), poolName, smsSettings, call.state.now())
    call.state.pools[pool.id] = pool
    return ok(_to_wire(pool))


@operation("PUT", "/pools/my/{poolId}", REFERENCE, inferred="given settings replace all settings")
def update_pool(
    call: Call, pool: PathPool, *, poolName: Text | None = None, smsSettings: SmsSettings | None = None
) -> Answer:
    """Rename a pool or replace its settings."""
    pool.name = poolName or pool.name
    pool.settings = smsSettings or pool.settings
    pool.updated = call.state.now()
    return ok(_to_wire(pool))


@operation("DELETE", "/pools/my/{poolId}", REFERENCE, inferred="its numbers stay rented")
def delete_pool(call: Call, pool: PathPool) -> Answer:
    """Delete a pool; its numbers stay rented and charged (inferred)."""
    del call.state.pools[pool.id]
    return ok({"poolId": pool.id, "deletedAt": timestamp(call.state.now())})


@operation("GET", "/pools/my", REFERENCE, inferred="page and size")
def list_pools(call: Call, query: PageQuery) -> Answer:
    """List all pools with part of their settings, in the page envelope of the sample."""
    items: list[Wire] = [
        {**_to_wire(pool), "smsSettings": pool.settings.to_brief(), "totalNumbers": len(pool.numbers)}
        for pool in call.state.pools.values()
    ]
    return query.answer(items)


@operation("GET", "/pools/my/{poolId}", PAGE)
def show_pool(call: Call, pool: PathPool) -> Answer:
    """Show one pool."""
    return ok({**_to_wire(pool), "totalNumbers": len(pool.numbers)})


@operation("GET", "/pools/my/{poolId}/numbers", REFERENCE)
def list_pool_numbers(call: Call, pool: PathPool) -> Answer:
    """List the numbers of a pool, with '+', not paged."""
    return ok(_numbers(pool))


@operation("PUT", "/pools/my/{poolId}/numbers/{msisdn}", REFERENCE, inferred="that there is no body; the answer")
def add_number(call: Call, pool: PathPool, number: PathNumber) -> Answer:
    """Put a rented number into a pool; it can be in one only. The answer is inferred."""
    other = call.state.pool_with(number.offer.msisdn)
    if other is not None:
        raise refuse("409021002", f"The number already belongs to the pool {other.id}.")
    if len(pool.numbers) >= MOST_NUMBERS:
        raise refuse("400021003", f"A pool has {MOST_NUMBERS} numbers at most.")
    pool.numbers.append(number.offer.msisdn)
    pool.updated = call.state.now()
    return ok(_numbers(pool))


@operation("DELETE", "/pools/my/{poolId}/numbers/{msisdn}", REFERENCE, inferred="the empty answer")
def remove_number(call: Call, pool: PathPool, number: PathNumber) -> Answer:
    """Take a number out of a pool; it stays rented."""
    if number.offer.msisdn not in pool.numbers:
        raise refuse("404021004", "The number does not belong to the pool.")
    pool.numbers.remove(number.offer.msisdn)
    pool.updated = call.state.now()
    return empty()


@operation("POST", "/pools/my/{poolId}/sms", PAGE, "sms", paid=True, inferred="the errors are those of POST /sms")
def send_from_pool(
    call: Call,
    pool: PathPool,
    *,
    to: Phone,
    body: SmsText,
    poolStrategy: Literal["Numeric", "Alphanumeric"],
    urlShortener: UrlShortener | None = None,
) -> Answer:
    """Send one message from the sender that the pool chooses; `from` comes without '+'."""
    require_mobile(to)
    settings = pool.settings
    draft = Draft(
        sender=_choose_sender(pool, to, poolStrategy, call.state),
        to=to,
        text=shorten(body, urlShortener),
        application=call.application.name,
        callback=settings.callback,
        transcode=settings.transcode,
        pool=pool,
        pool_strategy=poolStrategy,
    )
    sms = send(call.state, draft)
    if f"+{sms.sender}" in pool.numbers:
        pool.chosen[to] = f"+{sms.sender}"
    answer: Wire = {
        "trackingId": sms.id,
        "status": sms.status.name,
        "createdAt": timestamp(sms.created),
        "poolId": pool.id,
        "poolName": pool.name,
        "poolStrategy": poolStrategy,
        "smsSettings": settings.to_wire(),
        "to": sms.to,
        "from": sms.sender,
        "body": sms.text,
        "bodyAnalysis": analyze(sms.text).to_wire(),
    }
    return ok(answer | ({"urlShortener": list_links(body, urlShortener)} if urlShortener else {}))


def _choose_sender(pool: Pool, to: str, strategy: str, state: State) -> str:
    """Return the number of last time if there is one that is kept, else one of the recipient's or default country.

    Failing that, the alphanumeric sender.
    """
    settings = pool.settings
    fallback = settings.alphanumericSenderId or DEFAULT_SENDER
    if strategy == "Alphanumeric":
        return fallback
    sticky = pool.chosen.get(to, "")
    if settings.sticky and sticky in pool.numbers:
        return sticky[1:]
    wanted = ([require_country(to).iso] if settings.geomatch else []) + [settings.defaultCountry]
    for country in wanted:
        for number in pool.numbers:
            if state.numbers[number].offer.country == country:
                return number[1:]
    if not settings.geomatch and pool.numbers:
        return pool.numbers[0][1:]
    return fallback


def _to_wire(pool: Pool) -> Wire:
    return {
        "poolId": pool.id,
        "poolName": pool.name,
        "smsSettings": pool.settings.to_wire(),
        "updatedAt": timestamp(pool.updated),
    }


def _numbers(pool: Pool) -> Wire:
    return {"poolId": pool.id, "poolName": pool.name, "numbers": list(pool.numbers)}
