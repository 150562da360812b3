"""Prepares a plan for the templates: every step with its exact arguments, and what the steps that are left in cost."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from guard.action import Action
from guard.plans.plan import CAN_RUN, Plan, PlanState, Step, StepState, places, state_of
from guard.plans.question import (
    IN_ORDER,
    budget_lines,
    duration,
    last_moment,
    price_lines,
    total_in_words,
    when_lines,
)
from guard.plans.status import overdue_line, progress_line, status_line, step_line
from server.console.views import EFFECTS, Field, is_object, span, to_value
from tools.registry import operation_named

PLAN_STATES: Final[Mapping[PlanState, str]] = {
    PlanState.PROPOSED: "Waiting",
    PlanState.APPROVED: "Approved, waiting for the assistant",
    PlanState.DECLINED: "Declined",
    PlanState.EXPIRED: "Expired",
    PlanState.RUNNING: "Under way",
    PlanState.STOPPED: "Stopped",
    PlanState.FAILED: "Failed",
    PlanState.DONE: "Done",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step, ready for the templates."""

    step: Step
    arguments: tuple[Field, ...]
    before: tuple[Field, ...]
    is_in: bool
    """False for a step that is struck, or would be."""

    toggled: str
    """The steps to leave out when this one is left out, or put back."""

    became: str
    """What became of it; empty while the plan waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCard:
    """A plan, for lists."""

    plan: Plan
    state: str
    price: str
    remaining: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """One plan, ready for the templates."""

    plan: Plan
    state: str
    status_line: str
    progress: str
    effects: tuple[str, ...]
    total: str
    """What the steps that are left in cost together, in a few words."""

    price: tuple[str, ...]
    notes: tuple[str, ...]
    order: str
    steps: tuple[StepView, ...]
    count: int
    """How many steps are left in."""

    struck: str
    """The steps that are left out, as the form sends them."""

    undo: tuple[StepView, ...]
    """The steps that undo it at its time."""

    when: tuple[str, ...]
    """When it runs, and when it is undone; empty for a plan without times."""

    last_moment: str
    waits: bool
    can_cancel: bool
    by_server: bool
    """True where the server carries it out."""

    overdue: str
    """That no worker began with it, as a sentence; empty otherwise."""

    waited: str
    """How long it has been approved without a run; empty otherwise."""

    remaining: str
    seconds_left: int


def build_plan_card(plan: Plan, now: datetime) -> PlanCard:
    """Prepare a plan for a list."""
    price = _total(plan.chosen)
    left = max(0, int((plan.expires_at - now).total_seconds()))
    return PlanCard(plan=plan, state=_state_of(plan), price=price, remaining=span(left))


def build_plan_view(
    plan: Plan, actions: Mapping[int, Action], now: datetime, *, struck: Collection[int] = ()
) -> PlanView:
    """Prepare a plan for the templates; `struck` are the steps that the operator means to leave out."""
    waits = plan.state is PlanState.PROPOSED and plan.undoes is None
    undone = {step.position for step in plan.undo if step.undoes in struck}
    left_in = [step for step in plan.chosen if step.position not in struck]
    left_in_undo = [step for step in plan.undo if step.position not in undone]
    left = max(0, int((plan.expires_at - now).total_seconds()))
    since = plan.decided_at if plan.state is PlanState.APPROVED and plan.due_at is None else None
    return PlanView(
        plan=plan,
        state=_state_of(plan),
        status_line=status_line(plan),
        progress=progress_line(plan, actions) if plan.state in {*CAN_RUN, PlanState.DONE, PlanState.FAILED} else "",
        effects=_effects(left_in),
        total=_total(left_in),
        price=(*price_lines(left_in), *(budget_lines([*left_in, *left_in_undo]) if waits else [])),
        notes=(*plan.notes, *_notes(left_in)),
        order=IN_ORDER[plan.on_failure] + duration(plan.seconds),
        steps=tuple(_step_view(step, actions.get(step.position), struck, waits=waits) for step in plan.steps),
        count=len(left_in),
        struck=_written(struck),
        undo=tuple(_step_view(step, None, undone, waits=True) for step in plan.undo),
        when=tuple(when_lines(plan)),
        last_moment=last_moment(plan),
        waits=waits,
        can_cancel=plan.state is PlanState.APPROVED,
        by_server=plan.due_at is not None,
        overdue=overdue_line(plan, now),
        waited=span(int((now - since).total_seconds())) if since else "",
        remaining=span(left),
        seconds_left=left,
    )


def _state_of(plan: Plan) -> str:
    if plan.state is PlanState.APPROVED and plan.due_at is not None:
        return "Approved, runs at its time" if plan.at else "Approved, the server carries it out"
    return PLAN_STATES[plan.state]


def _total(steps: Collection[Step]) -> str:
    """Return what steps cost together, in a few words."""
    total = total_in_words(list(steps))
    return total[0].upper() + total[1:]


def _step_view(step: Step, action: Action | None, struck: Collection[int], *, waits: bool) -> StepView:
    toggled = {*struck} ^ {step.position}
    before: Mapping[str, Any] = step.before if is_object(step.before) else {}
    return StepView(
        step=step,
        arguments=tuple(Field(name, to_value(value)) for name, value in step.arguments.items()),
        before=tuple(Field(name, to_value(value)) for name, value in before.items()),
        is_in=not step.is_struck and step.position not in struck,
        toggled=_written(toggled),
        became="" if waits or state_of(step, action) is StepState.WAITING else step_line(step, action),
    )


def _written(positions: Collection[int]) -> str:
    return ",".join(str(position) for position in sorted(positions))


def _effects(steps: Collection[Step]) -> tuple[str, ...]:
    operations = [operation for name in {step.operation for step in steps} if (operation := operation_named(name))]
    words = [word for effect, word in EFFECTS.items() if any(effect in one.spec.effect for one in operations)]
    is_final = any(one.spec.irreversible for one in operations)
    return (*words, *(["Cannot be undone"] if is_final else []))


def _notes(steps: Collection[Step]) -> list[str]:
    by_note: dict[str, list[Step]] = {}
    for step in steps:
        for note in step.quote.warnings:
            by_note.setdefault(note, []).append(step)
    return [f"{places(having).capitalize()}: {note}" for note, having in by_note.items()]


def is_final(plan: Plan, struck: Collection[int]) -> bool:
    """Return True if no call undoes one of the steps that are left in."""
    left_in = {step.operation for step in plan.chosen if step.position not in struck}
    operations = (operation_named(name) for name in left_in)
    return any(operation is not None and operation.spec.irreversible for operation in operations)
