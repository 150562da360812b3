"""Enswitch: every function of its JSON API whose page is public.

Each module of `operations` says what its functions do not offer: what was cut off their pages as we could read them,
and settings whose effect we know by nothing but a name, which nobody could describe to a model.
"""

from clients.deferred import Deferred
from tools.enswitch.settings import EnswitchSettings
from tools.provider import Provider

provider = Provider(
    name="enswitch",
    title="Enswitch",
    settings=EnswitchSettings,
    package=__name__,
    operations=(
        "plan_routes",
        "plans",
        "routing",
        "costs",
        "phone_numbers",
        "timegroups",
        "system_numbers",
        "calls",
        "customers",
        "balances",
        "charges",
        "invoices",
        "cards",
        "people",
        "phones",
        "queues",
        "features",
        "messages",
    ),
    everyday={"phone_numbers": ("enswitch_update_number",)},
    connect=Deferred("tools.enswitch.client:connect"),
    harmless_read=Deferred("tools.enswitch.operations.people:GetLogin"),
    view=Deferred("tools.enswitch.view:EnswitchView"),
    prices=Deferred("tools.enswitch.prices:EnswitchPrices"),
)
"""What the entry point `ringfence.providers` names."""
