"""Volume and price reports: what was sent and what it cost."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sandbox.routee.endpoint import Call, Query
from sandbox.routee.fields import Moment
from sandbox.routee.records import Lookup, Sms
from sandbox.routee.wire import Answer, Wire, ok, refused, timestamp

GROUPING = "Day"
"""inferred: one row for each day; the documents only show that rows name their grouping."""


class RangeQuery(Query):
    """The time that is reported."""

    startDate: Moment
    endDate: Moment


class CountryQuery(RangeQuery):
    """The time and the country."""

    mcc: str


class NetworkQuery(CountryQuery):
    """The time, the country and the network."""

    mnc: str


class CampaignQuery(Query):
    """The campaign, and since when."""

    campaignId: str
    offset: Moment


def report_volume(call: Call, query: RangeQuery) -> Answer:
    """Everything that was sent."""
    return ok(_rows(_sent(call, query)))


def report_country(call: Call, query: CountryQuery) -> Answer:
    """What was sent to one country."""
    return ok(_rows(sms for sms in _sent(call, query) if sms.mcc == query.mcc))


def report_network(call: Call, query: NetworkQuery) -> Answer:
    """What was sent to one network."""
    return ok(_rows(sms for sms in _sent(call, query) if (sms.mcc, sms.mnc) == (query.mcc, query.mnc)))


def report_campaign(call: Call, query: CampaignQuery) -> Answer:
    """What one campaign sent."""
    campaign = call.state.campaigns.get(query.campaignId)
    if campaign is None:
        raise refused("404009001", "Campaign not found.")
    sent = (sms for sms in campaign.messages if sms.created >= query.offset)
    return ok([row | {"smsCampaignId": campaign.id} for row in _rows(sent)])


def report_lookups(call: Call, query: RangeQuery) -> Answer:
    """What lookups cost; all numbers are text here."""
    return ok(_paid_questions(call.state.lookups.values(), query))


def report_validations(call: Call, query: RangeQuery) -> Answer:
    """What validations cost; shaped like the report on lookups (inferred)."""
    return ok(_paid_questions(call.state.validations.values(), query))


def _sent(call: Call, query: RangeQuery) -> list[Sms]:
    return [
        sms
        for sms in call.state.sms.values()
        if sms.direction == "Outbound" and query.startDate <= sms.created <= query.endDate
    ]


def _rows(messages: Iterable[Sms]) -> list[Wire]:
    """One row for each day and network; `count` is of parts, since parts are what is charged (inferred)."""
    groups: dict[tuple[datetime, str, str], list[Sms]] = defaultdict(list)
    for sms in messages:
        groups[_day(sms.created), sms.mcc, sms.mnc].append(sms)
    return [
        {
            "startDateTime": timestamp(day),
            "timeGrouping": GROUPING,
            "country": group[0].country,
            "operator": group[0].operator,
            "mcc": mcc,
            "mnc": mnc,
            "count": sum(len(sms.parts) for sms in group),
            **{
                f"{status.lower()}Count": sum(len(sms.parts) for sms in group if sms.status.name == status)
                for status in ("Queued", "Sent", "Delivered", "Undelivered", "Failed", "Unsent")
            },
            "price": sum((sms.price for sms in group), Decimal(0)),
        }
        for (day, mcc, mnc), group in sorted(groups.items())
    ]


def _paid_questions(lookups: Iterable[Lookup], query: RangeQuery) -> Wire:
    days: dict[datetime, list[Lookup]] = defaultdict(list)
    for lookup in lookups:
        if query.startDate <= lookup.created <= query.endDate:
            days[_day(lookup.created)].append(lookup)
    everything = [lookup for group in days.values() for lookup in group]
    totals = {f"total{name}": value for name, value in _counted(everything).items()}
    return {
        "details": [
            {
                "startDateTime": timestamp(day),
                "count": str(len(group)),
                "price": str(_price(group)),
                **{f"{name.lower()}Count": value for name, value in _counted(group).items()},
            }
            for day, group in sorted(days.items())
        ],
        "totals": {
            "timeGrouping": GROUPING,
            "totalCount": str(len(everything)),
            "totalPrice": str(_price(everything)),
            **totals,
        },
    }


def _counted(lookups: list[Lookup]) -> dict[str, str]:
    names = [lookup.status for lookup in lookups]
    return {name: str(names.count(name)) for name in ("Active", "Absent", "Unknown", "Failed", "Queued")}


def _price(lookups: list[Lookup]) -> Decimal:
    return sum((lookup.price for lookup in lookups), Decimal(0))


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
