"""Where a plan and its steps stand, in words for people and models."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from guard.action import Action
from guard.allowances.allowance import is_allowance
from guard.messages import shown
from guard.operators.approval import approvals_line
from guard.plans.plan import CAN_RUN, Plan, PlanState, Step, StepState, places, state_of
from guard.plans.timed.schedule import moment_in_words

_SENTENCE: Final[Mapping[PlanState, str]] = {
    PlanState.PROPOSED: "nobody has answered yet, and nothing was sent.",
    PlanState.APPROVED: "a person said yes, and nothing was sent yet.",
    PlanState.DECLINED: "a person said no, and nothing was sent.",
    PlanState.EXPIRED: "nobody answered in time, and nothing was sent.",
    PlanState.RUNNING: "its steps are carried out one after the other.",
    PlanState.STOPPED: "it stopped before its last step, and goes on when it is run again.",
    PlanState.FAILED: "a step failed, and those after it are not sent.",
    PlanState.DONE: "every step had its turn.",
}

_COUNTED: Final = (
    (StepState.DONE, "done"),
    (StepState.SENDING, "under way"),
    (StepState.UNKNOWN, "with an unknown outcome"),
    (StepState.REFUSED, "refused by the provider"),
    (StepState.NOT_SENT, "not sent"),
    (StepState.WAITING, "waiting"),
    (StepState.STRUCK, "left out by whoever approved"),
)


def status_line(plan: Plan) -> str:
    """Say in one sentence which state a plan is in."""
    sentence = _SENTENCE[plan.state]
    if plan.state is PlanState.EXPIRED and plan.decided_at is not None:
        sentence = "its time is over; steps that were not sent by then are no longer sent."
    if plan.state is PlanState.APPROVED and is_allowance(plan.decided_by):
        sentence = f"covered by the operator's {plan.decided_by}, and nothing was sent yet."
    if plan.state is PlanState.APPROVED and plan.due_at is not None:
        who = f"covered by the operator's {plan.decided_by}" if is_allowance(plan.decided_by) else "a person said yes"
        when = f"runs on {moment_in_words(plan.at, plan.zone)}" if plan.at else "is carried out by the server"
        sentence = f"{who}, and it {when}. Nothing was sent yet."
    if plan.state is PlanState.DECLINED and plan.outcome is not None:
        sentence = "it was cancelled, and nothing was sent."
    elif plan.state is PlanState.DECLINED and plan.client_answered:
        sentence = "the client answered no, and nothing was sent."
    if plan.state is PlanState.PROPOSED and plan.approvers:
        sentence = f"{approvals_line(plan)} Nothing was sent."
    return f"Plan {plan.id} is {plan.state.value}: {sentence}"


NO_WORKER_AFTER: Final = timedelta(minutes=2)
"""How long after something is due a worker has commonly begun with it."""


def is_left_to_server(plan: Plan, now: datetime) -> bool:
    """Return True while the server is the one that carries a plan out: it is not due yet, or a worker is at it."""
    return plan.state in CAN_RUN and plan.due_at is not None and now < plan.due_at + NO_WORKER_AFTER


def overdue_line(plan: Plan, now: datetime) -> str:
    """Say that no worker began with a plan that is due; empty where one did, or it is not due."""
    if plan.due_at is None or plan.state not in CAN_RUN or now < plan.due_at + NO_WORKER_AFTER:
        return ""
    due = moment_in_words(plan.due_at, plan.zone)
    return f"It was due on {due}, and no worker is at it: is a server, or `ringfence work`, running on this store?"


def progress_line(plan: Plan, actions: Mapping[int, Action]) -> str:
    """Count the steps by where they stand, such as `5 of 8 steps done, 1 not sent, 2 waiting`."""
    counts = Counter(state_of(step, actions.get(step.position)) for step in plan.steps)
    done = f"{counts[StepState.DONE]} of {len(plan.chosen)} steps done"
    others = [f"{counts[state]} {words}" for state, words in _COUNTED[1:] if counts[state]]
    return ", ".join([done, *others]) + "."


def step_line(step: Step, action: Action | None) -> str:
    """Say in one line what became of a step."""
    state = state_of(step, action)
    name = f"{step.position}. {step.title}"
    call = f" ({action.id})" if action and state is not StepState.NOT_SENT else ""
    why = step.refusal if state is StepState.NOT_SENT else action.outcome if action else None
    tail = f": {shown(why)}" if why and state is not StepState.DONE else ""
    return f"{name} - {state.value}{call}{tail}"


def done_line(plan: Plan, actions: Mapping[int, Action]) -> str:
    """Name the steps that are done in one line; empty where none is."""
    done = [step for step in plan.chosen if state_of(step, actions.get(step.position)) is StepState.DONE]
    return f"Done: {places(done)}." if done else ""
