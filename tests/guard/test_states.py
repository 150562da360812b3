"""Whatever happens to an action, in whatever order: one charge an approval, within the caps, on a whole record.

Rules act on the real store, through guards that come and go as processes do, against a stub of a provider.
"""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from clients.operation import Operation
from guard.action import Action, Principal, State
from guard.dependencies import GuardDependencies
from guard.errors import GuardRefusal
from guard.journal import Journal
from guard.money import Money
from guard.pipeline import Guard
from guard.reconcile import LOST_AFTER
from guard.rules.budget import Cap, Window
from guard.rules.rules import Rules
from guard.undo import UndoPlanner
from server.store.schema import holds
from server.store.store import Store, open_store
from tests.clocks import StoppedClock
from tests.guard.fake_provider import OPERATIONS, PRICE, Buy, Depot, DepotCatalog, Fate, Killed

T = TypeVar("T")

ITEMS = ("lamp", "desk", "chair")
WINDOWS = st.sampled_from(["day", "month"])
LIMITS = st.sampled_from(["1", "2", "5", "8", "20"])
PLACES = st.integers(0, 3)
MEANWHILE = ("nothing", "freeze", "wait", "cap", "restart")
WHO = st.sampled_from([Principal("local:ann"), Principal("token:bob")])
FATES = st.sampled_from(["answered", "answered", "answered", *Fate.__args__])  # type: ignore[attr-defined]

FORWARD: dict[State | None, set[State]] = {
    None: {State.PROPOSED},
    State.PROPOSED: {State.APPROVED, State.DECLINED, State.EXPIRED},
    State.APPROVED: {State.SENDING, State.EXPIRED},
    State.SENDING: {State.DONE, State.REFUSED, State.UNKNOWN},
    State.UNKNOWN: {State.DONE, State.REFUSED},
}
"""Where each state may lead. The others are the end."""


class Mortal:
    """A process's way to the store, which ends with the process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.is_dead = False

    def __getattr__(self, name: str) -> Any:
        if self.is_dead:
            raise Killed
        return getattr(self._journal, name)


class Lifetimes(RuleBasedStateMachine):
    """Actions and everything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self._portal_context = start_blocking_portal()
        self._portal: BlockingPortal = self._portal_context.__enter__()
        self._folder = tempfile.TemporaryDirectory(prefix="ringfence-states-")
        self._clock = StoppedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        self._caps: tuple[Cap, ...] = ()
        self._approved: list[Action] = []
        self._record: Store
        self._guard: Guard
        self._mortal: Mortal

    @initialize(window=WINDOWS, limit=LIMITS)
    def start(self, window: Window, limit: str) -> None:
        """Create a new store and a first process."""
        folder = Path(self._folder.name)
        self._record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
        self._depot = Depot(self._write_arrives)
        self.set_cap(window, limit)

    @rule(item=st.sampled_from(ITEMS), who=WHO, fate=FATES)
    def call(self, item: str, who: Principal, fate: Fate) -> None:
        """Make a call, which is carried out if somebody said yes."""
        self._depot.fate = fate
        self._try(lambda: self._make(Buy(item=item), who))

    @rule(place=PLACES, fate=FATES, times=st.sampled_from([1, 2]))
    def send(self, place: int, fate: Fate, times: int) -> None:
        """Carry out an action in whatever state it is, also from two sides at once: only a yes lets it through."""
        self._depot.fate = fate
        self._with(place, lambda action: self._send_at_once([action] * times))

    @rule(who=WHO, meanwhile=st.sampled_from(MEANWHILE), fate=FATES)
    def approve_everything_and_send_it_at_once(self, who: Principal, meanwhile: str, fate: Fate) -> None:
        """Approve every action that can be, let something else happen, and send them all side by side."""
        self._depot.fate = fate

        async def agree() -> None:
            for item in ITEMS:
                with suppress(GuardRefusal):
                    action = await self._guard.propose(Buy(item=item), who)
                    self._approved.append(await self._guard.approve(action.id, by="the operator"))

        self._try(agree)
        match meanwhile:
            case "freeze":
                self.freeze(True)
            case "wait":
                self.wait(16)
            case "cap":
                self.set_cap("day", "2")
            case "restart":
                self.restart()
            case _:
                pass
        self._try(lambda: self._send_at_once(self._approved[-len(ITEMS) :]))

    @rule(place=PLACES, answer=st.sampled_from(["yes", "no", "it was done", "it was refused"]))
    def answer(self, place: int, answer: str) -> None:
        """Approve or decline an action, or close its unknown outcome, in whatever state it is."""
        journal = self._record.journal

        async def given(action: Action) -> None:
            match answer:
                case "yes":
                    await self._guard.approve(action.id, by="the person at the client")
                case "no":
                    await self._guard.decline(action.id, by="the operator")
                case "it was done":
                    await journal.move(action.id, {State.UNKNOWN}, State.DONE)
                case _:
                    await journal.move(action.id, {State.UNKNOWN}, State.REFUSED)

        self._with(place, given)

    @rule(minutes=st.sampled_from([1, 6, 16, 24 * 60]))
    def wait(self, minutes: int) -> None:
        """Let time pass: questions grow old, days end."""
        self._clock.moment += timedelta(minutes=minutes)

    @rule()
    def restart(self) -> None:
        """Start another process, which looks after what the one before left behind."""
        self._clock.moment += LOST_AFTER + timedelta(seconds=1)
        self._restart()
        self._try(self._guard.reconciler.run)

    @rule(place=PLACES, fate=FATES)
    def undo(self, place: int, fate: Fate) -> None:
        """Take an action back: a call like any other."""
        self._depot.fate = fate

        async def take_back(action: Action) -> None:
            _, plan = await UndoPlanner(self._dependencies(self._record.journal)).plan(
                action.id, principal=action.principal
            )
            if plan.operation is not None:
                await self._make(plan.operation, Principal(action.principal))

        self._with(place, take_back)

    @rule(is_frozen=st.sampled_from([False, False, False, True]))
    def freeze(self, is_frozen: bool) -> None:
        """Freeze every guarded action, or resume."""
        switch = self._record.freeze
        self._run(lambda: switch.freeze("the operator") if is_frozen else switch.unfreeze("the operator"))

    @rule(window=WINDOWS, limit=LIMITS)
    def set_cap(self, window: Window, limit: str) -> None:
        """Another cap, as after a change of the settings."""
        self._caps = (Cap("action", Money(PRICE)), Cap(window, Money(Decimal(limit))))
        self._restart()

    @invariant()
    def everything_agrees(self) -> None:
        """Check that the audit is whole, steps go forward, charges have approvals of their own, and holds are right."""
        self._run(self._agree)

    def teardown(self) -> None:
        """Close what was opened."""
        with suppress(AttributeError):
            self._run(self._record.database.close)
        self._portal_context.__exit__(None, None, None)
        self._folder.cleanup()

    async def _agree(self) -> None:
        found = await self._record.journal.latest(1000)
        _assert_forward_only(found, await self._rows())
        verdict = await self._record.audit.verify()
        assert verdict.is_whole, verdict.what
        assert len(set(self._depot.charged)) == len(self._depot.charged)
        assert len(set(self._depot.writes)) == len(self._depot.writes)
        sent = [action for action in found if action.state in {State.SENDING, State.UNKNOWN, State.DONE}]
        assert await self._held() == {action.id for action in sent if action.operation == Buy.spec.tool_name}

    async def _write_arrives(self, action_id: str) -> None:
        """Assert what must hold when a request reaches the provider."""
        action = await self._record.journal.find(action_id)
        assert action is not None
        assert action.state is State.SENDING
        assert action.decided_by is not None
        assert action.expires_at > self._clock.moment
        assert not await self._record.journal.is_frozen(), "it was sent while frozen"
        events = [row["event"] for row in await self._rows() if row["action_id"] == action_id]
        assert events == ["proposed", "approved", "sending"]
        for spent in await self._record.journal.spent(self._caps, self._clock.moment):
            of_this = PRICE if action.operation == Buy.spec.tool_name else Decimal(0)
            total = of_this if spent.cap.window == "action" else spent.amount
            assert not of_this or total <= spent.cap.limit.amount, spent.cap.words
        if self._depot.fate.startswith("killed"):
            self._mortal.is_dead = True

    async def _make(self, operation: Operation[Any], who: Principal) -> None:
        action = await self._guard.propose(operation, who)
        if action.state is State.APPROVED:
            await self._guard.execute(action, operation)

    async def _send_at_once(self, actions: Sequence[Action]) -> None:
        async def execute(action: Action) -> None:
            operation = OPERATIONS[action.operation].model_validate(dict(action.arguments))
            with suppress(GuardRefusal, Killed):
                await self._guard.execute(action, operation)

        async with anyio.create_task_group() as group:
            for action in actions:
                group.start_soon(execute, action)

    async def _rows(self) -> list[Any]:
        return [row async for row in self._record.audit.rows()]

    async def _actions(self) -> list[Action]:
        return await self._record.journal.latest(1000)

    async def _held(self) -> set[str]:
        held = await self._record.database.fetch(select(holds.c.action_id).where(holds.c.state != "released"))
        return {row["action_id"] for row in held}

    def _with(self, place: int, answer: Callable[[Action], Awaitable[object]]) -> None:
        """Do something with one of the latest actions, if there are as many."""
        found = self._run(self._actions)
        if place < len(found):
            self._try(lambda: answer(found[place]))

    def _try(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do what the guard may refuse, and what may end the process; another one takes its place then."""

        async def quietly() -> None:
            with suppress(GuardRefusal, Killed):
                await work()

        self._run(quietly)
        if self._mortal.is_dead:
            self._restart()

    def _restart(self) -> None:
        self._mortal = Mortal(self._record.journal)
        self._guard = Guard(self._dependencies(cast("Journal", self._mortal)))

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


def _assert_forward_only(found: list[Action], rows: list[Any]) -> None:
    """Every line of the audit is one step of one action, along the way that states may go."""
    steps: dict[str, list[State]] = {}
    for row in rows:
        if row["action_id"] is not None:
            steps.setdefault(row["action_id"], []).append(State(row["event"]))
    assert steps.keys() == {action.id for action in found}
    for action in found:
        told = steps[action.id]
        assert all(after in FORWARD.get(before, set()) for before, after in zip([None, *told], told, strict=False))
        assert told[-1] is action.state


TestLifetimes = Lifetimes.TestCase
TestLifetimes.settings = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=14,
    stateful_step_count=25,
    phases=[Phase.generate],  # shrinking takes minutes; the steps that failed are printed as they are
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
