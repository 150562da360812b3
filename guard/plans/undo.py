"""Plans the undo of a plan: the compensating calls of its steps in reverse order, with a verdict for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.operation import Undo
from guard.action import arguments_of
from guard.errors import NotTheSameCall
from guard.plans.expansion import StepTemplate
from guard.plans.journal import PlanJournal
from guard.plans.plan import Plan, Step, StepState, places, state_of
from guard.plans.proposal import PlanRequest
from guard.undo import UndoPlanner


@dataclass(frozen=True, slots=True)
class PlanUndo:
    """How a plan is undone."""

    plan: Plan
    request: PlanRequest | None
    """The reverse plan; None where no step can be undone."""

    verdicts: tuple[str, ...]
    """What is not restored, one sentence for each group of steps; empty where everything is."""


class PlanUndoPlanner:
    """Plans the reverse of a plan. It is a plan like any other and passes the guard itself."""

    def __init__(self, planner: UndoPlanner, plans: PlanJournal) -> None:
        self._planner = planner
        self._plans = plans

    async def plan(self, plan_id: str, *, principal: str) -> PlanUndo:
        """Return the plan and its reverse.

        Raises:
            NotTheSameCall: There is no such plan of this principal.
            ActionArchived: It was moved into an archive.
        """
        found = await self._plans.find(plan_id)
        if found is None:
            await self._planner.refuse_archived_plan(plan_id, principal)
        if found is None or found.principal != principal:
            raise NotTheSameCall(f"There is no plan {plan_id} of yours.")
        actions = await self._plans.actions_of(plan_id)
        done = [step for step in reversed(found.steps) if state_of(step, actions.get(step.position)) is StepState.DONE]
        planned = [(step, *await self._planner.plan(step.action_id or "", principal=principal)) for step in done]
        verdicts = _verdicts([(step, undo) for step, _, undo in planned])
        steps = [
            StepTemplate(
                operation=undo.operation.spec.tool_name,
                arguments=arguments_of(undo.operation),
                account=self._planner.account_of(action),
                is_literal=True,
            )
            for _, action, undo in planned
            if undo.operation is not None
        ]
        if not steps:
            return PlanUndo(found, None, verdicts)
        notes = (f"This undoes {len(steps)} steps of {found.id}, the last one first.", *verdicts)
        title = f"Undo: {found.title}"[:120]
        return PlanUndo(found, PlanRequest(title=title, steps=steps, on_failure="continue", notes=notes), verdicts)


def _verdicts(undos: Sequence[tuple[Step, Undo]]) -> tuple[str, ...]:
    """Say what of which steps is not restored, the same for several steps once."""
    by_loss: dict[str, list[Step]] = {}
    for step, undo in undos:
        if undo.verdict == "full":
            continue
        what = "restored in part" if undo.verdict == "partial" else "not undone"
        by_loss.setdefault(f"{what}. {undo.lost}".strip(), []).append(step)
    return tuple(
        f"{places(sorted(steps, key=lambda step: step.position)).capitalize()}: {loss}"
        for loss, steps in by_loss.items()
    )
