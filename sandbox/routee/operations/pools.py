"""Pools: make, change, fill, send from."""

from typing import Literal

from pydantic import Field

from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    CallbackBody,
    CountryCode,
    PageQuery,
    Phone,
    Text,
    Url,
    UrlShortenerBody,
)
from sandbox.routee.networks import require_country
from sandbox.routee.operations.rented_numbers import path_msisdn
from sandbox.routee.operations.sms import LONGEST_TEXT
from sandbox.routee.records import Pool, SmsSettings
from sandbox.routee.segmentation import analyze
from sandbox.routee.sending import Dispatch, require_mobile, send
from sandbox.routee.short_links import shorten
from sandbox.routee.state import State
from sandbox.routee.wire import Answer, Wire, nothing, ok, page_of, refused, timestamp

MOST_NUMBERS = 1000
DEFAULT_SENDER = "InfoSMS"
"""Documented: the sender when nothing of the pool fits."""


class SenderBody(Body):
    """One of several senders of a pool."""

    country: CountryCode
    senderId: Text
    keyword: str = ""
    shortCode: str = ""


class SettingsBody(Body):
    """`smsSettings`; the callback for inbound is spelt with a capital SMS here."""

    sticky: bool = True
    geomatch: bool = True
    transcode: bool = False
    defaultCountry: CountryCode | None = None
    alphanumericSenderId: str | None = Field(default=None, pattern=r"^[A-Za-z0-9 ._&-]{1,11}$")
    inboundSMSCallbackUrl: Url | None = None
    callback: CallbackBody | None = None
    multipleSender: list[SenderBody] = []

    def settings(self) -> SmsSettings:
        """The settings as they are kept."""
        return SmsSettings(
            sticky=self.sticky,
            geomatch=self.geomatch,
            transcode=self.transcode,
            default_country=self.defaultCountry or "",
            alphanumeric=self.alphanumericSenderId or "",
            inbound_url=self.inboundSMSCallbackUrl or "",
            target=self.callback.target() if self.callback else None,
            multiple_sender=[one.model_dump(exclude_defaults=True) for one in self.multipleSender],
        )


class PoolBody(Body):
    """Body of `POST /pools/my`."""

    poolName: Text
    smsSettings: SettingsBody


class PoolChangeBody(Body):
    """Body of `PUT /pools/my/{poolId}`; given settings replace all settings (inferred)."""

    poolName: Text | None = None
    smsSettings: SettingsBody | None = None


class PoolSmsBody(Body):
    """Body of `POST /pools/my/{poolId}/sms`."""

    to: Phone
    text: str = Field(alias="body", min_length=1, max_length=LONGEST_TEXT)
    poolStrategy: Literal["Numeric", "Alphanumeric"]
    urlShortener: UrlShortenerBody | None = None


def create_pool(call: Call, body: PoolBody) -> Answer:
    """Make an empty pool."""
    pool = Pool(call.state.new_id("pool"), body.poolName, body.smsSettings.settings(), call.state.now())
    call.state.pools[pool.id] = pool
    return ok(_wire(pool))


def update_pool(call: Call, body: PoolChangeBody) -> Answer:
    """Rename a pool or replace its settings."""
    pool = _own(call)
    pool.name = body.poolName or pool.name
    if body.smsSettings is not None:
        pool.settings = body.smsSettings.settings()
    pool.updated = call.state.now()
    return ok(_wire(pool))


def delete_pool(call: Call) -> Answer:
    """Delete a pool; its numbers stay rented and charged (inferred)."""
    pool = _own(call)
    del call.state.pools[pool.id]
    return ok({"poolId": pool.id, "deletedAt": timestamp(call.state.now())})


def list_pools(call: Call, query: PageQuery) -> Answer:
    """All pools with part of their settings, in the page envelope of the sample."""
    items: list[Wire] = [
        {**_wire(pool), "smsSettings": pool.settings.to_wire(brief=True), "totalNumbers": len(pool.numbers)}
        for pool in call.state.pools.values()
    ]
    return page_of(items, query.page, query.size)


def show_pool(call: Call) -> Answer:
    """One pool."""
    pool = _own(call)
    return ok({**_wire(pool), "totalNumbers": len(pool.numbers)})


def list_pool_numbers(call: Call) -> Answer:
    """The numbers of a pool, with '+', not paged."""
    return ok(_numbers(_own(call)))


def add_number(call: Call) -> Answer:
    """Put a rented number into a pool; it can be in one only. The answer is inferred."""
    pool, number = _own(call), path_msisdn(call.state, call.path["msisdn"])
    other = call.state.pool_with(number.offer.msisdn)
    if other is not None:
        raise refused("409021002", f"The number already belongs to the pool {other.id}.")
    if len(pool.numbers) >= MOST_NUMBERS:
        raise refused("400021003", f"A pool has {MOST_NUMBERS} numbers at most.")
    pool.numbers.append(number.offer.msisdn)
    pool.updated = call.state.now()
    return ok(_numbers(pool))


def remove_number(call: Call) -> Answer:
    """Take a number out of a pool; it stays rented."""
    pool, number = _own(call), path_msisdn(call.state, call.path["msisdn"])
    if number.offer.msisdn not in pool.numbers:
        raise refused("404021004", "The number does not belong to the pool.")
    pool.numbers.remove(number.offer.msisdn)
    pool.updated = call.state.now()
    return nothing()


def send_from_pool(call: Call, body: PoolSmsBody) -> Answer:
    """Send one message from the sender that the pool chooses; `from` comes without '+'."""
    pool = _own(call)
    require_mobile(body.to)
    shortened = shorten(body.text, body.urlShortener.urlValidity) if body.urlShortener else None
    dispatch = Dispatch(
        sender=_choose_sender(pool, body, call.state),
        to=body.to,
        text=shortened.text if shortened else body.text,
        application=call.application.name,
        target=pool.settings.target,
        transcode=pool.settings.transcode,
        pool=pool,
        pool_strategy=body.poolStrategy,
    )
    sms = send(call.state, dispatch)
    if f"+{sms.sender}" in pool.numbers:
        pool.chosen[body.to] = f"+{sms.sender}"
    answer: Wire = {
        "trackingId": sms.id,
        "status": sms.status.name,
        "createdAt": timestamp(sms.created),
        "poolId": pool.id,
        "poolName": pool.name,
        "poolStrategy": body.poolStrategy,
        "smsSettings": pool.settings.to_wire(),
        "to": sms.to,
        "from": sms.sender,
        "body": sms.text,
        "bodyAnalysis": analyze(sms.text).to_wire(),
    }
    return ok(answer | ({"urlShortener": shortened.to_wire()} if shortened else {}))


def _choose_sender(pool: Pool, body: PoolSmsBody, state: State) -> str:
    """Sticky first, then the recipient's country, then the default country, then the alphanumeric sender."""
    settings = pool.settings
    fallback = settings.alphanumeric or DEFAULT_SENDER
    if body.poolStrategy == "Alphanumeric":
        return fallback
    sticky = pool.chosen.get(body.to, "")
    if settings.sticky and sticky in pool.numbers:
        return sticky[1:]
    wanted = ([require_country(body.to).iso] if settings.geomatch else []) + [settings.default_country]
    for country in wanted:
        for number in pool.numbers:
            if state.numbers[number].offer.country == country:
                return number[1:]
    if not settings.geomatch and pool.numbers:
        return pool.numbers[0][1:]
    return fallback


def _own(call: Call) -> Pool:
    pool = call.state.pools.get(call.path["poolId"])
    if pool is None:
        # inferred: no error list is published for pools
        raise refused("404021005", "The pool does not exist.")
    return pool


def _wire(pool: Pool) -> Wire:
    return {
        "poolId": pool.id,
        "poolName": pool.name,
        "smsSettings": pool.settings.to_wire(),
        "updatedAt": timestamp(pool.updated),
    }


def _numbers(pool: Pool) -> Wire:
    return {"poolId": pool.id, "poolName": pool.name, "numbers": list(pool.numbers)}
