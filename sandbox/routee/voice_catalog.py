"""The operations on calls."""

from sandbox.routee.endpoint import About, Basis, Endpoint, plain, with_body, with_query, with_query_and_body
from sandbox.routee.fields import Filters, PageQuery, SortedPageQuery
from sandbox.routee.operations import call_control, conversations, voice_campaigns

PAGE = Basis.PAGE
REFERENCE = Basis.REFERENCE
_EMPTY = "the empty answer"
_ARRAY = "that the body is an array"

VOICE = (
    with_body(
        "POST",
        "/voice/conversation",
        About(PAGE, paid=True, inferred="429 beyond one a second; all error codes"),
        conversations.ConversationBody,
        conversations.start_conversation,
    ),
    plain("GET", "/voice/conversation/{conversationTrackingId}", About(PAGE), conversations.show_conversation),
    with_query(
        "GET",
        "/voice/tracking/conversation/{conversationTrackingId}",
        About(PAGE, inferred="page and size"),
        PageQuery,
        conversations.list_dials,
    ),
    plain(
        "GET",
        "/recordings/my/downloads/{recordingTrackingId}",
        About(REFERENCE, inferred="the answer is the sound itself"),
        conversations.download_recording,
    ),
    with_body(
        "PUT", "/voice/conversation/{messageId}", About(REFERENCE), call_control.ActionBody, call_control.end_call
    ),
    with_body(
        "POST",
        "/voice/conversation/{messageId}/transfer",
        About(REFERENCE, paid=True, inferred="the old call ends"),
        call_control.TransferBody,
        call_control.transfer_call,
    ),
    with_body(
        "POST",
        "/voice/conversation/{messageId}/talk",
        About(REFERENCE),
        call_control.TalkBody,
        call_control.start_talk,
    ),
    plain("DELETE", "/voice/conversation/{messageId}/talk", About(REFERENCE), call_control.stop_talk),
    with_body(
        "POST",
        "/voice/conversation/{messageId}/file",
        About(REFERENCE),
        call_control.FileBody,
        call_control.start_file,
    ),
    plain("DELETE", "/voice/conversation/{messageId}/file", About(REFERENCE), call_control.stop_file),
    with_body(
        "POST",
        "/voice/conversation/{messageId}/record",
        About(REFERENCE),
        call_control.RecordBody,
        call_control.start_record,
    ),
    plain("DELETE", "/voice/conversation/{messageId}/record", About(REFERENCE), call_control.stop_record),
    with_body(
        "POST",
        "/voice/conversation/{messageId}/dtmf",
        About(REFERENCE),
        call_control.DtmfBody,
        call_control.send_dtmf,
    ),
)

VOICE_CAMPAIGNS = (
    with_body(
        "POST",
        "/voice/campaign",
        About(REFERENCE, paid=True, inferred="the balance has to cover a minute of each call"),
        voice_campaigns.VoiceCampaignBody,
        voice_campaigns.start_campaign,
    ),
    with_body(
        "POST", "/voice/analysis", About(PAGE), voice_campaigns.VoiceAnalysisBody, voice_campaigns.analyze_campaign
    ),
    plain("DELETE", "/voice/campaign/{trackingId}", About(REFERENCE, inferred=_EMPTY), voice_campaigns.delete_campaign),
    plain("GET", "/voice/tracking/{messageId}", About(REFERENCE), voice_campaigns.track_call),
    with_query_and_body(
        "POST",
        "/voice/tracking",
        About(REFERENCE, inferred=_ARRAY),
        voice_campaigns.CallsQuery,
        Filters,
        voice_campaigns.track_calls,
    ),
    with_query(
        "GET",
        "/voice/tracking/campaign/{campaignTrackingId}",
        About(REFERENCE),
        SortedPageQuery,
        voice_campaigns.track_campaign,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (*VOICE, *VOICE_CAMPAIGNS)
