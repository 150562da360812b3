"""Balance, prices and top-ups of the account."""

from typing import Literal

from sandbox.frame.wire import Answer, Wire
from sandbox.routee import networks
from sandbox.routee.endpoint import PAGE, SOURCES, Call, operation
from sandbox.routee.fields import Moment, PageNumber, Positive
from sandbox.routee.networks import COUNTRIES, Country
from sandbox.routee.state import State
from sandbox.routee.wire import ok, page_of, refuse, timestamp

_CURRENCY: Wire = {"code": State.currency, "name": "Euro", "sign": "€"}


@operation("GET", "/accounts/me/balance", SOURCES, "account")
def show_balance(call: Call) -> Answer:
    """Show what is left to spend."""
    return ok({"balance": call.state.balance, "currency": _CURRENCY})


@operation("GET", "/system/prices", SOURCES, "account")
def list_prices(
    call: Call,
    *,
    mcc: str | None = None,
    mnc: str | None = None,
    service: Literal["Sms", "Voice", "TwoStep", "Lookup", "NumberValidator", "Viber"] | None = None,
) -> Answer:
    """List prices of one service or of all; some are numbers and some are text, as in the documented sample.

    `currency` is known to old SDKs only and not taken.
    """
    countries = [country for country in COUNTRIES if mcc in {None, *country.mccs}]
    every: dict[str, Wire] = {
        "Sms": {"sms": [row for country in countries for row in _sms_prices(country, mcc, mnc)]},
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
    wanted = every if service is None else {service: every[service]}
    answer: Wire = {"currency": _CURRENCY}
    for prices in wanted.values():
        answer |= prices
    return ok(answer)


@operation("GET", "/accounts/me/transactions", PAGE, "account")
def list_transactions(call: Call, *, from_: Moment, to: Moment, page: PageNumber = 0, size: Positive = 20) -> Answer:
    """List top-ups of a time, newest first; amounts are text. What was spent is not among them."""
    if call.state.trial:
        raise refuse("400001012", "The account is trial.")
    items: list[Wire] = [
        {
            "id": top_up.id,
            "date": timestamp(top_up.at),
            "amount": str(top_up.amount),
            "balanceBefore": str(top_up.before),
            "balanceAfter": str(top_up.before + top_up.amount),
            "source": top_up.source,
            "status": "Completed",
            "transactionType": "Paid",
            "actions": [],
        }
        for top_up in sorted(call.state.top_ups, key=lambda one: one.at, reverse=True)
        if from_ <= top_up.at <= to
    ]
    return page_of(items, page, size)


def _sms_prices(country: Country, wanted: str | None, mnc: str | None) -> list[Wire]:
    """Return a row for each mobile country code, of which a country may have several."""
    return [
        {
            "mcc": mcc,
            "country": country.name,
            "iso": country.iso,
            "networks": [
                {"network": network.name, "mnc": network.mnc, "price": network.sms}
                for network in country.networks
                if network.mcc == mcc and mnc in {None, network.mnc}
            ],
        }
        for mcc in country.mccs
        if wanted in {None, mcc}
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
