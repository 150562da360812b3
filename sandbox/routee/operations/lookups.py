"""Paid questions about numbers: HLR lookup and number validator."""

from typing import Annotated

from sandbox.frame.wire import Answer, Wire
from sandbox.routee import networks
from sandbox.routee.endpoint import REFERENCE, Call, in_path, operation
from sandbox.routee.fields import Dates, Filters, Label, Phone, Positive, SortedPageQuery, select
from sandbox.routee.networks import is_callable, is_mobile, network_of, require_country
from sandbox.routee.records import Lookup
from sandbox.routee.sending import require_mobile
from sandbox.routee.wire import ok, timestamp

UNREACHABLE = {"0001": "Absent", "0002": "Unknown", "0003": "Failed"}
"""What a lookup finds for numbers that end like this; all others are Active and not ported."""

PORTED = "0022"
"""Numbers that end like this were ported to another network."""

FILTER_FIELDS = {
    "lookupID": "lookupId",
    "network": "details.network.name",
    "label": "label",
    "country": "details.country.code",
    "status": "statusInfo.status",
    "ported": "details.ported",
    "imsi": "details.imsi",
}


PathLookup = Annotated[Lookup, in_path("lookups", "404014001", "The lookup does not exist.")]


class LookupsQuery(SortedPageQuery, Dates):
    """Which lookups; ten to a page here."""

    size: Positive = 10


@operation("POST", "/lookup", REFERENCE, paid=True)
def look_up(call: Call, *, to: Phone, label: Label = "") -> Answer:
    """Ask the home network; the answer has no price, the later tracking has."""
    require_mobile(to)
    state = call.state
    identifier = state.new_id("lookup")
    state.pay("lookup", 1, networks.LOOKUP, identifier)
    status, now = UNREACHABLE.get(to[-4:], "Active"), timestamp(state.now())
    answer: Wire = {
        "lookupId": identifier,
        "to": to,
        "label": label,
        "applicationName": call.application.name,
        "createdAt": now,
        "statusInfo": {"status": status, "description": "The subscriber was looked up.", "updatedAt": now},
        "details": _details(to),
    }
    state.lookups[identifier] = Lookup(networks.LOOKUP, state.now(), answer, status)
    return ok(answer)


@operation("GET", "/lookup/{lookupId}", REFERENCE)
def show_lookup(call: Call, lookup: PathLookup) -> Answer:
    """Show one lookup with its price, which is text."""
    return ok(lookup.answer | {"price": f"{lookup.price:.8f}"})


@operation("POST", "/lookup/tracking", REFERENCE, inferred="that the body is an array")
def search_lookups(call: Call, query: LookupsQuery, body: Filters) -> Answer:
    """List lookups that meet the filters; a filter on an unknown field finds everything, as documented."""
    known = [one for one in body if one.fieldName in FILTER_FIELDS]
    items = [lookup.answer for lookup in call.state.lookups.values() if query.cover(lookup.created)]
    return query.answer(select(items, known, FILTER_FIELDS))


@operation("POST", "/numbervalidator", REFERENCE, paid=True, inferred="impossible numbers are charged too")
def validate_number(call: Call, *, to: Phone, getPorted: bool = False, host: str | None = None) -> Answer:
    """Say whether a number can exist; also a number that cannot is charged (inferred)."""
    state = call.state
    identifier = state.new_id("validation")
    price = networks.VALIDATION_PORTED if getPorted else networks.VALIDATION
    state.pay("number_validation", 1, price, identifier)
    answer: Wire = {
        "numberValidatorId": identifier,
        "to": to,
        "applicationName": call.application.name,
        "createdAt": timestamp(state.now()),
        "getPorted": getPorted,
        "valid": is_callable(to),
    }
    if is_callable(to):
        answer |= _validation(to, getPorted, host)
    state.validations[identifier] = Lookup(price, state.now(), answer)
    return ok(answer)


def _details(number: str) -> Wire:
    country, network = require_country(number), network_of(number)
    ported = number.endswith(PORTED)
    details: Wire = {
        "country": {
            "code": country.iso,
            "name": country.name,
            "localeName": country.local_name,
            "isoA3Code": country.iso3,
        },
        "mcc": network.mcc,
        "network": {"mnc": network.mnc, "name": network.name},
        "ported": ported,
        "imsi": f"{network.mcc}{network.mnc}{number[-9:]}",
    }
    if ported:
        other = next(one for one in country.networks if one is not network)
        details["portedNetwork"] = {"mnc": other.mnc, "name": other.name}
    return details


def _validation(number: str, ported: bool, host: str | None) -> Wire:
    country = require_country(number)
    national = number[1 + len(country.prefix) :]
    kind = "MOBILE" if is_mobile(number) else "FIXED_LINE"
    details: Wire = {"countryCode": country.iso, "countryPrefix": country.prefix, "type": kind}
    if is_mobile(number):
        network = network_of(number)
        details |= {"network": network.name, "networkCode": f"{network.mcc}{network.mnc}"}
    if ported:
        details["ported"] = number.endswith(PORTED)
    validated: Wire = {
        "details": details,
        "formats": {
            "international": f"+{country.prefix} {national}",
            "national": national,
            "rfc3966": f"tel:+{country.prefix}-{national}",
        },
    }
    if host is not None:
        validated["geo"] = {
            "host": host,
            "country": country.name,
            "countryISO2Code": country.iso,
            "countryISO3Code": country.iso3,
            "continent": "EU",
        }
    return validated
