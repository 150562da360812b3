"""The undo of a plan that reverts by itself: composed when the plan is proposed, approved with it, run at its time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from clients.errors import TelephonyError
from clients.operation import Operation, Undo
from guard.action import Principal, arguments_of
from guard.calls.drafting import Draft
from guard.errors import GuardRefusal
from guard.pipeline import Guard
from guard.plans.expansion import StepCall
from guard.plans.faults import BadPlan, Fault
from guard.plans.plan import Plan, Terms, digest_of_calls, digest_of_plan, new_plan_id
from guard.plans.references import references_in
from guard.rules.policy import Decision
from guard.rules.quote import Quote
from guard.undo import state_before

_NOT_READ: Final = Undo(verdict="none", lost="What is set there now could not be read.")


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """A step that was looked up and checked."""

    call: StepCall
    operation: Operation[Any]
    account: str
    """Name of the account that it is made on."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class UndoCall:
    """The call that undoes a step, priced and checked."""

    call: StepCall
    operation: Operation[Any]
    account: str
    """Name of the account that it is made on."""

    undoes: int
    """Position of the step that it undoes."""

    quote: Quote


@dataclass(frozen=True, slots=True)
class PlannedUndo:
    """The calls that undo a plan, the last step first, and the decision about them."""

    calls: tuple[UndoCall, ...] = ()
    decision: Decision = Decision.ALLOW


async def plan_undo(checked: Sequence[CheckedCall], guard: Guard, principal: Principal) -> PlannedUndo:
    """Compose the calls that undo steps, from the state before each of them.

    Raises:
        BadPlan: A step cannot be undone completely, or by a call that is known beforehand, or its undo may not be made.
    """
    calls: list[UndoCall] = []
    faults: list[Fault] = []
    decision = Decision.ALLOW
    for one in reversed(checked):
        if one.operation.spec.effect.is_plain_read:
            continue
        undo = _undo_of(one)
        if undo.verdict != "full":
            faults.append(Fault(one.call.place, f"{_why_not(undo)} Leave until out, or leave out this step."))
            continue
        if undo.operation is None:
            continue
        try:
            quote, decided = await guard.assess_later(undo.operation, principal, one.account)
        except (GuardRefusal, TelephonyError) as refused:
            faults.append(Fault(one.call.place, f"Its undo may not be made: {refused}"))
            continue
        decision = max(decision, decided)
        call = _step_call(undo.operation, len(calls) + 1)
        calls.append(UndoCall(call, undo.operation, one.account, one.call.position, quote))
    if faults:
        raise BadPlan(reversed(faults))
    if not calls:
        raise BadPlan([Fault("", "No step changes anything, so there is nothing to undo: leave until out.")])
    return PlannedUndo(tuple(calls), decision)


def undo_plan_of(plan: Plan, lifetime: timedelta) -> Plan:
    """Return the plan that undoes another one at its time; it is approved with that one, never by itself."""
    when = plan.until or plan.runs_until
    undo = replace(
        plan,
        id=plan.undo_id or new_plan_id(),
        title=f"Undo: {plan.title}"[:120],
        on_failure="continue",
        steps=plan.undo,
        people=None,
        seconds=0,
        notes=(f"This undoes {plan.id}, the last step first.",),
        at=when,
        until=None,
        runs_until=when + lifetime,
        undo_id=None,
        undo=(),
        undoes=plan.id,
    )
    terms = Terms.of(undo)
    return replace(undo, calls=digest_of_calls(undo.steps, terms), digest=digest_of_plan(undo.steps, terms))


def _undo_of(one: CheckedCall) -> Undo:
    """Return what undoes a step, as far as that is known before it was carried out."""
    operation = one.operation
    if references_in(one.call.arguments):
        return Undo(verdict="none", lost="What it changes is only known when an earlier step was carried out.")
    read = operation.before()
    kept = one.draft.action.before
    if read is not None and kept is None:
        return _NOT_READ
    return operation.undo(state_before(operation, kept), None)


def _why_not(undo: Undo) -> str:
    what = "only in part" if undo.verdict == "partial" else "not"
    return f"A plan with until is undone by itself, and this step can be undone {what}. {undo.lost}".strip()


def _step_call(operation: Operation[Any], position: int) -> StepCall:
    return StepCall(
        position=position,
        place=f"undo {position}",
        operation=operation.spec.tool_name,
        arguments=arguments_of(operation),
        label=None,
    )
