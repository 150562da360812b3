"""Where people find the approval page. Light: it is imported at start-up, the page itself when it is first needed."""

from collections.abc import Callable
from typing import Final, Protocol

ROOT: Final = "/approvals"
"""Everything of the page lies under this path, and its cookie goes nowhere else."""


class ApprovalPage(Protocol):
    """The page as the server's other parts see it."""

    async def address_for(self, action_id: str) -> str | None:
        """Where a person answers this action; None where no page is served."""
        ...


class NoPage:
    """No page: the command line is the operator's only way."""

    async def address_for(self, action_id: str) -> str | None:
        return None


class MountedPage:
    """The page as a part of the HTTP server. `base` is where people reach it; None where that is not known."""

    def __init__(self, base: str | None) -> None:
        self._base = base

    async def address_for(self, action_id: str) -> str | None:
        return action_url(self._base, action_id) if self._base else None


class LazyApprovalPage:
    """A page that is made, and whose modules are loaded, when an action first waits."""

    def __init__(self, make: Callable[[], ApprovalPage]) -> None:
        self._make = make
        self._page: ApprovalPage | None = None

    async def address_for(self, action_id: str) -> str | None:
        if self._page is None:
            self._page = self._make()
        return await self._page.address_for(action_id)


def action_url(base: str, action_id: str) -> str:
    """The page of one action."""
    return f"{base.rstrip('/')}{ROOT}/{action_id}"
