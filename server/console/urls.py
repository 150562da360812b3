"""The URLs of the approval page. Imported at every start, so it imports nothing of the page itself."""

import re
from typing import Final

ROOT: Final = "/approvals"
"""All URLs of the page are under this path, and its cookie is only sent there."""

_ASKED_ID: Final = re.compile(r"(?:act|plan)_[a-z0-9]{4,12}")


def asked_id(text: str) -> str:
    """Return the action or plan to show after signing in; empty for anything that is no such id."""
    return text if _ASKED_ID.fullmatch(text) else ""


class MountedPage:
    """The page as a part of the HTTP server; `base` is its public address, or None where that is unknown."""

    def __init__(self, base: str | None) -> None:
        self._base = base

    async def address_for(self, asked_id: str) -> str | None:
        """Return the URL of one action, or None if the public address is unknown."""
        return action_url(self._base, asked_id) if self._base else None


def action_url(base: str, action_id: str) -> str:
    """Return the URL of one action."""
    return f"{base.rstrip('/')}{ROOT}/{action_id}"
