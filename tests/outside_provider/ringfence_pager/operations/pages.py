"""Pages: send one."""

from pydantic import Field

from clients.effects import Charge, Effect
from clients.operation import Answer, Operation
from ringfence_pager.client import pager


class Page(Answer):
    """A page that was taken in."""

    id: str | None = None


@pager.operation(
    "POST",
    "/v1/pages",
    effect=Effect.PAID,
    subject="Send a page to pager {pager_id}",
    toolset="pages",
    docs="#send",
    unverifiable="the service lists no pages",
)
class SendPage(Operation[Page]):
    """Send a page to one pager.

    Each page is charged.
    """

    pager_id: str
    """Pager that beeps, from pager_list_pagers."""

    text: str = Field(min_length=1, max_length=80)
    """What it shows."""

    def charge(self) -> Charge:
        return Charge(item="page", rate="page")
