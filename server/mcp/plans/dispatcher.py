"""Proposes, asks about and carries out plans for a session: the same questions and answers as for a single call."""

from dataclasses import dataclass
from functools import partial

from mcp.types import CallToolResult, InputRequiredResult

from guard.action import client_of, form_approver
from guard.errors import GuardRefusal, NotTheSameCall
from guard.journal import refuse_archived
from guard.plans.plan import CAN_RUN, Plan, PlanState
from guard.plans.proposal import PlanPreview, PlanRequest
from guard.plans.status import is_left_to_server
from server.mcp.call_parser import SessionCalls
from server.mcp.elicitation import (
    NEITHER,
    FormAnswer,
    Question,
    answered_action_id,
    ask,
    can_ask,
    question_of_plan,
    read_answer,
)
from server.mcp.out_of_band import OutOfBandApproval, PendingApproval, Place, where_to_approve
from server.mcp.plans.results import approved_result, pending_plan_result, plan_result, run_result
from server.mcp.session import Session
from server.mcp.untrusted import Untrusted
from server.services import Services
from tools.actions.handlers import is_own_plan
from tools.registry import operation_named

ToolResult = CallToolResult | InputRequiredResult


@dataclass(frozen=True, slots=True)
class PlanDispatcher:
    """Runs the calls of the tools about plans."""

    services: Services
    out_of_band: OutOfBandApproval

    async def propose(self, request: PlanRequest, session: Session, untrusted: Untrusted) -> ToolResult:
        """Propose a plan and ask about it; return its id once it is approved, or where it is approved."""
        proposer, principal = self.services.plan_proposer, session.principal
        calls = SessionCalls(session, self.services)
        plan_id = answered_action_id(session)
        if plan_id is None:
            plan = await proposer.propose(request, principal, calls)
        else:
            plan = await proposer.resume(plan_id, request, principal, calls)
        asked = await self._ask(plan, session, untrusted, is_answer=plan_id is not None)
        return asked if not isinstance(asked, Plan) else approved_result(asked)

    async def preview(self, request: PlanRequest, session: Session) -> PlanPreview:
        """Check and price a plan, and record nothing."""
        calls = SessionCalls(session, self.services)
        return await self.services.plan_proposer.preview(request, session.principal, calls)

    async def run(self, plan_id: str, session: Session, untrusted: Untrusted) -> ToolResult:
        """Carry out a plan; ask about it first where nobody has answered yet."""
        plan = await self._find(plan_id, session)
        is_answer = answered_action_id(session) == plan.id
        asked = await self._ask(plan, session, untrusted, is_answer=is_answer)
        if not isinstance(asked, Plan):
            return asked
        if is_left_to_server(asked, self.services.clock.now()):
            return await self.show(asked.id, session)
        run = await self.services.plan_runner.run(asked, SessionCalls(session, self.services), session)
        return run_result(run, untrusted)

    async def show(self, plan_id: str, session: Session) -> CallToolResult:
        """Show a plan and what became of its steps."""
        plan = await self.services.plan_approvals.expire_if_due(await self._find(plan_id, session))
        actions = dict(await self.services.plans.actions_of(plan.id))
        for position, action in actions.items():
            actions[position] = await self.services.current(action)
        receipts = await self.services.receipts.ids_of(plan.id)
        return plan_result(plan, actions, self.services.clock.now(), Untrusted(), receipts)

    async def _find(self, plan_id: str, session: Session) -> Plan:
        found = await self.services.plans.find(plan_id)
        if found is None or not is_own_plan(found, session):
            await refuse_archived(self.services.journal, plan_id, session.principal.name)
            raise NotTheSameCall(f"There is no plan {plan_id} of yours; nothing was sent.")
        return found

    async def _ask(self, plan: Plan, session: Session, untrusted: Untrusted, *, is_answer: bool) -> Plan | ToolResult:
        """Return the plan once it is approved, or the result that says what it waits for."""
        approvals, principal = self.services.plan_approvals, session.principal
        current = await approvals.expire_if_due(plan)
        if current.state is PlanState.PROPOSED and current.undoes is not None:
            raise NotTheSameCall(f"{current.id} is approved with {current.undoes}, which it undoes; nothing was sent.")
        if current.state is not PlanState.PROPOSED:
            if current.state not in {*CAN_RUN, PlanState.DONE, PlanState.FAILED}:
                approvals.refuse(current)
            return current
        question = self._question(current, session)
        answer: FormAnswer | InputRequiredResult | None = read_answer(session, question) if is_answer else None
        if answer is None and not is_answer and self._may_ask(current, session):
            answer = await ask(session, question)
        if isinstance(answer, InputRequiredResult):
            return answer
        if answer in {FormAnswer.YES, FormAnswer.NO}:
            if not self._takes_form(current):
                raise GuardRefusal("This plan is approved by the operator only; nothing was sent.")
            if answer is FormAnswer.YES:
                by_server = self.services.runs_on_approval
                return await approvals.approve(current.id, by=form_approver(principal), run_by_server=by_server)
            approvals.refuse(await approvals.decline(current.id, by=client_of(principal)))
        note = NEITHER.get(answer, "") if answer is not None else ""
        if answer is not None:
            why = note or "The client declares that it can ask, and answered with an error."
            await self.services.journal.note(
                "no answer", action_id=current.id, principal=principal.name, detail={"why": why}
            )
        return await self._ask_operator(current, session, untrusted, note=note)

    async def _ask_operator(
        self, plan: Plan, session: Session, untrusted: Untrusted, *, note: str
    ) -> Plan | ToolResult:
        """Leave the approval to the operator; return the plan if it is approved while the call waits."""
        question = self._question(plan, session)
        if note:
            pending = await self.out_of_band.describe(plan.id, note=note)
        else:
            reached = await self.out_of_band.request(session, question, partial(self._is_answered, plan.id))
            if isinstance(reached, InputRequiredResult):
                return reached
            pending = reached
        current = await self.services.plan_approvals.expire_if_due(await self._find(plan.id, session))
        if current.state is PlanState.PROPOSED:
            return pending_plan_result(
                current,
                where=self._where(pending, current),
                untrusted=untrusted,
                with_budgets=self.services.shows_budgets(session.principal),
            )
        if current.state not in CAN_RUN:
            self.services.plan_approvals.refuse(current)
        return current

    def _question(self, plan: Plan, session: Session) -> Question:
        with_budgets = self.services.shows_budgets(session.principal)
        return question_of_plan(plan, is_final=_is_final(plan), with_budgets=with_budgets)

    async def _is_answered(self, plan_id: str) -> bool:
        found = await self.services.plans.find(plan_id)
        return found is None or found.state is not PlanState.PROPOSED

    def _where(self, pending: PendingApproval, plan: Plan) -> Place:
        return where_to_approve(pending, plan, self.services.settings.commands.line("plans", "approve", pending.id))

    def _may_ask(self, plan: Plan, session: Session) -> bool:
        return self._takes_form(plan) and can_ask(session)

    def _takes_form(self, plan: Plan) -> bool:
        return plan.channel == "ask" and self.services.settings.approvals.form == "auto"


def _is_final(plan: Plan) -> bool:
    """Return True if no call undoes one of its steps."""
    operations = (operation_named(step.operation) for step in plan.chosen)
    return any(operation is not None and operation.spec.irreversible for operation in operations)
