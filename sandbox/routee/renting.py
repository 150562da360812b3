"""The numbers on offer, and how one is rented, renewed and cancelled."""

import calendar
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial

from sandbox.frame.wire import Refusal
from sandbox.routee.records import NumberOffer, RentedNumber
from sandbox.routee.state import State
from sandbox.routee.wire import refuse

GONE_ENDING = "77"
"""Listed numbers that end like this cannot be rented: somebody else was faster."""

_SMS_AND_VOICE = ("Sms", "Voice")
_INBOUND = (("Sms", Decimal("0.0050")), ("Voice", Decimal("0.0080")))

# country, first digits, digits that follow, area code, monthly, activation, toll-free
_BLOCKS = (
    ("GR", "306948530", 3, "", "6.00", "2.00", False),
    ("GB", "447520630", 3, "", "2.50", "1.00", False),
    ("US", "120139910", 2, "201", "1.20", "1.00", False),
    ("US", "164641822", 2, "646", "1.20", "1.00", False),
    ("US", "130541930", 2, "305", "1.20", "1.00", False),
    ("US", "183345540", 2, "833", "3.00", "2.50", True),
    ("CY", "3579952", 4, "", "4.50", "1.50", False),
)


def stock() -> Iterator[NumberOffer]:
    """Yield every number on offer at the start, twelve of each block."""
    for country, first, digits, area_code, monthly, activation, toll_free in _BLOCKS:
        for line in range(12):
            yield NumberOffer(
                msisdn=f"+{first}{line * 7:0{digits}d}",
                country=country,
                services=_SMS_AND_VOICE if country != "CY" else ("Sms",),
                monthly=Decimal(monthly),
                activation=Decimal(activation),
                inbound=_INBOUND if country != "CY" else _INBOUND[:1],
                toll_free=toll_free,
                area_code=area_code,
            )


def rent(state: State, msisdn: str) -> RentedNumber:
    """Rent a number: activation and the first month are charged at once, later months at each renewal.

    That the first month is charged at once is inferred from `nextRenewal` being the next charging.

    Raises:
        Refusal: 404021001 if it is not on offer, 400001009 if the balance does not cover it.
    """
    offer = state.inventory.get(msisdn)
    if offer is None or msisdn.endswith(GONE_ENDING):
        raise refuse_number(msisdn)
    state.require(offer.activation + offer.monthly)
    number = RentedNumber(state.new_id("number"), offer, add_month(state.now()))
    state.pay("number_activation", 1, offer.activation, number.tracking_id)
    state.pay("number_month", 1, offer.monthly, number.tracking_id)
    del state.inventory[msisdn]
    state.numbers[msisdn] = number
    plan_renewal(state, number)
    return number


def cancel(state: State, number: RentedNumber) -> None:
    """Cancel a number: it leaves its pool and is on offer again; nothing is refunded (inferred)."""
    msisdn = number.offer.msisdn
    if pool := state.pool_with(msisdn):
        pool.numbers.remove(msisdn)
    del state.numbers[msisdn]
    state.inventory[msisdn] = number.offer


def plan_renewal(state: State, number: RentedNumber) -> None:
    """Charge the next month when it begins."""
    state.agenda.at(number.next_renewal, partial(_renew, state, number))


def refuse_number(msisdn: str) -> Refusal:
    """Return the error for an unknown number (module 021 is documented, the last three digits are inferred)."""
    return refuse("404021001", f"The number {msisdn} was not found.")


def add_month(moment: datetime) -> datetime:
    """Return the same day of the next month, or its last day."""
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def _renew(state: State, number: RentedNumber) -> None:
    """Charge a month; a number that cannot be paid for is lost (inferred)."""
    if state.numbers.get(number.offer.msisdn) is not number:
        return
    try:
        state.pay("number_month", 1, number.offer.monthly, number.tracking_id)
    except Refusal:
        cancel(state, number)
        return
    number.next_renewal = add_month(number.next_renewal)
    plan_renewal(state, number)
