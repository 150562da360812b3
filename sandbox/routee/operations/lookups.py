"""Paid questions about numbers: HLR lookup and number validator."""

from typing import Literal

from pydantic import Field

from sandbox.routee import networks
from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import Filters, Label, Moment, Phone, SortedPageQuery, matching
from sandbox.routee.networks import is_callable, is_mobile, network_of, require_country
from sandbox.routee.records import Lookup
from sandbox.routee.sending import require_mobile
from sandbox.routee.wire import Answer, Wire, ok, page_of, refused, timestamp

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


class LookupBody(Body):
    """Body of `POST /lookup`."""

    to: Phone
    label: Label = ""


class LookupsQuery(SortedPageQuery):
    """Which lookups; ten to a page here."""

    size: int = Field(default=10, ge=1)
    dateStart: Moment | None = None
    dateEnd: Moment | None = None


class ValidationBody(Body):
    """Body of `POST /numbervalidator`."""

    to: Phone
    getPorted: bool = False
    host: str | None = None


def look_up(call: Call, body: LookupBody) -> Answer:
    """Ask the home network; the answer has no price, the later tracking has."""
    require_mobile(body.to)
    state = call.state
    identifier = state.new_id("lookup")
    state.pay("lookup", 1, networks.LOOKUP, identifier)
    status = UNREACHABLE.get(body.to[-4:], "Active")
    answer: Wire = {
        "lookupId": identifier,
        "to": body.to,
        "label": body.label,
        "applicationName": call.application.name,
        "createdAt": timestamp(state.now()),
        "statusInfo": {
            "status": status,
            "description": "The subscriber was looked up.",
            "updatedAt": timestamp(state.now()),
        },
        "details": _details(body.to),
    }
    state.lookups[identifier] = Lookup(identifier, body.to, networks.LOOKUP, state.now(), answer, status)
    return ok(answer)


def show_lookup(call: Call) -> Answer:
    """One lookup with its price, which is text."""
    lookup = call.state.lookups.get(call.path["lookupId"])
    if lookup is None:
        raise refused("404014001", "The lookup does not exist.")
    return ok(lookup.answer | {"price": f"{lookup.price:.8f}"})


def search_lookups(call: Call, query: LookupsQuery, filters: Filters) -> Answer:
    """Lookups that meet the filters; a filter on an unknown field finds everything, as documented."""
    known = [one for one in filters if one.fieldName in FILTER_FIELDS]
    items = [
        lookup.answer
        for lookup in call.state.lookups.values()
        if (query.dateStart is None or lookup.created >= query.dateStart)
        and (query.dateEnd is None or lookup.created <= query.dateEnd)
    ]
    return page_of(matching(items, known, FILTER_FIELDS), query.page, query.size, query.sort)


def validate_number(call: Call, body: ValidationBody) -> Answer:
    """Say whether a number can exist; also a number that cannot is charged (inferred)."""
    state = call.state
    identifier = state.new_id("validation")
    price = networks.VALIDATION_PORTED if body.getPorted else networks.VALIDATION
    state.pay("number_validation", 1, price, identifier)
    answer: Wire = {
        "numberValidatorId": identifier,
        "to": body.to,
        "applicationName": call.application.name,
        "createdAt": timestamp(state.now()),
        "getPorted": body.getPorted,
        "valid": is_callable(body.to),
    }
    if is_callable(body.to):
        answer |= _validated(body)
    state.validations[identifier] = Lookup(identifier, body.to, price, state.now(), answer)
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


def _validated(body: ValidationBody) -> Wire:
    country = require_country(body.to)
    national = body.to[1 + len(country.prefix) :]
    kind: Literal["MOBILE", "FIXED_LINE"] = "MOBILE" if is_mobile(body.to) else "FIXED_LINE"
    details: Wire = {"countryCode": country.iso, "countryPrefix": country.prefix, "type": kind}
    if is_mobile(body.to):
        network = network_of(body.to)
        details |= {"network": network.name, "networkCode": f"{network.mcc}{network.mnc}"}
    if body.getPorted:
        details["ported"] = body.to.endswith(PORTED)
    validated: Wire = {
        "details": details,
        "formats": {
            "international": f"+{country.prefix} {national}",
            "national": national,
            "rfc3966": f"tel:+{country.prefix}-{national}",
        },
    }
    if body.host is not None:
        validated["geo"] = {
            "host": body.host,
            "country": country.name,
            "countryISO2Code": country.iso,
            "countryISO3Code": country.iso3,
            "continent": "EU",
        }
    return validated
