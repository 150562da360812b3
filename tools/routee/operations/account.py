"""Routee account: balance, prices and top-ups. What was spent is in the reports, not among the transactions."""

from typing import Any, Literal

from pydantic import AliasChoices, Field

from clients.effects import Effect
from clients.fields import AnsweredTime, IsoMoment, LooseText
from clients.operation import Answer, Operation, wire_fields
from tools.routee.client import routee
from tools.routee.field_types import Amount
from tools.routee.grades import PAGES_BUT_ANSWER, SEEN
from tools.routee.paging import PAGING, Page, Paged


class Currency(Answer):
    """The currency of the account."""

    code: str | None = None
    name: str | None = None
    sign: str | None = None


class Balance(Answer):
    """What is left to spend."""

    balance: Amount | None = None
    currency: Currency | None = None


@routee.operation(
    "GET",
    "/accounts/me/balance",
    effect=Effect.READ,
    toolset="account",
    docs="check-your-account-balance",
    basis=SEEN,
    confirmed_by=("balance",),
    synonyms=("money", "funds", "credit", "left", "how much", "currency"),
)
class GetBalance(Operation[Balance]):
    """Show the account's balance and currency."""


class NetworkPrice(Answer):
    """What one part of an SMS to a network costs."""

    network: str | None = None
    mnc: LooseText | None = None
    price: Amount | None = None


class SmsPrice(Answer):
    """What SMS to a country cost."""

    country: str | None = None
    iso: str | None = None
    mcc: LooseText | None = None
    networks: list[NetworkPrice] = []


class VoicePrice(Answer):
    """What calls to a country cost; the unit is not documented, taken to be a minute."""

    country: str | None = None
    iso: str | None = None
    landline: Amount | None = Field(default=None, alias="landlinePrice")
    mobile: Amount | None = Field(default=None, alias="mobilePrice")


class LookupPrice(Answer):
    """What lookups cost. Old documents write the name with a capital."""

    per_request: Amount | None = Field(default=None, validation_alias=AliasChoices("perRequest", "PerRequest"))


class TwoStepPrice(Answer):
    """What verifications cost. Old documents have longer names."""

    sms: Amount | None = Field(default=None, validation_alias=AliasChoices("sms", "SmsVerification"))
    voice: Amount | None = Field(default=None, validation_alias=AliasChoices("voice", "VoiceVerification"))


class ValidatorPrice(Answer):
    """What number validations cost."""

    with_ported: Amount | None = Field(default=None, alias="withPortedInfo")
    without_ported: Amount | None = Field(default=None, alias="withoutPortedInfo")


class ViberRates(Answer):
    """What one message costs: text alone is transactional, everything else promotional."""

    transactional_outbound: Amount | None = None
    promotional_outbound: Amount | None = None
    transactional_inbound: Amount | None = None
    promotional_inbound: Amount | None = None
    fee: Amount | None = None
    fee_period: str | None = None


class ViberPrice(Answer):
    """What Viber messages to a country cost."""

    country: str | None = None
    iso: str | None = None
    prices: ViberRates | None = None


class Prices(Answer):
    """Routee's prices for this account, as far as the service that was asked for."""

    currency: Currency | None = None
    sms: list[SmsPrice] = []
    voice: list[VoicePrice] = []
    lookup: LookupPrice | None = None
    two_step: TwoStepPrice | None = None
    validator: ValidatorPrice | None = Field(default=None, alias="numberValidator")
    viber: list[ViberPrice] = []


@routee.operation(
    "GET",
    "/system/prices",
    effect=Effect.READ,
    toolset="account",
    docs="pricing",
    basis=SEEN,
    synonyms=("rates", "cost", "tariff", "how much", "price list"),
)
class ListPrices(Operation[Prices]):
    """List the account's prices by service, country and network."""

    service: Literal["Sms", "Voice", "TwoStep", "Lookup", "NumberValidator", "Viber"] | None = None
    """Only this service; all if left out, which is long."""

    mcc: str | None = Field(default=None, pattern=r"^[0-9]{3}$")
    """Mobile country code."""

    mnc: str | None = Field(default=None, pattern=r"^[0-9]{2,3}$")
    """Mobile network code."""


class TopUp(Answer):
    """Money that came in."""

    id: str | None = None
    date: AnsweredTime | None = None
    amount: Amount | None = None
    balance_before: Amount | None = None
    balance_after: Amount | None = None
    source: str | None = None
    status: str | None = None
    transaction_type: str | None = None
    actions: list[object] = []


class TopUps(Page):
    """Top-ups."""

    top_ups: list[TopUp] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/accounts/me/transactions",
    effect=Effect.READ,
    toolset="account",
    docs="transactions",
    basis=PAGES_BUT_ANSWER,
    synonyms=("payments", "transactions", "credits", "invoices", "refunds"),
)
class ListTopUps(Paged[TopUps]):
    """List money that came in, in Routee's order; routee_report_spending has what was spent. Not on trial accounts."""

    since: IsoMoment
    """Older bound, with zone."""

    until: IsoMoment
    """Newer bound, with zone."""

    def to_wire(self) -> dict[str, Any]:
        dates = wire_fields(self, exclude=PAGING)
        return {"from": dates["since"], "to": dates["until"]} | self.page_query()
