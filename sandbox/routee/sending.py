"""How an SMS is priced, sent, and moves from status to status."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from sandbox.routee.callbacks import INBOUND_RETRIES, REPORT_RETRIES, Target
from sandbox.routee.networks import is_mobile, network_of, require_country
from sandbox.routee.records import (
    DEFAULT_TTL,
    FINAL_SMS_STATUSES,
    Part,
    Pool,
    Sms,
    SmsCampaign,
    Status,
)
from sandbox.routee.segmentation import analyze
from sandbox.routee.state import State
from sandbox.routee.wire import Refusal, Wire, refused, timestamp

SENT_AFTER = timedelta(seconds=1)
SETTLED_AFTER = timedelta(seconds=3)

FATES = {
    "0001": ("Undelivered", "Undelivered on Handset"),
    "0002": ("Failed", "Unknown Number"),
    "0003": ("Undelivered", "Call Barred"),
    "0198": ("Undelivered", "Unknown Status"),
}
"""What becomes of messages to numbers that end like this; all others are delivered."""

NEVER_SETTLED = "0004"
"""Messages to numbers that end like this stay Sent until their time to live is over."""


@dataclass
class Dispatch:
    """One SMS about to be sent."""

    sender: str
    to: str
    text: str
    application: str
    label: str = ""
    target: Target | None = None
    ttl: int | None = None
    transcode: bool = False
    campaign: SmsCampaign | None = None
    groups: tuple[str, ...] = ()
    pool: Pool | None = None
    pool_strategy: str = ""

    def price(self) -> Decimal:
        """What it will cost."""
        return network_of(self.to).sms * self.parts()

    def parts(self) -> int:
        """How many parts it will have."""
        return analyze(self.text).parts_sent(self.transcode)


def require_mobile(number: str) -> None:
    """Check that a number can get an SMS.

    Raises:
        Refusal: 400005000 with inner error 008.
    """
    if not is_mobile(number):
        raise refused("400005000", f"{number} is not a valid mobile number. (errorCode: 008)")


def send(state: State, dispatch: Dispatch) -> Sms:
    """Pay for an SMS and send it; the whole price is taken when it is accepted (inferred).

    Raises:
        Refusal: 400001009 if the balance does not cover it; then nothing is sent.
    """
    identifier = state.new_id("sms")
    state.pay("sms", dispatch.parts(), dispatch.price(), identifier)
    sms = _keep(state, identifier, dispatch, "Queued")
    _report(state, sms)
    state.agenda.at(state.now() + SENT_AFTER, partial(_move, state, sms, "Sent", "Sent"))
    if dispatch.to.endswith(NEVER_SETTLED):
        expiry = DEFAULT_TTL if dispatch.ttl is None else timedelta(minutes=dispatch.ttl)
        state.agenda.at(state.now() + expiry, partial(_move, state, sms, "Undelivered", "Expired"))
    else:
        name, detailed = FATES.get(dispatch.to[-4:], ("Delivered", "Delivered"))
        state.agenda.at(state.now() + SETTLED_AFTER, partial(_move, state, sms, name, detailed))
    return sms


def send_if_paid(state: State, dispatch: Dispatch) -> Sms:
    """Send one SMS of a bulk send; without enough balance it ends as Unsent and costs nothing (documented)."""
    try:
        return send(state, dispatch)
    except Refusal:
        sms = _keep(state, state.new_id("sms"), dispatch, "Unsent")
        _make_free(sms)
        _report(state, sms)
        return sms


def receive(state: State, sender: str, to: str, text: str) -> Sms:
    """Let an SMS come in to a rented number, and post it to the number's and its pool's callback.

    It comes in without being charged if the balance is too low (inferred).
    """
    rented = state.numbers[to]
    parts = analyze(text).parts
    price = rented.offer.inbound_price("Sms")
    if price * parts > state.balance:
        price = Decimal(0)
    sms = Sms(
        id=state.new_id("inbound"),
        sender=sender,
        to=to,
        text=text,
        country=rented.offer.country,
        operator="",
        parts=[Part(state.new_id("part"), price) for _ in range(parts)],
        created=state.now(),
        status=Status("Delivered", state.now()),
        application="",
        mcc="",
        mnc="",
        direction="Inbound",
    )
    state.sms[sms.id] = sms
    if sms.price:
        state.pay("inbound_sms", parts, sms.price, sms.id)
    if rented.inbound_sms_url:
        state.outbox.post("inbound sms", rented.inbound_sms_url, inbound_payload(sms), INBOUND_RETRIES)
    pool = state.pool_with(to)
    if pool is not None and pool.settings.inbound_url:
        payload = {**inbound_payload(sms), "price": sms.price}
        state.outbox.post("inbound sms of a pool", pool.settings.inbound_url, payload, INBOUND_RETRIES)
    return sms


def tracked(sms: Sms) -> list[Wire]:
    """An SMS as trackings show it, one object for each part; what only some trackings have is added by them."""
    wires: list[Wire] = []
    for position, part in enumerate(sms.parts, start=1):
        wire: Wire = {
            "applicationName": sms.application,
            "country": sms.country,
            "smsId": part.sms_id,
            "messageId": sms.id,
            "groups": list(sms.groups),
            "body": sms.text,
            "operator": sms.operator,
            "originatingService": "Sms",
            "to": sms.to,
            "latency": sms.latency,
            "parts": len(sms.parts),
            "part": position,
            "price": part.price,
            "status": sms.status.tracked(),
            "from": sms.sender,
            "direction": sms.direction,
        }
        wires.append(wire)
    return wires


def inbound_payload(sms: Sms) -> Wire:
    """The body of the inbound callback."""
    return {
        "messageId": sms.id,
        "from": sms.sender,
        "to": sms.to,
        "message": sms.text,
        "parts": len(sms.parts),
        "originatingService": "Sms",
        "direction": "Inbound",
        "receivedDate": timestamp(sms.created),
    }


def _keep(state: State, identifier: str, dispatch: Dispatch, status: str) -> Sms:
    country = require_country(dispatch.to)
    network = network_of(dispatch.to)
    sms = Sms(
        id=identifier,
        sender=dispatch.sender,
        to=dispatch.to,
        text=dispatch.text,
        country=country.iso,
        operator=network.name,
        parts=[Part(state.new_id("part"), network.sms) for _ in range(dispatch.parts())],
        created=state.now(),
        status=Status(status, state.now()),
        application=dispatch.application,
        mcc=network.mcc,
        mnc=network.mnc,
        label=dispatch.label,
        target=dispatch.target,
        campaign=dispatch.campaign,
        groups=list(dispatch.groups),
        pool=dispatch.pool,
        pool_strategy=dispatch.pool_strategy,
    )
    state.sms[identifier] = sms
    return sms


def _move(state: State, sms: Sms, name: str, detailed: str) -> None:
    sms.status = Status(name, state.now(), detailed, f"Message status: {detailed}")
    if name == "Failed":
        # A reseller's note says that Failed and Unsent are not charged; so the price is given back (inferred).
        state.pay_back("sms_failed", len(sms.parts), sms.price, sms.id)
        _make_free(sms)
    _report(state, sms)


def _make_free(sms: Sms) -> None:
    for part in sms.parts:
        part.price = Decimal(0)


def _report(state: State, sms: Sms) -> None:
    """Post the delivery report of each part, if the strategy wants it; also for Queued, which the page names."""
    if sms.target is None or not sms.target.wants(sms.status.name in FINAL_SMS_STATUSES):
        return
    retries = REPORT_RETRIES if sms.pool is None else INBOUND_RETRIES
    for position in range(1, len(sms.parts) + 1):
        state.outbox.post("delivery report", sms.target.url, _report_payload(sms, position), retries)


def _report_payload(sms: Sms, position: int) -> Wire:
    part = sms.parts[position - 1]
    payload: Wire = {
        "messageId": sms.id,
        "smsId": part.sms_id,
        "part": position,
        "parts": len(sms.parts),
        "label": sms.label,
        "to": sms.to,
        "from": sms.sender,
        "country": sms.country,
        "operator": sms.operator,
        "groups": list(sms.groups),
        "campaignName": sms.campaign.plan.name if sms.campaign else "",
        "status": sms.status.called_back(),
        "message": sms.text,
        "applicationName": sms.application,
        "latency": sms.latency,
        "price": part.price,
        "direction": sms.direction,
        "originatingService": "Sms",
    }
    if sms.campaign is not None:
        payload["campaignTrackingId"] = sms.campaign.id
    if sms.pool is not None:
        payload |= {"poolId": sms.pool.id, "poolName": sms.pool.name, "poolStrategy": sms.pool_strategy}
    return payload
