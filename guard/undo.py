"""Undo: the compensating call for an action, built from the state before it and from its answer."""

from typing import Any

from pydantic import ValidationError

from clients.errors import TelephonyError
from clients.operation import Operation, Undo, answer_type
from guard.accounts import ProviderClient
from guard.action import Action, State, rebuild_call
from guard.dependencies import CheckDependencies
from guard.errors import NotTheSameCall
from guard.journal import refuse_archived

_ELSEWHERE = Undo(verdict="none", lost="Its account is not set up here (any more).")
_NOT_DONE = Undo(verdict="none", lost="It was not carried out, so there is nothing to undo.")


class UndoPlanner:
    """Plans the call that undoes an action. It is a call like any other and passes the guard itself."""

    def __init__(self, dependencies: CheckDependencies) -> None:
        self._journal = dependencies.journal
        self._accounts = dependencies.configured
        self._catalog = dependencies.catalog

    async def plan(self, action_id: str, *, principal: str) -> tuple[Action, Undo]:
        """Return the action and how to undo it, with verdict full, partial or none.

        Raises:
            NotTheSameCall: There is no such action of this principal.
            ActionArchived: It was moved into an archive.
        """
        action = await self._journal.find(action_id)
        if action is None:
            await refuse_archived(self._journal, action_id, principal)
        operation = self._catalog.operation_named(action.operation) if action else None
        if action is None or action.principal != principal or operation is None:
            raise NotTheSameCall(f"There is no action {action_id} of yours.")
        if action.state is not State.DONE:
            return action, _NOT_DONE
        account = self._accounts.find(action.provider, action.account)
        if account is None:
            return action, _ELSEWHERE
        try:
            call = rebuild_call(operation, action.arguments)
            return action, call.undo(state_before(call, action.before), _answer(call, action, account.client))
        except ValidationError:
            return action, Undo(verdict="none", lost="What was kept of the call can no longer be read.")

    async def refuse_archived_plan(self, plan_id: str, principal: str) -> None:
        """Refuse a plan that was moved into an archive: what its undo is made of is not in the store any more.

        Raises:
            ActionArchived: It was.
        """
        await refuse_archived(self._journal, plan_id, principal)

    def account_of(self, action: Action) -> str:
        """Return the name that the account of an action has now."""
        account = self._accounts.find(action.provider, action.account)
        return account.name if account else action.made_on


def state_before(call: Operation[Any], kept: Any) -> Any:
    """Return the state before a call as it was read, from what the record keeps of it; None where there was none.

    Raises:
        ValidationError: What was kept can no longer be read.
    """
    read = call.before()
    if read is None or not kept:
        return None
    answer: Any = answer_type(type(read))
    return answer.model_validate(kept)


def _answer(call: Operation[Any], action: Action, client: ProviderClient) -> Any:
    if not action.answer:
        return None
    try:
        return client.read_again(call, action.answer)
    except TelephonyError:
        return None
