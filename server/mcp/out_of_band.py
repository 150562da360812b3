"""Out-of-band approval: opens the approval page for the person at the client, and waits there for the operator.

Opening the page says nothing about the action: only the operator's answer on the record counts.
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
"""How long to wait for somebody who opened the page; clients commonly give a call 60 seconds."""

POLL_SECONDS: Final = 0.5


class ApprovalPage(Protocol):
    """Where the operator answers actions."""

    async def address_for(self, action_id: str) -> str | None:
        """The address of one action; None where no page is served."""
        ...


class NoPage:
    """No page: the command line is the operator's only way."""

    async def address_for(self, action_id: str) -> str | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """An action that the operator has to answer, and where."""

    action: Action
    page: str | None
    note: str = ""


class OutOfBandApproval:
    """Sends calls to the operator. `wait_seconds` is what the operator set; None waits only for an opened page."""

    def __init__(self, page: ApprovalPage, wait_seconds: float | None) -> None:
        self._page = page
        self._wait_seconds = wait_seconds

    async def describe(self, action: Action, *, note: str = "") -> PendingApproval:
        """The action as it waits, with where to answer it."""
        return PendingApproval(action=action, page=await self._page.address_for(action.id), note=note)

    async def request(
        self, session: Session, action: Action, read_again: Callable[[], Awaitable[Action]]
    ) -> PendingApproval | InputRequiredResult:
        """Open the page where the client can, wait as long as is set, and return how the action stands then.

        `read_again` reads the action anew, and raises where it cannot go on.
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
        patience = AFTER_OPENING_SECONDS if was_opened and self._wait_seconds is None else self._wait_seconds or 0
        current = await _wait_for_answer(session, read_again, patience) if patience else action
        return PendingApproval(action=current, page=pending.page)


async def _wait_for_answer(session: Session, read_again: Callable[[], Awaitable[Action]], patience: float) -> Action:
    """The action once it is answered, or as it stands when patience ends."""
    started = anyio.current_time()
    while True:
        current = await read_again()
        waited = anyio.current_time() - started
        if current.state is not State.PROPOSED or waited >= patience:
            return current
        await session.report_progress(waited, patience, "Waiting for the operator's answer.")
        await anyio.sleep(min(POLL_SECONDS, patience - waited))
