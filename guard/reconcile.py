"""Settles actions whose answer was lost by reading the provider's state, never by sending again."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from clients.errors import NotFound, TelephonyError
from clients.evidence import Evidence
from clients.operation import Operation, Verification, answer_type
from guard.accounts import ProviderClient
from guard.action import Action, State, rebuild_call
from guard.dependencies import ANSWER_WITHIN, GuardDependencies

MAX_READS = 6
"""How many reads one verification may need before its outcome counts as unknown."""

GRACE = 2 * ANSWER_WITHIN
"""Absence counts as "not done" only after this delay: the provider may still be working on the request."""

LOST_AFTER = 10 * ANSWER_WITHIN
"""An action of another machine that is still being sent after this long has lost its process."""


class Reconciler:
    """Finds actions whose process ended, and settles those whose outcome is unknown."""

    def __init__(self, dependencies: GuardDependencies) -> None:
        """Scale the times above with `answer_within`."""
        self._journal = dependencies.journal
        self._accounts = dependencies.configured
        self._catalog = dependencies.catalog
        self._now = dependencies.clock.now
        scale = dependencies.answer_within / ANSWER_WITHIN
        self._grace = GRACE * scale
        self._lost_after = LOST_AFTER * scale

    async def run(self) -> list[Action]:
        """Mark every abandoned action as unknown, and settle every unknown one that a read can settle."""
        await self._mark_abandoned()
        unknown = await self._journal.latest(1000, states={State.UNKNOWN})
        return [await self.check(action) for action in unknown]

    async def check(self, action: Action) -> Action:
        """Settle one action by reads: the action as it then is, done, refused or still unknown.

        An action that is being sent is left alone as long as its process may still receive the answer. An action whose
        account is not set up is always left alone, because no other account can show it.
        """
        if action.state is State.SENDING:
            await self._mark_abandoned()
            action = await self._journal.find(action.id) or action
        if action.state is not State.UNKNOWN:
            return action
        call, account = self._call(action), self._accounts.find(action.provider, action.account)
        verification = call.verification(action.sent_at) if call and action.sent_at else None
        if call is None or verification is None or account is None or action.sent_at is None:
            return action
        evidence = await self._verify(verification, account.client, action.sent_at)
        happened = evidence is Evidence.YES
        if happened and verification.must_be_new and not _is_new(action, call, verification):
            return action
        if evidence is Evidence.UNKNOWN or (not happened and self._now() < action.sent_at + self._grace):
            return action
        outcome = "Checked at the provider: it was done." if happened else "Checked at the provider: it was not done."
        moved = await self._journal.move(
            action.id,
            {State.UNKNOWN},
            State.DONE if happened else State.REFUSED,
            finished_at=self._now(),
            outcome=outcome,
        )
        return moved or await self._journal.find(action.id) or action

    async def _mark_abandoned(self) -> None:
        for action in await self._journal.abandoned(self._now() - self._lost_after):
            outcome = "The process ended while the request was under way."
            await self._journal.move(action.id, {State.SENDING}, State.UNKNOWN, outcome=outcome)

    def _call(self, action: Action) -> Operation[Any] | None:
        operation = self._catalog.operation_named(action.operation)
        try:
            return rebuild_call(operation, action.arguments) if operation else None
        except ValidationError:
            return None

    async def _verify(self, verification: Verification[Any], sender: ProviderClient, sent_at: datetime) -> Evidence:
        for _ in range(MAX_READS):
            try:
                exchange = await sender.exchange(verification.read)
            except NotFound:
                return verification.if_absent
            except TelephonyError:
                return Evidence.UNKNOWN
            if exchange.attempts == 0 and exchange.received_at < sent_at:
                return Evidence.UNKNOWN  # a cached answer from before the call is not evidence
            if exchange.unread:
                return Evidence.UNKNOWN  # what could not be read may be what the call did
            found = verification.check(exchange.answer)
            if not isinstance(found, Verification):
                return found
            verification = found
        return Evidence.UNKNOWN


def _is_new(action: Action, call: Operation[Any], verification: Verification[Any]) -> bool:
    """Return True if the state before the call was read and did not show what the call was to bring about."""
    read = call.before()
    check = verification.check_before or (verification.check if read == verification.read else None)
    if read is None or check is None or action.before is None:
        return False
    if not action.before:
        return verification.if_absent is Evidence.NO
    answer: Any = answer_type(type(read))
    try:
        found = check(answer.model_validate(action.before))
    except ValidationError:
        return False
    return found is Evidence.NO
