"""VoiceTel: one account's numbers, texts, e911 records, ports and tickets."""

from clients.deferred import Deferred
from tools.provider import Provider
from tools.voicetel.settings import VoiceTelSettings

provider = Provider(
    name="voicetel",
    title="VoiceTel",
    settings=VoiceTelSettings,
    package=__name__,
    operations=(
        "phone_numbers",
        "number_routing",
        "number_inbox",
        "number_messaging",
        "caller_names",
        "ordering",
        "ports",
        "messaging",
        "messaging_health",
        "e911",
        "gateways",
        "lookups",
        "account",
        "access",
        "credentials",
        "support",
    ),
    everyday={
        "phone_numbers": ("voicetel_release_number",),
        "number_routing": ("voicetel_set_route", "voicetel_set_forward", "voicetel_remove_forward"),
        "ordering": ("voicetel_order_numbers",),
        "messaging": ("voicetel_send_message",),
        "account": ("voicetel_list_call_records",),
    },
    connect=Deferred("tools.voicetel.client:connect"),
    harmless_read=Deferred("tools.voicetel.operations.access:GetAuthentication"),
    view=Deferred("tools.voicetel.view:VoiceTelView"),
    prices=Deferred("tools.voicetel.prices:VoiceTelPrices"),
)
"""What the entry point `ringfence.providers` names."""
