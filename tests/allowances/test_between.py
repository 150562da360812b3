"""What happens between the yes of an allowance and the request: a revocation, another price, another rule."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from guard.action import Principal, State
from guard.allowances.allowance import Allowance, CountLimit, MoneyLimit, Terms
from guard.allowances.conditions import Condition, Relation
from guard.approvals import BY_POLICY
from guard.dependencies import GuardDependencies
from guard.errors import AllowanceGone, GuardRefusal
from guard.money import Money
from guard.pipeline import Guard
from guard.rules.policy import Decision, Policy
from guard.rules.rules import Rules
from server.store.store import Store, open_store
from tests.clocks import StoppedClock
from tests.guard.fake_provider import Buy, Depot, DepotCatalog, Fate

ANN = Principal("local:ann")
LAMP = Buy(item="lamp")


@dataclass
class Site:
    """A guard over a store and a provider that does as it is told."""

    store: Store
    depot: Depot
    clock: StoppedClock
    dependencies: GuardDependencies
    allowance: Allowance

    @property
    def guard(self) -> Guard:
        """The guard under the rules of now."""
        return Guard(self.dependencies)

    async def revoke(self) -> None:
        """Revoke the allowance."""
        await self.store.allowances.revoke(self.allowance.id, by="the operator", at=self.clock.moment)

    async def used(self) -> tuple[int, Decimal]:
        """Return what the allowance counts: calls and money."""
        usage = (await self.store.allowances.usage([self.allowance], self.clock.moment))[self.allowance.id]
        return usage.count, usage.money.amount if usage.money else Decimal(0)


@asynccontextmanager
async def site(folder: Path) -> AsyncGenerator[Site]:
    clock = StoppedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    store = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)

    async def arrives(action_id: str) -> None:
        action = await store.journal.find(action_id)
        assert action is not None
        assert action.decided_by not in {None, BY_POLICY}

    depot = Depot(arrives)
    dependencies = GuardDependencies(
        journal=store.journal,
        vault=store.vault,
        tracker=store.events,
        optouts=store.optouts,
        taint=store.taint,
        allowances=store.allowances,
        accounts={"depot": depot},
        prices={},
        catalog=DepotCatalog(),
        clock=clock,
    )
    terms = Terms(
        operation=Buy.spec.tool_name,
        principal=ANN.name,
        conditions=(Condition("item", Relation.ANY),),
        count=CountLimit(2, "day"),
        money=MoneyLimit(Money(Decimal(5)), "day"),
        until=clock.moment + timedelta(days=2),
    )
    try:
        allowance = await store.allowances.add(terms, by="the operator", at=clock.moment)
        yield Site(store, depot, clock, dependencies, allowance)
    finally:
        await store.database.close()


async def test_a_call_is_not_sent_under_an_allowance_that_was_revoked_after_the_yes(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        action = await here.guard.propose(LAMP, ANN)
        assert (action.state, action.decided_by) == (State.APPROVED, f"allowance {here.allowance.id}")
        await here.revoke()
        with pytest.raises(AllowanceGone):
            await here.guard.execute(action, LAMP)
        assert here.depot.writes == []
        assert await here.used() == (0, Decimal(0))
        assert (await here.guard.propose(LAMP, ANN)).state is State.PROPOSED


async def test_it_is_not_sent_either_where_the_revocation_comes_after_the_last_check(tmp_path: Path) -> None:
    """The transaction that writes the intent looks once more: nothing lies between it and the request."""
    async with site(tmp_path) as here:
        action = await here.guard.propose(LAMP, ANN)
        begin = here.store.journal.begin

        class RevokedAtTheLastMoment:
            def __getattr__(self, name: str) -> Any:
                return getattr(here.store.journal, name)

            async def begin(self, *given: Any, **more: Any) -> Any:
                await here.revoke()
                return await begin(*given, **more)

        late: Any = RevokedAtTheLastMoment()
        with pytest.raises(AllowanceGone, match="was revoked or is over; nothing was sent"):
            await Guard(replace(here.dependencies, journal=late)).execute(action, LAMP)
        assert here.depot.writes == []
        assert await here.used() == (0, Decimal(0))


@pytest.mark.parametrize(
    "rules",
    [
        Rules(policy=Policy(by_operation={Buy.spec.tool_name: Decision.DENY})),
        Rules(policy=Policy(tightened_to={"paid": Decision.PAGE})),
    ],
    ids=["denied", "tightened"],
)
async def test_rules_that_became_stricter_after_the_yes_count(tmp_path: Path, rules: Rules) -> None:
    async with site(tmp_path) as here:
        action = await here.guard.propose(LAMP, ANN)
        stricter = Guard(replace(here.dependencies, rules=rules))
        with pytest.raises(GuardRefusal):
            await stricter.execute(action, LAMP)
        assert here.depot.writes == []


@pytest.mark.parametrize(
    ("fate", "counted"),
    [("answered", 1), ("refused", 0), ("lost before", 1), ("lost after", 1)],
)
async def test_only_a_call_that_was_certainly_not_made_is_given_back(tmp_path: Path, fate: Fate, counted: int) -> None:
    async with site(tmp_path) as here:
        here.depot.fate = fate
        await here.guard.execute(await here.guard.propose(LAMP, ANN), LAMP)
        assert await here.used() == (counted, Decimal(counted))


async def test_a_lost_call_that_turns_out_not_to_have_been_made_is_given_back(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.depot.fate = "lost before"
        receipt = await here.guard.execute(await here.guard.propose(LAMP, ANN), LAMP)
        assert receipt.action.state is State.UNKNOWN
        here.clock.moment += timedelta(minutes=5)
        assert (await here.guard.refresh(receipt.action)).state is State.REFUSED
        assert await here.used() == (0, Decimal(0))


async def test_an_approval_that_nobody_used_is_given_back_and_a_new_day_counts_anew(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.guard.propose(LAMP, ANN)
        assert await here.used() == (1, Decimal(1))
        here.clock.moment += timedelta(minutes=20)
        action = await here.guard.propose(LAMP, ANN)
        assert await here.used() == (1, Decimal(1)), "the first approval expired"
        await here.guard.execute(action, LAMP)
        assert (await here.guard.propose(Buy(item="desk"), ANN)).state is State.APPROVED
        assert (await here.guard.propose(Buy(item="rug"), ANN)).state is State.PROPOSED
        here.clock.moment += timedelta(days=1)
        assert (await here.guard.propose(Buy(item="rug"), ANN)).state is State.APPROVED
