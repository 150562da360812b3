"""Settings of one number: fax, CNAM, translation, SMS routing, route, forward, LIDB, PIN (operations 46-56, 61, 67)."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import StringConstraints

from sandbox.frame.wire import Answer
from sandbox.voicetel.addresses import is_ipv4, is_public_host, split_port
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Email, Tn, is_email, path_number
from sandbox.voicetel.phone_numbers import OwnNumber
from sandbox.voicetel.state import Account, Number, SmsRoute
from sandbox.voicetel.wire import Refusal, no_content, success

LIDB_LIMIT = 15
TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})


@operation("PUT", "numbers/{number}/fax")
def set_fax(call: Call, number: OwnNumber, *, email: Email) -> Answer:
    """Send faxes to an address."""
    number.fax_email = email
    return success(number=number.number, email=email)


@operation("GET", "numbers/{number}/fax")
def show_fax(call: Call, number: OwnNumber) -> Answer:
    """Show where faxes go; 404 if nowhere."""
    if number.fax_email is None:
        raise Refusal(404, "No fax routing configured.")
    return success(number=number.number, email=number.fax_email)


@operation("DELETE", "numbers/{number}/fax")
def remove_fax(call: Call, number: OwnNumber) -> Answer:
    """Stop sending faxes anywhere; 404 if none were."""
    if number.fax_email is None:
        raise Refusal(404, "No fax routing configured.")
    number.fax_email = None
    return no_content()


@operation("PUT", "numbers/{number}/cnam")
def set_cnam(call: Call, number: OwnNumber, *, enabled: bool) -> Answer:
    """Switch the caller name lookup for inbound calls."""
    number.cnam = enabled
    return success(number=number.number, cnam=number.cnam)


@operation("PUT", "numbers/{number}/translation")
def set_translation(call: Call, number: OwnNumber, *, translation: Tn) -> Answer:
    """Set the number delivered for inbound calls: ten digits as in the schema, not the text's `digits and #`."""
    number.translated = translation
    return success(number=number.number, translation=number.translated)


@operation("PUT", "numbers/{number}/sms")
def set_sms(call: Call, number: OwnNumber, *, type_: Literal["email", "webhook", "sip"], resource: str) -> Answer:
    """Route inbound messages to an address, a webhook or a SIP host."""
    _require_destination(type_, resource)
    route = call.account.sms_routes.get(number.sms_row)
    if route is None or _is_shared(call.account, number):
        row = call.state.next("sms route", 7001)
        route = SmsRoute(row, type_, resource)
        call.account.sms_routes[row] = route
        number.sms_row = row
    route.kind, route.resource = type_, resource
    return success(_sms_to_wire(number, route))


@operation("GET", "numbers/{number}/sms")
def show_sms(call: Call, number: OwnNumber) -> Answer:
    """Show where inbound messages go; 404 if nowhere."""
    return success(_sms_to_wire(number, _sms_route(call.account, number)))


@operation("DELETE", "numbers/{number}/sms")
def remove_sms(call: Call, number: OwnNumber) -> Answer:
    """Stop routing inbound messages; 404 if none were."""
    route = _sms_route(call.account, number)
    if not _is_shared(call.account, number):
        del call.account.sms_routes[route.row]
    number.sms_row = 0
    return no_content()


@operation("PUT", "numbers/{number}/route")
def set_route(call: Call, *, route: int) -> Answer:
    """Point a number at a gateway.

    inferred: 400 also for a number that is not on the account, since 404 is not documented here.
    """
    number = call.account.numbers.get(path_number(call.path["number"]))
    if number is None:
        raise Refusal(400, "The number is not on this account.")
    if call.account.gateway_for(route) is None:
        raise Refusal(400, "Invalid route.")
    number.route = route
    return success(number=number.number, route=number.route)


@operation("PUT", "numbers/{number}/forward")
def set_forward(call: Call, number: OwnNumber, *, destination: Tn) -> Answer:
    """Forward calls; 409 when a number would forward to itself (inferred)."""
    if destination == number.number:
        raise Refusal(409, "The forward could not be set.")
    number.forward_to = destination
    return success(number=number.number, forwardTo=number.forward_to)


@operation("DELETE", "numbers/{number}/forward")
def remove_forward(call: Call, number: OwnNumber) -> Answer:
    """End forwarding; 404 if there is none (inferred)."""
    if number.forward_to is None:
        raise Refusal(404, "No forward configured.")
    number.forward_to = None
    return no_content()


@operation("PUT", "numbers/{number}/lidb")
def set_lidb(call: Call, number: OwnNumber, *, cnam: str, customerOrderReference: str = "") -> Answer:
    """Set the outbound caller name; a failure at the network shows only in `carrierStatus`.

    inferred: characters other than letters, digits and spaces are dropped, the rest is written in capitals, and
    toll-free numbers fail at the network because LIDB holds none.
    """
    name = re.sub(r"[^A-Za-z0-9 ]", "", cnam).strip().upper()
    if not name or len(name) > LIDB_LIMIT:
        raise Refusal(400, f"cnam must have 1-{LIDB_LIMIT} alphanumeric characters.")
    number.lidb = name
    reference = customerOrderReference or f"{call.account.username}-{call.state.clock.epoch()}"
    return success(
        number=number.number,
        cnam=name,
        customerOrderReference=reference,
        carrierStatus="failed" if number.number[:3] in TOLL_FREE else "submitted",
    )


@operation("PATCH", "numbers/{number}/port-out-pin")
def set_port_out_pin(
    call: Call, number: OwnNumber, *, pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
) -> Answer:
    """Set the PIN that a new carrier must present. `changed` is not in 2.2.10: the SDK has it since 2.2.14."""
    number.port_out_pin = pin
    return success(number=number.number, portOutPin=number.port_out_pin, changed=True)


def _sms_route(account: Account, number: Number) -> SmsRoute:
    route = account.sms_routes.get(number.sms_row)
    if route is None:
        raise Refusal(404, "No SMS routing configured.")
    return route


def _is_shared(account: Account, number: Number) -> bool:
    """Return whether another number uses the same row, so that changing it would reroute that one too."""
    return sum(other.sms_row == number.sms_row for other in account.numbers.values()) > 1


def _sms_to_wire(number: Number, route: SmsRoute) -> dict[str, object]:
    return {"number": number.number, "type": route.kind, "resource": route.resource}


def _require_destination(kind: str, resource: str) -> None:
    """Documented: a webhook must be reachable https with a valid certificate. Nothing is called from here."""
    if kind == "email" and not is_email(resource):
        raise Refusal(400, "resource must be an email address.")
    if kind == "sip":
        parts = split_port(resource)
        if parts is None or not is_ipv4(parts[0]) or not is_public_host(parts[0]):
            raise Refusal(400, "resource must be a public IP address.")
    if kind == "webhook":
        url = urlsplit(resource)
        if url.scheme != "https" or not url.hostname or not is_public_host(url.hostname):
            raise Refusal(400, "resource must be a reachable https URL with a valid certificate.")
