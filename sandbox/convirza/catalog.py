"""Every operation: the 56 of the v3 sidebar, the three of the OAuth service, the profile, and the recording links."""

from sandbox.convirza import (
    broadcasts,
    conversations,
    groups,
    media_prompts,
    oauth,
    phone_numbers,
    provisioned_routes,
    recordings,
    reference,
    users,
    voice_agents,
    webhooks,
)
from sandbox.convirza.endpoint import Endpoint
from sandbox.frame.endpoint import declared_in

SIDEBAR = declared_in(
    Endpoint,
    users,
    groups,
    webhooks,
    media_prompts,
    voice_agents,
    phone_numbers,
    provisioned_routes,
    broadcasts,
    conversations,
    reference,
)
"""56 operations; Update Tag is here twice, because its method is on no page."""

ENDPOINTS = (*declared_in(Endpoint, oauth), *SIDEBAR, *declared_in(Endpoint, recordings))
