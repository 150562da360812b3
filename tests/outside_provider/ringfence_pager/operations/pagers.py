"""Pagers: list them, and give one up."""

from datetime import datetime
from decimal import Decimal

from clients.effects import Effect
from clients.evidence import Evidence
from clients.operation import Answer, Done, Operation, Verification
from ringfence_pager.client import pager


class Pager(Answer):
    """One pager."""

    id: str
    holder: str | None = None


class Pagers(Answer):
    """The account's pagers."""

    pagers: list[Pager] = []


class Rates(Answer):
    """What things cost."""

    page: Decimal | None = None


@pager.operation("GET", "/v1/pagers", effect=Effect.READ, toolset="pagers", docs="#pagers", rows="pagers")
class ListPagers(Operation[Pagers]):
    """List the account's pagers and who holds them."""


@pager.operation("GET", "/v1/rates", effect=Effect.READ, toolset="pagers", docs="#rates")
class GetRates(Operation[Rates]):
    """Show what a page costs."""


@pager.operation(
    "DELETE",
    "/v1/pagers/{pager_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Release pager {pager_id} for good",
    toolset="pagers",
    docs="#release",
    irreversible=True,
)
class ReleasePager(Operation[Done]):
    """Release a pager for good; its code goes to somebody else."""

    pager_id: str
    """Pager to release, from pager_list_pagers."""

    def verification(self, sent_at: datetime) -> Verification[Pagers]:
        return Verification(
            read=ListPagers(), check=lambda found: Evidence.no_if(self.pager_id in {one.id for one in found.pagers})
        )
