"""Single messages: send, analyze, track."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from sandbox.routee.endpoint import Body, Call
from sandbox.routee.fields import (
    CallbackBody,
    Filters,
    Label,
    Moment,
    Phone,
    SortedPageQuery,
    Text,
    UrlShortenerBody,
    matching,
    refuse_unknown_fields,
    require_sender,
)
from sandbox.routee.networks import COUNTRIES, QUIET_HOURS_COUNTRIES, network_of
from sandbox.routee.records import Sms
from sandbox.routee.segmentation import analyze
from sandbox.routee.sending import Dispatch, require_mobile, send, tracked
from sandbox.routee.short_links import shorten
from sandbox.routee.wire import Answer, Wire, invalid, ok, page_of, refused, timestamp

LONGEST_TEXT = 1600
"""Documented: characters of an SMS."""

FILTER_FIELDS = ("smsId", "to", "status.status", "direction", "label", "campaign")
TRACKED_DAYS = timedelta(days=7)


class Restrictions(Body):
    """For India only; the names of its keys are published nowhere (these are inferred)."""

    contentTemplateId: str = ""
    principalEntityId: str = ""


class SmsBody(Body):
    """Body of `POST /sms`."""

    sender: str = Field(alias="from")
    to: Phone
    text: str = Field(alias="body", min_length=1, max_length=LONGEST_TEXT)
    flash: bool = False
    label: Label = ""
    callback: CallbackBody | None = None
    ttl: int = Field(default=4320, ge=1, le=4320)
    transcode: bool = False
    urlShortener: UrlShortenerBody | None = None
    restrictions: Restrictions | None = None


class AnalysisBody(Body):
    """Body of `POST /sms/analyze`."""

    sender: str = Field(alias="from")
    to: Phone
    text: Text = Field(alias="body")


class SizedQuery(SortedPageQuery):
    """Which page of trackings."""

    size: int = Field(default=20, ge=1, le=2000)


class TrackingQuery(SizedQuery):
    """Which messages of which time."""

    dateStart: Moment
    dateEnd: Moment
    trackingId: str | None = None
    campaign: Literal["true", "false"] | None = None


def send_sms(call: Call, body: SmsBody) -> Answer:
    """Send one message; the answer has no price."""
    require_sender(body.sender)
    require_mobile(body.to)
    text = shorten(body.text, body.urlShortener.urlValidity).text if body.urlShortener else body.text
    dispatch = Dispatch(
        sender=body.sender,
        to=body.to,
        text=text,
        application=call.application.name,
        label=body.label,
        target=body.callback.target() if body.callback else None,
        ttl=body.ttl,
        transcode=body.transcode,
    )
    sms = send(call.state, dispatch)
    answer: Wire = {
        "trackingId": sms.id,
        "createdAt": timestamp(sms.created),
        "from": sms.sender,
        "to": sms.to,
        "body": sms.text,
        "status": sms.status.name,
        "bodyAnalysis": analyze(sms.text).to_wire(),
        "flash": body.flash,
        "ttl": body.ttl,
    }
    if body.label:
        answer["label"] = body.label
    if sms.target is not None:
        answer["callback"] = sms.target.to_wire()
    return ok(answer)


def analyze_sms(call: Call, body: AnalysisBody) -> Answer:
    """What a message would be; `cost` is for ONE part and names no currency."""
    require_sender(body.sender)
    require_mobile(body.to)
    return ok({"bodyAnalysis": analyze(body.text).to_wire(), "cost": network_of(body.to).sms})


def track_sms(call: Call) -> Answer:
    """An array with one element for each part, never an object."""
    sms = call.state.sms.get(call.path["messageId"])
    if sms is None:
        raise refused("404005000", "Tracking not found.")
    return ok([wire | {"campaign": _campaign_name(sms), "label": sms.label} for wire in tracked(sms)])


def track_campaign(call: Call, query: SizedQuery) -> Answer:
    """The messages of one campaign; an unknown one is status 400 with a code that begins with 404, as printed."""
    campaign = call.state.campaigns.get(call.path["campaignTrackingId"])
    if campaign is None:
        raise refused("404009001", "Campaign not found.", status=400)
    items = [wire | _campaign_fields(sms) for sms in campaign.messages for wire in tracked(sms)]
    return page_of(items, query.page, query.size, query.sort)


def track_filtered(call: Call, query: TrackingQuery, filters: Filters) -> Answer:
    """Messages of the latest seven days, newest first (the order is inferred)."""
    now = call.state.now()
    if query.dateEnd < query.dateStart or query.dateStart < now - TRACKED_DAYS:
        raise invalid("Only a date range of the latest 7 days is accepted.", {"dateStart": "too early"})
    refuse_unknown_fields(filters, FILTER_FIELDS)
    if query.trackingId is not None and query.trackingId not in call.state.campaigns:
        raise refused("404009001", "Campaign not found.", status=400)
    wanted = [
        sms
        for sms in sorted(call.state.sms.values(), key=lambda one: one.created, reverse=True)
        if query.dateStart <= sms.created <= query.dateEnd
        and query.trackingId in {None, sms.campaign.id if sms.campaign else ""}
        and not (query.campaign == "true" and sms.campaign is None)
    ]
    items = [wire | _campaign_fields(sms) | _filtered_fields(sms) for sms in wanted for wire in tracked(sms)]
    return page_of(matching(items, filters, {"campaign": "campaignName"}), query.page, query.size, query.sort)


def list_quiet_hours_countries(call: Call) -> Answer:
    """The countries with their names; only English and Greek are translated here."""
    language = call.path["language"]
    if len(language) != 2 or not language.isalpha():
        raise invalid(f"{language} is not an ISO 639-1 language.")
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


def _campaign_name(sms: Sms) -> str:
    return sms.campaign.plan.name if sms.campaign else ""


def _campaign_fields(sms: Sms) -> Wire:
    if sms.campaign is None:
        return {}
    return {"campaignName": sms.campaign.plan.name, "campaignTrackingId": sms.campaign.id}


def _filtered_fields(sms: Sms) -> Wire:
    fields: Wire = {"label": sms.label}
    if sms.direction == "Inbound":
        fields["receivedDate"] = timestamp(sms.created)
    return fields
