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

SIDEBAR: tuple[Endpoint, ...] = (
    *users.ENDPOINTS,
    *groups.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *media_prompts.ENDPOINTS,
    *voice_agents.ENDPOINTS,
    *phone_numbers.ENDPOINTS,
    *provisioned_routes.ENDPOINTS,
    *broadcasts.ENDPOINTS,
    *conversations.ENDPOINTS,
    *reference.ENDPOINTS,
)
"""56 operations; Update Tag is here twice, because its method is on no page."""

ENDPOINTS: tuple[Endpoint, ...] = (*oauth.ENDPOINTS, *SIDEBAR, *recordings.ENDPOINTS)
