"""Routee prices: its own analysis of a message, its price list, and the listing of numbers.

No answer of the analysis names a currency; it is that of the balance (inferred).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import phonenumbers
from pydantic import ValidationError

from clients.client import ApiClient
from clients.errors import TelephonyError
from clients.operation import Operation
from guard.money import Money, price
from guard.rules.quote import Balance, Rate, Unpriced
from tools.routee.field_types import Costs
from tools.routee.filters import Filter
from tools.routee.operations.account import GetBalance, ListPrices, Prices
from tools.routee.operations.campaigns import AnalyzeCampaign, CampaignPlan
from tools.routee.operations.contacts import Contact, GetContact
from tools.routee.operations.failover import SendFailover, Step
from tools.routee.operations.groups import ListGroupContacts
from tools.routee.operations.lookups import ValidateNumber
from tools.routee.operations.phone_numbers import NumberField, RentNumber, SearchAvailableNumbers, a_month_later
from tools.routee.operations.pool_messages import SendPoolSms
from tools.routee.operations.pools import DEFAULT_SENDER
from tools.routee.operations.sms import AnalyzeSms, SendSms, SmsAnalysis
from tools.routee.operations.viber import SendViber, SendViberCode
from tools.routee.operations.viber_campaigns import SendViberCampaign
from tools.routee.personal_texts import fill_in, labels_in

Priced = Rate | Unpriced | None

SHORT_LINK: Final = 40
"""A link of at least so many characters is taken to become no longer when it is shortened; no page says how long."""

_IN_A_SESSION: Final = Unpriced(
    "Messages of a session are billed by the session, which begins with a reply; no rate of Routee's is listed for it."
)

_LINK = re.compile(r"https?://\S+")


class RouteePrices:
    """Implements `guard.quote.PriceSource`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._by_name: Mapping[str, Callable[[Any], Awaitable[Priced]]] = {
            "sms": self._sms,
            "pool sms": self._pool_sms,
            "campaign": self._campaign,
            "number": self._number,
            "call": self._call,
            "two step sms": self._two_step,
            "two step voice": self._two_step,
            "lookup": self._lookup,
            "validation": self._validation,
            "viber": self._viber,
            "viber campaign": self._viber_campaign,
            "failover": self._failover,
        }

    async def rate(self, name: str, operation: Operation[Any]) -> Priced:
        """Return the price of this very call, from a read that costs nothing."""
        return await self._by_name[name](operation)

    async def balance(self) -> Balance | None:
        """Return the balance, in the account's own currency."""
        exchange = await self._client.exchange(GetBalance())
        balance, currency = exchange.answer.balance, exchange.answer.currency
        if balance is None or currency is None or currency.code is None:
            return None
        return Balance(Money(balance, currency.code), exchange.received_at)

    # Messages -------------------------------------------------------------------------------------------------------

    async def _sms(self, call: SendSms) -> Priced:
        analysis = await self._client.send(AnalyzeSms(sender=call.sender, to=call.to, text=call.text))
        return _with_links(call, await self._parts(analysis, transcode=call.transcode))

    async def _pool_sms(self, call: SendPoolSms) -> Priced:
        # The analysis wants a sender, and which one a pool chooses is not known before.
        analysis = await self._client.send(AnalyzeSms(sender=DEFAULT_SENDER, to=call.to, text=call.text))
        rate = _with_links(call, await self._parts(analysis, transcode=None))
        if not isinstance(rate, Rate):
            return rate
        return replace(rate, source=f"{rate.source}, made with the sender {DEFAULT_SENDER}")

    async def _parts(self, analysis: SmsAnalysis, *, transcode: bool | None) -> Priced:
        body, cost = analysis.body_analysis, analysis.cost_a_part
        if body is None or not body.parts or body.parts < 1 or not cost:
            return Unpriced("Routee's analysis shows no parts or no cost.")
        currency = await self._currency()
        if currency is None:
            return Unpriced(f"Routee's analysis says {body.parts} part(s) at {cost}, in a currency that is not known.")
        fewer = body.transcode.parts if body.transcode and body.parts > 1 else None
        parts = fewer if transcode and fewer and fewer >= 1 else body.parts
        source = f"Routee's analysis: {parts} part(s) at {price(cost, currency)}"
        is_bound = transcode is None and fewer is not None and fewer < parts
        return Rate(price(cost * parts, currency), source, is_bound=is_bound)

    async def _campaign(self, call: CampaignPlan) -> Priced:
        """Recipients times parts times the most expensive network of each country: the analysis shows no price."""
        audience = await self._client.send(
            AnalyzeCampaign(sender=call.sender, text=call.text, to=call.to, contacts=call.contacts, groups=call.groups)
        )
        parts = audience.body_analysis.parts if audience.body_analysis else None
        if not parts or parts < 1 or not audience.recipients_per_country:
            return Unpriced("Routee's analysis shows no parts or no countries.")
        prices = await self._client.send(ListPrices(service="Sms"))
        currency = prices.currency.code if prices.currency else None
        if currency is None:
            return Unpriced("Routee's price list names no currency.")
        most_expensive = _most_expensive_sms(prices)
        people = dict(audience.recipients_per_country)
        if call.reminder_to:
            tests = await self._client.send(AnalyzeCampaign(sender=call.sender, text=call.text, to=call.reminder_to))
            for country, count in tests.recipients_per_country.items():
                people[country] = people.get(country, 0) + count
        if min(people.values()) < 0:
            return Unpriced("Routee's analysis counts fewer recipients than none.")
        if unlisted := sorted(country for country in people if country.casefold() not in most_expensive):
            return Unpriced(f"Routee's price list has no SMS price for {', '.join(unlisted)}.")
        total = sum(
            (count * parts * most_expensive[country.casefold()] for country, count in people.items()), Decimal(0)
        )
        explanation = _explanation(people, parts, most_expensive, currency)
        if labels_in(call.text):
            return Unpriced(
                f"Labels change the length for each recipient. As the text stands it would be at most "
                f"{price(total, currency)}: {explanation}. {await self._filled_in(call)}",
                at_least=price(total, currency),
            )
        rate = Rate(
            price(total, currency),
            f"{explanation}; priced at the most expensive network of each country",
            is_bound=True,
        )
        return _with_links(call, rate)

    async def _filled_in(self, call: CampaignPlan) -> str:
        """Say how long the text is for one recipient. What it says there comes from outside, and is not shown."""
        try:
            contact = await self._one_contact(call)
            values = {**(call.fallback_values or {}), **(contact.filling() if contact else {})}
            to = (contact.mobile if contact else None) or next(iter(call.to or ()), None)
            if to is None:
                return "No recipient was found for whom it could be filled in."
            to = f"+{to.removeprefix('+')}"
            text = fill_in(call.text, values) or " "
            body = (await self._client.send(AnalyzeSms(sender=call.sender, to=to, text=text))).body_analysis
        except (TelephonyError, ValidationError):
            return "How long it is for one recipient could not be read."
        if body is None or not body.parts:
            return "How long it is for one recipient Routee's analysis does not show."
        return f"Filled in for {to} it takes {body.parts} part(s), {len(text)} characters."

    async def _one_contact(self, call: CampaignPlan) -> Contact | None:
        if call.contacts:
            return await self._client.send(GetContact(contact_id=call.contacts[0]))
        if not call.groups:
            return None
        found = await self._client.send(ListGroupContacts(name=call.groups[0], limit=1))
        return next(iter(found.contacts), None)

    async def _viber(self, call: SendViber | SendViberCode) -> Priced:
        if isinstance(call, SendViber) and call.is_session_message:
            return _IN_A_SESSION
        prices = await self._client.send(ListPrices(service="Viber"))
        return _viber_rate(prices, call.to, _is_promotional(call))

    async def _viber_campaign(self, call: SendViberCampaign) -> Priced:
        if call.is_session_message:
            return _IN_A_SESSION
        prices = await self._client.send(ListPrices(service="Viber"))
        each = [_viber_rate(prices, number, not call.is_text_only) for number in call.to or ()]
        if call.contacts or call.groups:
            return Unpriced("Contacts and groups are counted by Viber only when it is sent; each message is charged.")
        return _sum(each, f"{len(each)} Viber message(s) from Routee's price list")

    async def _failover(self, call: SendFailover) -> Priced:
        """Every step, as if all were tried."""
        if any(step.channel == "Voice" for step in call.steps):
            return Unpriced("A step is a call, which is charged by the second; how long it lasts is not known.")
        steps = [await self._step(step) for step in call.steps]
        return _sum(steps, "the sum of all steps, as if every one were tried", is_bound=True)

    async def _step(self, step: Step) -> Priced:
        if step.channel == "Viber":
            prices = await self._client.send(ListPrices(service="Viber"))
            return _viber_rate(prices, step.to, step.image_url is not None)
        analysis = await self._client.send(AnalyzeSms(sender=step.sender or "", to=step.to, text=step.text))
        return await self._parts(analysis, transcode=step.transcode)

    # Numbers --------------------------------------------------------------------------------------------------------

    async def _number(self, call: RentNumber) -> Priced:
        country = next(iter(_countries_of(call.number)), None)
        if country is None:
            return Unpriced(f"The country of {call.number} is not known, and so not where it is listed.")
        digits = call.number.removeprefix("+")
        found = await self._client.send(
            SearchAvailableNumbers(
                country=country, filters=[Filter[NumberField](field="msisdn", term=digits, operator="contains")]
            )
        )
        offer = next((row for row in found.numbers if (row.number or "").removeprefix("+") == digits), None)
        if offer is None:
            return Unpriced(f"Routee does not list {call.number} among the numbers that can be rented.")
        activation, monthly = _only(offer.activation), _only(offer.monthly)
        if activation is None or not monthly or not monthly.amount or activation.currency != monthly.currency:
            return Unpriced("Routee's listing does not show one activation and one monthly price.")
        renewal = a_month_later(datetime.now(UTC))
        return Rate(
            activation + monthly,
            f"Routee's listing: activation {activation} and the first month {monthly}, "
            f"taken to be charged at once (inferred); next renewal about {renewal:%Y-%m-%d}",
            monthly=monthly,
        )

    # Calls and questions --------------------------------------------------------------------------------------------

    async def _call(self, call: Operation[Any]) -> Priced:
        """Charged by the second, so that only the rates are known."""
        prices = await self._client.send(ListPrices(service="Voice"))
        currency = prices.currency.code if prices.currency and prices.currency.code else ""
        countries = {country for number in call.destinations() for country in _countries_of(number)}
        rates_by_country = [
            f"{row.country}: {row.mobile} {currency} to mobiles, {row.landline} {currency} to landlines"
            for row in prices.voice
            if row.iso in countries
        ]
        rates = (
            f" Rates, taken to be a minute's: {'; '.join(rates_by_country)}."
            if rates_by_country
            else " No rate is listed for it."
        )
        return Unpriced(f"Charged by the second from the answer on; how long it lasts is not known.{rates}")

    async def _two_step(self, call: Operation[Any]) -> Priced:
        prices = await self._client.send(ListPrices(service="TwoStep"))
        method: str = getattr(call, "method", "sms")
        each = getattr(prices.two_step, method, None) if prices.two_step else None
        return _listed(prices, each, f"twoStep.{method}")

    async def _lookup(self, call: Operation[Any]) -> Priced:
        prices = await self._client.send(ListPrices(service="Lookup"))
        return _listed(prices, prices.lookup.per_request if prices.lookup else None, "lookup.perRequest")

    async def _validation(self, call: ValidateNumber) -> Priced:
        prices = await self._client.send(ListPrices(service="NumberValidator"))
        if prices.validator is None:
            return None
        if call.get_ported:
            return _listed(prices, prices.validator.with_ported, "numberValidator.withPortedInfo")
        return _listed(prices, prices.validator.without_ported, "numberValidator.withoutPortedInfo")

    async def _currency(self) -> str | None:
        currency = (await self._client.send(GetBalance())).currency
        return currency.code if currency else None


def _with_links(call: SendSms | SendPoolSms | CampaignPlan, rate: Priced) -> Priced:
    """Return the price where links are shortened: at most this, unless a link is so short that it may become longer."""
    links = _LINK.findall(call.text) if call.shorten_links_seconds else []
    if not isinstance(rate, Rate) or not links:
        return rate
    if min(map(len, links)) < SHORT_LINK:
        reason = f"A short link may be longer than the one it replaces. As the text stands it is {rate.each}."
        return Unpriced(reason, at_least=rate.each)
    return replace(rate, is_bound=True)


def _listed(prices: Prices, each: Decimal | None, name: str) -> Priced:
    """Return a price of the list; none where it is missing or nothing, since nothing is never taken for a price."""
    currency = prices.currency.code if prices.currency else None
    if not each or currency is None:
        return None
    return Rate(price(each, currency), f"{name} of Routee's price list")


def _viber_rate(prices: Prices, number: str, promotional: bool) -> Priced:
    """Return the price for the most expensive country that the number may be in."""
    countries = _countries_of(number)
    found = [row.prices for row in prices.viber if row.prices and row.iso in countries]
    each = [rates.promotional_outbound if promotional else rates.transactional_outbound for rates in found]
    kind = "promotional" if promotional else "transactional"
    rate = _listed(prices, max((one for one in each if one and one > 0), default=None), f"viber {kind}")
    if not isinstance(rate, Rate):
        return Unpriced(f"No Viber price is listed for {number}.")
    return replace(rate, is_bound=len(countries) > 1)


def _is_promotional(call: SendViber | SendViberCode) -> bool:
    return call.label == "promotional" if isinstance(call, SendViberCode) else not call.is_text_only


def _sum(rates: list[Priced], source: str, *, is_bound: bool = False) -> Priced:
    total: Money | None = None
    for rate in rates:
        if not isinstance(rate, Rate):
            return rate or Unpriced("A part of it has no price.")
        total = rate.each if total is None else total + rate.each
        is_bound = is_bound or rate.is_bound
    return Rate(total, source, is_bound=is_bound) if total else None


def _most_expensive_sms(prices: Prices) -> dict[str, Decimal]:
    """Return the price of the most expensive network of each country, by both names that the list has for it.

    A country has a row for each of its mobile country codes.
    """
    found: dict[str, Decimal] = {}
    for row in prices.sms:
        for name in {name.casefold() for name in (row.iso, row.country) if name}:
            each = [network.price for network in row.networks if network.price and network.price > 0]
            if each:
                found[name] = max([found.get(name, Decimal(0)), *each])
    return found


def _explanation(people: Mapping[str, int], parts: int, most_expensive: Mapping[str, Decimal], currency: str) -> str:
    each = [
        f"{count} to {country} at {price(most_expensive[country.casefold()], currency)}"
        for country, count in people.items()
    ]
    return f"Routee's analysis: {parts} part(s) for {', '.join(each)}"


def _only(costs: Costs) -> Money | None:
    if len(costs) != 1 or costs[0].price is None or costs[0].currency is None:
        return None
    return price(costs[0].price, costs[0].currency)


def _countries_of(number: str) -> tuple[str, ...]:
    """Where a number is: one country, or all that share its code where that is not clear, the largest first."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    found = phonenumbers.region_code_for_number(parsed)
    return (found,) if found else tuple(phonenumbers.region_codes_for_country_code(parsed.country_code or 0))
