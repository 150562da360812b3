"""Sends the person at the client to the approval page, and waits there for the operator's answer.

Opening the page says nothing about the action: only the operator's answer on the record counts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import anyio
from mcp.server.mcpserver import Context
from mcp.types import InputRequiredResult

from guard.action import Action, State
from server.mcp.elicitation import can_open, opened, send_to_page

AFTER_OPENING_SECONDS: Final = 50.0
"""How long to wait for somebody who opened the page; clients commonly give a call 60 seconds."""

LOOK_EVERY_SECONDS: Final = 0.5

PageFor = Callable[[Action], Awaitable[str | None]]
"""Where the operator answers an action; None where no page is served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """What is to be told of an action that waits for the operator."""

    action: Action
    page: str | None
    note: str = ""


class OutOfBandApproval:
    """Refers calls to the operator. `wait_seconds` is what the operator set; None waits only for an opened page."""

    def __init__(self, page_for: PageFor, wait_seconds: float | None) -> None:
        self._page_for = page_for
        self._wait_seconds = wait_seconds

    async def where(self, action: Action) -> str | None:
        """Where the operator answers."""
        return await self._page_for(action)

    async def refer(
        self, context: Context[Any, Any], action: Action, look: Callable[[], Awaitable[Action]]
    ) -> PendingApproval | InputRequiredResult:
        """Open the page where the client can, wait as long as is set, and say how the action stands then.

        `look` reads the action again, and raises where it cannot go on.
        """
        page = await self._page_for(action)
        was_opened = opened(context, action)
        if was_opened is None and page is not None and can_open(context):
            sent = await send_to_page(context, action, page)
            if isinstance(sent, InputRequiredResult):
                return sent
            was_opened = sent
        if was_opened is False:
            return PendingApproval(action=action, page=page, note="The page was not opened.")
        patience = AFTER_OPENING_SECONDS if was_opened and self._wait_seconds is None else self._wait_seconds or 0
        return PendingApproval(action=await _answered(context, action, look, patience), page=page)


async def _answered(
    context: Context[Any, Any], action: Action, look: Callable[[], Awaitable[Action]], patience: float
) -> Action:
    """The action once it is answered, or as it stands when patience ends."""
    if not patience:
        return action
    started = anyio.current_time()
    while True:
        current = await look()
        waited = anyio.current_time() - started
        if current.state is not State.PROPOSED or waited >= patience:
            return current
        await context.report_progress(waited, patience, "Waiting for the operator's answer.")
        await anyio.sleep(min(LOOK_EVERY_SECONDS, patience - waited))
