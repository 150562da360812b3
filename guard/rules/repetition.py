"""Notices that exactly the same call was made or declined shortly before, unless what it did no longer stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from clients.operation import Operation
from guard.action import Action, Principal, State, digest_of, rebuild_call
from guard.dependencies import CheckDependencies
from guard.rules.policy import Decision
from guard.undo import UndoPlanner

_LATER_SHOWN: Final = 100
"""How many of the latest actions are searched for one that changed the same thing."""


class Repetition:
    """Finds the same call among those of the last minutes."""

    def __init__(self, dependencies: CheckDependencies) -> None:
        self._journal = dependencies.journal
        self._catalog = dependencies.catalog
        self._clock = dependencies.clock
        self._window = dependencies.rules.compliance.duplicate_window
        self._undo = UndoPlanner(dependencies)

    async def check(self, operation: Operation[Any], same_call: Sequence[str]) -> tuple[Decision, str]:
        """Ask about a call that was made or declined before; `same_call` are the digests that it may have had."""
        since = self._clock.now() - self._window
        found = [await self._journal.last_answered(digest, since) for digest in same_call]
        earlier = max((one for one in found if one is not None), key=lambda one: _ended(one) or since, default=None)
        at = _ended(earlier) if earlier else None
        if earlier is None or at is None:
            return Decision.ALLOW, ""
        ago = f"{_ago(self._clock.now() - at)} ({earlier.id})"
        if earlier.state is State.DECLINED:
            return Decision.ASK, f"Exactly this was declined {ago}. Approve it only if you changed your mind."
        if _may_stand_no_longer(operation) and (
            await self._was_undone(earlier, at) or await self._was_replaced(earlier, operation, at)
        ):
            return Decision.ALLOW, ""
        return Decision.ASK, f"You already did exactly this {ago}. Approving it does it again."

    async def _was_undone(self, earlier: Action, at: datetime) -> bool:
        """Return True if the call that undoes an action was made after it."""
        _, plan = await self._undo.plan(earlier.id, principal=earlier.principal)
        if plan.operation is None:
            return False
        digest = digest_of(plan.operation, account=earlier.account, principal=Principal(earlier.principal))
        undone = await self._journal.last_answered(digest, at)
        return undone is not None and undone.state is State.DONE and undone.id != earlier.id

    async def _was_replaced(self, earlier: Action, operation: Operation[Any], at: datetime) -> bool:
        """Return True if another call changed the same state after an action did: one with the same read before it.

        When a call was sent counts: a lost one is settled long after it took effect. One that was sent in the future
        shows a clock that was set back, and nothing about the order.
        """
        changed = operation.before()
        if changed is None:
            return False
        for action in await self._journal.latest(_LATER_SHOWN, states={State.DONE}):
            is_later = action.sent_at is not None and at < action.sent_at <= self._clock.now()
            is_other = action.digest != earlier.digest and action.account == earlier.account
            if is_later and is_other and self._state_before(action) == changed:
                return True
        return False

    def _state_before(self, action: Action) -> Operation[Any] | None:
        """Return the read of the state that an action changed; None where its call cannot be built again."""
        declared = self._catalog.operation_named(action.operation)
        try:
            return rebuild_call(declared, action.arguments).before() if declared else None
        except ValidationError:
            return None


def _may_stand_no_longer(operation: Operation[Any]) -> bool:
    """Return False for a call that costs money or is final: it does so a second time, whatever happened in between."""
    return operation.charge() is None and not operation.spec.irreversible


def _ended(action: Action) -> datetime | None:
    return action.finished_at or action.decided_at


def _ago(passed: timedelta) -> str:
    minutes = round(passed.total_seconds() / 60)
    match minutes:
        case 0:
            return "less than a minute ago"
        case 1:
            return "a minute ago"
        case _:
            return f"{minutes} minutes ago"
