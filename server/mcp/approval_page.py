"""The approval page as the MCP server knows it: an address for what waits, if a page is served."""

from typing import Protocol


class ApprovalPage(Protocol):
    """The page on which the operator approves actions and plans."""

    async def address_for(self, asked_id: str) -> str | None:
        """Return the URL of one action or plan; None where no page is served."""
        ...


class NoPage:
    """No page is served: the operator approves on the command line."""

    async def address_for(self, asked_id: str) -> str | None:
        """Return None: there is no page."""
        return None
