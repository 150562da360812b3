"""Numbers: find, rent, change, list, cancel."""

from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from sandbox.frame.inputs import Body, Found
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import REFERENCE, Call, operation
from sandbox.routee.fields import (
    CountryCode,
    Filters,
    PageNumber,
    PageQuery,
    Phone,
    Positive,
    SortedPageQuery,
    Text,
    Url,
    refuse_unknown_fields,
    select,
)
from sandbox.routee.records import NumberOffer, RentedNumber
from sandbox.routee.renting import cancel, refuse_number, rent
from sandbox.routee.state import State
from sandbox.routee.wire import drop_empty, empty, ok, page_of, refuse_input, timestamp

FILTER_FIELDS = ("country", "msisdn", "service", "areaCode", "type")


def _own_number(call: Call) -> RentedNumber:
    """Return the rented number that a path names without '+'; any other is refused, also with '+' (inferred)."""
    number = call.state.numbers.get(f"+{call.path['msisdn']}")
    if number is None:
        raise refuse_number(call.path["msisdn"])
    return number


PathNumber = Annotated[RentedNumber, Found(_own_number)]


class RentStrategy(Body):
    """Where calls to a number go; one of the three."""

    dialplanUrl: Url | None = None
    forwardCallToSip: Text | None = None
    forwardCallTo: Phone | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "RentStrategy":
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of dialplanUrl, forwardCallToSip and forwardCallTo")
        return self


class UpdateStrategy(Body):
    """Where calls to a number go; an update knows the dialplan only."""

    dialplanUrl: Url


@operation("GET", "/numbers/available", REFERENCE)
def list_available(
    call: Call,
    *,
    country: CountryCode,
    service: Literal["Sms", "Voice"] | None = None,
    areaCode: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")] | None = None,
    page: PageNumber = 0,
    size: Positive = 20,
    sort: str = "",
) -> Answer:
    """List numbers of a country that can be rented; the values of `service` are case sensitive."""
    if areaCode is not None and country != "US":
        raise refuse_input("areaCode is for US only.", {"areaCode": "US only"})
    offers = [
        _offer(offer)
        for offer in call.state.inventory.values()
        if offer.country == country
        and (service is None or service in offer.services)
        and areaCode in {None, offer.area_code}
    ]
    return page_of(offers, page, size, sort)


@operation("POST", "/numbers/available/search", REFERENCE, inferred="that the body is an array")
def search_available(call: Call, query: SortedPageQuery, body: Filters) -> Answer:
    """List the same with filters, of which one is the country."""
    refuse_unknown_fields(body, FILTER_FIELDS)
    if not any(one.fieldName == "country" for one in body):
        raise refuse_input("A filter on country is needed.", {"country": "missing"})
    if any(one.searchOperator == "is_not" for one in body):
        raise refuse_input("is_not is not an operator of this search.", {"searchOperator": "is_not"})
    services = [one for one in body if one.fieldName == "service"]
    others = [one for one in body if one.fieldName != "service"]
    searchable: list[Wire] = [
        {"country": offer.country, "msisdn": offer.msisdn, "areaCode": offer.area_code, "type": offer.number_type}
        for offer in call.state.inventory.values()
        if all(one.searchTerm in offer.services for one in services)
    ]
    return query.answer([_offer(call.state.inventory[str(item["msisdn"])]) for item in select(searchable, others)])


@operation("POST", "/numbers/my", REFERENCE, paid=True, inferred="the first month is charged at once; all error codes")
def rent_number(
    call: Call,
    *,
    msisdn: Phone,
    inboundSmsCallbackUrl: Url | None = None,
    voiceInboundStrategy: RentStrategy | None = None,
    inboundVoiceCallbackUrl: Url | None = None,
) -> Answer:
    """Rent a number; it is charged at once and every month until it is cancelled."""
    number = rent(call.state, msisdn)
    _change(number, inboundSmsCallbackUrl, voiceInboundStrategy, inboundVoiceCallbackUrl)
    return ok({**_offer(number.offer), **_settings(number)})


@operation("PUT", "/numbers/my/{msisdn}", REFERENCE, inferred="fields that are left out are kept")
def update_number(
    call: Call,
    number: PathNumber,
    *,
    inboundSmsCallbackUrl: Url | None = None,
    voiceInboundStrategy: UpdateStrategy | None = None,
    inboundVoiceCallbackUrl: Url | None = None,
) -> Answer:
    """Change where messages and calls go; costs come as arrays here."""
    _change(number, inboundSmsCallbackUrl, voiceInboundStrategy, inboundVoiceCallbackUrl)
    return ok(_own(number))


@operation("GET", "/numbers/my", REFERENCE)
def list_numbers(call: Call, query: PageQuery) -> Answer:
    """List the numbers of the account; costs come as arrays here."""
    return query.answer([_own(number) for number in call.state.numbers.values()])


@operation("DELETE", "/numbers/my/{msisdn}", REFERENCE, inferred="the empty answer; nothing is refunded")
def cancel_number(call: Call, number: PathNumber) -> Answer:
    """Cancel a number; no response is documented."""
    cancel(call.state, number)
    return empty()


def _change(
    number: RentedNumber, sms_url: str | None, strategy: RentStrategy | UpdateStrategy | None, voice_url: str | None
) -> None:
    number.inbound_sms_url = sms_url or number.inbound_sms_url
    if strategy is not None:
        number.voice_strategy = strategy.model_dump(exclude_none=True)
    number.inbound_voice_url = voice_url or number.inbound_voice_url


def _offer(offer: NumberOffer) -> Wire:
    currency = State.currency
    return {
        "msisdn": offer.msisdn,
        "country": offer.country,
        "services": list(offer.services),
        "inboundCosts": [{"price": price, "currency": currency, "service": name} for name, price in offer.inbound],
        "monthlyCosts": {"price": offer.monthly, "currency": currency},
        "activationCosts": {"price": offer.activation, "currency": currency},
        "chargeInterval": offer.charge_interval,
        "tollFree": offer.toll_free,
    }


def _own(number: RentedNumber) -> Wire:
    """Return a rented number as updates and the list show it: without interval and toll-free, costs in arrays."""
    wire = {**_offer(number.offer), **_settings(number)}
    del wire["chargeInterval"], wire["tollFree"]
    return wire | {name: [wire[name]] for name in ("monthlyCosts", "activationCosts")}


def _settings(number: RentedNumber) -> Wire:
    return drop_empty(
        {
            "trackingId": number.tracking_id,
            "nextRenewal": timestamp(number.next_renewal),
            "inboundSmsCallbackUrl": number.inbound_sms_url,
            "voiceInboundStrategy": number.voice_strategy,
            "inboundVoiceCallbackUrl": number.inbound_voice_url,
        }
    )
