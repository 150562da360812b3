"""Routee: texts, campaigns, voice, two-step verification and rented numbers of one application."""

from clients.deferred import Deferred
from tools.provider import Provider
from tools.routee.settings import RouteeSettings

provider = Provider(
    name="routee",
    title="Routee",
    settings=RouteeSettings,
    package=__name__,
    operations=(
        "sms",
        "campaigns",
        "phone_numbers",
        "pools",
        "pool_messages",
        "conversations",
        "call_control",
        "voice_campaigns",
        "contacts",
        "groups",
        "blacklist",
        "two_step",
        "lookups",
        "viber",
        "viber_campaigns",
        "failover",
        "reports",
        "account",
    ),
    everyday={"sms": ("routee_send_sms",), "campaigns": ("routee_send_campaign",)},
    connect=Deferred("tools.routee.client:connect"),
    harmless_read=Deferred("tools.routee.operations.account:GetBalance"),
    view=Deferred("tools.routee.view:RouteeView"),
    prices=Deferred("tools.routee.prices:RouteePrices"),
    read_callback=Deferred("tools.routee.webhooks:read_callback"),
    explain_failure=Deferred("tools.routee.failures:explain_failure"),
    group_members=Deferred("tools.routee.recipients:members_of_group"),
    completions={"group": Deferred("tools.routee.view:list_group_names")},
    tools=Deferred("tools.routee.campaign_watch:TOOLS"),
)
"""What the entry point `ringfence.providers` names."""
