"""Proposes a plan: every step is parsed, ruled on, priced and checked, and recorded only if all of them are good.

expand → parse → rules, price, state before (reads shared) → rules over all steps → record
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import anyio

from clients.errors import TelephonyError
from clients.operation import Operation
from clients.phone_numbers import canonical
from clients.telemetry.spans import traced
from guard.action import Principal, arguments_of, digest_of
from guard.allowances.allowance import Cover
from guard.approvals import BY_POLICY
from guard.dependencies import GuardDependencies
from guard.errors import Frozen, GuardRefusal, JournalUnavailable, NotTheSameCall, OverBudget
from guard.injection.reasons import LONGEST_OF_ASSISTANT, clean_reason
from guard.operators.judge import ApprovalJudge
from guard.pipeline import Guard
from guard.plans.approvals import PlanApprovals
from guard.plans.expansion import StepCall, StepTemplate, expand
from guard.plans.faults import BadPlan, Fault
from guard.plans.journal import PlanJournal
from guard.plans.order import PlacedCall, may_be_prepared
from guard.plans.pacing import seconds_for
from guard.plans.parsing import CallParser, ParsedCall, parse_steps
from guard.plans.plan import (
    OnFailure,
    Plan,
    PlanState,
    Step,
    Terms,
    digest_of_calls,
    digest_of_plan,
    new_plan_id,
    totals_of,
)
from guard.plans.read_sharing import ReadSharing
from guard.plans.timed.schedule import Schedule, Timetable
from guard.plans.timed.undo import CheckedCall, PlannedUndo, UndoCall, plan_undo, undo_plan_of
from guard.plans.verdict import decide_together
from guard.rules.budget import require_room_for_all
from guard.rules.checks import Assessment
from guard.rules.forwarding import Forwarding
from guard.rules.policy import Decision
from guard.rules.quote import Quote

CHECKED_AT_ONCE: Final = 8
"""How many steps are looked up side by side; a provider's own price of each text takes a read of its own."""

_NO_BOUND: Final = (
    "Its price is unknown and a cap applies, so its approval has to name the most that it may cost: make this call by "
    "itself."
)

_AS_A_WHOLE: Final = (Frozen, JournalUnavailable)
"""Refusals that are the same for every step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A plan as it is proposed."""

    title: str
    reason: str = ""
    steps: Sequence[StepTemplate]
    on_failure: OnFailure = "stop"
    at: str | None = None
    """When it is to run, as whoever proposes it writes it."""

    until: str | None = None
    """When it is to be undone."""

    notes: tuple[str, ...] = ()
    """What else a person should know, said by this server, never by the asking side."""


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """Every step of a plan, looked up and checked by itself and together with the others."""

    calls: Sequence[CheckedCall]
    together: Assessment
    """What only all steps together make: a circle of forwards, say."""


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """What the check of a plan finds, before anything of it is recorded."""

    steps: Sequence[Step]
    """The steps that may be made, priced."""

    faults: Sequence[Fault]
    """What is wrong with others, or with all of them together."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about all steps together."""

    decision: Decision
    notes: tuple[str, ...]
    people: int | None
    """How many people they reach; None where that is not known."""

    covers: Mapping[int, Cover]
    """The allowances for each step that needs approval, by its position; empty where they do not cover all of them."""

    approvers_needed: int = 1
    """How many different operators have to approve it."""


class PlanProposer:
    """Proposes plans."""

    def __init__(
        self,
        dependencies: GuardDependencies,
        plans: PlanJournal,
        sharing: ReadSharing,
        *,
        lifetime: timedelta,
        timetable: Timetable | None = None,
        run_by_server: bool = False,
    ) -> None:
        """`lifetime` is how long after its proposal, or after the time that it runs at, its steps may be sent.

        With `run_by_server` the server carries out what needs no approval as well.
        """
        self._accounts = dependencies.configured
        self._journal = dependencies.journal
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approval_lifetime = dependencies.approval_lifetime
        self._plans = plans
        self._sharing = sharing
        self._lifetime = lifetime
        self._timetable = timetable or Timetable()
        self._run_by_server = run_by_server
        self._judge = ApprovalJudge(dependencies.rules.approvers, dependencies.catalog)
        self._approvals = PlanApprovals(plans, dependencies.clock, dependencies.rules, dependencies.catalog)

    @traced("plan: propose")
    async def propose(self, request: PlanRequest, principal: Principal, parser: CallParser) -> Plan:
        """Return the open plan of these calls, or a new one that waits for an answer.

        Raises:
            BadPlan: A step has a fault; the error names all of them, and nothing is stored.
            OverBudget: All steps together are too expensive.
            Frozen, JournalUnavailable: No plan may be proposed now.
        """
        try:
            parsed = parse_steps(expand(request.steps), parser)
            schedule = self._timetable.read(request.at, request.until, self._clock.now())
            terms = _terms(request, schedule, principal)
            found = await self._find_open(parsed, terms, principal)
            if found is not None and found.state is not PlanState.PROPOSED:
                return found
            await self._require_not_open_elsewhere(parsed, principal, found)
            checked, undo = await self._check(parsed, principal, schedule)
            await self._require_undo_not_open(undo, principal, found)
            plan, verdict = await self._compose(request, checked, undo, terms)
        except GuardRefusal as refusal:
            await self._note_refusal(request, principal, refusal)
            raise
        if found is not None:
            if (found.digest, found.channel, found.notes) == (plan.digest, plan.channel, plan.notes):
                return await self._approve_by_allowances(found, verdict)
            await self._plans.move(
                found.id, {PlanState.PROPOSED}, PlanState.EXPIRED, outcome="Proposed again at other prices or rules."
            )
        proposed = await self._plans.propose(plan, undo_plan_of(plan, self._lifetime) if plan.undo else None)
        if verdict.decision is Decision.ALLOW and proposed.state is PlanState.PROPOSED:
            return await self._approvals.approve(proposed.id, by=BY_POLICY, run_by_server=self._run_by_server)
        return await self._approve_by_allowances(proposed, verdict)

    async def _approve_by_allowances(self, plan: Plan, verdict: "Verdict") -> Plan:
        """Approve a plan that waits if allowances cover every step that needs somebody's approval."""
        if not verdict.covers or plan.state is not PlanState.PROPOSED:
            return plan
        return await self._approvals.approve_by_allowances(plan, verdict.covers, run_by_server=self._run_by_server)

    @traced("plan: preview")
    async def preview(self, request: PlanRequest, principal: Principal, parser: CallParser) -> PlanPreview:
        """Parse, price and check every step as `propose` does, record nothing, and leave out the steps with faults.

        Raises:
            BadPlan: The steps cannot be expanded.
            Frozen, JournalUnavailable: No plan may be proposed now.
        """
        parsed: list[ParsedCall] = []
        faults: list[Fault] = []
        for call in expand(request.steps):
            try:
                parsed += parse_steps([call], parser)
            except BadPlan as bad:
                faults += bad.faults
        checked, _, refused = await self._check_each(parsed, principal, Schedule())
        steps = [self._priced_step(one, principal) for one in checked.calls]
        try:
            require_room_for_all(await self._journal.spent(self._rules.caps, self._clock.now()), totals_of(steps))
        except OverBudget as over:
            refused.append(Fault("", str(over)))
        return PlanPreview(steps, [*faults, *refused])

    async def resume(self, plan_id: str, request: PlanRequest, principal: Principal, parser: CallParser) -> Plan:
        """Return the plan that an answer claims to belong to.

        Raises:
            NotTheSameCall: The steps are not those in the question, or somebody else asked.
        """
        found = await self._plans.find(plan_id)
        parsed = parse_steps(expand(request.steps), parser)
        terms = _terms(request, self._timetable.read(request.at, request.until, self._clock.now()), principal)
        if found is None or found.calls != self._calls(parsed, terms, principal):
            raise NotTheSameCall("This answer belongs to another plan; nothing was sent.")
        return await self._approvals.expire_if_due(found)

    def _calls(self, parsed: Sequence[ParsedCall], terms: Terms, principal: Principal) -> str:
        steps = [self._step(one.call, one.operation, one.account, principal) for one in parsed]
        return digest_of_calls(steps, terms)

    def _step(self, call: StepCall, operation: Operation[Any], account: str, principal: Principal) -> Step:
        """Return the step of a call, before it was looked up."""
        provider = operation.spec.provider
        chosen = self._accounts.select(provider.name, account)
        return Step(
            position=call.position,
            label=call.label,
            provider=provider.name,
            account=chosen.identity,
            account_name=chosen.name,
            operation=operation.spec.tool_name,
            title=self._accounts.with_account(f"{operation.spec.title} at {provider.title}", chosen),
            given=call.arguments,
            arguments=arguments_of(operation),
            digest=digest_of(operation, account=chosen.identity, principal=principal),
            quote=Quote(),
        )

    async def _find_open(self, parsed: Sequence[ParsedCall], terms: Terms, principal: Principal) -> Plan | None:
        found = await self._plans.find_open(self._calls(parsed, terms, principal))
        current = await self._approvals.expire_if_due(found) if found else None
        return current if current is not None and current.state.is_open else None

    async def _require_not_open_elsewhere(
        self, parsed: Sequence[ParsedCall], principal: Principal, found: Plan | None
    ) -> None:
        """Refuse calls that are steps of another open plan: both together would make them twice.

        Raises:
            BadPlan: There are some.
        """
        digests = {self._step(one.call, one.operation, one.account, principal).digest: one.call for one in parsed}
        open_steps = await self._plans.open_steps(digests)
        faults = [
            Fault(
                digests[digest].place,
                f"Exactly this call is a step of {place.plan_id}, which is open. Leave it out, or ask the user which "
                "of the two plans counts.",
            )
            for digest, place in open_steps.items()
            if found is None or place.plan_id not in {found.id, found.undo_id}
        ]
        if faults:
            raise BadPlan(faults)

    async def _require_undo_not_open(self, undo: PlannedUndo, principal: Principal, found: Plan | None) -> None:
        """Refuse an undo that is a step of another open plan: two plans would change the same thing by turns.

        Raises:
            BadPlan: There is one.
        """
        digests = {self._step(one.call, one.operation, one.account, principal).digest: one for one in undo.calls}
        open_steps = await self._plans.open_steps(digests)
        faults = [
            Fault(
                f"step {digests[digest].undoes}",
                f"Its undo is a step of {place.plan_id}, which is open. Ask the user which of the two plans counts.",
            )
            for digest, place in open_steps.items()
            if found is None or place.plan_id not in {found.id, found.undo_id}
        ]
        if faults:
            raise BadPlan(faults)

    async def _check(
        self, parsed: Sequence[ParsedCall], principal: Principal, schedule: Schedule
    ) -> tuple[CheckedSteps, PlannedUndo]:
        """Look up and check every step, and what undoes it.

        Raises:
            BadPlan: Some may not be made.
        """
        checked, undo, faults = await self._check_each(parsed, principal, schedule)
        if faults:
            raise BadPlan(faults)
        return checked, undo

    async def _check_each(
        self, parsed: Sequence[ParsedCall], principal: Principal, schedule: Schedule
    ) -> tuple[CheckedSteps, PlannedUndo, list[Fault]]:
        """Look up and check every step; each read that several of them need is made once.

        Return those that may be made, what undoes them at its time, and what is wrong with others. All are judged
        together where nothing is wrong.
        """
        checked: dict[int, CheckedCall] = {}
        faults: dict[int, Fault] = {}
        refused_as_a_whole: list[GuardRefusal] = []
        turns = anyio.CapacityLimiter(CHECKED_AT_ONCE)
        placed = {one.call.position: PlacedCall(type(one.operation), one.account) for one in parsed}

        async def check(guard: Guard, one: ParsedCall) -> None:
            async with turns:
                try:
                    prepared = may_be_prepared(placed[one.call.position], _before(placed, one.call.position))
                    draft = await guard.draft(one.operation, principal, account=one.account, may_be_prepared=prepared)
                except _AS_A_WHOLE as refusal:
                    refused_as_a_whole.append(refusal)
                    group.cancel_scope.cancel()
                except (GuardRefusal, TelephonyError) as refused:
                    faults[one.call.position] = Fault(one.call.place, str(refused), type(refused).__name__)
                else:
                    checked[one.call.position] = CheckedCall(one.call, one.operation, one.account, draft)
                    if draft.action.quote.is_unknown and self._rules.needs_bound(
                        draft.action.provider, draft.action.made_on
                    ):
                        faults[one.call.position] = Fault(one.call.place, _NO_BOUND)

        async with self._sharing.open() as dependencies:
            guard = Guard(replace(dependencies, sent_at=schedule.at))
            async with anyio.create_task_group() as group:
                for one in parsed:
                    group.start_soon(check, guard, one)
            if refused_as_a_whole:
                raise refused_as_a_whole[0]
            calls = [checked[position] for position in sorted(checked.keys() - faults.keys())]
            found = [faults[position] for position in sorted(faults)]
            forwarding = Forwarding(dependencies.own_numbers)
            together = Assessment(Decision.ALLOW) if found else await _check_together(calls, forwarding)
            undo = PlannedUndo()
            if schedule.until is not None and not found:
                undo = await plan_undo(calls, Guard(replace(dependencies, sent_at=schedule.until)), principal)
            return CheckedSteps(calls, together), undo, found

    async def _compose(
        self, request: PlanRequest, checked: CheckedSteps, undo: PlannedUndo, terms: Terms
    ) -> tuple[Plan, Verdict]:
        """Return the plan to record and the verdict on it: that on its strictest step, or a stricter one."""
        principal = Principal(terms.principal)
        steps = [self._priced_step(one, principal) for one in checked.calls]
        undo_steps = tuple(self._undo_step(one, principal) for one in undo.calls)
        totals = totals_of([*steps, *undo_steps])
        require_room_for_all(await self._journal.spent(self._rules.caps, self._clock.now()), totals)
        verdict = self._decide(checked, steps, undo, undo_steps)
        now = self._clock.now()
        begins = terms.at or now
        ends = min(begins + self._lifetime, terms.until or begins + self._lifetime)
        plan = Plan(
            id=new_plan_id(),
            title=request.title,
            reason=clean_reason(request.reason, LONGEST_OF_ASSISTANT),
            principal=principal.name,
            channel="page" if verdict.decision is Decision.PAGE else "ask",
            on_failure=request.on_failure,
            steps=tuple(steps),
            calls=digest_of_calls(steps, terms),
            digest=digest_of_plan(steps, terms, undo_steps),
            people=verdict.people,
            seconds=seconds_for(one.operation.spec for one in checked.calls),
            notes=(*request.notes, *verdict.notes),
            state=PlanState.PROPOSED,
            created_at=now,
            expires_at=min(now + self._approval_lifetime, ends if terms.at is None else terms.at),
            runs_until=ends,
            at=terms.at,
            until=terms.until,
            zone=self._timetable.zone,
            undo_id=new_plan_id() if undo_steps else None,
            undo=undo_steps,
            approvers_needed=verdict.approvers_needed,
        )
        room = ends - begins if terms.at else ends - begins - self._approval_lifetime
        if timedelta(seconds=plan.seconds) > room:
            hours = (ends - begins) / timedelta(hours=1)
            raise BadPlan([Fault("", f"Its steps take longer than the {hours:g} hours that a plan has: make several.")])
        return plan, verdict

    def _undo_step(self, one: UndoCall, principal: Principal) -> Step:
        return replace(self._step(one.call, one.operation, one.account, principal), quote=one.quote, undoes=one.undoes)

    def _priced_step(self, one: CheckedCall, principal: Principal) -> Step:
        action = one.draft.action
        step = self._step(one.call, one.operation, one.account, principal)
        return replace(step, quote=action.quote, before=action.before, demanded=action.demanded)

    def _decide(
        self, checked: CheckedSteps, steps: Sequence[Step], undo: PlannedUndo, undo_steps: Sequence[Step]
    ) -> Verdict:
        """Decide about all steps: as about the strictest, or stricter because of what they do together."""
        people = _people(checked.calls)
        found = decide_together(
            steps,
            undo_steps,
            [one.draft.decision for one in checked.calls],
            people=people,
            bulk_limit=self._rules.compliance.bulk_limit,
            only_reads=all(one.operation.spec.effect.is_plain_read for one in checked.calls),
            demand=self._judge.demand_of_steps([*steps, *undo_steps]),
            demanded=max(checked.together.decision, undo.decision),
        )
        covers = _covers(checked.calls) if found.demanded is Decision.ALLOW else {}
        notes = (*checked.together.notes, *found.notes)
        return Verdict(found.decision, notes, people, covers, found.approvers_needed)

    async def _note_refusal(self, request: PlanRequest, principal: Principal, refusal: GuardRefusal) -> None:
        """Put on the audit that a plan was refused."""
        if isinstance(refusal, JournalUnavailable):
            return
        detail = {"plan": request.title, "steps": len(request.steps), "why": str(refusal)}
        detail["refusal"] = type(refusal).__name__
        await self._journal.note("denied", action_id=None, principal=principal.name, detail=detail)


def _terms(request: PlanRequest, schedule: Schedule, principal: Principal) -> Terms:
    return Terms(principal=principal.name, on_failure=request.on_failure, at=schedule.at, until=schedule.until)


def _covers(checked: Sequence[CheckedCall]) -> dict[int, Cover]:
    """Return what covers each step that needs approval; nothing where one of them is not covered."""
    asking = [one for one in checked if one.draft.decision is not Decision.ALLOW]
    covered = {one.call.position: one.draft.cover for one in asking if one.draft.cover.allowances}
    return covered if len(covered) == len(asking) else {}


async def _check_together(calls: Sequence[CheckedCall], forwarding: Forwarding) -> Assessment:
    """Judge what the steps make together; what one step makes by itself is in its own notes."""
    decision, notes = await forwarding.check_together([forward for one in calls for forward in one.draft.forwards])
    said = {note for one in calls for note in one.draft.action.quote.warnings}
    return Assessment(decision, tuple(f"After all steps: {note}" for note in notes if note not in said))


def _before(placed: Mapping[int, PlacedCall], position: int) -> list[PlacedCall]:
    return [call for place, call in placed.items() if place < position]


def _people(checked: Sequence[CheckedCall]) -> int | None:
    """Return how many different numbers, and recipients without one, all steps reach; None where that is not known."""
    numbers: set[str] = set()
    others = 0
    for one in checked:
        reached = one.draft.action.quote.recipients
        if reached is None:
            return None
        named = {canonical(number) or number for number in one.draft.numbers}
        numbers |= named
        others += max(0, reached - len(named))
    return len(numbers) + others
