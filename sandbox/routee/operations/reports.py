"""Volume and price reports: what was sent and what it cost."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import REFERENCE, SOURCES, Call, operation
from sandbox.routee.fields import Moment
from sandbox.routee.records import STATUSES, Lookup, Sms
from sandbox.routee.wire import ok, refuse, timestamp

LOOKUP_RESULTS = ("Active", "Absent", "Unknown", "Failed", "Queued")
VALIDATION_RESULTS = ("Valid", "Invalid")
GROUPING = "Day"
"""inferred: one row for each day; the documents only show that rows name their grouping."""


@operation("GET", "/reports/my/volPrice", SOURCES, "report")
def report_volume(call: Call, *, startDate: Moment, endDate: Moment) -> Answer:
    """Report everything that was sent."""
    return ok(_rows(_sent(call, startDate, endDate)))


@operation("GET", "/reports/my/volPrice/perMcc", SOURCES, "report")
def report_country(call: Call, *, startDate: Moment, endDate: Moment, mcc: str) -> Answer:
    """Report what was sent to one country."""
    return ok(_rows(sms for sms in _sent(call, startDate, endDate) if sms.network.mcc == mcc))


@operation("GET", "/reports/my/volPrice/perMccMnc", SOURCES, "report")
def report_network(call: Call, *, startDate: Moment, endDate: Moment, mcc: str, mnc: str) -> Answer:
    """Report what was sent to one network."""
    sent = _sent(call, startDate, endDate)
    return ok(_rows(sms for sms in sent if (sms.network.mcc, sms.network.mnc) == (mcc, mnc)))


@operation("GET", "/reports/my/volPrice/perCampaign", SOURCES, "report", inferred="offset is the beginning of the time")
def report_campaign(call: Call, *, campaignId: str, offset: Moment) -> Answer:
    """Report what one campaign sent."""
    campaign = call.state.campaigns.get(campaignId)
    if campaign is None:
        raise refuse("404009001", "Campaign not found.")
    sent = (sms for sms in campaign.messages if sms.created >= offset)
    return ok([row | {"smsCampaignId": campaign.id} for row in _rows(sent)])


@operation("GET", "/reports/my/lookup/volPrice", REFERENCE, "report")
def report_lookups(call: Call, *, startDate: Moment, endDate: Moment) -> Answer:
    """Report what lookups cost; all numbers are text here."""
    return ok(_paid_questions(call.state.lookups.values(), startDate, endDate, LOOKUP_RESULTS))


@operation("GET", "/reports/my/numberValidator/volPrice", REFERENCE, "report", inferred="the shape is that of lookups")
def report_validations(call: Call, *, startDate: Moment, endDate: Moment) -> Answer:
    """Report what validations cost; shaped like the report on lookups (inferred)."""
    return ok(_paid_questions(call.state.validations.values(), startDate, endDate, VALIDATION_RESULTS))


def _sent(call: Call, start: datetime, end: datetime) -> list[Sms]:
    return [sms for sms in call.state.sms.values() if sms.direction == "Outbound" and start <= sms.created <= end]


def _rows(messages: Iterable[Sms]) -> list[Wire]:
    """Return one row for each day and network; `count` is of parts, since parts are what is charged (inferred)."""
    groups: dict[tuple[datetime, str, str], list[Sms]] = defaultdict(list)
    for sms in messages:
        groups[_day(sms.created), sms.network.mcc, sms.network.mnc].append(sms)
    return [
        {
            "startDateTime": timestamp(day),
            "timeGrouping": GROUPING,
            "country": group[0].country,
            "operator": group[0].network.name,
            "mcc": mcc,
            "mnc": mnc,
            "count": sum(len(sms.parts) for sms in group),
            **{
                f"{status.lower()}Count": sum(len(sms.parts) for sms in group if sms.status.name == status)
                for status in STATUSES["Sms"]
            },
            "price": sum((sms.price for sms in group), Decimal(0)),
        }
        for (day, mcc, mnc), group in sorted(groups.items())
    ]


def _paid_questions(lookups: Iterable[Lookup], start: datetime, end: datetime, results: tuple[str, ...]) -> Wire:
    days: dict[datetime, list[Lookup]] = defaultdict(list)
    for lookup in lookups:
        if start <= lookup.created <= end:
            days[_day(lookup.created)].append(lookup)
    everything = [lookup for group in days.values() for lookup in group]
    totals = {f"total{name}": value for name, value in _count(everything, results).items()}
    return {
        "details": [
            {
                "startDateTime": timestamp(day),
                "count": str(len(group)),
                "price": str(_price(group)),
                **{f"{name.lower()}Count": value for name, value in _count(group, results).items()},
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


def _count(lookups: list[Lookup], results: tuple[str, ...]) -> dict[str, str]:
    names = [_result(lookup) for lookup in lookups]
    return {name: str(names.count(name)) for name in results}


def _result(lookup: Lookup) -> str:
    if "valid" in lookup.answer:
        return "Valid" if lookup.answer["valid"] else "Invalid"
    return lookup.status


def _price(lookups: list[Lookup]) -> Decimal:
    return sum((lookup.price for lookup in lookups), Decimal(0))


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
