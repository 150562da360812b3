"""The decision about several calls together: that about the strictest, or a stricter one."""

from collections.abc import Sequence
from dataclasses import dataclass

from guard.operators.demand import NO_DEMAND, Demand
from guard.plans.plan import Step
from guard.plans.question import fits_form
from guard.plans.references import references_in
from guard.rules.policy import Decision


@dataclass(frozen=True, slots=True)
class JointDecision:
    """The decision about all steps, and notes on why it is stricter than that about each of them."""

    decision: Decision
    notes: tuple[str, ...]
    demanded: Decision
    """The strictest that the steps demand together. No allowance of theirs reaches over it."""

    approvers_needed: int
    """How many different operators have to approve them."""


def decide_together(
    steps: Sequence[Step],
    undo_steps: Sequence[Step],
    decisions: Sequence[Decision],
    *,
    people: int | None,
    bulk_limit: int,
    only_reads: bool,
    demand: Demand = NO_DEMAND,
    demanded: Decision = Decision.ALLOW,
) -> JointDecision:
    """Decide about steps of which each is decided about; `people` is how many different ones they reach together.

    `demand` is what the rules for approvals need of them, `demanded` what else was found out about them together.
    """
    notes: list[str] = []
    if any(references_in(step.given) for step in steps):
        demanded = max(demanded, Decision.ASK)  # what such a step changes is not known yet
    if people is not None and people > bulk_limit and not only_reads:
        demanded = max(demanded, Decision.PAGE)
        notes.append(f"This touches {people} numbers or recipients in all.")
    if demand.is_special:
        demanded = max(demanded, Decision.PAGE)
        notes.append(demand.in_words)
    if twice := _repeated(steps):
        demanded = max(demanded, Decision.ASK)
        notes.append(f"{twice} Approving it does it as often as that.")
    decision = max(*decisions, demanded)
    if decision is Decision.ASK and not fits_form([*steps, *undo_steps]):
        decision = Decision.PAGE
    return JointDecision(decision, tuple(notes), demanded, demand.people)


def _repeated(steps: Sequence[Step]) -> str:
    """Say which steps are exactly the same call; empty where none are."""
    by_digest: dict[str, list[int]] = {}
    for step in steps:
        by_digest.setdefault(step.digest, []).append(step.position)
    same = [positions for positions in by_digest.values() if len(positions) > 1]
    if not same:
        return ""
    named = " and ".join(str(position) for position in same[0][:6])
    more = f"; so are {len(same) - 1} other groups of steps" if len(same) > 1 else ""
    return f"Steps {named} are exactly the same call{more}."
