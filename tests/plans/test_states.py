"""Whatever happens to plans, in whatever order: no step twice, none unapproved, one at a time, on a whole record.

Rules act on the real store, through processes that come and go, against a stub of a provider.
"""

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection, RowMapping, func, select

from clients.operation import OperationType
from guard.action import Principal, State
from guard.dependencies import GuardDependencies
from guard.errors import GuardRefusal
from guard.journal import Journal
from guard.money import Money
from guard.pipeline import Guard
from guard.plans.approvals import PlanApprovals
from guard.plans.expansion import StepTemplate
from guard.plans.journal import PlanJournal
from guard.plans.parsing import AccountCall
from guard.plans.plan import OnFailure, Plan, PlanState
from guard.plans.proposal import PlanProposer, PlanRequest
from guard.plans.run import PlanRunner
from guard.reconcile import LOST_AFTER
from guard.rules.budget import Cap
from guard.rules.quote import PriceSource
from guard.rules.rules import Rules
from server.store.schema import holds, plan_steps, spending
from server.store.store import Store, open_store
from tests.clocks import StoppedClock
from tests.guard.fake_provider import OPERATIONS, PRICE, Buy, Depot, DepotCatalog, Fate, Killed

T = TypeVar("T")

ANN = Principal("local:ann")
ITEMS = ("lamp", "desk", "chair", "rug", "vase")
JOBS = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4)
FATES = st.sampled_from(["answered", "answered", "answered", *Fate.__args__])  # type: ignore[attr-defined]
ON_FAILURE = st.sampled_from(["stop", "continue"])
STRUCK = st.sampled_from([set[int](), set[int](), {1}, {2}, {1, 3}])
MEANWHILE = st.sampled_from(["nothing", "nothing", "freeze", "wait", "cap", "restart", "outside"])
PLACES = st.integers(0, 2)
LIFETIME = timedelta(hours=4)


class Mortal:
    """A process's way to a part of the store, which ends with the process."""

    def __init__(self, part: object, life: "Life") -> None:
        self._part, self._life = part, life

    def __getattr__(self, name: str) -> Any:
        if self._life.is_over:
            raise Killed
        return getattr(self._part, name)


@dataclass
class Life:
    """Whether a process still runs."""

    is_over: bool = False


class DepotCalls:
    """Parses the depot's calls, as a `guard.plans.parsing.CallParser`."""

    def find(self, tool: str) -> OperationType:
        return OPERATIONS[tool]

    def parse(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        references: Collection[str] = frozenset(),
        *,
        account: str | None = None,
    ) -> AccountCall:
        return AccountCall(OPERATIONS[tool].model_validate(dict(arguments)), account or "depot")

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Nobody listens."""


class PlanLifetimes(RuleBasedStateMachine):
    """Plans and everything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self._portal_context = start_blocking_portal()
        self._portal: BlockingPortal = self._portal_context.__enter__()
        self._folder = tempfile.TemporaryDirectory(prefix="ringfence-plans-")
        self._clock = StoppedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        self._caps = (Cap("day", Money(Decimal(20))),)
        self._record: Store

    @initialize()
    def start(self) -> None:
        """Create a new store and a first process."""
        folder = Path(self._folder.name)
        self._record = open_store(f"sqlite+aiosqlite:///{folder / 'ringfence.db'}", folder)
        self._depot = Depot(self._write_arrives)
        self._restart()

    @rule(
        items=JOBS, on_failure=ON_FAILURE, struck=STRUCK, between=MEANWHILE, fate=FATES, times=st.sampled_from([1, 2])
    )
    def job(
        self, items: list[str], on_failure: OnFailure, struck: set[int], between: str, fate: Fate, times: int
    ) -> None:
        """Propose, approve and carry out a job, with something else happening between the yes and the run."""
        self.propose(items, on_failure)
        self.approve(0, struck)
        match between:
            case "freeze":
                self.freeze(True)
            case "wait":
                self.wait(5 * 60)
            case "cap":
                self.set_cap("2")
            case "restart":
                self.restart()
            case "outside":
                self.buy_one_outside(items[0])
            case _:
                pass
        self.run(0, fate, times)
        self.freeze(False)
        self.set_cap("20")
        self.run(0, "answered", 1)

    def propose(self, items: list[str], on_failure: OnFailure) -> None:
        """Propose to buy some items."""
        steps = [StepTemplate(operation=Buy.spec.tool_name, arguments={"item": item}) for item in items]
        request = PlanRequest(title="Furnish", steps=steps, on_failure=on_failure)
        self._try(lambda: self._proposer.propose(request, ANN, DepotCalls()))

    @rule(place=PLACES, struck=STRUCK)
    def approve(self, place: int, struck: set[int]) -> None:
        """Approve a plan, in whatever state it is, without some of its steps."""
        self._with(place, lambda plan: self._approvals.approve(plan.id, by="the operator", struck=struck))

    @rule(place=PLACES)
    def decline(self, place: int) -> None:
        """Decline a plan, in whatever state it is."""
        self._with(place, lambda plan: self._approvals.decline(plan.id, by="the operator"))

    @rule(place=PLACES, fate=FATES, times=st.sampled_from([1, 1, 2]))
    def run(self, place: int, fate: Fate, times: int) -> None:
        """Carry a plan out in whatever state it is, also from two sides at once."""
        self._depot.fate = fate

        async def at_once(plan: Plan) -> None:
            async def once() -> None:
                with suppress(GuardRefusal, Killed):
                    await self._runner.run(plan, DepotCalls(), DepotCalls())

            async with anyio.create_task_group() as group:
                for _ in range(times):
                    group.start_soon(once)

        self._with(place, at_once)

    @rule(item=st.sampled_from(ITEMS))
    def buy_one_outside(self, item: str) -> None:
        """Make a call outside any plan, which the operator approves."""
        self._depot.fate = "answered"

        async def make() -> None:
            action = await self._guard.propose(Buy(item=item), ANN)
            if action.state is State.PROPOSED:
                action = await self._guard.approve(action.id, by="the operator")
            await self._guard.execute(action, Buy(item=item))

        self._try(make)

    @rule(outcome=st.sampled_from([State.DONE, State.REFUSED]), by_looking=st.booleans())
    def settle(self, outcome: State, by_looking: bool) -> None:
        """Settle every unknown outcome: another process looks, or the operator closes it."""
        self.restart() if by_looking else self.resolve(outcome)

    def resolve(self, outcome: State) -> None:
        """Close every unknown outcome."""

        async def close() -> None:
            for action in await self._record.journal.latest(1000, states={State.UNKNOWN}):
                await self._record.journal.move(action.id, {State.UNKNOWN}, outcome)

        self._try(close)

    @rule(minutes=st.sampled_from([1, 16, 5 * 60, 24 * 60]))
    def wait(self, minutes: int) -> None:
        """Let time pass: questions grow old, plans end, days end."""
        self._clock.moment += timedelta(minutes=minutes)

    def freeze(self, is_frozen: bool) -> None:
        """Freeze every guarded action, or resume."""
        switch = self._record.freeze
        self._run(lambda: switch.freeze("the operator") if is_frozen else switch.unfreeze("the operator"))

    def set_cap(self, limit: str) -> None:
        """Another cap, as after a change of the settings."""
        self._caps = (Cap("day", Money(Decimal(limit))),)
        self._restart()

    def restart(self) -> None:
        """Start another process, which looks after what the one before left behind."""
        self._clock.moment += LOST_AFTER + timedelta(seconds=1)
        self._restart()
        self._try(self._guard.reconciler.run)

    @invariant()
    def everything_agrees(self) -> None:
        """Check that the audit is whole, no step was sent twice or unapproved, and the sums are right."""
        if hasattr(self, "_depot"):
            self._run(self._agree)

    def teardown(self) -> None:
        """Close what was opened."""
        with suppress(AttributeError):
            self._run(self._record.database.close)
        self._portal_context.__exit__(None, None, None)
        self._folder.cleanup()

    async def _agree(self) -> None:
        verdict = await self._record.audit.verify()
        assert verdict.is_whole, verdict.what
        assert len(set(self._depot.writes)) == len(self._depot.writes)
        taken: list[str] = []
        for plan in await self._record.plans.latest(1000):
            actions = await self._record.plans.actions_of(plan.id)
            taken += [action.id for action in actions.values()]
            assert all(not plan.steps[position - 1].is_struck for position in actions)
            assert not actions or plan.decided_by == "the operator"
            under_way = [one for one in actions.values() if one.state in {State.SENDING, State.UNKNOWN}]
            assert len(under_way) <= 1, "steps follow one after the other"
            order = [action.id for _, action in sorted(actions.items()) if action.id in self._depot.writes]
            assert order == [one for one in self._depot.writes if one in order]
        assert len(set(taken)) == len(taken)
        await self._require_right_sums()

    async def _require_right_sums(self) -> None:
        """Require that caps count what actions hold or spent, and what is reserved for steps that were not sent."""

        def look(connection: Connection) -> tuple[int, int, Sequence[RowMapping]]:
            counted = select(func.coalesce(func.sum(spending.c.billionths), 0))
            kept = select(func.coalesce(func.sum(holds.c.billionths), 0)).where(holds.c.state != "released")
            reserved = select(plan_steps).where(plan_steps.c.reserved > 0)
            total, held = connection.execute(counted).scalar_one(), connection.execute(kept).scalar_one()
            return total, held, connection.execute(reserved).mappings().all()

        total, held, rows = await self._record.database.read(look)
        assert total == held + sum(row["reserved"] for row in rows)
        open_plans = {plan.id: plan for plan in await self._record.plans.latest(1000) if plan.decided_at is not None}
        for row in rows:
            assert open_plans[row["plan_id"]].state in {PlanState.APPROVED, PlanState.RUNNING, PlanState.STOPPED}
            assert row["action_id"] is None
            assert not row["is_struck"]

    async def _write_arrives(self, action_id: str) -> None:
        """Assert what must hold when a request reaches the provider."""
        action = await self._record.journal.find(action_id)
        assert action is not None
        assert action.state is State.SENDING
        assert action.decided_by == "the operator"
        assert not await self._record.journal.is_frozen(), "it was sent while frozen"
        place = await self._record.plans.place_of(action_id)
        if place is not None:
            plan = await self._record.plans.find(place.plan_id)
            assert plan is not None
            assert plan.state is PlanState.RUNNING
            assert plan.runs_until > self._clock.moment
        for spent in await self._record.journal.spent(self._caps, self._clock.moment):
            assert spent.amount <= spent.cap.limit.amount or spent.cap.limit.amount < PRICE, spent.cap.words
        if self._depot.fate.startswith("killed"):
            self._life.is_over = True

    def _with(self, place: int, work: Callable[[Plan], Awaitable[object]]) -> None:
        found = self._run(lambda: self._record.plans.latest(1000))
        if place < len(found):
            self._try(lambda: work(found[place]))

    def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do what the guard may refuse, and what may end the process; another one takes its place then."""

        async def quietly() -> None:
            with suppress(GuardRefusal, Killed):
                await work()

        self._run(quietly)
        if self._life.is_over:
            self._restart()

    def _restart(self) -> None:
        self._life = Life()
        journal = cast("Journal", Mortal(self._record.journal, self._life))
        plans = cast("PlanJournal", Mortal(self._record.plans, self._life))
        dependencies = self._dependencies(journal)
        self._guard = Guard(dependencies)
        self._proposer = PlanProposer(dependencies, plans, Sharing(dependencies), lifetime=LIFETIME)
        self._approvals = PlanApprovals(plans, self._clock, dependencies.rules, dependencies.catalog)
        self._runner = PlanRunner(self._guard, dependencies, plans, Sharing(dependencies))

    def _dependencies(self, journal: Journal) -> GuardDependencies:
        return GuardDependencies(
            journal=journal,
            vault=self._record.vault,
            tracker=self._record.events,
            optouts=self._record.optouts,
            taint=self._record.taint,
            accounts={"depot": self._depot},
            prices={},
            catalog=DepotCatalog(),
            rules=Rules(caps=self._caps),
            clock=self._clock,
        )

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def guarded() -> T:
            with anyio.fail_after(60):
                return await work()

        return self._portal.call(guarded)


@dataclass(frozen=True)
class Sharing:
    """Shares no reads: the depot's cost nothing."""

    given: GuardDependencies

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[GuardDependencies]:
        yield self.given

    def prices(self) -> Mapping[str, PriceSource]:
        return self.given.prices


TestPlanLifetimes = PlanLifetimes.TestCase
TestPlanLifetimes.settings = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=10,
    stateful_step_count=20,
    phases=[Phase.generate],  # shrinking takes minutes; the steps that failed are printed as they are
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
