"""One request for every operation that succeeds, and the fields that the documents promise in its answer."""

from tests.sandbox.routee.doors import BRITISH, GREEK, WHOLE_WEEK
from tests.sandbox.routee.examples import (
    BULK,
    CONTACT_ID,
    FILTER,
    FLOW,
    GROUP,
    LATER,
    MANY_VIBER,
    MESSAGE,
    RANGE,
    SENDER,
    SPEECH,
    TALK,
    VERIFY,
    Example,
    at,
    of_call,
    of_emptied_pool,
    of_new,
    of_recording,
    of_seed,
    of_session,
    viber,
)

PAGE = "content totalPages totalElements numberOfElements number size first last"
TRACKED = (
    "applicationName country smsId messageId groups body operator originatingService to latency parts part price "
    "status from direction"
)
CAMPAIGN = (
    "trackingId createdAt type from to body state statuses smsAnalysis flash respectQuietHours contacts groups "
    "fallbackValues ttl cost totalMessages"
)
AVAILABLE = "msisdn country services inboundCosts monthlyCosts activationCosts chargeInterval tollFree"
NUMBER = "trackingId msisdn country services inboundCosts monthlyCosts activationCosts nextRenewal"
POOL = "poolId poolName smsSettings updatedAt"
CONVERSATION = "trackingId direction from to createdAt"
CALL = "messageId to from country status originatingService direction duration price chargeInterval recordings"
DONE = "createdAt message messageId"
CONTACT = "id mobile country vip groups blacklistedServices labels"
VERIFICATION = "trackingId status updatedAt expiresAt maxRetries timesTried"
LOOKUP = "lookupId to label applicationName createdAt statusInfo details"
VOLUME = (
    "startDateTime timeGrouping country operator mcc mnc count price queuedCount sentCount deliveredCount "
    "undeliveredCount failedCount unsentCount"
)
VIBER = "trackingId applicationName country direction from to message sessionMessage status ttl"
FAILOVER = "trackingId applicationId createdAt updatedAt originatingService status totalPrice messages"
ANALYSIS = "contacts numberOfRecipients recipientCountries recipientsPerCountry recipientsPerGroup totalInGroups"


EXAMPLES = (
    Example("POST", "/sms", "trackingId createdAt from to body status bodyAnalysis flash ttl", MESSAGE),
    Example("POST", "/sms/analyze", "bodyAnalysis cost", MESSAGE),
    Example(
        "GET",
        "/sms/tracking/single/{messageId}",
        items=f"{TRACKED} campaign label",
        prepare=of_new("sms/tracking/single/{}", "sms", MESSAGE),
    ),
    Example(
        "GET",
        "/sms/tracking/campaign/{campaignTrackingId}",
        PAGE,
        items=f"{TRACKED} campaignName campaignTrackingId",
        prepare=of_seed("sms/tracking/campaign/{}", "campaigns"),
    ),
    Example("POST", "/sms/tracking", PAGE, FILTER, WHOLE_WEEK, items=f"{TRACKED} label"),
    Example(
        "GET",
        "/sms/quietHours/countries/{language}",
        items="code name localeName isoA3Code supported",
        prepare=at("sms/quietHours/countries/en"),
    ),
    Example("POST", "/sms/campaign", CAMPAIGN, BULK),
    Example("POST", "/sms/analyze/campaign", f"{ANALYSIS} bodyAnalysis errors", BULK),
    Example("PUT", "/sms/{campaignTrackingId}", CAMPAIGN, BULK, prepare=of_seed("sms/{}", "campaigns", 1)),
    Example("DELETE", "/sms/{campaignTrackingId}", prepare=of_seed("sms/{}", "campaigns", 1)),
    Example("GET", "/campaigns/{trackingId}", f"{CAMPAIGN} endedAt", prepare=of_seed("campaigns/{}", "campaigns")),
    Example("GET", "/numbers/available", PAGE, query={"country": "GR"}, items=AVAILABLE),
    Example("POST", "/numbers/available/search", PAGE, [{"fieldName": "country", "searchTerm": "US"}], items=AVAILABLE),
    Example("POST", "/numbers/my", f"{NUMBER} chargeInterval tollFree", {"msisdn": "+306948530007"}),
    Example("GET", "/numbers/my", PAGE, items=NUMBER),
    Example(
        "PUT",
        "/numbers/my/{msisdn}",
        NUMBER,
        {"inboundSmsCallbackUrl": "https://hooks.example/sms"},
        prepare=at("numbers/my/447520630142"),
    ),
    Example("DELETE", "/numbers/my/{msisdn}", prepare=at("numbers/my/447520630142")),
    Example("POST", "/pools/my", POOL, {"poolName": "New", "smsSettings": {"sticky": True}}),
    Example("GET", "/pools/my", PAGE, items=f"{POOL} totalNumbers"),
    Example("GET", "/pools/my/{poolId}", f"{POOL} totalNumbers", prepare=of_seed("pools/my/{}", "pools")),
    Example("PUT", "/pools/my/{poolId}", POOL, {"poolName": "Other"}, prepare=of_seed("pools/my/{}", "pools")),
    Example("DELETE", "/pools/my/{poolId}", "poolId deletedAt", prepare=of_seed("pools/my/{}", "pools")),
    Example(
        "POST",
        "/pools/my/{poolId}/sms",
        "trackingId status createdAt poolId poolName poolStrategy smsSettings to from bodyAnalysis",
        {"to": BRITISH, "body": "Hello", "poolStrategy": "Numeric"},
        prepare=of_seed("pools/my/{}/sms", "pools"),
    ),
    Example(
        "GET", "/pools/my/{poolId}/numbers", "poolId poolName numbers", prepare=of_seed("pools/my/{}/numbers", "pools")
    ),
    Example("PUT", "/pools/my/{poolId}/numbers/{msisdn}", "poolId poolName numbers", prepare=of_emptied_pool),
    Example(
        "DELETE",
        "/pools/my/{poolId}/numbers/{msisdn}",
        prepare=of_seed("pools/my/{}/numbers/447520630142", "pools"),
    ),
    Example("POST", "/voice/conversation", f"{CONVERSATION} dialPlans", TALK),
    Example(
        "GET",
        "/voice/conversation/{conversationTrackingId}",
        f"{CONVERSATION} recordings",
        prepare=of_seed("voice/conversation/{}", "conversations"),
    ),
    Example(
        "GET",
        "/voice/tracking/conversation/{conversationTrackingId}",
        PAGE,
        items=f"{CALL} conversationTrackingId answeredBy collectedTones",
        prepare=of_seed("voice/tracking/conversation/{}", "conversations"),
    ),
    Example("GET", "/recordings/my/downloads/{recordingTrackingId}", "(sound)", prepare=of_recording),
    Example(
        "PUT",
        "/voice/conversation/{messageId}",
        DONE,
        {"action": "hangup"},
        prepare=of_call("voice/conversation/{}"),
    ),
    Example(
        "POST",
        "/voice/conversation/{messageId}/transfer",
        DONE,
        {"from": "447520630142", "to": {"phone": BRITISH}},
        prepare=of_call("voice/conversation/{}/transfer"),
    ),
    Example(
        "POST",
        "/voice/conversation/{messageId}/talk",
        DONE,
        {"text": "Hello"},
        prepare=of_call("voice/conversation/{}/talk"),
    ),
    Example(
        "DELETE",
        "/voice/conversation/{messageId}/talk",
        DONE,
        prepare=of_call("voice/conversation/{}/talk", ("talk", {"text": "Hello"})),
    ),
    Example(
        "POST",
        "/voice/conversation/{messageId}/file",
        DONE,
        {"fileURL": "https://files.example/hello.wav"},
        prepare=of_call("voice/conversation/{}/file"),
    ),
    Example(
        "DELETE",
        "/voice/conversation/{messageId}/file",
        DONE,
        prepare=of_call("voice/conversation/{}/file", ("file", {"fileURL": "https://files.example/hello.wav"})),
    ),
    Example(
        "POST",
        "/voice/conversation/{messageId}/record",
        DONE,
        {"format": "WAV"},
        prepare=of_call("voice/conversation/{}/record"),
    ),
    Example(
        "DELETE",
        "/voice/conversation/{messageId}/record",
        DONE,
        prepare=of_call("voice/conversation/{}/record", ("record", {})),
    ),
    Example(
        "POST",
        "/voice/conversation/{messageId}/dtmf",
        DONE,
        {"dtmf": "12w#"},
        prepare=of_call("voice/conversation/{}/dtmf"),
    ),
    Example(
        "POST",
        "/voice/campaign",
        "trackingId createdAt type from to contacts groups message state statuses voiceAnalysis cost respectQuietHours",
        SPEECH,
    ),
    Example("POST", "/voice/analysis", ANALYSIS, SPEECH),
    Example(
        "DELETE",
        "/voice/campaign/{trackingId}",
        prepare=of_new("voice/campaign/{}", "voice/campaign", {**SPEECH, "scheduledDate": LATER}),
    ),
    Example("GET", "/voice/tracking/{messageId}", CALL, prepare=of_call("voice/tracking/{}")),
    Example("POST", "/voice/tracking", PAGE, [{"fieldName": "country", "searchTerm": "GB"}], items=CALL),
    Example(
        "GET",
        "/voice/tracking/campaign/{campaignTrackingId}",
        PAGE,
        items=f"{CALL} campaign message groups",
        prepare=of_new("voice/tracking/campaign/{}", "voice/campaign", SPEECH, wait=60),
    ),
    Example("GET", "/accounts/me/balance", "balance currency"),
    Example("GET", "/system/prices", "sms voice lookup twoStep numberValidator viber currency"),
    Example(
        "GET",
        "/accounts/me/transactions",
        PAGE,
        query={"from": "2026-04-01T00:00:00Z", "to": "2026-05-18T00:00:00Z"},
        items="id date amount balanceBefore balanceAfter source status transactionType actions",
    ),
    Example("GET", "/reports/my/volPrice", query=RANGE, items=VOLUME),
    Example("GET", "/reports/my/volPrice/perMcc", query={**RANGE, "mcc": "202"}, items=VOLUME),
    Example("GET", "/reports/my/volPrice/perMccMnc", query={**RANGE, "mcc": "310", "mnc": "004"}, items=VOLUME),
    Example(
        "GET",
        "/reports/my/volPrice/perCampaign",
        query={"campaignId": "66a0cbb4-4854-5b65-ad91-f0df2b2e07d4", "offset": "2026-05-01T00:00:00Z"},
        items=f"{VOLUME} smsCampaignId",
    ),
    Example("GET", "/reports/my/lookup/volPrice", "details totals", query=RANGE),
    Example("GET", "/reports/my/numberValidator/volPrice", "details totals", query=RANGE),
    Example("POST", "/contacts/my", CONTACT, {"mobile": GREEK, "firstName": "Ana"}),
    Example("GET", "/contacts/my", PAGE, items=CONTACT),
    Example("DELETE", "/contacts/my", "(ids)", body=[CONTACT_ID]),
    Example("HEAD", "/contacts/my/mobile", query={"value": "+19175550161"}),
    Example("GET", "/contacts/labels/my", "firstName lastName mobile email country lastVisit"),
    Example("POST", "/contacts/labels/my", body=[{"name": "tooth", "type": "Text"}], items="name type"),
    Example(
        "GET",
        "/contacts/my/blacklist/{service}",
        items=CONTACT,
        prepare=at("contacts/my/blacklist/Sms"),
    ),
    Example(
        "POST",
        "/contacts/my/blacklist/{service}",
        "updated",
        [{"id": CONTACT_ID}],
        prepare=at("contacts/my/blacklist/Sms"),
    ),
    Example(
        "DELETE",
        "/contacts/my/blacklist/{service}",
        "updated",
        [{"id": CONTACT_ID}],
        prepare=at("contacts/my/blacklist/Sms"),
    ),
    Example(
        "DELETE",
        "/contacts/my/blacklist/{service}/groups",
        "updated",
        ["Recall"],
        prepare=at("contacts/my/blacklist/Sms/groups"),
    ),
    Example("GET", "/contacts/my/{id}", CONTACT, prepare=of_seed("contacts/my/{}", "contacts")),
    Example("PUT", "/contacts/my/{id}", CONTACT, {"mobile": GREEK}, prepare=of_seed("contacts/my/{}", "contacts")),
    Example("DELETE", "/contacts/my/{id}", CONTACT, prepare=of_seed("contacts/my/{}", "contacts")),
    Example("GET", "/groups/my", items="name size"),
    Example("POST", "/groups/my", "name size", {"name": "Fresh"}),
    Example("DELETE", "/groups/my", body=["Newsletter"], items="name deletedContacts"),
    Example("GET", "/groups/my/page", PAGE, items="name size"),
    Example("POST", "/groups/my/merge", "name size", {"name": "Both", "groups": ["Patients GR", "Patients UK"]}),
    Example("POST", "/groups/my/difference", "name size", {"name": "Rest", "groups": ["Recall", "Patients US"]}),
    Example("GET", "/groups/my/{name}", "name size", prepare=at(GROUP)),
    Example("GET", "/groups/my/{name}/contacts", PAGE, items=CONTACT, prepare=at(f"{GROUP}/contacts")),
    Example(
        "POST",
        "/groups/my/{name}/contacts",
        "name size",
        [CONTACT_ID],
        prepare=at("groups/my/Newsletter/contacts"),
    ),
    Example(
        "DELETE",
        "/groups/my/{name}/contacts",
        "name size",
        [CONTACT_ID],
        prepare=at(f"{GROUP}/contacts"),
    ),
    Example("POST", "/2step", VERIFICATION, VERIFY),
    Example("GET", "/2step/reports", "total totals perCountry"),
    Example(
        "GET",
        "/2step/reports/applications/{appId}",
        "total totals perCountry",
        prepare=at("2step/reports/applications/5c93de1be4b0a8ffcf3f1b2e"),
    ),
    Example("GET", "/2step/{trackingId}", VERIFICATION, prepare=of_new("2step/{}", "2step", VERIFY)),
    Example(
        "POST",
        "/2step/{trackingId}",
        VERIFICATION,
        form={"answer": "4829"},
        prepare=of_new("2step/{}", "2step", VERIFY),
    ),
    Example("DELETE", "/2step/{trackingId}", VERIFICATION, prepare=of_new("2step/{}", "2step", VERIFY)),
    Example("POST", "/lookup", LOOKUP, {"to": GREEK, "label": "a"}),
    Example("GET", "/lookup/{lookupId}", f"{LOOKUP} price", prepare=of_seed("lookup/{}", "lookups")),
    Example("POST", "/lookup/tracking", PAGE, [{"fieldName": "country", "searchTerm": "GR"}], items=LOOKUP),
    Example(
        "POST",
        "/numbervalidator",
        "numberValidatorId to applicationName createdAt getPorted valid details formats geo",
        {"to": GREEK, "getPorted": True, "host": "bluewater.example"},
    ),
    Example("POST", "/viber", VIBER, viber(SENDER)),
    Example(
        "POST",
        "/viber/otp",
        "trackingId applicationName country direction from to status label seq templateId templateLang ttl type",
        {"senderInfoTrackingId": SENDER, "to": [GREEK], "templateId": "t1", "templateParams": {"pin": "1"}, "seq": "9"},
    ),
    Example(
        "POST",
        "/viber/campaign",
        "trackingId createdAt type state cost totalMessages body to senderInfoTrackingId senderInfoName viberAnalysis",
        MANY_VIBER,
    ),
    Example(
        "DELETE",
        "/viber/campaign/{campaignTrackingId}",
        prepare=of_new("viber/campaign/{}", "viber/campaign", {**MANY_VIBER, "scheduledDate": LATER}),
    ),
    Example(
        "GET",
        "/viber/tracking/{trackingId}",
        f"{VIBER} price originatingService",
        prepare=of_new("viber/tracking/{}", "viber", viber(SENDER)),
    ),
    Example(
        "GET",
        "/viber/tracking/campaign/{campaignTrackingId}",
        PAGE,
        items=f"{VIBER} price campaign campaignTrackingId",
        prepare=of_new("viber/tracking/campaign/{}", "viber/campaign", MANY_VIBER, wait=10),
    ),
    Example("POST", "/viber/session", PAGE, {"phoneNumber": GREEK}),
    Example("GET", "/viber/session/{sessionId}", "sessionId sessionMessages", prepare=of_session),
    Example("POST", "/failover", FAILOVER, FLOW),
    Example(
        "GET", "/failover/tracking/{trackingId}", FAILOVER, prepare=of_new("failover/tracking/{}", "failover", FLOW)
    ),
    Example("POST", "/failover/tracking", PAGE, [{"fieldName": "status", "searchTerm": "Succeeded"}]),
)
