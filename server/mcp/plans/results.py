"""Builds the results of calls about plans: the question, where it is approved, and what became of the steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel

from guard.action import Action
from guard.plans.plan import CAN_RUN, Plan, PlanState, Step, StepState, amounts_of, state_of
from guard.plans.question import plan_prompt
from guard.plans.run import Run
from guard.plans.status import done_line, overdue_line, progress_line, status_line, step_line
from guard.settlement import Receipt
from server.mcp.card.content import plan_facts, with_facts
from server.mcp.out_of_band import Place
from server.mcp.results import dump, reason_lines, receipts_line
from server.mcp.tabular import compact
from server.mcp.untrusted import Untrusted, fence_before, fence_reasons

STEPS_SHOWN: Final = 60
"""How many steps a result lists one by one; the structured content has all of them."""

ANSWERS_SHOWN: Final = 20
"""Up to how many answers of a provider a result repeats; get_action shows one step of a longer plan."""


def approved_result(plan: Plan) -> CallToolResult:
    """Build the result of a plan that is approved and not carried out yet."""
    if plan.state is PlanState.APPROVED and plan.due_at is not None:
        text = f"{status_line(plan)} {' '.join(_next(plan))}"
    elif plan.state is PlanState.APPROVED:
        text = f"{status_line(plan)} Carry it out with run_plan, plan_id={plan.id}."
    else:
        text = f"The same steps are {plan.id} already. {status_line(plan)} {' '.join(_next(plan))}"
    return _result(text, _facts(plan), _card(plan))


def pending_plan_result(plan: Plan, *, where: Place, untrusted: Untrusted, with_budgets: bool) -> CallToolResult:
    """Build the result of a plan that waits for a person outside the client; nothing was sent."""
    shown, quoted = fence_plan(plan, untrusted)
    question = plan_prompt(shown, quoted, with_budgets=with_budgets)
    text = (
        f"NOT SENT. A person has to approve this plan first:\n{question}\n\n{where.sentence} "
        f"{_then(plan)} Tell the user; do not look for another way."
    )
    text += f"\n{untrusted.note}" if untrusted.is_used else ""
    result = CallToolResult(
        content=[TextContent(text=text)],
        structured_content={**_facts(plan), "approve": where.sentence},
        is_error=True,
    )
    return with_facts(result, plan_facts(shown, quoted, untrusted, where, with_budgets=with_budgets))


def plan_result(
    plan: Plan, actions: Mapping[int, Action], now: datetime, untrusted: Untrusted, receipts: Sequence[str]
) -> CallToolResult:
    """Build the result that shows a plan, what became of its steps, and the ids of its signed receipts."""
    card, plan = _card(plan), fence_reasons(plan, untrusted)
    lines = [plan.title, *_status(plan, actions), *reason_lines(plan), *_step_lines(plan, actions, {})]
    lines += [late] if (late := overdue_line(plan, now)) else _next(plan)
    lines += [*receipts_line(receipts), *([untrusted.note] if untrusted.is_used else [])]
    given = {"reason": plan.reason or None, "decline_reason": plan.decline_reason, "receipts": list(receipts) or None}
    more = {name: value for name, value in given.items() if value}
    return _result("\n".join(lines), {**_facts(plan), **more, "steps": _rows(plan, actions)}, card)


def run_result(run: Run, untrusted: Untrusted) -> CallToolResult:
    """Build the result of a run: what was sent, what was not and why, and what to do next."""
    plan = run.plan
    lines = [*_status(plan, run.actions), *_step_lines(plan, run.actions, _answers(run.receipts, untrusted))]
    kept = [receipt.action.id for receipt in run.receipts.values() if receipt.kept_secrets]
    lines += [f"Secrets are kept from this conversation: `ringfence secrets {action}`." for action in kept]
    unwritten = next((receipt.unwritten for receipt in run.receipts.values() if receipt.unwritten), "")
    lines += [f"Not on the record yet: {unwritten}"] if unwritten else []
    lines += [*_next(plan), *([untrusted.note] if untrusted.is_used else [])]
    content = {**_facts(plan), "steps": _rows(plan, run.actions)}
    is_error = plan.state in {PlanState.STOPPED, PlanState.FAILED}
    return _result("\n".join(lines), content, _card(plan), is_error=is_error)


def _status(plan: Plan, actions: Mapping[int, Action]) -> list[str]:
    is_said = plan.state is PlanState.DONE or not plan.outcome
    return [f"{status_line(plan)} {progress_line(plan, actions)}", *([] if is_said else [plan.outcome or ""])]


def _then(plan: Plan) -> str:
    """Say what to do once a plan is approved."""
    if plan.at is not None:
        return f"The server then runs it at its time; get_action with action_id={plan.id} shows what became of it."
    return f"Then call run_plan with plan_id={plan.id}."


def _next(plan: Plan) -> list[str]:
    if plan.due_at is not None and plan.state in CAN_RUN:
        undo = [f"{plan.undo_id} undoes it at its time."] if plan.undo_id else []
        return [f"The server carries it out: get_action with action_id={plan.id} shows how far it is.", *undo]
    match plan.state:
        case PlanState.APPROVED | PlanState.RUNNING:
            return [f"Steps are left: call run_plan with plan_id={plan.id}. No step is sent twice."]
        case PlanState.STOPPED:
            return [f"Tell the user why it stopped. Once that is settled, run_plan with plan_id={plan.id} goes on."]
        case PlanState.FAILED:
            return ["Tell the user which step failed and why. What is left needs a new plan."]
        case _:
            return []


def _facts(plan: Plan) -> dict[str, Any]:
    totals = [str(amount.money) for amount in amounts_of(plan.chosen)]
    facts = {"plan": plan.id, "state": plan.state.value, "total": totals or None, "outcome": plan.outcome}
    times = {"runs_until": plan.runs_until, "runs_at": plan.at} if plan.state in CAN_RUN else {}
    times |= {"undone_at": plan.until} if plan.until else {}
    facts |= {name: moment.isoformat(timespec="seconds") for name, moment in times.items() if moment is not None}
    facts |= {"undone_by": plan.undo_id} if plan.undo_id else {}
    facts |= {"undoes": plan.undoes} if plan.undoes else {}
    return {name: value for name, value in facts.items() if value is not None}


def _rows(plan: Plan, actions: Mapping[int, Action]) -> list[dict[str, Any]]:
    return [
        {"step": step.position, "state": state_of(step, action).value} | ({"action": action.id} if action else {})
        for step in plan.steps
        for action in [actions.get(step.position)]
    ]


def _step_lines(plan: Plan, actions: Mapping[int, Action], answers: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """List what is done with its answers where there are few, and every other step with what became of it."""
    others = [step for step in plan.steps if not _is_done(step, actions)]
    listed = others[:STEPS_SHOWN]
    left = len(others) - len(listed)
    with_answers = [f"{position}. {actions[position].id}: {compact(answer)}" for position, answer in answers.items()]
    done = [line for line in [done_line(plan, actions)] if line]
    more = [f"and {left} more steps"] if left else []
    return [*done, *with_answers, *(step_line(step, actions.get(step.position)) for step in listed), *more]


def _is_done(step: Step, actions: Mapping[int, Action]) -> bool:
    return state_of(step, actions.get(step.position)) is StepState.DONE


def _answers(receipts: Mapping[int, Receipt[Any]], untrusted: Untrusted) -> dict[int, dict[str, Any]]:
    """Return what the provider answered, text from outside between markers."""
    shown = [(position, receipt.answer) for position, receipt in receipts.items()]
    if len(shown) > ANSWERS_SHOWN:
        return {}
    found = {position: dump(answer, untrusted) for position, answer in shown if isinstance(answer, BaseModel)}
    return {position: answer for position, answer in found.items() if answer}


def fence_plan(plan: Plan, untrusted: Untrusted) -> tuple[Plan, Callable[[str], str]]:
    """Fence the states before the steps, and the reasons that were given with the plan.

    Return the plan, and the function that fences what may repeat those states.
    """
    steps = tuple(
        replace(step, before=fence_before(step.operation, step.arguments, step.before, untrusted))
        for step in plan.steps
    )
    quoted = untrusted.fence if untrusted.is_used else str
    return replace(fence_reasons(plan, untrusted), steps=steps), quoted


def _card(plan: Plan) -> dict[str, Any]:
    """Return what a card shows about a plan; the model is not shown that, so nothing is remembered."""
    untrusted = Untrusted()
    return plan_facts(*fence_plan(plan, untrusted), untrusted)


def _result(text: str, content: dict[str, Any], meta: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    result = CallToolResult(content=[TextContent(text=text)], structured_content=content, is_error=is_error)
    return with_facts(result, meta)
