"""What the card shows about a call or plan: the facts of the question, from the same fenced action that words it.

They stand in `_meta` of a result, which hosts hand to the card and not to the model. A client without cards gets none.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from mcp.types import CallToolResult

from guard.action import Action
from guard.injection.reasons import decline_line, in_marks, reason_line
from guard.messages import (
    FINAL,
    argument_lines,
    before_lines,
    is_irreversible,
    notes_of,
    requester,
    status_line,
)
from guard.operators.approval import approvals_line
from guard.plans import status as plan_status
from guard.plans.plan import CAN_RUN, Plan
from guard.plans.question import (
    IN_ORDER,
    budget_lines,
    duration,
    fits_form,
    last_moment,
    note_lines,
    price_lines,
    step_lines,
    total_in_words,
    undo_lines,
    when_lines,
)
from guard.verification_hint import outcome_text
from server.mcp.out_of_band import Place
from server.mcp.untrusted import Untrusted
from tools.operation_catalog import RegisteredOperations

KEY: Final = "ringfence/question"

Quoted = Callable[[str], str]


def action_facts(
    action: Action, quoted: Quoted, untrusted: Untrusted, where: Place | None = None, *, with_budgets: bool = False
) -> dict[str, Any]:
    """Return the metadata of a result about an action; the action is fenced, and `quoted` fences what repeats it."""
    price = action.quote.price_lines()
    facts = {
        "id": action.id,
        "state": action.state.value,
        "title": action.title,
        "amount": _capitalized(action.quote.brief) or "No charge",
        "final": FINAL if is_irreversible(action) else "",
        "status": status_line(action),
        "outcome": _joined(outcome_text(action, RegisteredOperations()), action.decline_reason),
        "notes": [quoted(note) for note in notes_of(action)],
        "approvals": approvals_line(action),
        "changes": [*replace(action.quote, warnings=()).lines(quoted)[len(price) :], *before_lines(action.before)],
        "call": [
            f"At {action.quote.charged_by or action.provider}, account {action.account}.",
            *argument_lines(action.arguments),
            *([reason_line(action.reason)] if action.reason else []),
            f"Requested by {requester(action.principal)}.",
        ],
        "price": price,
        "budgets": action.quote.budget_lines() if with_budgets else None,
        "expires_at": action.expires_at.isoformat(timespec="seconds"),
    }
    return _meta(facts, untrusted, where)


def plan_facts(
    plan: Plan, quoted: Quoted, untrusted: Untrusted, where: Place | None = None, *, with_budgets: bool = False
) -> dict[str, Any]:
    """Return the metadata of a result about a plan; the plan is fenced, and `quoted` fences what repeats it."""
    in_full = fits_form([*plan.steps, *plan.undo])
    calls = len(plan.chosen)
    reason = [f"and gives as the reason: {in_marks(plan.reason)}"] if plan.reason else []
    facts = {
        "id": plan.id,
        "state": plan.state.value,
        "title": f"{calls} {'call' if calls == 1 else 'calls'} as one job",
        "amount": _capitalized(total_in_words(plan.chosen)),
        "final": "",
        "status": plan_status.status_line(plan),
        "outcome": _joined(plan.outcome or "", plan.decline_reason),
        "notes": [*map(quoted, plan.notes), *note_lines(plan.chosen, quoted, in_full=in_full)],
        "approvals": approvals_line(plan),
        "changes": [],
        "call": [
            f"The assistant calls it: {in_marks(plan.title)}",
            *reason,
            *when_lines(plan),
            *step_lines(plan.chosen, in_full=in_full),
            *undo_lines(plan, in_full=in_full),
            f"{IN_ORDER[plan.on_failure]}{duration(plan.seconds)}",
            f"Requested by {requester(plan.principal)}. After approval {last_moment(plan)}",
        ],
        "price": price_lines(plan.chosen),
        "budgets": budget_lines([*plan.chosen, *plan.chosen_undo]) if with_budgets else None,
        "expires_at": (plan.runs_until if plan.state in CAN_RUN else plan.expires_at).isoformat(timespec="seconds"),
    }
    return _meta(facts, untrusted, where)


def with_facts(result: CallToolResult, facts: Mapping[str, Any]) -> CallToolResult:
    """Return a result with what a card shows of it."""
    return result.model_copy(update={"meta": dict(facts)})


def without_facts(result: CallToolResult) -> CallToolResult:
    """Return a result as it is for a client without cards."""
    if not result.meta or KEY not in result.meta:
        return result
    others = {name: value for name, value in result.meta.items() if name != KEY}
    return result.model_copy(update={"meta": others or None})


def _meta(facts: dict[str, Any], untrusted: Untrusted, where: Place | None) -> dict[str, Any]:
    place = {"where": where.sentence, "page": where.page, "command": where.command} if where else {}
    outside = {"outside": untrusted.note} if untrusted.is_used else {}
    return {KEY: {name: value for name, value in (facts | place | outside).items() if value is not None}}


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _joined(outcome: str, decline_reason: str | None) -> str:
    return " ".join(filter(None, [outcome, decline_line(decline_reason) if decline_reason else ""]))
