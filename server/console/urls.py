"""Where people find the approval page."""

from typing import Final

ROOT: Final = "/approvals"
"""Everything of the page lies under this path, and its cookie goes nowhere else."""


class MountedPage:
    """The page as a part of the HTTP server. `base` is where people reach it; None where that is not known."""

    def __init__(self, base: str | None) -> None:
        self._base = base

    async def address_for(self, action_id: str) -> str | None:
        return action_url(self._base, action_id) if self._base else None


def action_url(base: str, action_id: str) -> str:
    """The page of one action."""
    return f"{base.rstrip('/')}{ROOT}/{action_id}"
