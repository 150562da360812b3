"""Routee reports: how much was sent and what it cost. The way to see what was spent."""

from pydantic import BaseModel, Field

from clients.effects import Effect
from clients.fields import AnsweredTime, IsoMoment, LooseText
from clients.operation import Answer, Operation
from tools.routee.client import routee
from tools.routee.field_types import Amount, Id
from tools.routee.grades import REQUEST_INFERRED, SEEN


class Spending(Answer):
    """One row: a time, country and network. Its price is in the currency of routee_get_balance."""

    start: AnsweredTime | None = Field(default=None, alias="startDateTime")
    time_grouping: str | None = None
    country: str | None = None
    operator: str | None = None
    mcc: LooseText | None = None
    mnc: LooseText | None = None
    campaign_id: str | None = Field(default=None, alias="smsCampaignId")
    count: int | None = None
    price: Amount | None = None
    queued: int | None = Field(default=None, alias="queuedCount")
    sent: int | None = Field(default=None, alias="sentCount")
    delivered: int | None = Field(default=None, alias="deliveredCount")
    undelivered: int | None = Field(default=None, alias="undeliveredCount")
    failed: int | None = Field(default=None, alias="failedCount")
    unsent: int | None = Field(default=None, alias="unsentCount")


class SpendingReport(Answer):
    """What was sent and what it cost."""

    rows: list[Spending] = Field(default=[], alias="content")


class Span(BaseModel):
    """The time that is reported."""

    since: IsoMoment = Field(serialization_alias="startDate")
    """Older bound, with zone."""

    until: IsoMoment = Field(serialization_alias="endDate")
    """Newer bound, with zone."""


@routee.operation(
    "GET",
    "/reports/my/volPrice",
    effect=Effect.READ,
    toolset="reports",
    docs="view-volumeprice-summary-analytics-for-a-range-of-messages",
    basis=SEEN,
    rows="rows",
    synonyms=("spent", "volume", "usage", "bill", "cost", "statistics"),
)
class ReportSpending(Span, Operation[SpendingReport]):
    """Report messages sent and what they cost, in a span of time and in Routee's order."""


@routee.operation(
    "GET",
    "/reports/my/volPrice/perMcc",
    effect=Effect.READ,
    toolset="reports",
    docs="view-volumeprice-summary-analytics-for-a-country",
    basis=SEEN,
    rows="rows",
    synonyms=("spent", "volume", "per country"),
)
class ReportCountrySpending(Span, Operation[SpendingReport]):
    """Report messages sent to one country and what they cost, in Routee's order."""

    mcc: str = Field(pattern=r"^[0-9]{3}$")
    """Mobile country code, from routee_list_prices."""


@routee.operation(
    "GET",
    "/reports/my/volPrice/perMccMnc",
    effect=Effect.READ,
    toolset="reports",
    docs="view-volume-and-price-analytics-for-a-specific-country",
    basis=SEEN,
    rows="rows",
    synonyms=("spent", "volume", "operator", "carrier"),
)
class ReportNetworkSpending(Span, Operation[SpendingReport]):
    """Report messages sent to one network and what they cost, in Routee's order."""

    mcc: str = Field(pattern=r"^[0-9]{3}$")
    """Mobile country code, from routee_list_prices."""

    mnc: str = Field(pattern=r"^[0-9]{2,3}$")
    """Mobile network code."""


@routee.operation(
    "GET",
    "/reports/my/volPrice/perCampaign",
    effect=Effect.READ,
    toolset="reports",
    docs="view-volume-and-price-analytics-for-a-specific-campaign",
    basis=REQUEST_INFERRED,
    rows="rows",
    synonyms=("spent", "volume", "bulk", "campaign cost"),
)
class ReportCampaignSpending(Operation[SpendingReport]):
    """Report what one campaign sent and cost, in Routee's order."""

    campaign_id: Id
    """`tracking_id` from routee_send_campaign."""

    since: IsoMoment = Field(serialization_alias="offset")
    """Beginning of the time (inferred)."""


class PaidQuestions(Answer):
    """What lookups or validations of one time cost."""

    start: AnsweredTime | None = Field(default=None, alias="startDateTime")
    count: int | None = None
    price: Amount | None = None
    active: int | None = Field(default=None, alias="activeCount")
    absent: int | None = Field(default=None, alias="absentCount")
    unknown: int | None = Field(default=None, alias="unknownCount")
    failed: int | None = Field(default=None, alias="failedCount")
    queued: int | None = Field(default=None, alias="queuedCount")
    valid: int | None = Field(default=None, alias="validCount")
    invalid: int | None = Field(default=None, alias="invalidCount")


class PaidTotals(Answer):
    """All of them together."""

    time_grouping: str | None = None
    count: int | None = Field(default=None, alias="totalCount")
    price: Amount | None = Field(default=None, alias="totalPrice")
    active: int | None = Field(default=None, alias="totalActive")
    absent: int | None = Field(default=None, alias="totalAbsent")
    unknown: int | None = Field(default=None, alias="totalUnknown")
    failed: int | None = Field(default=None, alias="totalFailed")
    queued: int | None = Field(default=None, alias="totalQueued")
    valid: int | None = Field(default=None, alias="totalValid")
    invalid: int | None = Field(default=None, alias="totalInvalid")


class QuestionReport(Answer):
    """What lookups or validations cost."""

    details: list[PaidQuestions] = []
    totals: PaidTotals | None = None


@routee.operation(
    "GET",
    "/reports/my/lookup/volPrice",
    effect=Effect.READ,
    toolset="reports",
    docs="view-volume-and-price-analytics-for-a-range-of-lookup-records",
    basis=SEEN,
    synonyms=("spent", "hlr", "volume"),
)
class ReportLookupSpending(Span, Operation[QuestionReport]):
    """Report lookups and what they cost."""


@routee.operation(
    "GET",
    "/reports/my/numberValidator/volPrice",
    effect=Effect.READ,
    toolset="reports",
    docs="view-number-validator-volume-and-costs-for-a-specified-date-range",
    basis=SEEN,
    synonyms=("spent", "validator", "volume"),
)
class ReportValidationSpending(Span, Operation[QuestionReport]):
    """Report number validations and what they cost."""
