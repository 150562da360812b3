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
from guard.action import Principal, arguments_of, digest_of
from guard.allowances.allowance import Cover
from guard.approvals import BY_POLICY
from guard.dependencies import GuardDependencies
from guard.errors import Frozen, GuardRefusal, JournalUnavailable, NotTheSameCall, OverBudget
from guard.pipeline import Draft, Guard
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
    digest_of_calls,
    digest_of_plan,
    new_plan_id,
    totals_of,
)
from guard.plans.question import fits_form
from guard.plans.read_sharing import ReadSharing
from guard.plans.references import references_in
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
    notes: tuple[str, ...] = ()
    """What else a person should know, said by this server, never by the asking side."""


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """Every step of a plan, looked up and checked by itself and together with the others."""

    calls: Sequence["CheckedCall"]
    together: Assessment
    """What only all steps together make: a circle of forwards, say."""


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """A step that was looked up and checked."""

    call: StepCall
    operation: Operation[Any]
    account: str
    draft: Draft


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


class PlanProposer:
    """Proposes plans."""

    def __init__(
        self, dependencies: GuardDependencies, plans: PlanJournal, sharing: ReadSharing, *, lifetime: timedelta
    ) -> None:
        """`lifetime` is how long after its proposal the steps of a plan may be sent."""
        self._accounts = dependencies.configured
        self._journal = dependencies.journal
        self._rules = dependencies.rules
        self._clock = dependencies.clock
        self._approval_lifetime = dependencies.approval_lifetime
        self._plans = plans
        self._sharing = sharing
        self._lifetime = lifetime
        self._approvals = PlanApprovals(plans, dependencies.clock, dependencies.rules.caps)

    async def propose(self, request: PlanRequest, principal: Principal, parser: CallParser) -> Plan:
        """Return the open plan of these calls, or a new one that waits for an answer.

        Raises:
            BadPlan: A step has a fault; the error names all of them, and nothing is stored.
            OverBudget: All steps together are too expensive.
            Frozen, JournalUnavailable: No plan may be proposed now.
        """
        try:
            parsed = parse_steps(expand(request.steps), parser)
            found = await self._find_open(parsed, request, principal)
            if found is not None and found.state is not PlanState.PROPOSED:
                return found
            await self._require_not_open_elsewhere(parsed, principal, found)
            checked = await self._check(parsed, principal)
            plan, verdict = await self._compose(request, checked, principal)
        except GuardRefusal as refusal:
            await self._note_refusal(request, principal, refusal)
            raise
        if found is not None:
            if (found.digest, found.channel, found.notes) == (plan.digest, plan.channel, plan.notes):
                return await self._approve_by_allowances(found, verdict)
            await self._plans.move(
                found.id, {PlanState.PROPOSED}, PlanState.EXPIRED, outcome="Proposed again at other prices or rules."
            )
        proposed = await self._plans.propose(plan)
        if verdict.decision is Decision.ALLOW and proposed.state is PlanState.PROPOSED:
            return await self._approvals.approve(proposed.id, by=BY_POLICY)
        return await self._approve_by_allowances(proposed, verdict)

    async def _approve_by_allowances(self, plan: Plan, verdict: "Verdict") -> Plan:
        """Approve a plan that waits if allowances cover every step that needs somebody's approval."""
        if not verdict.covers or plan.state is not PlanState.PROPOSED:
            return plan
        return await self._approvals.approve_by_allowances(plan, verdict.covers)

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
        checked, refused = await self._check_each(parsed, principal)
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
        if found is None or found.calls != self._calls(parsed, request, principal):
            raise NotTheSameCall("This answer belongs to another plan; nothing was sent.")
        return await self._approvals.expire_if_due(found)

    def _calls(self, parsed: Sequence[ParsedCall], request: PlanRequest, principal: Principal) -> str:
        steps = [self._step(one.call, one.operation, one.account, principal) for one in parsed]
        return digest_of_calls(steps, principal=principal.name, on_failure=request.on_failure)

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

    async def _find_open(self, parsed: Sequence[ParsedCall], request: PlanRequest, principal: Principal) -> Plan | None:
        found = await self._plans.find_open(self._calls(parsed, request, principal))
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
            if found is None or place.plan_id != found.id
        ]
        if faults:
            raise BadPlan(faults)

    async def _check(self, parsed: Sequence[ParsedCall], principal: Principal) -> CheckedSteps:
        """Look up and check every step.

        Raises:
            BadPlan: Some may not be made.
        """
        checked, faults = await self._check_each(parsed, principal)
        if faults:
            raise BadPlan(faults)
        return checked

    async def _check_each(self, parsed: Sequence[ParsedCall], principal: Principal) -> tuple[CheckedSteps, list[Fault]]:
        """Look up and check every step; each read that several of them need is made once.

        Return those that may be made, and what is wrong with others. All are judged together where nothing is wrong.
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
            async with anyio.create_task_group() as group:
                for one in parsed:
                    group.start_soon(check, Guard(dependencies), one)
            if refused_as_a_whole:
                raise refused_as_a_whole[0]
            calls = [checked[position] for position in sorted(checked.keys() - faults.keys())]
            found = [faults[position] for position in sorted(faults)]
            forwarding = Forwarding(dependencies.own_numbers)
            together = Assessment(Decision.ALLOW) if found else await _check_together(calls, forwarding)
            return CheckedSteps(calls, together), found

    async def _compose(self, request: PlanRequest, checked: CheckedSteps, principal: Principal) -> tuple[Plan, Verdict]:
        """Return the plan to record and the verdict on it: that on its strictest step, or a stricter one."""
        steps = [self._priced_step(one, principal) for one in checked.calls]
        totals = totals_of(steps)
        require_room_for_all(await self._journal.spent(self._rules.caps, self._clock.now()), totals)
        verdict = self._decide(checked, steps)
        now = self._clock.now()
        plan = Plan(
            id=new_plan_id(),
            title=request.title,
            reason=request.reason,
            principal=principal.name,
            channel="page" if verdict.decision is Decision.PAGE else "ask",
            on_failure=request.on_failure,
            steps=tuple(steps),
            calls=digest_of_calls(steps, principal=principal.name, on_failure=request.on_failure),
            digest=digest_of_plan(steps, principal=principal.name, on_failure=request.on_failure),
            people=verdict.people,
            seconds=seconds_for(one.operation.spec for one in checked.calls),
            notes=(*request.notes, *verdict.notes),
            state=PlanState.PROPOSED,
            created_at=now,
            expires_at=now + self._approval_lifetime,
            runs_until=now + self._lifetime,
        )
        if timedelta(seconds=plan.seconds) > self._lifetime - self._approval_lifetime:
            hours = self._lifetime.total_seconds() / 3600
            raise BadPlan([Fault("", f"Its steps take longer than the {hours:g} hours that a plan has: make several.")])
        return plan, verdict

    def _priced_step(self, one: CheckedCall, principal: Principal) -> Step:
        action = one.draft.action
        step = self._step(one.call, one.operation, one.account, principal)
        return replace(step, quote=action.quote, before=action.before)

    def _decide(self, checked: CheckedSteps, steps: Sequence[Step]) -> Verdict:
        """Decide about all steps: as about the strictest, or stricter because of what they do together."""
        by_steps = max(one.draft.decision for one in checked.calls)
        demanded, notes = checked.together.decision, list(checked.together.notes)
        if any(references_in(step.given) for step in steps):
            demanded = max(demanded, Decision.ASK)  # what such a step changes is not known yet
        people = _people(checked.calls)
        limit = self._rules.compliance.bulk_limit
        if (
            people is not None
            and people > limit
            and any(not one.operation.spec.effect.is_plain_read for one in checked.calls)
        ):
            demanded = max(demanded, Decision.PAGE)
            notes.append(f"This touches {people} numbers or recipients in all.")
        if twice := _repeated(steps):
            demanded = max(demanded, Decision.ASK)
            notes.append(f"{twice} Approving it does it as often as that.")
        decision = max(by_steps, demanded)
        if decision is Decision.ASK and not fits_form(steps):
            decision = Decision.PAGE
        covers = _covers(checked.calls) if demanded is Decision.ALLOW else {}
        return Verdict(decision, tuple(notes), people, covers)

    async def _note_refusal(self, request: PlanRequest, principal: Principal, refusal: GuardRefusal) -> None:
        """Put on the audit that a plan was refused."""
        if isinstance(refusal, JournalUnavailable):
            return
        detail = {"plan": request.title, "steps": len(request.steps), "why": str(refusal)}
        await self._journal.note("denied", action_id=None, principal=principal.name, detail=detail)


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
