"""Decides about calls of the past again, one after the other, with the guard's own checks under other rules.

The price, the number of people and what was found out about a call are those of the record. Money and counts run up
as they would have. Whoever was asked then is taken to answer the same; a call that nobody was asked about is taken to
be approved where it is asked about now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from clients.operation import Members, Operation
from guard.action import SET_BY_SERVER, Action, Principal, State, digests_of_same_call, rebuild_call
from guard.allowances.allowance import Allowance, Cover
from guard.allowances.coverage import Circumstances, Coverage
from guard.catalog import OperationCatalog
from guard.errors import GuardRefusal, OverBudget
from guard.money import Money
from guard.operators.judge import ApprovalJudge
from guard.plans.plan import Plan, Step, totals_of
from guard.plans.references import NotKnownYet, references_in, stand_in
from guard.plans.verdict import decide_together
from guard.replay.ledger import AllowanceLedger, Ledger
from guard.replay.recorded import (
    CallRecord,
    DaySum,
    RecordedCall,
    RecordedJob,
    Verdict,
    action_of_step,
    asked_of,
)
from guard.replay.surroundings import NoSigns, PastCalls, PastClock, StandingAllowances, Surroundings
from guard.rules.budget import require_room_for_all
from guard.rules.checks import Assessment, Checks
from guard.rules.policy import Decision
from guard.rules.quote import Quote, quote_again
from guard.rules.recipients import Recipients
from guard.rules.rules import Rules

_NO_BOUND: Final = "Its price is unknown and a cap applies, so a plan may not have it as a step."
_MEMBERS: Final = Recipients()


class NotReplayable(Exception):
    """A call of the record cannot be built again. The message is why."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A call and what other rules decide about it."""

    call: RecordedCall
    now: Verdict
    refusal: GuardRefusal | None = None
    amount: Money | None = None
    """The most that it costs; None where it is free or its price is unknown."""

    allowance: str | None = None
    reaches_members: bool = False
    """True where it reaches groups or lists, of whom the record has the number alone."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """One call, with what the checks say of it."""

    call: RecordedCall
    operation: Operation[Any]
    priced: Quote
    assessment: Assessment
    cover: Cover

    @property
    def reaches_members(self) -> bool:
        return any(isinstance(one, Members) for one in self.operation.members())


class Replay:
    """Decides about jobs of the record in the order in which they were made."""

    def __init__(
        self,
        rules: Rules,
        allowances: Sequence[Allowance],
        catalog: OperationCatalog,
        record: CallRecord,
        *,
        begins: datetime,
        before: Iterable[DaySum] = (),
    ) -> None:
        """`before` is what was spent before it begins, in the windows of the caps that were open then."""
        self._rules = rules
        self._catalog = catalog
        self._ledger = Ledger(rules.caps, begins, before)
        self._allowances = AllowanceLedger(allowances)
        self._coverage = Coverage(StandingAllowances(allowances, record), {})
        self._clock = PastClock()
        self._past = PastCalls(record, self._ledger, rules.compliance.duplicate_window)
        self._surroundings = Surroundings(
            journal=self._past, catalog=catalog, rules=rules, clock=self._clock, optouts=NoSigns(), taint=NoSigns()
        )
        self._checks = Checks(self._surroundings)
        self._judge_of_approvals = ApprovalJudge(rules.approvers, catalog)

    async def run(self, job: RecordedJob) -> list[Replayed]:
        """Decide about a job, and count what it would have done.

        Raises:
            NotReplayable: One of its calls cannot be built again; nothing is counted.
        """
        self._clock.at = job.at
        found = await (self._run_plan(job, job.plan) if job.plan is not None else self._run_call(job.calls[0]))
        for one in found:
            self._count(one)
        return found

    async def _run_call(self, call: RecordedCall) -> list[Replayed]:
        operation = self._build(call.action)
        priced = self._price(call.action, operation)
        try:
            judged = await self._judge(call, operation, priced, self._checks)
        except GuardRefusal as refusal:
            return [_refused(call, priced, refusal)]
        taken = None
        if judged.assessment.decision is not Decision.ALLOW:
            taken = self._allowances.take(judged.cover.allowances, judged.cover.use, self._clock.at)
        return [_replayed(judged, judged.assessment.decision, taken, judged.assessment.approvers_needed)]

    async def _run_plan(self, job: RecordedJob, plan: Plan) -> list[Replayed]:
        """Decide about a plan as a whole: one bad step refuses it, and the strictest decides who is asked."""
        checks = self._checks if plan.at is None else Checks(replace(self._surroundings, sent_at=plan.at))
        built = [(call, self._build(call.action, step)) for call, step in zip(job.calls, plan.steps, strict=True)]
        priced = [(call, operation, self._price(call.action, operation)) for call, operation in built]
        try:
            judged = [await self._judge_step(call, operation, quote, checks) for call, operation, quote in priced]
            steps = [replace(step, quote=one.priced) for step, one in zip(plan.steps, judged, strict=True)]
            spent = await self._past.spent(self._rules.caps, self._clock.at)
            require_room_for_all(spent, totals_of([*steps, *plan.undo]))
            undo = max([await self._judge_undo(plan, step) for step in plan.undo], default=Decision.ALLOW)
        except GuardRefusal as refusal:
            return [_refused(call, quote, refusal) for call, _, quote in priced]
        together = decide_together(
            steps,
            plan.undo,
            [one.assessment.decision for one in judged],
            people=plan.people,
            bulk_limit=self._rules.compliance.bulk_limit,
            only_reads=all(one.operation.spec.effect.is_plain_read for one in judged),
            demand=self._judge_of_approvals.demand_of_steps([*steps, *plan.undo]),
            demanded=undo,
        )
        taken = self._take_for_all(judged) if together.demanded is Decision.ALLOW else {}
        decision = Decision.ALLOW if taken else together.decision
        return [_replayed(one, decision, taken.get(id(one)), together.approvers_needed) for one in judged]

    def _take_for_all(self, judged: Sequence[_Judged]) -> dict[int, str]:
        """Take what every step that needs approval needs of an allowance; nothing where one of them finds none."""
        asking = [one for one in judged if one.assessment.decision is not Decision.ALLOW]
        if not all(one.cover.allowances for one in asking):
            return {}
        taken: dict[int, str] = {}
        for one in asking:
            allowance = self._allowances.take(one.cover.allowances, one.cover.use, self._clock.at)
            if allowance is None:
                for other in asking:
                    if id(other) in taken:
                        self._allowances.give_back(taken[id(other)], other.cover.use)
                return {}
            taken[id(one)] = allowance
        return taken

    async def _judge_step(
        self, call: RecordedCall, operation: Operation[Any], priced: Quote, checks: Checks
    ) -> _Judged:
        judged = await self._judge(call, operation, priced, checks)
        if priced.is_unknown and self._rules.needs_bound(call.action.provider, call.action.made_on):
            raise OverBudget(_NO_BOUND)
        return judged

    async def _judge_undo(self, plan: Plan, step: Step) -> Decision:
        """Decide about a call that undoes a step at its time."""
        action = action_of_step(plan, step, State.APPROVED)
        operation = self._build(action)
        checks = Checks(replace(self._surroundings, sent_at=plan.until))
        call = RecordedCall(action, action.id, Verdict.ALLOWED)
        return (await self._judge(call, operation, step.quote, checks)).assessment.decision

    async def _judge(self, call: RecordedCall, operation: Operation[Any], priced: Quote, checks: Checks) -> _Judged:
        """Check one call as the guard does before it asks.

        Raises:
            GuardRefusal: The rules refuse it.
        """
        action = call.action
        account, principal = self._surroundings.account_of(action), Principal(action.principal)
        await checks.refuse_early(operation, account.name)
        same = digests_of_same_call(operation, account=action.account, principal=principal)
        assessment = await checks.assess(operation, account.name, _MEMBERS, priced, same, principal, from_record=True)
        assessment = assessment.finding(Decision[(action.demanded or Decision.ALLOW.word).upper()])
        about = Circumstances(self._rules.policy_at(account.name), assessment.demanded, account, priced)
        cover = await self._coverage.find(operation, principal, about, self._clock.at)
        return _Judged(call, operation, priced, assessment, cover)

    def _build(self, action: Action, step: Step | None = None) -> Operation[Any]:
        """Return the call of an action; a reference of a step stands in it as it is.

        In place of a secret stands what the record says of it, where that has the secret's form: no rule looks at it.

        Raises:
            NotReplayable: It cannot be built again.
        """
        declared = self._catalog.operation_named(action.operation)
        if declared is None:
            raise NotReplayable("its operation is no longer offered")
        try:
            references = frozenset(references_in(step.given)) if step is not None else frozenset[str]()
            return rebuild_call(stand_in(declared, references) if references else declared, action.arguments)
        except (ValidationError, NotKnownYet, ValueError):
            if SET_BY_SERVER in action.arguments.values():
                raise NotReplayable("it had a secret, which is not on record") from None
            raise NotReplayable("its arguments no longer fit its operation") from None

    def _price(self, action: Action, operation: Operation[Any]) -> Quote:
        recorded = action.quote
        if recorded.recipients is None and not recorded.charged_by and not operation.members():
            recorded = replace(recorded, recipients=operation.recipient_count())  # 0.1 did not keep it
        return quote_again(recorded, operation, self._rules.prices_at(action.made_on))

    def _count(self, one: Replayed) -> None:
        """Count what a call would have spent, and remember how it would have ended."""
        call, action = one.call, one.call.action
        goes_on = one.now is not Verdict.REFUSED and (
            call.was_wanted or (not one.now.asks and action.state is not State.EXPIRED)
        )
        if goes_on and not call.was_refused_by_provider:
            money = call.charged or one.amount or action.quote.most
            if money is not None:
                self._ledger.add(action.provider, action.made_on, money, self._clock.at)
            ended = action.finished_at if action.state is State.DONE else None
            self._past.add(replace(action, state=State.DONE, finished_at=ended or self._clock.at))
        elif one.now.asks and action.state is State.DECLINED:
            self._past.add(action)


def _refused(call: RecordedCall, priced: Quote, refusal: GuardRefusal) -> Replayed:
    return Replayed(call, Verdict.REFUSED, refusal, priced.most or call.action.quote.up_to)


_BY_DECISION: Final = {
    Decision.ALLOW: Verdict.ALLOWED,
    Decision.ASK: Verdict.ASKED,
    Decision.PAGE: Verdict.OPERATOR,
    Decision.DENY: Verdict.REFUSED,
}


def _replayed(judged: _Judged, decision: Decision, allowance: str | None, approvers_needed: int) -> Replayed:
    call = judged.call
    verdict = Verdict.BY_ALLOWANCE if allowance is not None else _BY_DECISION[decision]
    if verdict is Verdict.OPERATOR:
        verdict = asked_of(approvers_needed)
    amount = judged.priced.most or call.action.quote.up_to
    return Replayed(call, verdict, None, amount, allowance, judged.reaches_members)
