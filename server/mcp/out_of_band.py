"""Out-of-band approval: opens the approval page for the person at the client, and waits for the operator's answer.

That the page was opened approves nothing: only the operator's answer on the record counts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import anyio
from mcp.types import InputRequiredResult

from guard.operators.approval import HasAnswers, approvals_line
from server.mcp.approval_page import ApprovalPage
from server.mcp.elicitation import Question, can_open, page_was_opened, send_to_page
from server.mcp.session import Session

AFTER_OPENING_SECONDS: Final = 50.0
"""Wait after the page was opened. Clients commonly give up on a call after 60 seconds."""

POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """What waits for the operator, by its id, and the page to approve it on."""

    id: str
    page: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is approved."""

    sentence: str
    """Who approves and where, for the model to pass on."""

    page: str | None
    command: str | None
    """What the operator types instead; None where the command line approves nothing."""


def where_to_approve(pending: PendingApproval, asked: HasAnswers, command: str, amount: str = "") -> Place:
    """Say who approves and where; `amount` is what the operator names with it."""
    counts = asked.approvers_needed <= 1
    sentence = _sentence(pending, asked, command, amount)
    return Place(sentence=sentence, page=pending.page, command=command if counts else None)


def _sentence(pending: PendingApproval, asked: HasAnswers, command: str, amount: str) -> str:
    if asked.approvers_needed > 1:
        where = f"at {pending.page}" if pending.page else "on the approval page"
        return f"{approvals_line(asked)} Operators do so{amount} {where}; the command line counts for none of them."
    by_command = f"`{command}` (or `decline`)"
    where = f"at {pending.page} or with {by_command}" if pending.page else f"with {by_command}"
    note = f"{pending.note} " if pending.note else ""
    return f"{note}The operator approves it{amount} {where}."


class OutOfBandApproval:
    """Leaves approvals to the operator. `wait_seconds` is a setting; None waits only where the page was opened."""

    def __init__(self, page: ApprovalPage, wait_seconds: float | None) -> None:
        self._page = page
        self._wait_seconds = wait_seconds

    async def describe(self, asked_id: str, *, note: str = "") -> PendingApproval:
        """Return an action or plan with the page to approve it on."""
        return PendingApproval(id=asked_id, page=await self._page.address_for(asked_id), note=note)

    async def request(
        self, session: Session, question: Question, is_answered: Callable[[], Awaitable[bool]]
    ) -> PendingApproval | InputRequiredResult:
        """Open the page where the client can, and wait until the question is answered or the time is over.

        `is_answered` reads the record, and raises where what was asked can no longer be approved.
        """
        pending = await self.describe(question.id)
        was_opened = page_was_opened(session, question)
        if was_opened is None and pending.page is not None and can_open(session):
            sent = await send_to_page(session, question, pending.page)
            if isinstance(sent, InputRequiredResult):
                return sent
            was_opened = sent
        if was_opened is False:
            return replace(pending, note="The page was not opened.")
        seconds = AFTER_OPENING_SECONDS if was_opened and self._wait_seconds is None else self._wait_seconds or 0
        if seconds:
            await _wait_for_answer(session, is_answered, seconds)
        return pending


async def _wait_for_answer(session: Session, is_answered: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Return once the question is answered, or when the time is over."""
    started = anyio.current_time()
    while not await is_answered():
        waited = anyio.current_time() - started
        if waited >= seconds:
            return
        await session.report_progress(waited, seconds, "Waiting for the operator's answer.")
        await anyio.sleep(min(POLL_SECONDS, seconds - waited))
