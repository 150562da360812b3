"""Single messages: send, analyze, track."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sandbox.frame.wire import Answer, Wire
from sandbox.routee.endpoint import PAGE, SOURCES, Call, in_path, operation
from sandbox.routee.fields import (
    Filters,
    Flag,
    Label,
    MessageCallback,
    Moment,
    Phone,
    Restrictions,
    SmsText,
    SmsTtl,
    SortedPageQuery,
    Text,
    UrlShortener,
    refuse_unknown_fields,
    require_sender,
    select,
)
from sandbox.routee.networks import COUNTRIES, QUIET_HOURS_COUNTRIES, network_of
from sandbox.routee.records import Campaign, Draft, Sms
from sandbox.routee.segmentation import analyze
from sandbox.routee.sending import require_mobile, send, track
from sandbox.routee.short_links import shorten
from sandbox.routee.wire import ok, refuse, refuse_input, timestamp

FILTER_FIELDS = ("smsId", "to", "status.status", "direction", "label", "campaign")
TRACKED_DAYS = timedelta(days=7)

PathSms = Annotated[Sms, in_path("sms", "404005000", "Tracking not found.")]
# An unknown campaign is status 400 with a code that begins with 404, as printed.
PathCampaign = Annotated[Campaign[Sms], in_path("campaigns", "404009001", "Campaign not found.", status=400)]


class SizedQuery(SortedPageQuery):
    """Which page of trackings."""

    size: int = Field(default=20, ge=1, le=2000)


class TrackingQuery(SizedQuery):
    """Which messages of which time."""

    dateStart: Moment
    dateEnd: Moment
    trackingId: str | None = None
    campaign: Flag | None = None


@operation("POST", "/sms", PAGE, "sms", paid=True)
def send_sms(
    call: Call,
    *,
    from_: str,
    to: Phone,
    body: SmsText,
    flash: bool = False,
    label: Label = "",
    callback: MessageCallback | None = None,
    ttl: SmsTtl = 4320,
    transcode: bool = False,
    urlShortener: UrlShortener | None = None,
    restrictions: Restrictions | None = None,
) -> Answer:
    """Send one message; the answer has no price."""
    require_sender(from_)
    require_mobile(to)
    draft = Draft(
        sender=from_,
        to=to,
        text=shorten(body, urlShortener),
        application=call.application.name,
        label=label,
        callback=callback,
        ttl=ttl,
        transcode=transcode,
    )
    sms = send(call.state, draft)
    answer: Wire = {
        "trackingId": sms.id,
        "createdAt": timestamp(sms.created),
        "from": sms.sender,
        "to": sms.to,
        "body": sms.text,
        "status": sms.status.name,
        "bodyAnalysis": analyze(sms.text).to_wire(),
        "flash": flash,
        "ttl": ttl,
    }
    if label:
        answer["label"] = label
    if callback is not None:
        answer["callback"] = callback.model_dump()
    return ok(answer)


@operation("POST", "/sms/analyze", PAGE, "sms")
def analyze_sms(call: Call, *, from_: str, to: Phone, body: Text) -> Answer:
    """Show what a message would be; `cost` is for ONE part and names no currency."""
    require_sender(from_)
    require_mobile(to)
    return ok({"bodyAnalysis": analyze(body).to_wire(), "cost": network_of(to).sms})


@operation("GET", "/sms/tracking/single/{messageId}", PAGE, "sms")
def track_sms(call: Call, sms: PathSms) -> Answer:
    """Answer an array with one element for each part, never an object."""
    more = {"campaign": sms.campaign.name if sms.campaign else "", "label": sms.label}
    return ok([wire | more for wire in track(sms)])


@operation("GET", "/sms/tracking/campaign/{campaignTrackingId}", PAGE, "sms")
def track_campaign(call: Call, campaign: PathCampaign, query: SizedQuery) -> Answer:
    """List the messages of one campaign."""
    items = [wire | _campaign_fields(sms) for sms in campaign.messages for wire in track(sms)]
    return query.answer(items)


@operation("POST", "/sms/tracking", SOURCES, "sms", inferred="an empty array means no filter; the order of the result")
def search_messages(call: Call, query: TrackingQuery, body: Filters) -> Answer:
    """List messages of the latest seven days, newest first (the order is inferred)."""
    if query.dateEnd < query.dateStart or query.dateStart < call.state.now() - TRACKED_DAYS:
        raise refuse_input("Only a date range of the latest 7 days is accepted.", {"dateStart": "too early"})
    refuse_unknown_fields(body, FILTER_FIELDS)
    if query.trackingId is not None and query.trackingId not in call.state.campaigns:
        raise refuse("404009001", "Campaign not found.", status=400)
    wanted = [
        sms
        for sms in sorted(call.state.sms.values(), key=lambda one: one.created, reverse=True)
        if query.dateStart <= sms.created <= query.dateEnd
        and query.trackingId in {None, sms.campaign.id if sms.campaign else ""}
        and not (query.campaign == "true" and sms.campaign is None)
    ]
    items = [wire | _campaign_fields(sms) | _filtered_fields(sms) for sms in wanted for wire in track(sms)]
    return query.answer(select(items, body, {"campaign": "campaignName"}))


@operation("GET", "/sms/quietHours/countries/{language}", SOURCES, "sms")
def list_quiet_hours_countries(call: Call) -> Answer:
    """List the countries with their names; only English and Greek are translated here."""
    language = call.path["language"]
    if len(language) != 2 or not language.isalpha():
        raise refuse_input(f"{language} is not an ISO 639-1 language.")
    return ok(
        [
            {
                "code": country.iso,
                "name": country.local_name if (language, country.iso) in {("el", "GR"), ("el", "CY")} else country.name,
                "localeName": country.local_name,
                "isoA3Code": country.iso3,
                "supported": country.iso in QUIET_HOURS_COUNTRIES,
            }
            for country in COUNTRIES
        ]
    )


def _campaign_fields(sms: Sms) -> Wire:
    if sms.campaign is None:
        return {}
    return {"campaignName": sms.campaign.name, "campaignTrackingId": sms.campaign.id}


def _filtered_fields(sms: Sms) -> Wire:
    received = {"receivedDate": timestamp(sms.created)} if sms.direction == "Inbound" else {}
    return {"label": sms.label, **received}
