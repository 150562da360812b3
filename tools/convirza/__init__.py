"""Convirza: tracked numbers, routes, calls, tags, webhooks and users of one account."""

from clients.deferred import Deferred
from tools.convirza.settings import ConvirzaSettings
from tools.provider import Provider

provider = Provider(
    name="convirza",
    title="Convirza",
    settings=ConvirzaSettings,
    package=__name__,
    operations=(
        "provisioned_routes",
        "phone_numbers",
        "conversations",
        "broadcasts",
        "voice_agents",
        "media_prompts",
        "webhooks",
        "tags",
        "users",
        "groups",
    ),
    connect=Deferred("tools.convirza.client:connect"),
    harmless_read=Deferred("tools.convirza.operations.groups:ListChildGroups"),
    view=Deferred("tools.convirza.view:ConvirzaView"),
)
"""What the entry point `ringfence.providers` names."""
