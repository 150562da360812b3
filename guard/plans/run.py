"""Carries out an approved plan: one step after the other, each an action of its own, checked again and sent once.

A run may end anywhere: when the operator freezes everything, an outcome is unknown, a provider cannot be reached, or
its process ends. Another run goes on where it stood. Which steps were sent is on the record alone: a step is taken in
the transaction that writes the intent of its action, and a request that left is never made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, Protocol

import anyio

from clients.errors import (
    InsufficientFunds,
    LimitReached,
    NotAuthenticated,
    NotSent,
    ProviderFailed,
    RateLimited,
    TelephonyError,
)
from clients.operation import Operation
from clients.telemetry.spans import traced
from guard.accounts import MOST_TITLE
from guard.action import (
    Action,
    Principal,
    State,
    arguments_of,
    digest_of,
    digests_of_same_call,
    new_action_id,
    rebuild_call,
)
from guard.allowances.allowance import approver
from guard.dependencies import GuardDependencies
from guard.errors import (
    AllowanceGone,
    Expired,
    Frozen,
    GuardRefusal,
    JournalUnavailable,
    NotPossibleNow,
    NotTheSameCall,
    OutcomePending,
    RulesChanged,
)
from guard.injection.sanitize import escape_invisible
from guard.money import Money
from guard.pipeline import Guard
from guard.plans.approvals import PlanApprovals
from guard.plans.journal import PlanJournal, StepPlace
from guard.plans.order import PlacedCall, may_be_prepared
from guard.plans.pacing import LONGEST_WAIT, Pace
from guard.plans.parsing import BadCall, CallParser
from guard.plans.plan import CAN_RUN, Plan, PlanState, Step, StepState, Terms, digest_of_plan, state_of
from guard.plans.read_sharing import ReadSharing
from guard.plans.references import Reference, references_in, value_at
from guard.plans.status import progress_line, status_line
from guard.plans.timed.restoring import UndonePlan, require_not_changed, require_same_start
from guard.plans.timed.schedule import moment_in_words
from guard.rules.budget import Cap, Hold
from guard.settlement import Receipt

RUN_FOR: Final = timedelta(seconds=50)
"""How long one run sends steps. Clients commonly give up on a call after 60 seconds; the next run goes on."""

_STOPS_EVERY_PLAN: Final = (Frozen, JournalUnavailable, RulesChanged, Expired, OutcomePending, NotTheSameCall)
"""Refusals that are none of the step alone, so the steps after it would be refused as well, or must wait."""

_DID_NOT_COUNT: Final = (NotSent, RateLimited)
"""Errors after which the step still waits for its turn: nothing left, or the provider took no notice of it."""

_FAILS_FOR_ALL: Final = (NotAuthenticated, InsufficientFunds, ProviderFailed)
"""Refusals of a provider that say nothing of the step: the next one would be refused as well."""


class Progress(Protocol):
    """Hears how far a run is."""

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Report the progress of a long call."""
        ...


@dataclass(frozen=True, slots=True)
class StepIntent:
    """Takes the turn of a step: its plan's approval counts for it, once."""

    plans: PlanJournal
    plan: Plan
    step: Step
    action: Action
    same_call: tuple[str, ...]

    @property
    def asked_at(self) -> datetime:
        """When the plan was proposed."""
        return self.plan.created_at

    @property
    def about(self) -> str:
        """Which step of which plan."""
        return str(self.place)

    @property
    def approved_as(self) -> str:
        """The plan that was approved: its own, or the one that it undoes and was approved with."""
        return self.plan.undoes or self.plan.id

    @property
    def place(self) -> StepPlace:
        """Which step of which plan."""
        return StepPlace(self.plan.id, self.step.position)

    @property
    def reserved(self) -> Money | None:
        """What the approval set aside for this step; nothing once an attempt was made."""
        return self.step.quote.amount if self.step.action_id is None else None

    async def begin(self, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action:
        """Take the step's turn and write the intent."""
        return await self.plans.begin_step(
            self.place,
            self.action,
            same_call=self.same_call,
            hold=hold,
            caps=caps,
            at=at,
        )


@dataclass(slots=True)
class Run:
    """One run of a plan, as far as it is."""

    plan: Plan
    actions: dict[int, Action]
    """The last action of each step that has one, by position."""

    guard: Guard
    """Knows the prices that this run read."""

    undone: UndonePlan | None = None
    """The plan that this one undoes; None for a plan that undoes none."""

    receipts: dict[int, Receipt[Any]] = field(default_factory=dict[int, Receipt[Any]])
    """Receipts of the steps that this run sent."""

    is_paused: bool = False
    """True where nothing stands against going on but the time of this call."""

    pace: Pace = field(default_factory=Pace)
    began_at: float = field(default_factory=anyio.current_time)


class PlanRunner:
    """Carries out approved plans."""

    def __init__(
        self,
        guard: Guard,
        dependencies: GuardDependencies,
        plans: PlanJournal,
        sharing: ReadSharing,
        *,
        run_for: timedelta = RUN_FOR,
    ) -> None:
        """`run_for` is how long one run sends steps; it sends at least one, and reads each price once."""
        self._sharing = sharing
        self._guard = guard
        self._accounts = dependencies.configured
        self._clock = dependencies.clock
        self._plans = plans
        self._run_for = run_for.total_seconds()
        self._approvals = PlanApprovals(plans, dependencies.clock, dependencies.rules, dependencies.catalog)

    @traced("plan: run")
    async def run(self, plan: Plan, parser: CallParser, progress: Progress) -> Run:
        """Carry out the steps that were not done yet, and return how far the plan is.

        Raises:
            NotTheSameCall: The plan is not approved, or is not what was approved.
            Declined, Expired: There is no approval, or not any more.
            NotPossibleNow: It is to run later.
            OutcomePending: Another run carries it out at this moment.
            Frozen, JournalUnavailable: Nothing may be sent now.
        """
        current = await self._approvals.expire_if_due(plan)
        if current.state in {PlanState.DONE, PlanState.FAILED}:
            return Run(current, dict(await self._plans.actions_of(current.id)), self._guard)
        if current.state not in CAN_RUN:
            self._refuse(current)
        _require_unchanged(current)
        self._require_due(current)
        guard = self._guard.with_prices(self._sharing.prices())
        run = Run(current, dict(await self._plans.actions_of(current.id)), guard, await self._undone_by(current))
        for number, step in enumerate(current.chosen):
            await progress.report_progress(number, len(current.chosen), f"Step {step.position}: {step.title}")
            if not await self._pass(run, step, parser):
                break
        else:
            await self._finish(run)
        return await self._as_recorded(run)

    @traced("plan: step")
    async def _pass(self, run: Run, step: Step, parser: CallParser) -> bool:
        """Carry out a step unless it had its turn; return whether the plan goes on to the next one."""
        action = await self._settled(run, step)
        match state_of(step, action):
            case StepState.DONE | StepState.STRUCK:
                return True
            case StepState.SENDING:
                raise OutcomePending(f"Step {step.position} of {run.plan.id} is under way as {step.action_id}.")
            case StepState.UNKNOWN:
                return await self._stop(run, f"Step {step.position} has an unknown outcome ({step.action_id}).")
            case StepState.REFUSED | StepState.NOT_SENT:
                return await self._go_on_after_failure(run, step)
            case _:
                pass
        if run.receipts and anyio.current_time() - run.began_at >= self._run_for:
            run.is_paused = True
            return False
        return await self._carry_out(run, step, parser)

    async def _carry_out(self, run: Run, step: Step, parser: CallParser) -> bool:
        """Send a step; return whether the plan goes on to the next one."""
        try:
            await self._require_to_undo(run, step, parser)
        except (TelephonyError, OutcomePending) as waiting:
            return await self._stop(run, f"Step {step.position} was not sent. {waiting}")
        except GuardRefusal as refusal:
            return await self._not_sent(run, step, str(refusal))
        try:
            receipt = await self._send(run, step, parser)
        except BadCall as bad:
            return await self._not_sent(run, step, str(bad))
        except AllowanceGone as gone:
            await self._end(run, PlanState.FAILED, f"Step {step.position} was not sent. {gone}")
            return False
        except _STOPS_EVERY_PLAN as refusal:
            if not isinstance(refusal, OutcomePending | JournalUnavailable):
                await self._stop(run, f"Step {step.position} was not sent. {refusal}")
            raise
        except GuardRefusal as refusal:
            return await self._not_sent(run, step, str(refusal))
        run.receipts[step.position] = receipt
        run.actions[step.position] = receipt.action
        if receipt.error is None:
            return True
        return await self._after_error(run, step, receipt.action, receipt.error)

    async def _send(self, run: Run, step: Step, parser: CallParser) -> Receipt[Any]:
        """Build the call of a step again and send it once, as soon as the provider's limits allow it."""
        operation = self._build(run, step, parser)
        while True:
            await run.pace.wait_for(operation.spec.limit)
            receipt = await self._execute(run, step, operation, parser)
            wait = receipt.error.retry_after if isinstance(receipt.error, LimitReached | RateLimited) else None
            if wait is None or wait > LONGEST_WAIT:
                return receipt
            await self._plans.return_turn(StepPlace(run.plan.id, step.position), receipt.action.id)
            await anyio.sleep(wait)

    def _build(self, run: Run, step: Step, parser: CallParser) -> Operation[Any]:
        """Build the call of a step again, and check that it is what was approved.

        Raises:
            BadCall: It can no longer be made, or an earlier answer does not show what it refers to.
            NotTheSameCall: It is another call now.
        """
        references = references_in(step.given)
        values = {name: self._look_up(run, reference, parser) for name, reference in references.items()}
        made = parser.parse(step.operation, {**step.given, **values}, account=step.made_on)
        operation = made.operation
        found, approved = (
            {name: value for name, value in arguments.items() if name not in references}
            for arguments in (arguments_of(operation), step.arguments)
        )
        if found != approved or self._accounts.select(step.provider, made.account).identity != step.account:
            raise NotTheSameCall(f"Step {step.position} is another call now than was approved; nothing was sent.")
        return operation

    def _look_up(self, run: Run, reference: Reference, parser: CallParser) -> str | int:
        """Return what the answer of an earlier step shows at a reference."""
        source = next(step for step in run.plan.steps if step.label == reference.label)
        action = run.actions.get(source.position)
        if action is None or action.state is not State.DONE or not action.answer:
            raise BadCall(f"Step {source.position}, whose answer this one needs, brought none; nothing was sent.")
        made = rebuild_call(parser.find(source.operation), action.arguments)
        try:
            answer = self._accounts.require(source.provider, source.account).client.read_again(made, action.answer)
        except TelephonyError as unread:
            raise BadCall(f"The answer of step {source.position} cannot be read: {unread}") from unread
        value = value_at(answer, reference)
        if value is None:
            raise BadCall(f"The answer of step {source.position} shows no {'.'.join(reference.path)}.")
        return value

    async def _execute(self, run: Run, step: Step, operation: Operation[Any], parser: CallParser) -> Receipt[Any]:
        plan = run.plan
        requester = Principal(plan.principal)
        before = await run.guard.look_before(
            operation, step.account, may_be_prepared=_may_be_prepared(plan, step, parser)
        )
        require_same_start(plan, step, operation, before)
        action = Action(
            id=new_action_id(),
            provider=step.provider,
            account=step.account,
            account_name=step.account_name,
            operation=step.operation,
            title=self._title(step, operation, StepPlace(plan.id, step.position)),
            arguments=arguments_of(operation),
            digest=digest_of(operation, account=step.account, principal=requester),
            principal=plan.principal,
            channel=plan.channel,
            quote=step.quote,
            state=State.APPROVED,
            created_at=self._clock.now(),
            expires_at=plan.runs_until,
            before=before,
            decided_by=approver([step.allowance_id]) if step.allowance_id else plan.decided_by,
            decided_at=plan.decided_at,
            demanded=step.demanded,
            approvers=() if step.allowance_id else plan.approvers,
            approvers_needed=plan.approvers_needed,
        )
        same = digests_of_same_call(operation, account=step.account, principal=requester)
        intent = StepIntent(self._plans, plan, step, action, same)
        return await run.guard.execute(action, operation, intent, from_record=plan.undoes is not None)

    async def _after_error(self, run: Run, step: Step, action: Action, error: TelephonyError) -> bool:
        """Decide what becomes of the plan after a provider's error."""
        if action.state is State.UNKNOWN:
            return await self._stop(run, f"Step {step.position} has an unknown outcome ({action.id}).")
        if isinstance(error, _DID_NOT_COUNT):
            await self._plans.return_turn(StepPlace(run.plan.id, step.position), action.id)
            del run.actions[step.position]
            return await self._stop(run, f"Step {step.position} was not sent. {error}")
        if isinstance(error, _FAILS_FOR_ALL) and run.plan.on_failure == "continue":
            return await self._stop(run, f"Step {step.position} was refused. {error}")
        return await self._go_on_after_failure(run, step)

    async def _not_sent(self, run: Run, step: Step, why: str) -> bool:
        """Record that the guard refused a step, and decide what becomes of the plan."""
        await self._plans.refuse_step(StepPlace(run.plan.id, step.position), why)
        return await self._go_on_after_failure(run, step)

    async def _go_on_after_failure(self, run: Run, step: Step) -> bool:
        if run.plan.on_failure == "continue":
            return True
        await self._end(run, PlanState.FAILED, f"Step {step.position} failed, so those after it are not sent.")
        return False

    async def _stop(self, run: Run, why: str) -> bool:
        """Record why a plan does not go on for now."""
        await self._plans.move(run.plan.id, CAN_RUN, PlanState.STOPPED, outcome=why)
        return False

    async def _finish(self, run: Run) -> None:
        await self._end(run, PlanState.DONE, progress_line(run.plan, run.actions))

    async def _end(self, run: Run, to: PlanState, outcome: str) -> None:
        await self._plans.move(run.plan.id, CAN_RUN, to, outcome=outcome, finished_at=self._clock.now())

    async def _settled(self, run: Run, step: Step) -> Action | None:
        """Return the action of a step; where its outcome is open, check it at the provider."""
        action = run.actions.get(step.position)
        if action is not None and action.state in {State.SENDING, State.UNKNOWN}:
            action = run.actions[step.position] = await self._guard.refresh(action)
        return action

    async def _undone_by(self, plan: Plan) -> UndonePlan | None:
        """Return the plan that another one undoes, with the outcomes of its steps checked where they are open."""
        found = await self._plans.find(plan.undoes) if plan.undoes is not None else None
        if found is None:
            return None
        actions = dict(await self._plans.actions_of(found.id))
        return UndonePlan(found, {place: await self._guard.refresh(action) for place, action in actions.items()})

    async def _require_to_undo(self, run: Run, step: Step, parser: CallParser) -> None:
        """Refuse to undo a step that was not carried out, or whose effect somebody changed meanwhile."""
        if run.undone is not None:
            source, action = run.undone.source_of(step)
            account = self._accounts.require(source.provider, source.account)
            await require_not_changed(source, action, parser, account.client)

    def _require_due(self, plan: Plan) -> None:
        """Refuse a plan whose time has not come."""
        if plan.at is not None and self._clock.now() < plan.at:
            raise NotPossibleNow(f"{plan.id} runs on {moment_in_words(plan.at, plan.zone)}; nothing was sent.")

    async def _as_recorded(self, run: Run) -> Run:
        run.plan = await self._plans.find(run.plan.id) or run.plan
        run.actions = dict(await self._plans.actions_of(run.plan.id))
        return run

    def _title(self, step: Step, operation: Operation[Any], place: StepPlace) -> str:
        """Say what the action of a step does, on which account, and which step it is."""
        account = self._accounts.require(step.provider, step.account)
        which = f"{self._accounts.suffix(account)} ({place})"
        return escape_invisible(operation.describe())[: MOST_TITLE - len(which)] + which

    def _refuse(self, plan: Plan) -> NoReturn:
        if plan.state is PlanState.PROPOSED:
            raise NotTheSameCall(f"{status_line(plan)} A person has to approve it first.")
        self._approvals.refuse(plan)


def _may_be_prepared(plan: Plan, step: Step, parser: CallParser) -> bool:
    """Return True if an earlier step, left out or not, was to make possible what was not when the plan was proposed."""
    calls = [PlacedCall(parser.find(one.operation), one.account) for one in plan.steps if one.position < step.position]
    return may_be_prepared(PlacedCall(parser.find(step.operation), step.account), calls)


def _require_unchanged(plan: Plan) -> None:
    """Refuse a plan whose steps on the record are not those that were approved."""
    found = digest_of_plan(plan.chosen, Terms.of(plan), plan.chosen_undo)
    if found != plan.digest:
        raise NotTheSameCall(f"The steps of {plan.id} on record are not those that were approved; nothing was sent.")
