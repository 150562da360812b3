"""A person's answer to a proposed plan: once, in time, for every step that is not struck."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NoReturn

from clients.shared.clock import Clock
from clients.telemetry.spans import traced
from guard.allowances.allowance import Cover
from guard.approvals import ANSWERS_ALONE, CLOCK_SKEW
from guard.catalog import OperationCatalog
from guard.errors import AllowanceGone, AlreadySettled, Declined, Expired, MayNotApprove, NotTheSameCall
from guard.injection.reasons import LONGEST_OF_OPERATOR, clean_reason
from guard.operators.approval import Approval, Approver, Statement
from guard.operators.demand import Demand
from guard.operators.judge import ApprovalJudge, require_same_terms
from guard.plans.journal import PlanJournal
from guard.plans.plan import CAN_RUN, Plan, PlanState
from guard.plans.references import references_in
from guard.plans.status import status_line
from guard.plans.timed.schedule import missed_outcome, was_missed
from guard.rules.rules import Rules


class PlanApprovals:
    """Records answers to plans, and expires plans whose time is over."""

    def __init__(self, journal: PlanJournal, clock: Clock, rules: Rules, catalog: OperationCatalog) -> None:
        self._journal = journal
        self._clock = clock
        self._caps = rules.caps
        self._judge = ApprovalJudge(rules.approvers, catalog)

    def demand_of(self, plan: Plan, struck: Collection[int] = ()) -> Demand:
        """Return what the approval of a plan needs, without the struck steps."""
        return self._judge.demand_of_plan(plan, struck)

    @traced("plan: record a yes or no")
    async def approve(
        self, plan_id: str, *, by: str | Approver, struck: Collection[int] = (), run_by_server: bool = False
    ) -> Plan:
        """Record a yes to every step but the struck ones, and reserve what they cost against every cap.

        `by` is policy or a client's own user, by name, or an operator; where others have to approve it, too, the plan
        that is returned still waits.
        With `run_by_server` the server carries it out at once; a plan with a time is always left to the server.

        Raises:
            NotTheSameCall: There is no such plan, no such step, or no step would be left.
            Expired, AlreadySettled, Declined: It was answered before, or nobody answered in time.
            OverBudget: A cap leaves no room for the total.
            Frozen: The operator stopped everything.
            MayNotApprove: By the rules this approval does not count; the plan still waits.
        """
        current = await self._require_waiting(plan_id)
        positions = {step.position for step in current.steps}
        if not positions.issuperset(struck):
            raise NotTheSameCall(f"{plan_id} has no step {min(set(struck) - positions)}; nothing was approved.")
        if positions <= set(struck):
            raise NotTheSameCall(f"Every step of {plan_id} is struck: decline the plan instead.")
        _require_sources(current, struck)
        if current.undoes is not None:
            raise NotTheSameCall(f"{plan_id} is the undo of {current.undoes}, which is approved with it.")
        now = self._clock.now()
        due_at = current.at or (now if run_by_server else None)
        demand = self._judge.demand_of_plan(current, struck)
        approval = None
        if isinstance(by, Approver):
            self._judge.require_may_approve(by, current.principal, demand)
            statement = statement_of_plan(current, by.name, struck=struck, run_by_server=run_by_server)
            if current.approvers:
                require_same_terms(statement, await self._journal.approvals_of(plan_id))
            approval = Approval(operator=by.operator, by=by.by, statement=statement, at=now, assertion=by.assertion)
        elif demand.is_special:
            raise MayNotApprove(f"{demand.in_words} Nothing was recorded.")
        approved = await self._journal.approve(
            plan_id,
            by=by.by if isinstance(by, Approver) else by,
            at=now,
            caps=self._caps,
            struck=sorted(struck),
            due_at=due_at,
            approval=approval,
            demand=demand,
        )
        if approved is None:
            self.refuse(await self._journal.find(plan_id) or current)
        return approved

    async def approve_by_allowances(
        self, plan: Plan, covers: Mapping[int, Cover], *, run_by_server: bool = False
    ) -> Plan:
        """Approve a plan that waits under allowances that cover its steps; return it as it stands then.

        Raises:
            OverBudget, Frozen: As `approve`.
        """
        with suppress(AllowanceGone):
            now = self._clock.now()
            due_at = plan.at or (now if run_by_server else None)
            approved = await self._journal.approve_by_allowances(plan, covers, at=now, caps=self._caps, due_at=due_at)
            return approved or plan
        return plan

    @traced("plan: record a yes or no")
    async def decline(self, plan_id: str, *, by: str, reason: str = "") -> Plan:
        """Record a no; `reason` says why. Raises as `approve` does."""
        current = await self._require_waiting(plan_id)
        now = self._clock.now()
        declined = await self._journal.move(
            plan_id,
            {PlanState.PROPOSED},
            PlanState.DECLINED,
            decided_by=by,
            decided_at=now,
            finished_at=now,
            decline_reason=_cleaned(reason),
        )
        if declined is None:
            self.refuse(await self._journal.find(plan_id) or current)
        return declined

    async def cancel(self, plan_id: str, *, by: str, reason: str = "") -> Plan:
        """Withdraw the yes to a plan of which nothing was sent yet; one that nobody answered is declined.

        `reason` says why.

        Raises:
            NotTheSameCall: There is no such plan.
            AlreadySettled, Expired, Declined: It began already, or it ended.
        """
        found = await self._journal.find(plan_id)
        current = await self.expire_if_due(found) if found else None
        if current is None or current.state is not PlanState.APPROVED:
            return await self.decline(plan_id, by=by, reason=reason)
        cancelled = await self._journal.move(
            plan_id,
            {PlanState.APPROVED},
            PlanState.DECLINED,
            finished_at=self._clock.now(),
            outcome=f"Cancelled by {by} before it ran.",
            decline_reason=_cleaned(reason),
        )
        if cancelled is None:
            self.refuse(await self._journal.find(plan_id) or current)
        return cancelled

    async def expire_if_due(self, plan: Plan) -> Plan:
        """Expire a plan that nobody approved in time, or whose time to run is over, and return it."""
        now = self._clock.now()
        was_set_back = now + CLOCK_SKEW < plan.created_at
        waits, runs = plan.state is PlanState.PROPOSED, plan.state in CAN_RUN
        missed = was_missed(plan, now)
        is_late = (waits and now >= plan.expires_at) or (runs and now >= plan.runs_until) or missed
        if not (is_late or (was_set_back and (waits or runs))):
            return plan
        outcome = "The clock was set back after it was asked." if was_set_back else None
        outcome = outcome or (missed_outcome(plan) if missed else None)
        moved = await self._journal.move(
            plan.id, {plan.state}, PlanState.EXPIRED, finished_at=now, outcome=outcome or plan.outcome
        )
        return moved or await self._journal.find(plan.id) or plan

    def refuse(self, plan: Plan) -> NoReturn:
        """Raise the refusal that fits the state of a plan that cannot be answered."""
        match plan.state:
            case PlanState.DECLINED:
                alone = f" {ANSWERS_ALONE}" if plan.client_answered else ""
                raise Declined(f"{status_line(plan)}{alone}", plan.decline_reason or "")
            case PlanState.EXPIRED:
                raise Expired(f"{status_line(plan)} {plan.outcome or ''}".strip())
            case _:
                raise AlreadySettled(f"{status_line(plan)} It was answered before; nothing changed.")

    async def _require_waiting(self, plan_id: str) -> Plan:
        found = await self._journal.find(plan_id)
        if found is None:
            raise NotTheSameCall(f"There is no plan {plan_id}.")
        current = await self.expire_if_due(found)
        if current.state is not PlanState.PROPOSED:
            self.refuse(current)
        return current


def _cleaned(reason: str) -> str | None:
    return clean_reason(reason, LONGEST_OF_OPERATOR) or None


def statement_of_plan(
    plan: Plan, operator: str, *, struck: Collection[int] = (), run_by_server: bool = False
) -> Statement:
    """Return what an operator says yes to by approving a plan without some of its steps."""
    return Statement(
        about=plan.id, digest=plan.digest, operator=operator, without=tuple(sorted(struck)), run_by_server=run_by_server
    )


def _require_sources(plan: Plan, struck: Collection[int]) -> None:
    """Refuse to strike a step whose answer another one needs."""
    labels = {step.label: step.position for step in plan.steps if step.label and step.position in struck}
    for step in plan.steps:
        needed = [one.label for one in references_in(step.given).values() if one.label in labels]
        if needed and step.position not in struck:
            raise NotTheSameCall(
                f"Step {step.position} needs the answer of step {labels[needed[0]]}: strike both or neither."
            )
