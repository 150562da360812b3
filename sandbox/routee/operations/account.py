"""Balance, prices and top-ups of the account."""

from typing import Literal

from pydantic import Field

from sandbox.routee import networks
from sandbox.routee.endpoint import Call, Query
from sandbox.routee.fields import Moment, PageQuery
from sandbox.routee.networks import COUNTRIES, Country
from sandbox.routee.state import CURRENCY
from sandbox.routee.wire import Answer, Wire, ok, page_of, refused, timestamp

_CURRENCY: Wire = {"code": CURRENCY, "name": "Euro", "sign": "€"}


class PricesQuery(Query):
    """Which prices are wanted; `currency` is known to old SDKs only and not taken."""

    mcc: str | None = None
    mnc: str | None = None
    service: Literal["Sms", "Voice", "TwoStep", "Lookup", "NumberValidator", "Viber"] | None = None


class TransactionsQuery(PageQuery):
    """Which top-ups are wanted."""

    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")


def show_balance(call: Call) -> Answer:
    """What is left to spend."""
    return ok({"balance": call.state.balance, "currency": _CURRENCY})


def list_prices(call: Call, query: PricesQuery) -> Answer:
    """Prices of one service or of all; some are numbers and some are text, as in the documented sample."""
    countries = [country for country in COUNTRIES if query.mcc in {None, *country.mccs}]
    every: dict[str, Wire] = {
        "Sms": {"sms": [row for country in countries for row in _sms_prices(country, query)]},
        "Voice": {"voice": [_voice_prices(country) for country in countries]},
        "Lookup": {"lookup": {"perRequest": networks.LOOKUP}},
        "TwoStep": {"twoStep": {"sms": networks.TWO_STEP_SMS, "voice": networks.TWO_STEP_VOICE}},
        "NumberValidator": {
            "numberValidator": {
                "withPortedInfo": networks.VALIDATION_PORTED,
                "withoutPortedInfo": networks.VALIDATION,
            }
        },
        "Viber": {"viber": [_viber_prices(country) for country in countries]},
    }
    wanted = every if query.service is None else {query.service: every[query.service]}
    answer: Wire = {"currency": _CURRENCY}
    for prices in wanted.values():
        answer |= prices
    return ok(answer)


def list_transactions(call: Call, query: TransactionsQuery) -> Answer:
    """Top-ups of a time, newest first; amounts are text. What was spent is not among them."""
    if call.state.trial:
        raise refused("400001012", "The account is trial.")
    items: list[Wire] = [
        {
            "id": top_up.id,
            "date": timestamp(top_up.at),
            "amount": str(top_up.amount),
            "balanceBefore": str(top_up.before),
            "balanceAfter": str(top_up.after),
            "source": top_up.source,
            "status": "Completed",
            "transactionType": "Paid",
            "actions": [],
        }
        for top_up in sorted(call.state.top_ups, key=lambda one: one.at, reverse=True)
        if query.start <= top_up.at <= query.end
    ]
    return page_of(items, query.page, query.size)


def _sms_prices(country: Country, query: PricesQuery) -> list[Wire]:
    """A row for each mobile country code, of which a country may have several."""
    return [
        {
            "mcc": mcc,
            "country": country.name,
            "iso": country.iso,
            "networks": [
                {"network": network.name, "mnc": network.mnc, "price": network.sms}
                for network in country.networks
                if network.mcc == mcc and query.mnc in {None, network.mnc}
            ],
        }
        for mcc in country.mccs
        if query.mcc in {None, mcc}
    ]


def _voice_prices(country: Country) -> Wire:
    return {
        "country": country.name,
        "iso": country.iso,
        "landlinePrice": f"{country.landline:.8f}",
        "mobilePrice": f"{country.mobile_voice:.8f}",
    }


def _viber_prices(country: Country) -> Wire:
    return {
        "country": country.name,
        "iso": country.iso,
        "prices": {
            "transactionalOutbound": f"{networks.VIBER_TRANSACTIONAL:.8f}",
            "transactionalInbound": "0.00000000",
            "promotionalOutbound": f"{networks.VIBER_PROMOTIONAL:.8f}",
            "promotionalInbound": "0.00000000",
            "fee": "0.00000000",
            "feePeriod": "Monthly",
        },
    }
