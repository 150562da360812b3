"""A guarded call of the past, and what was decided about it then."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from guard.action import Action, State
from guard.allowances.allowance import approver, is_allowance
from guard.approvals import BY_POLICY
from guard.money import Money
from guard.plans.journal import StepPlace
from guard.plans.plan import CAN_RUN, Plan, PlanState, Step


class Verdict(StrEnum):
    """What becomes of a call, from free to refused."""

    ALLOWED = "allowed"
    """It runs, because policy asks nobody."""

    BY_ALLOWANCE = "allowed beforehand"
    """It runs under an allowance."""

    ASKED = "asked"
    """Whoever sits at the client is asked, or the operator."""

    OPERATOR = "asked of the operator"
    SEVERAL = "asked of several operators"
    """Different operators have to approve it."""

    REFUSED = "refused"

    @property
    def asks(self) -> bool:
        """True where a person has to answer."""
        return self in {Verdict.ASKED, Verdict.OPERATOR, Verdict.SEVERAL}


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of the record."""

    action: Action
    """The call, without the state before it and its answer; of a step that was not sent, as it would have been."""

    name: str
    """Its id, or which step of which plan it is."""

    then: Verdict
    charged: Money | None = None
    """What is booked for it."""

    @property
    def was_wanted(self) -> bool:
        """True unless a person declined it, or nobody answered."""
        return self.action.state not in {State.DECLINED, State.PROPOSED, State.EXPIRED}

    @property
    def was_refused_by_provider(self) -> bool:
        """True if it was sent and changed nothing."""
        return self.action.state is State.REFUSED


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """What one answer decided about: one call, or the steps of a plan."""

    at: datetime
    calls: tuple[RecordedCall, ...]
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class DaySum:
    """What was held and settled on one day, of one account and currency."""

    day: date
    provider: str
    account: str
    money: Money


class CallRecord(Protocol):
    """The calls on record. Every method raises `JournalUnavailable` when the record cannot be read."""

    def jobs(self, since: datetime, until: datetime) -> AsyncIterator[RecordedJob]:
        """Yield what was asked or allowed between two times, in its order; what expired unanswered is left out."""
        ...

    async def count_expired(self, since: datetime, until: datetime) -> int:
        """Return how many questions expired without an answer."""
        ...

    async def count_refused(self, since: datetime, until: datetime) -> int:
        """Return how many calls the guard refused: no price of theirs is on record."""
        ...

    async def sums_before(self, first: date, end: date) -> Sequence[DaySum]:
        """Return what was spent from a day on, until before another one."""
        ...

    async def find(self, action_id: str) -> Action | None:
        """Return one action in full."""
        ...

    async def texted_us(self, numbers: Collection[str], since: datetime, until: datetime) -> frozenset[str]:
        """Return those of the numbers, in E.164, that sent this server a text between two times."""
        ...


def call_of(action: Action, charged: Money | None = None) -> RecordedCall:
    """Return the call of an action."""
    return RecordedCall(action, action.id, _then(action.decided_by, action.channel, action.approvers_needed), charged)


def job_of_plan(plan: Plan, actions: Mapping[int, Action], charged: Mapping[str, Money]) -> RecordedJob:
    """Return the calls of a plan: what became of each step that was sent, and the others as they would have been."""
    calls: list[RecordedCall] = []
    for step in plan.steps:
        action = actions.get(step.position)
        decided_by = approver([step.allowance_id]) if step.allowance_id else plan.decided_by
        then = _then(decided_by, plan.channel, plan.approvers_needed)
        if then is Verdict.BY_ALLOWANCE and step.allowance_id is None:
            then = Verdict.ALLOWED  # of a plan under allowances, a step that needs nobody
        if action is None:
            name, made = str(StepPlace(plan.id, step.position)), _unsent(plan, step)
            calls.append(RecordedCall(made, name, then))
        else:
            calls.append(RecordedCall(action, action.id, then, charged.get(action.id)))
    return RecordedJob(plan.created_at, tuple(calls), plan)


_STATE_OF_UNSENT: Final = {PlanState.PROPOSED: State.PROPOSED, PlanState.DECLINED: State.DECLINED}


def action_of_step(plan: Plan, step: Step, state: State) -> Action:
    """Return the action that a step of a plan would have been."""
    return Action(
        id=plan.id,
        provider=step.provider,
        account=step.account,
        account_name=step.account_name,
        operation=step.operation,
        title=step.title,
        arguments=step.arguments,
        digest=step.digest,
        principal=plan.principal,
        channel=plan.channel,
        quote=step.quote,
        state=state,
        created_at=plan.created_at,
        expires_at=plan.runs_until,
        decided_by=plan.decided_by,
        decided_at=plan.decided_at,
        demanded=step.demanded,
    )


def _unsent(plan: Plan, step: Step) -> Action:
    otherwise = State.APPROVED if plan.state in CAN_RUN else State.EXPIRED
    state = State.DECLINED if step.is_struck else _STATE_OF_UNSENT.get(plan.state, otherwise)
    return action_of_step(plan, step, state)


def asked_of(approvers_needed: int) -> Verdict:
    """Return the verdict where the operator is asked, or so many different ones."""
    return Verdict.SEVERAL if approvers_needed > 1 else Verdict.OPERATOR


def _then(decided_by: str | None, channel: str, approvers_needed: int) -> Verdict:
    if decided_by == BY_POLICY:
        return Verdict.ALLOWED
    if is_allowance(decided_by):
        return Verdict.BY_ALLOWANCE
    return asked_of(approvers_needed) if channel == "page" else Verdict.ASKED
