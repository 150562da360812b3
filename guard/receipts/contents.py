"""What the receipts of actions, plans and allowances say. No balance and no answer of a provider is in them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from clients.redaction import redact
from guard import action as actions
from guard.action import Action, State
from guard.allowances.allowance import Allowance, terms_text
from guard.allowances.wording import brief
from guard.messages import FINAL, is_irreversible, requester, shown
from guard.money import Money
from guard.operators.approval import Approval
from guard.plans import plan as plans
from guard.plans.plan import Plan, PlanState, amounts_of
from guard.plans.question import step_lines, when_lines
from guard.receipts.receipt import About, Answered, Charged, Price, ReceiptContent, SignedApproval
from guard.rules.quote import PER, Quote

ENDS: Final = frozenset({State.DONE, State.REFUSED, State.UNKNOWN})
OF_ACTION: Final = frozenset({State.APPROVED, State.DECLINED, *ENDS})
"""States of an action for which a receipt is written."""

OF_PLAN: Final = frozenset({PlanState.APPROVED, PlanState.DECLINED, PlanState.DONE, PlanState.FAILED})
"""States of a plan for which a receipt is written."""

ONE_APPROVAL: Final = "one approval"
"""The event of an operator's yes where others are still missing."""

EVENTS: Final = frozenset({
    *(state.value for state in OF_ACTION),
    *(f"plan {state.value}" for state in OF_PLAN),
    "one approval", "allowance added", "allowance revoked", "receipt key replaced",
})  # fmt: skip
"""Events of the audit log that have a receipt each."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What the record holds beside an action: what is booked for it, and the step of a plan that it carried out."""

    amount: Money | None = None
    plan: str | None = None
    step: int | None = None


def content_of_action(action: Action, booked: Booked, approval: Approval | None = None) -> ReceiptContent:
    """Say what was approved, declined or carried out by an action; `approval` is that of the operator who approves."""
    final = (FINAL,) if is_irreversible(action) else ()
    provider = action.quote.charged_by or action.provider
    return ReceiptContent(
        event=ONE_APPROVAL if action.state is State.PROPOSED else action.state.value,
        about=About(
            id=action.id,
            words=(shown(action.title), f"At {provider}, account {shown(action.account)}.", *final),
            digest=action.digest,
            covered=_covered(actions.digested_text(action), action.digest, action.arguments),
            plan=booked.plan,
            step=booked.step,
            reason=_words(action.reason),
        ),
        requested_by=action.principal,
        answered=_answered(action, approval),
        price=_price(action.quote),
        charged=_charged(action.state, booked.amount),
        outcome=action.outcome,
    )


def content_of_plan(plan: Plan, approval: Approval | None = None) -> ReceiptContent:
    """Say what was approved, declined or carried out by a plan: the steps that were not struck."""
    fails = "stop" if plan.on_failure == "stop" else "go on with the next"
    words = (
        f"«{shown(plan.title)}», {len(plan.chosen)} calls as one job; when a step fails, {fails}.",
        *step_lines(plan.chosen, in_full=False),
        *when_lines(plan),
    )
    return ReceiptContent(
        event=ONE_APPROVAL if plan.state is PlanState.PROPOSED else f"plan {plan.state.value}",
        about=_about_plan(plan, words),
        requested_by=plan.principal,
        answered=_answered(plan, approval),
        price=_total(plan),
        outcome=plan.outcome,
    )


def content_of_allowance(
    event: str, allowance: Allowance, *, by: str, approval: Approval | None = None
) -> ReceiptContent:
    """Say what was allowed beforehand, or that this was revoked; `approval` is that of the operator who allows it."""
    terms = allowance.terms
    may = f"{shown(requester(terms.principal))} may call {shown(terms.operation)} without a question: {brief(terms)}."
    text = terms_text(terms.facts, terms.principal)
    return ReceiptContent(
        event=event,
        about=About(
            id=allowance.id, words=(may,), digest=terms.digest, covered=_covered(text, terms.digest, terms.facts)
        ),
        requested_by=terms.principal,
        answered=_signed_by(by, approval) if approval else Answered(by=by),
    )


def _about_plan(plan: Plan, words: tuple[str, ...]) -> About:
    """Say what a plan is; an answer to it also shows every step, with those that were left out."""
    if plan.state not in {PlanState.PROPOSED, PlanState.APPROVED, PlanState.DECLINED}:
        return About(id=plan.id, words=words, digest=plan.digest, reason=_words(plan.reason))
    steps = [{"arguments": step.arguments, "given": step.given} for step in (*plan.steps, *plan.undo)]
    struck = tuple(step.position for step in plan.steps if step.is_struck)
    text = plans.asked_text(plan) if struck else plans.digested_text(plan)
    asked = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if struck else None
    return About(
        id=plan.id,
        words=words,
        digest=plan.digest,
        covered=_covered(text, asked or plan.digest, steps),
        asked=asked,
        without=struck or None,
        reason=_words(plan.reason),
    )


def _covered(text: str, digest: str, secretive: Any) -> str | None:
    """Return the text under a digest; None where it is another text by now, or part of it looks like a secret."""
    if hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() != digest:
        return None
    plain = json.dumps(secretive, ensure_ascii=False, default=str)
    return text if redact(plain) == plain else None


def _answered(item: Action | Plan, approval: Approval | None) -> Answered | None:
    """Say who answered; an operator's yes with the statement, and what a passkey signed for it."""
    by = item.decided_by or (approval.by if approval else None)
    if by is None:
        return None
    return (
        _signed_by(by, approval)
        if approval
        else Answered(by=by, at=item.decided_at, reason=_words(item.decline_reason))
    )


def _words(reason: str | None) -> str | None:
    """Return a reason without what looks like a secret; None where none was given."""
    return redact(reason) if reason else None


def _signed_by(by: str, approval: Approval) -> Answered:
    signed = approval.assertion
    assertion = SignedApproval.model_validate(asdict(signed)) if signed else None
    return Answered(by=by, at=approval.at, statement=approval.statement.facts, assertion=assertion)


def _price(quote: Quote) -> Price:
    amount = quote.amount
    return Price(
        words=(quote.price_lines()[0],),
        amount=f"{amount.amount:f}" if amount else None,
        currency=amount.currency if amount else None,
        up_to=f"{quote.up_to.amount:f} {quote.up_to.currency}" if quote.up_to else None,
    )


def _total(plan: Plan) -> Price:
    amounts = [
        f"{'At most ' if one.is_bound else ''}{one.money}{PER[one.per]} at {one.account or one.provider}"
        for one in amounts_of(plan.chosen)
    ]
    unknown = ["An unknown price"] if any(step.quote.unknown for step in plan.chosen) else []
    return Price(words=(*amounts, *unknown) or ("Free, as far as the documentation says.",))


def _charged(state: State, amount: Money | None) -> Charged | None:
    if amount is None or state not in {State.DONE, State.UNKNOWN}:
        return None
    return Charged(
        amount=f"{amount.amount:f}", currency=amount.currency, state="charged" if state is State.DONE else "held"
    )
