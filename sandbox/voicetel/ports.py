"""Porting numbers in (operations 31, 32, 33, 35)."""

import hashlib
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from sandbox.clock import iso
from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import StateCode, Text, Tn, path_number
from sandbox.voicetel.inventory import RATE_CENTERS
from sandbox.voicetel.state import Account, Port
from sandbox.voicetel.support import open_ticket
from sandbox.voicetel.wire import Refusal, created, success

PORT_FEE = Decimal("6.00")
CHECK_HOLDS_FOR = timedelta(hours=1)
UNPORTABLE_ENDING = "99"
"""inferred: some numbers cannot be ported; here those ending in 99."""
SERVED = frozenset(center.npa for center in RATE_CENTERS) | {"718", "917", "213", "310", "408", "617", "773", "800"}
CARRIERS = ("Lakeshore Telecom", "Summit Wireless", "Meridian Cable Voice", "Prairie Bell")

Direction = Literal["", "N", "NE", "E", "SE", "S", "SW", "W", "NW"]


def _date(text: str) -> str:
    """inferred: the text says YYYY-MM-DD, the schema date-time, so either is taken, and blank as none."""
    if text and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        datetime.fromisoformat(text)
    elif text:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a calendar day, no instant
    return text


class FeatureRouting(Body):
    """Where a ported number's calls go."""

    gatewayId: int = 0


class FeatureSms(Body):
    """The campaign of a ported number."""

    campaignId: str = ""


class FeatureLidb(Body):
    """The outbound caller name of a ported number."""

    name: Annotated[str, StringConstraints(max_length=15)] = ""


class PortFeature(Body):
    """What to set on one number once it is here."""

    number: Tn
    routing: FeatureRouting = Field(default_factory=FeatureRouting)
    sms: FeatureSms = Field(default_factory=FeatureSms)
    lidb: FeatureLidb = Field(default_factory=FeatureLidb)


class PortBody(Body):
    """An order to port numbers in, with the data of the losing carrier."""

    lcBtn: Text
    street: Text
    nameType: Literal["business", "residential"]
    lcAccountNumber: Text
    streetNumber: Text
    streetType: str
    name: Text
    authPerson: Text
    state: StateCode
    zip: Text
    city: Text
    country: Text
    did: Annotated[list[Tn], Field(min_length=1)]
    streetSuffix: Direction = ""
    streetPrefix: Direction = ""
    desiredDueDate: Annotated[str, AfterValidator(_date)] = ""
    room: str = ""
    floor: str = ""
    building: str = ""
    unitValue: str = ""
    pin: str = ""
    features: list[PortFeature] = Field(default_factory=list[PortFeature])


@operation("GET", "ports/availability/{number}")
def check_portability(call: Call) -> Answer:
    """Say whether a number can be ported in; true opens the hour in which it may be submitted."""
    number = path_number(call.path["number"])
    reason = _obstacle(call, number)
    if reason is None:
        call.account.portable_until[number] = call.state.clock.now() + CHECK_HOLDS_FOR
    pick = int(hashlib.sha256(number.encode()).hexdigest()[:4], 16)
    return success(
        number=number,
        portable=reason is None,
        reason=reason,
        losingCarrier=CARRIERS[pick % len(CARRIERS)],
        rateCenterTier="1" if reason is None else None,
        localRoutingNumber=f"{number[:6]}0000" if reason is None else None,
    )


@operation("POST", "ports")
def submit_port(call: Call, body: PortBody) -> Answer:
    """File a port-in: a record, a ticket and six dollars for each number."""
    account, state = call.account, call.state
    _check_port(call, body)
    fee = PORT_FEE * len(body.did)
    account.require_cash(fee)
    serial = state.next("port", 1481)
    pid = f"w{serial}"
    state.charge(account, "port-in", len(body.did), fee, pid)
    numbers = ", ".join(body.did)
    ticket = open_ticket(state, account, f"Port-in {pid}", f"<p>Port-in request for {numbers}.</p>")
    port = Port(
        id=hashlib.sha1(pid.encode(), usedforsecurity=False).hexdigest(),
        pid=pid,
        status="submitted",
        created=state.clock.now(),
        numbers=list(body.did),
        name=body.name,
        ticket=ticket.id,
        message="Awaiting signed LOA.",
    )
    account.ports[pid] = port
    return created(
        pid=pid,
        ticket=ticket.id,
        message="Port submitted. Sign the LOA and upload it with a recent bill.",
        portUrl=f"https://voicetel.com/ports/{pid}",
        loaUrl=f"https://voicetel.com/ports/{pid}/loa",
    )


@operation("GET", "ports")
def list_ports(call: Call) -> Answer:
    """List all port-ins, newest first; inferred: an empty list if there are none."""
    newest_first = sorted(call.account.ports.values(), key=lambda port: port.created, reverse=True)
    rows = [{**_common(port), "supportUrl": f"https://voicetel.com/tickets/{port.ticket}"} for port in newest_first]
    return success(ports=rows)


@operation("GET", "ports/{id}")
def show_port(call: Call) -> Answer:
    """Show one port-in by its five-character pid."""
    pid = call.path["id"]
    if not re.fullmatch(r"[A-Za-z0-9]{5}", pid):
        # inferred: the pattern is documented, the answer to breaking it is not
        raise Refusal(400, "The port id is the five-character pid.")
    port = call.account.ports.get(pid)
    if port is None:
        raise Refusal(404, "Port not found.")
    contact = {"name": port.name, "email": call.account.email, "numbers": port.numbers}
    return success(port={**_common(port), **contact})


def _obstacle(call: Call, number: str) -> str | None:
    """Return why a number cannot be ported in; None if it can."""
    if number in call.account.numbers:
        return "Number is already on this account"
    if number[:3] not in SERVED:
        return "No coverage in this rate center"
    if number.endswith(UNPORTABLE_ENDING):
        return "Number is not portable"
    return None


def _check_port(call: Call, body: PortBody) -> None:
    """Refuse before anything happens (documented: 400 means that nothing did)."""
    now = call.state.clock.now()
    if len(set(body.did)) != len(body.did):
        raise Refusal(400, "A number is listed more than once.")
    for number in body.did:
        until = call.account.portable_until.get(number)
        if until is None or now >= until:
            raise Refusal(400, f"{number} has not been confirmed portable within the last hour.")
    for feature in body.features:
        _check_feature(call.account, body, feature)


def _check_feature(account: Account, body: PortBody, feature: PortFeature) -> None:
    if feature.number not in body.did:
        raise Refusal(400, f"{feature.number} has features but is not in did.")
    if "gatewayId" in feature.routing.model_fields_set and not account.gateway_for(feature.routing.gatewayId):
        raise Refusal(400, f"Gateway {feature.routing.gatewayId} is not on this account.")
    if "campaignId" in feature.sms.model_fields_set and feature.sms.campaignId not in account.campaigns:
        raise Refusal(400, f"Campaign {feature.sms.campaignId} is unknown.")


def _common(port: Port) -> dict[str, object]:
    return {
        "id": port.id,
        "pid": port.pid,
        "status": port.status,
        "createdAt": iso(port.created),
        "foc": port.foc,
        "message": port.message,
    }
