"""Out-of-band approval: opens the approval page for the person at the client, and waits for the operator's answer.

That the page was opened approves nothing: only the operator's answer on the record counts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import anyio
from mcp.types import InputRequiredResult

from guard.action import Action, State
from server.mcp.elicitation import can_open, page_was_opened, send_to_page
from server.mcp.session import Session

AFTER_OPENING_SECONDS: Final = 50.0
"""Wait after the page was opened. Clients commonly give up on a call after 60 seconds."""

POLL_SECONDS: Final = 0.5


class ApprovalPage(Protocol):
    """The page on which the operator approves actions."""

    async def address_for(self, action_id: str) -> str | None:
        """Return the URL of one action; None where no page is served."""
        ...


class NoPage:
    """No page is served: the operator approves on the command line."""

    async def address_for(self, action_id: str) -> str | None:
        """Return None: there is no page."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """An action that waits for the operator, and the page to approve it on."""

    action: Action
    page: str | None
    note: str = ""


class OutOfBandApproval:
    """Leaves approvals to the operator. `wait_seconds` is a setting; None waits only where the page was opened."""

    def __init__(self, page: ApprovalPage, wait_seconds: float | None) -> None:
        self._page = page
        self._wait_seconds = wait_seconds

    async def describe(self, action: Action, *, note: str = "") -> PendingApproval:
        """Return the action with the page to approve it on."""
        return PendingApproval(action=action, page=await self._page.address_for(action.id), note=note)

    async def request(
        self, session: Session, action: Action, read_again: Callable[[], Awaitable[Action]]
    ) -> PendingApproval | InputRequiredResult:
        """Open the page where the client can, wait for the answer, and return the action as it stands then.

        `read_again` reads the action from the record, and raises where it can no longer be approved.
        """
        pending = await self.describe(action)
        was_opened = page_was_opened(session, action)
        if was_opened is None and pending.page is not None and can_open(session):
            sent = await send_to_page(session, action, pending.page)
            if isinstance(sent, InputRequiredResult):
                return sent
            was_opened = sent
        if was_opened is False:
            return PendingApproval(action=action, page=pending.page, note="The page was not opened.")
        seconds = AFTER_OPENING_SECONDS if was_opened and self._wait_seconds is None else self._wait_seconds or 0
        current = await _wait_for_answer(session, read_again, seconds) if seconds else action
        return PendingApproval(action=current, page=pending.page)


async def _wait_for_answer(session: Session, read_again: Callable[[], Awaitable[Action]], seconds: float) -> Action:
    """Return the action once it is answered, or as it stands when the time is over."""
    started = anyio.current_time()
    while True:
        current = await read_again()
        waited = anyio.current_time() - started
        if current.state is not State.PROPOSED or waited >= seconds:
            return current
        await session.report_progress(waited, seconds, "Waiting for the operator's answer.")
        await anyio.sleep(min(POLL_SECONDS, seconds - waited))
