"""Numbers: find, rent, change, list, cancel."""

from typing import Literal

from pydantic import Field, model_validator

from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    CountryCode,
    Filters,
    PageQuery,
    Phone,
    SortedPageQuery,
    Text,
    Url,
    matching,
    refuse_unknown_fields,
)
from sandbox.routee.records import NumberOffer, RentedNumber
from sandbox.routee.renting import cancel, not_found, rent
from sandbox.routee.state import CURRENCY, State
from sandbox.routee.wire import Answer, Wire, invalid, nothing, ok, page_of, timestamp

FILTER_FIELDS = ("country", "msisdn", "service", "areaCode", "type")


class AvailableQuery(SortedPageQuery):
    """Which numbers on offer; the values of `service` are case sensitive."""

    country: CountryCode
    service: Literal["Sms", "Voice"] | None = None
    areaCode: str | None = Field(default=None, pattern=r"^[0-9]{3}$")


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


class RentBody(Body):
    """Body of `POST /numbers/my`."""

    msisdn: Phone
    inboundSmsCallbackUrl: Url | None = None
    voiceInboundStrategy: RentStrategy | None = None
    inboundVoiceCallbackUrl: Url | None = None


class UpdateStrategy(Body):
    """Where calls to a number go; an update knows the dialplan only."""

    dialplanUrl: Url


class UpdateBody(Body):
    """Body of `PUT /numbers/my/{msisdn}`; fields that are left out are kept (inferred)."""

    inboundSmsCallbackUrl: Url | None = None
    voiceInboundStrategy: UpdateStrategy | None = None
    inboundVoiceCallbackUrl: Url | None = None


def list_available(call: Call, query: AvailableQuery) -> Answer:
    """Numbers of a country that can be rented."""
    if query.areaCode is not None and query.country != "US":
        raise invalid("areaCode is for US only.", {"areaCode": "US only"})
    offers = [
        offer
        for offer in call.state.inventory.values()
        if offer.country == query.country
        and (query.service is None or query.service in offer.services)
        and query.areaCode in {None, offer.area_code}
    ]
    return page_of([_offer_wire(offer) for offer in offers], query.page, query.size, query.sort)


def search_available(call: Call, query: SortedPageQuery, filters: Filters) -> Answer:
    """The same with filters, of which one is the country."""
    refuse_unknown_fields(filters, FILTER_FIELDS)
    if not any(one.fieldName == "country" for one in filters):
        raise invalid("A filter on country is needed.", {"country": "missing"})
    if any(one.searchOperator == "is_not" for one in filters):
        raise invalid("is_not is not an operator of this search.", {"searchOperator": "is_not"})
    services = [one for one in filters if one.fieldName == "service"]
    others = [one for one in filters if one.fieldName != "service"]
    searchable: list[Wire] = [
        {"country": offer.country, "msisdn": offer.msisdn, "areaCode": offer.area_code, "type": offer.number_type}
        for offer in call.state.inventory.values()
        if all(one.searchTerm in offer.services for one in services)
    ]
    found = [call.state.inventory[str(item["msisdn"])] for item in matching(searchable, others)]
    return page_of([_offer_wire(offer) for offer in found], query.page, query.size, query.sort)


def rent_number(call: Call, body: RentBody) -> Answer:
    """Rent a number; it is charged at once and every month until it is cancelled."""
    number = rent(call.state, body.msisdn)
    if body.voiceInboundStrategy is not None:
        number.voice_strategy = body.voiceInboundStrategy.model_dump(exclude_none=True)
    _set_callbacks(number, body.inboundSmsCallbackUrl, body.inboundVoiceCallbackUrl)
    offer = number.offer
    return ok(
        {"trackingId": number.tracking_id, **_offer_wire(offer), **_settings(number)}
        | {"chargeInterval": offer.charge_interval, "tollFree": offer.toll_free}
    )


def update_number(call: Call, body: UpdateBody) -> Answer:
    """Change where messages and calls go; costs come as arrays here."""
    number = _own(call)
    if body.voiceInboundStrategy is not None:
        number.voice_strategy = {"dialplanUrl": body.voiceInboundStrategy.dialplanUrl}
    _set_callbacks(number, body.inboundSmsCallbackUrl, body.inboundVoiceCallbackUrl)
    return ok(_number_wire(number))


def list_numbers(call: Call, query: PageQuery) -> Answer:
    """The numbers of the account; costs come as arrays here."""
    return page_of([_number_wire(number) for number in call.state.numbers.values()], query.page, query.size)


def cancel_number(call: Call) -> Answer:
    """Give a number back; no response is documented."""
    cancel(call.state, _own(call))
    return nothing()


def path_msisdn(state: State, text: str) -> RentedNumber:
    """The rented number that a path names without '+'.

    Raises:
        Refusal: 404021001 for any other, also with '+' (inferred).
    """
    number = state.numbers.get(f"+{text}")
    if number is None:
        raise not_found(text)
    return number


def _own(call: Call) -> RentedNumber:
    return path_msisdn(call.state, call.path["msisdn"])


def _set_callbacks(number: RentedNumber, sms_url: str | None, voice_url: str | None) -> None:
    number.inbound_sms_url = sms_url or number.inbound_sms_url
    number.inbound_voice_url = voice_url or number.inbound_voice_url


def _offer_wire(offer: NumberOffer) -> Wire:
    return {
        "msisdn": offer.msisdn,
        "country": offer.country,
        "services": list(offer.services),
        "inboundCosts": _inbound(offer),
        "monthlyCosts": {"price": offer.monthly, "currency": CURRENCY},
        "activationCosts": {"price": offer.activation, "currency": CURRENCY},
        "chargeInterval": offer.charge_interval,
        "tollFree": offer.toll_free,
    }


def _number_wire(number: RentedNumber) -> Wire:
    """A rented number as updates and the list show it: without interval and toll-free, costs in arrays."""
    offer = number.offer
    return {
        "trackingId": number.tracking_id,
        "msisdn": offer.msisdn,
        "country": offer.country,
        "services": list(offer.services),
        "inboundCosts": _inbound(offer),
        "monthlyCosts": [{"price": offer.monthly, "currency": CURRENCY}],
        "activationCosts": [{"price": offer.activation, "currency": CURRENCY}],
        **_settings(number),
    }


def _inbound(offer: NumberOffer) -> list[Wire]:
    return [{"price": price, "currency": CURRENCY, "service": service} for service, price in offer.inbound]


def _settings(number: RentedNumber) -> Wire:
    wire: Wire = {"nextRenewal": timestamp(number.next_renewal)}
    if number.inbound_sms_url:
        wire["inboundSmsCallbackUrl"] = number.inbound_sms_url
    if number.voice_strategy:
        wire["voiceInboundStrategy"] = number.voice_strategy
    if number.inbound_voice_url:
        wire["inboundVoiceCallbackUrl"] = number.inbound_voice_url
    return wire
