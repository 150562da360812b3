"""What is logged and measured of a decision once it is committed: every row of the audit log passes here once.

A row names an event, what it is about, and whose it is. What was called with, and why, stays in the store.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.telemetry.instruments import ACTIONS, APPROVAL_SECONDS, AUDIT_ROWS, PLANS, REFUSALS
from clients.telemetry.spans import ACCOUNT, ACTION, EVENT, OPERATION, PROVIDER, REFUSAL, STATE, add_facts
from guard.action import Action
from guard.allowances.allowance import is_allowance
from guard.approvals import BY_POLICY
from guard.plans.plan import Plan, PlanState

logger = logging.getLogger("server.store.audit")

DENIED: Final = "denied"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FACTS: Final[Mapping[str, re.Pattern[str]]] = {
    "operation": _NAME,
    "steps": re.compile(r"[0-9]{1,6}"),
    "plan": re.compile("plan_[a-z0-9]{8}"),  # of a plan that is refused, it is the title, which a caller writes
    "step": re.compile(r"[0-9]{1,6}"),
    "refusal": _NAME,
    "decided_by": re.compile(".{1,200}"),
    "operator": re.compile(".{1,200}"),
    "role": _NAME,
    "via": re.compile(r"[a-z ]{1,40}"),
}
"""What is logged of the detail of a row, and its form: names and counts of ours, and names that the operator gave.

Everything else is left out: a caller wrote most of it.
"""

_SAID: Final = ("operation", "account", "steps", "plan", "step", "refusal", "principal", "operator", "role", "via",
                "decided_by")  # fmt: skip
"""The same, and what an action or plan is, in the order of a line."""


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A row that was added to the audit log."""

    event: str
    about_id: str | None
    principal: str | None
    detail: Mapping[str, Any]
    about: Action | Plan | None = None
    """The action or plan as it is then, where the row is about one."""


def note_committed(rows: Sequence[AddedRow]) -> None:
    """Log and measure what a transaction added to the audit log, and note it on the span of the transaction."""
    for row in rows:
        AUDIT_ROWS.add(1, {EVENT: row.event})
        _measure(row)
        if logger.isEnabledFor(logging.INFO):
            _log(row)
    if rows:
        add_facts({EVENT: ", ".join(row.event for row in rows)})
        if ids := dict.fromkeys(row.about_id for row in rows if row.about_id):
            add_facts({ACTION: ", ".join(ids)})


def _measure(row: AddedRow) -> None:
    match row.about:
        case Action() as action if row.event == action.state:
            facts = {PROVIDER: action.provider, ACCOUNT: action.made_on, OPERATION: action.operation}
            ACTIONS.add(1, {**facts, STATE: action.state.value})
            _measure_approval(action, is_approved=action.state == "approved", facts=facts)
        case Plan() as plan if row.event == f"plan {plan.state.value}":
            PLANS.add(1, {STATE: plan.state.value})
            _measure_approval(plan, is_approved=plan.state is PlanState.APPROVED, facts={})
        case _ if row.event == DENIED:
            facts = _facts_of(row.detail)
            names = {OPERATION: facts.get("operation"), REFUSAL: facts.get("refusal")}
            REFUSALS.add(1, {name: fact for name, fact in names.items() if fact is not None})
        case _:
            pass


def _measure_approval(about: Action | Plan, *, is_approved: bool, facts: Mapping[str, str]) -> None:
    by, at = about.decided_by, about.decided_at
    if is_approved and at is not None and by is not None and by != BY_POLICY and not is_allowance(by):
        APPROVAL_SECONDS.record(max(0.0, (at - about.created_at).total_seconds()), facts)


def _log(row: AddedRow) -> None:
    facts = _facts_of(row.detail) | {"principal": row.principal}
    match row.about:
        case Action() as action:
            facts |= {"operation": action.operation, "account": action.made_on}
        case Plan() as plan:
            facts["steps"] = len(plan.chosen)
        case None:
            pass
    fields = {name: _shown(fact) for name, fact in facts.items()}
    said = ", ".join(f"{name.replace('_', ' ')} {fields[name]}" for name in _SAID if fields.get(name) is not None)
    about = f" {row.about_id}" if row.about_id else ""
    logger.info(
        "%s%s: %s", row.event, about, said, extra={"fields": {"event": row.event, "action": row.about_id, **fields}}
    )


def _facts_of(detail: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: detail[name] for name in _FACTS if detail.get(name) is not None}
    return {name: fact for name, fact in given.items() if _FACTS[name].fullmatch(str(fact))}


def _shown(fact: Any) -> Any:
    """Write the name of a token's holder so that it is not taken for the token itself, and hidden."""
    return fact.replace("token:", "token ") if isinstance(fact, str) else fact
