"""All operations of VoiceTel REST API v2.2.10: paths, methods and limits are those of the published OpenAPI.

Those of `messaging_health` are from the vendor's newer SDK.
"""

from sandbox.frame.endpoint import declared_in
from sandbox.voicetel import (
    access,
    account,
    campaigns,
    e911,
    gateways,
    lookups,
    messages,
    messaging_health,
    number_messaging,
    number_settings,
    orders,
    phone_numbers,
    ports,
    signup,
    support,
)
from sandbox.voicetel.endpoint import Operation

ENDPOINTS = declared_in(
    Operation,
    account,
    signup,
    access,
    e911,
    gateways,
    orders,
    ports,
    lookups,
    number_messaging,
    campaigns,
    messages,
    messaging_health,
    phone_numbers,
    number_settings,
    support,
)
