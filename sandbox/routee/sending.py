"""How an SMS is paid, sent, and moves from status to status."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

from sandbox.frame.wire import Refusal, Wire
from sandbox.routee.callbacks import INBOUND_RETRIES, REPORT_RETRIES
from sandbox.routee.networks import is_mobile, network_of, require_country
from sandbox.routee.records import FINAL_SMS_STATUSES, Draft, Part, Sms, Status
from sandbox.routee.segmentation import analyze
from sandbox.routee.state import State
from sandbox.routee.wire import refuse, timestamp

SENT_AFTER = timedelta(seconds=1)
SETTLED_AFTER = timedelta(seconds=3)
DEFAULT_TTL = timedelta(hours=72)
"""Documented: how long delivery of an SMS is attempted."""

OUTCOMES = {
    "0001": ("Undelivered", "Undelivered on Handset"),
    "0002": ("Failed", "Unknown Number"),
    "0003": ("Undelivered", "Call Barred"),
    "0198": ("Undelivered", "Unknown Status"),
}
"""What becomes of messages to numbers that end like this; all others are delivered."""

NEVER_SETTLED = "0004"
"""Messages to numbers that end like this stay Sent until their time to live is over."""


def require_mobile(number: str) -> None:
    """Check that a number can get an SMS.

    Raises:
        Refusal: 400005000 with inner error 008.
    """
    if not is_mobile(number):
        raise refuse("400005000", f"{number} is not a valid mobile number. (errorCode: 008)")


def send(state: State, draft: Draft) -> Sms:
    """Pay for an SMS and send it; the whole price is taken when it is accepted (inferred).

    Raises:
        Refusal: 400001009 if the balance does not cover it; then nothing is sent.
    """
    identifier = state.new_id("sms")
    state.pay("sms", draft.count_parts(), draft.estimate(), identifier)
    sms = _keep(state, identifier, draft, "Queued")
    _report(state, sms)
    state.agenda.at(state.now() + SENT_AFTER, partial(_move, state, sms, "Sent", "Sent"))
    if sms.to.endswith(NEVER_SETTLED):
        expiry = DEFAULT_TTL if sms.ttl is None else timedelta(minutes=sms.ttl)
        state.agenda.at(state.now() + expiry, partial(_move, state, sms, "Undelivered", "Expired"))
    else:
        name, detailed = OUTCOMES.get(sms.to[-4:], ("Delivered", "Delivered"))
        state.agenda.at(state.now() + SETTLED_AFTER, partial(_move, state, sms, name, detailed))
    return sms


def send_if_paid(state: State, draft: Draft) -> Sms:
    """Send one SMS of a bulk send; without enough balance it ends as Unsent and costs nothing (documented)."""
    try:
        return send(state, draft)
    except Refusal:
        sms = _keep(state, state.new_id("sms"), draft, "Unsent")
        _make_free(sms)
        _report(state, sms)
        return sms


def receive(state: State, sender: str, to: str, text: str) -> Sms:
    """Let an SMS come in to a rented number, and post it to the number's and its pool's callback.

    It comes in without being charged if the balance is too low (inferred).
    """
    rented = state.numbers[to]
    parts = analyze(text).parts
    price = dict(rented.offer.inbound).get("Sms", Decimal(0))
    if price * parts > state.balance:
        price = Decimal(0)
    sms = Sms(
        id=state.new_id("inbound"),
        sender=sender,
        to=to,
        text=text,
        country=rented.offer.country,
        parts=[Part(state.new_id("part"), price) for _ in range(parts)],
        created=state.now(),
        status=Status("Delivered", state.now()),
        direction="Inbound",
    )
    state.sms[sms.id] = sms
    if sms.price:
        state.pay("inbound_sms", parts, sms.price, sms.id)
    state.outbox.post("inbound sms", rented.inbound_sms_url, _inbound_payload(sms), INBOUND_RETRIES)
    if pool := state.pool_with(to):
        payload = {**_inbound_payload(sms), "price": sms.price}
        state.outbox.post("inbound sms of a pool", pool.settings.inboundSMSCallbackUrl or "", payload, INBOUND_RETRIES)
    return sms


def track(sms: Sms) -> list[Wire]:
    """Return an SMS as trackings show it, one object for each part; what only some trackings have is added by them."""
    return [{**part, "body": sms.text, "status": sms.status.to_tracking()} for part in sms.describe_parts()]


def _inbound_payload(sms: Sms) -> Wire:
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


def _keep(state: State, identifier: str, draft: Draft, status: str) -> Sms:
    network = network_of(draft.to)
    sms = Sms(
        **vars(draft),
        id=identifier,
        country=require_country(draft.to).iso,
        network=network,
        parts=[Part(state.new_id("part"), network.sms) for _ in range(draft.count_parts())],
        created=state.now(),
        status=Status(status, state.now()),
    )
    state.sms[identifier] = sms
    return sms


def _move(state: State, sms: Sms, name: str, detailed: str) -> None:
    sms.status = Status(name, state.now(), detailed)
    if name == "Failed":
        # A reseller's note says that Failed and Unsent are not charged; so the price is paid back (inferred).
        state.pay_back("sms_failed", len(sms.parts), sms.price, sms.id)
        _make_free(sms)
    _report(state, sms)


def _make_free(sms: Sms) -> None:
    for part in sms.parts:
        part.price = Decimal(0)


def _report(state: State, sms: Sms) -> None:
    """Post the delivery report of each part, if the strategy wants it; also for Queued, which the page names."""
    more: Wire = {
        "label": sms.label,
        "message": sms.text,
        "status": sms.status.to_callback(),
        "campaignName": sms.campaign.name if sms.campaign else "",
    }
    if sms.campaign is not None:
        more["campaignTrackingId"] = sms.campaign.id
    if sms.pool is not None:
        more |= {"poolId": sms.pool.id, "poolName": sms.pool.name, "poolStrategy": sms.pool_strategy}
    final = sms.status.name in FINAL_SMS_STATUSES
    retries = REPORT_RETRIES if sms.pool is None else INBOUND_RETRIES
    for part in sms.describe_parts():
        state.outbox.report("delivery report", sms.callback, final, part | more, retries)
