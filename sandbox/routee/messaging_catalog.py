"""The operations that send messages and rent what they are sent from."""

from sandbox.routee.endpoint import About, Basis, Endpoint, plain, with_body, with_query, with_query_and_body
from sandbox.routee.fields import Filters, PageQuery, SortedPageQuery
from sandbox.routee.operations import campaigns, failover, pools, rented_numbers, sms, viber

PAGE = Basis.PAGE
SOURCES = Basis.SOURCES
REFERENCE = Basis.REFERENCE
_EMPTY = "the empty answer"
_ARRAY = "that the body is an array"

SMS = (
    with_body("POST", "/sms", About(PAGE, "sms", paid=True), sms.SmsBody, sms.send_sms),
    with_body("POST", "/sms/analyze", About(PAGE, "sms"), sms.AnalysisBody, sms.analyze_sms),
    plain("GET", "/sms/tracking/single/{messageId}", About(PAGE, "sms"), sms.track_sms),
    with_query(
        "GET", "/sms/tracking/campaign/{campaignTrackingId}", About(PAGE, "sms"), sms.SizedQuery, sms.track_campaign
    ),
    with_query_and_body(
        "POST",
        "/sms/tracking",
        About(SOURCES, "sms", inferred="an empty array means no filter; the order of the result"),
        sms.TrackingQuery,
        Filters,
        sms.track_filtered,
    ),
    plain("GET", "/sms/quietHours/countries/{language}", About(SOURCES, "sms"), sms.list_quiet_hours_countries),
)

CAMPAIGNS = (
    with_body("POST", "/sms/campaign", About(PAGE, "sms", paid=True), campaigns.CampaignBody, campaigns.start_campaign),
    with_body(
        "POST",
        "/sms/analyze/campaign",
        About(PAGE, "sms"),
        campaigns.CampaignAnalysisBody,
        campaigns.analyze_campaign,
    ),
    with_body(
        "PUT",
        "/sms/{campaignTrackingId}",
        About(PAGE, "sms", paid=True),
        campaigns.CampaignBody,
        campaigns.update_campaign,
    ),
    plain("DELETE", "/sms/{campaignTrackingId}", About(SOURCES, "sms", inferred=_EMPTY), campaigns.delete_campaign),
    plain("GET", "/campaigns/{trackingId}", About(PAGE, "sms"), campaigns.show_campaign),
)

NUMBERS = (
    with_query(
        "GET", "/numbers/available", About(REFERENCE), rented_numbers.AvailableQuery, rented_numbers.list_available
    ),
    with_query_and_body(
        "POST",
        "/numbers/available/search",
        About(REFERENCE, inferred=_ARRAY),
        SortedPageQuery,
        Filters,
        rented_numbers.search_available,
    ),
    with_body(
        "POST",
        "/numbers/my",
        About(REFERENCE, paid=True, inferred="the first month is charged at once; all error codes"),
        rented_numbers.RentBody,
        rented_numbers.rent_number,
    ),
    with_query("GET", "/numbers/my", About(REFERENCE), PageQuery, rented_numbers.list_numbers),
    with_body(
        "PUT",
        "/numbers/my/{msisdn}",
        About(REFERENCE, inferred="fields that are left out are kept"),
        rented_numbers.UpdateBody,
        rented_numbers.update_number,
    ),
    plain(
        "DELETE",
        "/numbers/my/{msisdn}",
        About(REFERENCE, inferred=f"{_EMPTY}; nothing is refunded"),
        rented_numbers.cancel_number,
    ),
)

POOLS = (
    with_body("POST", "/pools/my", About(REFERENCE, inferred="it is free"), pools.PoolBody, pools.create_pool),
    with_query("GET", "/pools/my", About(REFERENCE, inferred="page and size"), PageQuery, pools.list_pools),
    plain("GET", "/pools/my/{poolId}", About(PAGE), pools.show_pool),
    with_body(
        "PUT",
        "/pools/my/{poolId}",
        About(REFERENCE, inferred="given settings replace all settings"),
        pools.PoolChangeBody,
        pools.update_pool,
    ),
    plain("DELETE", "/pools/my/{poolId}", About(REFERENCE, inferred="its numbers stay rented"), pools.delete_pool),
    with_body(
        "POST",
        "/pools/my/{poolId}/sms",
        About(PAGE, "sms", paid=True, inferred="the errors are those of POST /sms"),
        pools.PoolSmsBody,
        pools.send_from_pool,
    ),
    plain("GET", "/pools/my/{poolId}/numbers", About(REFERENCE), pools.list_pool_numbers),
    plain(
        "PUT",
        "/pools/my/{poolId}/numbers/{msisdn}",
        About(REFERENCE, inferred="that there is no body; the answer"),
        pools.add_number,
    ),
    plain("DELETE", "/pools/my/{poolId}/numbers/{msisdn}", About(REFERENCE, inferred=_EMPTY), pools.remove_number),
)

VIBER = (
    with_body("POST", "/viber", About(SOURCES, paid=True), viber.ViberBody, viber.send_message),
    with_body("POST", "/viber/otp", About(REFERENCE, paid=True), viber.OtpBody, viber.send_otp),
    with_body("POST", "/viber/campaign", About(REFERENCE, paid=True), viber.ViberCampaignBody, viber.start_campaign),
    plain("DELETE", "/viber/campaign/{campaignTrackingId}", About(REFERENCE, inferred=_EMPTY), viber.delete_campaign),
    with_query("GET", "/viber/tracking/{trackingId}", About(REFERENCE), SortedPageQuery, viber.track_message),
    with_query(
        "GET", "/viber/tracking/campaign/{campaignTrackingId}", About(REFERENCE), SortedPageQuery, viber.track_campaign
    ),
    with_query_and_body(
        "POST",
        "/viber/session",
        About(REFERENCE, inferred="paging in the query, the rest in the body"),
        viber.SessionsQuery,
        viber.SessionsBody,
        viber.list_sessions,
    ),
    plain("GET", "/viber/session/{sessionId}", About(REFERENCE), viber.show_session),
)

FAILOVER = (
    with_body(
        "POST",
        "/failover",
        About(SOURCES, paid=True, inferred="the answer is that of the tracking"),
        failover.FailoverBody,
        failover.start_failover,
    ),
    plain("GET", "/failover/tracking/{trackingId}", About(REFERENCE), failover.show_failover),
    with_query_and_body(
        "POST",
        "/failover/tracking",
        About(PAGE, inferred="the answer is a page of trackings"),
        failover.FailoversQuery,
        Filters,
        failover.search_failovers,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (*SMS, *CAMPAIGNS, *NUMBERS, *POOLS, *VIBER, *FAILOVER)
