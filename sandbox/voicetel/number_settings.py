"""Settings of one number: fax, CNAM, translation, SMS routing, route, forward, LIDB, PIN (operations 46-56, 61, 67)."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import StringConstraints

from sandbox.voicetel.addresses import is_ipv4, is_public_host, split_port
from sandbox.voicetel.endpoint import Body, Call
from sandbox.voicetel.fields import Email, Tn, is_email, path_number
from sandbox.voicetel.numbers import owned_number
from sandbox.voicetel.state import Account, Number, SmsRoute
from sandbox.voicetel.wire import Answer, Refusal, no_content, success

LIDB_LIMIT = 15
TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})


class FaxBody(Body):
    """`PUT /numbers/{number}/fax`."""

    email: Email


class CnamBody(Body):
    """`PUT /numbers/{number}/cnam`."""

    enabled: bool


class TranslationBody(Body):
    """`PUT /numbers/{number}/translation`; the schema's ten-digit pattern, not the text's `digits and #`."""

    translation: Tn


class SmsBody(Body):
    """`PUT /numbers/{number}/sms`."""

    type: Literal["email", "webhook", "sip"]
    resource: str


class RouteBody(Body):
    """`PUT /numbers/{number}/route`."""

    route: int


class ForwardBody(Body):
    """`PUT /numbers/{number}/forward`."""

    destination: Tn


class LidbBody(Body):
    """`PUT /numbers/{number}/lidb`."""

    cnam: str
    customerOrderReference: str = ""


class PinBody(Body):
    """`PATCH /numbers/{number}/port-out-pin`."""

    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


def set_fax(call: Call, body: FaxBody) -> Answer:
    """Send faxes to an address."""
    number = owned_number(call)
    number.fax_email = body.email
    return success({"number": number.number, "email": body.email})


def show_fax(call: Call) -> Answer:
    """Where faxes go; 404 if nowhere."""
    number = owned_number(call)
    if number.fax_email is None:
        raise Refusal(404, "No fax routing configured.")
    return success({"number": number.number, "email": number.fax_email})


def remove_fax(call: Call) -> Answer:
    """Stop sending faxes anywhere; 404 if none were."""
    number = owned_number(call)
    if number.fax_email is None:
        raise Refusal(404, "No fax routing configured.")
    number.fax_email = None
    return no_content()


def set_cnam(call: Call, body: CnamBody) -> Answer:
    """Switch the caller name lookup for inbound calls."""
    number = owned_number(call)
    number.cnam = body.enabled
    return success({"number": number.number, "cnam": number.cnam})


def set_translation(call: Call, body: TranslationBody) -> Answer:
    """Set the number that is delivered for inbound calls."""
    number = owned_number(call)
    number.translated = body.translation
    return success({"number": number.number, "translation": number.translated})


def set_sms(call: Call, body: SmsBody) -> Answer:
    """Route inbound messages to an address, a webhook or a SIP host."""
    number = owned_number(call)
    _require_destination(body)
    route = call.account.sms_routes.get(number.sms_row)
    if route is None or _is_shared(call.account, number):
        row = call.state.next("sms route", 7001)
        route = SmsRoute(row, body.type, body.resource)
        call.account.sms_routes[row] = route
        number.sms_row = row
    route.kind, route.resource = body.type, body.resource
    return success(_sms_to_wire(number, route))


def show_sms(call: Call) -> Answer:
    """Where inbound messages go; 404 if nowhere."""
    number = owned_number(call)
    return success(_sms_to_wire(number, _sms_route(call.account, number)))


def remove_sms(call: Call) -> Answer:
    """Stop routing inbound messages; 404 if none were."""
    number = owned_number(call)
    route = _sms_route(call.account, number)
    if not _is_shared(call.account, number):
        del call.account.sms_routes[route.row]
    number.sms_row = 0
    return no_content()


def set_route(call: Call, body: RouteBody) -> Answer:
    """Point a number at a gateway.

    inferred: 400 also for a number that is not on the account, since 404 is not documented here.
    """
    number = call.account.numbers.get(path_number(call.path["number"]))
    if number is None:
        raise Refusal(400, "The number is not on this account.")
    if call.account.gateway_for(body.route) is None:
        raise Refusal(400, "Invalid route.")
    number.route = body.route
    return success({"number": number.number, "route": number.route})


def set_forward(call: Call, body: ForwardBody) -> Answer:
    """Forward calls; 409 when a number would forward to itself (inferred)."""
    number = owned_number(call)
    if body.destination == number.number:
        raise Refusal(409, "The forward could not be set.")
    number.forward_to = body.destination
    return success({"number": number.number, "forwardTo": number.forward_to})


def remove_forward(call: Call) -> Answer:
    """End forwarding; 404 if there is none (inferred)."""
    number = owned_number(call)
    if number.forward_to is None:
        raise Refusal(404, "No forward configured.")
    number.forward_to = None
    return no_content()


def set_lidb(call: Call, body: LidbBody) -> Answer:
    """Set the outbound caller name; a failure at the network shows only in `carrierStatus`.

    inferred: characters other than letters, digits and spaces are dropped, the rest is written in capitals, and
    toll-free numbers fail at the network because LIDB holds none.
    """
    number = owned_number(call)
    name = re.sub(r"[^A-Za-z0-9 ]", "", body.cnam).strip().upper()
    if not name or len(name) > LIDB_LIMIT:
        raise Refusal(400, f"cnam must have 1-{LIDB_LIMIT} alphanumeric characters.")
    number.lidb = name
    reference = body.customerOrderReference or f"{call.account.username}-{call.state.clock.epoch()}"
    return success(
        {
            "number": number.number,
            "cnam": name,
            "customerOrderReference": reference,
            "carrierStatus": "failed" if number.number[:3] in TOLL_FREE else "submitted",
        }
    )


def set_port_out_pin(call: Call, body: PinBody) -> Answer:
    """Set the PIN that a new carrier must present."""
    number = owned_number(call)
    number.port_out_pin = body.pin
    return success({"number": number.number, "portOutPin": number.port_out_pin})


def _sms_route(account: Account, number: Number) -> SmsRoute:
    route = account.sms_routes.get(number.sms_row)
    if route is None:
        raise Refusal(404, "No SMS routing configured.")
    return route


def _is_shared(account: Account, number: Number) -> bool:
    """Whether another number uses the same row, so that changing it would reroute that one too."""
    return sum(other.sms_row == number.sms_row for other in account.numbers.values()) > 1


def _sms_to_wire(number: Number, route: SmsRoute) -> dict[str, object]:
    return {"number": number.number, "type": route.kind, "resource": route.resource}


def _require_destination(body: SmsBody) -> None:
    """Documented: a webhook must be reachable https with a valid certificate. Nothing is called from here."""
    if body.type == "email" and not is_email(body.resource):
        raise Refusal(400, "resource must be an email address.")
    if body.type == "sip":
        parts = split_port(body.resource)
        if parts is None or not is_ipv4(parts[0]) or not is_public_host(parts[0]):
            raise Refusal(400, "resource must be a public IP address.")
    if body.type == "webhook":
        url = urlsplit(body.resource)
        if url.scheme != "https" or not url.hostname or not is_public_host(url.hostname):
            raise Refusal(400, "resource must be a reachable https URL with a valid certificate.")
