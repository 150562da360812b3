"""Pagers: a provider that lives outside Ringfence."""

from clients.deferred import Deferred
from ringfence_pager.settings import PagerSettings
from tools.provider import Provider

provider = Provider(
    name="pager",
    title="Pager Service",
    settings=PagerSettings,
    package=__name__,
    operations=("pagers", "pages"),
    everyday={"pages": ("pager_send_page",)},
    connect=Deferred("ringfence_pager.client:connect"),
    harmless_read=Deferred("ringfence_pager.operations.pagers:ListPagers"),
    prices=Deferred("ringfence_pager.prices:PagerPrices"),
)
"""What the entry point `ringfence.providers` names."""
