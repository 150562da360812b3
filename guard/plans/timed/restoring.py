"""Checks of a plan that is undone by itself: an undo restores what was approved, and overwrites no later change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from clients.errors import NotFound
from clients.operation import Operation
from guard.accounts import ProviderClient
from guard.action import Action, rebuild_call
from guard.errors import GuardRefusal, NotPossibleNow, OutcomePending
from guard.plans.parsing import CallParser
from guard.plans.plan import Plan, Step, StepState, state_of
from guard.undo import state_before


class NotToUndo(GuardRefusal):
    """A step of another plan is not undone."""

    advice = "Tell the user what is set there now; changing it is a new call."


def require_same_start(plan: Plan, step: Step, operation: Operation[Any], before: Any) -> None:
    """Refuse a step that starts from another state than its undo was approved to restore.

    Raises:
        NotPossibleNow: Somebody changed that state after the question.
    """
    if all(undo.undoes != step.position for undo in plan.chosen_undo):
        return
    try:
        then = operation.differences(state_before(operation, step.before))
        now = operation.differences(state_before(operation, before))
    except ValidationError:
        then, now = (), None
    if then != now:
        raise NotPossibleNow(
            f"What step {step.position} changes is no longer what it was when the plan was approved, and the approved "
            "undo would restore that; nothing was sent."
        )


@dataclass(frozen=True, slots=True)
class UndonePlan:
    """The plan that another one undoes, and what became of its steps."""

    plan: Plan
    actions: Mapping[int, Action]

    def source_of(self, step: Step) -> tuple[Step, Action]:
        """Return the step that an undo step undoes, with the action that carried it out.

        Raises:
            NotToUndo: It was not carried out.
            OutcomePending: Whether it was is not known.
        """
        source = self.plan.steps[(step.undoes or 1) - 1]
        action = self.actions.get(source.position)
        place = f"step {source.position} of {self.plan.id}"
        match state_of(source, action):
            case StepState.SENDING | StepState.UNKNOWN:
                raise OutcomePending(f"The outcome of {place} is not known yet, so its undo waits.")
            case StepState.DONE if action is not None:
                return source, action
            case _:
                raise NotToUndo(f"There is nothing to undo: {place} was not carried out.")


async def require_not_changed(source: Step, action: Action, parser: CallParser, client: ProviderClient) -> None:
    """Refuse to undo what somebody changed after it was set.

    Raises:
        NotToUndo: Another value is set there now.
        TelephonyError: That cannot be read at the moment.
    """
    try:
        call = rebuild_call(parser.find(source.operation), action.arguments)
        set_by_us = {change.field for change in call.differences(state_before(call, action.before))}
    except ValidationError as unreadable:
        raise NotToUndo("What was kept of the call can no longer be read; nothing was sent.") from unreadable
    read = call.before()
    if read is None or not set_by_us:
        return
    try:
        state: Any = (await client.exchange(read)).answer
    except NotFound:
        raise NotToUndo("What was changed is no longer there; nothing was sent.") from None
    changed = [change for change in call.differences(state) if change.field in set_by_us]
    if changed:
        raise NotToUndo(
            f"Somebody changed it meanwhile: {changed[0].field} is {changed[0].now!r} now; nothing was sent."
        )
