"""What plans need of the store. Every move is atomic; the store says no when it cannot write."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from guard.action import Action
from guard.allowances.allowance import Cover
from guard.operators.approval import Approval
from guard.operators.demand import NO_DEMAND, Demand
from guard.plans.plan import Plan, PlanState
from guard.rules.budget import Cap, Hold


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Which step of which plan."""

    plan_id: str
    position: int

    def __str__(self) -> str:
        return f"step {self.position} of {self.plan_id}"


class PlanJournal(Protocol):
    """Plans on the record, with the money reserved for their steps; every change has its row on the audit.

    Every method raises `JournalUnavailable` when the record cannot be read or written.
    """

    async def propose(self, plan: Plan, undo: Plan | None = None) -> Plan:
        """Record a new plan, with the plan that undoes it, or return the one that is open for the same calls."""
        ...

    async def find(self, plan_id: str) -> Plan | None:
        """Return the plan of this id."""
        ...

    async def find_open(self, calls: str) -> Plan | None:
        """Return the plan that is open for these calls."""
        ...

    async def latest(
        self, limit: int, *, states: Collection[PlanState] | None = None, principal: str | None = None
    ) -> list[Plan]:
        """Plans, newest first."""
        ...

    async def open_steps(self, digests: Collection[str]) -> Mapping[str, StepPlace]:
        """Return the steps of open plans that make one of these calls and were not carried out yet, by their digest."""
        ...

    async def place_of(self, action_id: str) -> StepPlace | None:
        """Return the step that an action carried out."""
        ...

    async def actions_of(self, plan_id: str) -> Mapping[int, Action]:
        """Return the last action of each step that has one, by its position."""
        ...

    async def approve(
        self,
        plan_id: str,
        *,
        by: str,
        at: datetime,
        caps: Sequence[Cap],
        struck: Collection[int] = (),
        due_at: datetime | None = None,
        approval: Approval | None = None,
        demand: Demand = NO_DEMAND,
    ) -> Plan | None:
        """Record a yes and reserve what the steps cost, in one transaction. Struck steps are left out for good.

        `due_at` is from when the server carries it out; None where the assistant does. Its undo is approved with it.
        `approval` is an operator's; while others are missing by `demand`, the plan still waits and nothing is reserved.

        None if the plan does not wait for an answer any more, or is too old at that time.

        Raises:
            OverBudget: A cap leaves no room for the total.
            Frozen: The operator stopped everything.
            MayNotApprove: The operator is disabled, or approved it before.
        """
        ...

    async def approvals_of(self, about: str) -> Sequence[Approval]:
        """Return what operators who are still enabled approved of a plan, oldest first."""
        ...

    async def approve_by_allowances(
        self,
        plan: Plan,
        covers: Mapping[int, Cover],
        *,
        at: datetime,
        caps: Sequence[Cap],
        due_at: datetime | None = None,
    ) -> Plan | None:
        """Approve a plan under allowances that cover its steps, and count every step there, in one transaction.

        `covers` are the allowances for each step that needs one, by its position. None as for `approve`.

        Raises:
            AllowanceGone: A step finds no room, so nothing was counted and the plan still waits.
            OverBudget, Frozen: As `approve`.
        """
        ...

    async def move(self, plan_id: str, allowed: Collection[PlanState], to: PlanState, **changes: Any) -> Plan | None:
        """Move a plan from one of the allowed states; None if it is in none of them.

        What is still reserved is released where nothing more will be sent.
        """
        ...

    async def begin_step(
        self,
        place: StepPlace,
        action: Action,
        *,
        same_call: Collection[str],
        hold: Hold,
        caps: Sequence[Cap],
        at: datetime,
    ) -> Action:
        """Take a step's turn, turn what is reserved for it into its hold, and write the intent, in one transaction.

        `same_call` are the digests of calls that are the same as this one.

        Raises:
            NotTheSameCall: The plan is not approved any more, or the step was struck.
            Expired: The time for its steps is over.
            OutcomePending: The step, or another one of this plan, is under way or has an unknown outcome.
            AlreadySettled: Exactly this was done meanwhile by a call outside the plan.
            OverBudget: A cap leaves no room.
            Frozen: The operator stopped everything.
            AllowanceGone: The step was approved under an allowance that was revoked meanwhile, is over or used up.
        """
        ...

    async def set_due(self, plan_id: str, due_at: datetime | None) -> None:
        """Set from when the server goes on with a plan that it carries out; None where it does no more."""
        ...

    async def refuse_step(self, place: StepPlace, why: str) -> None:
        """Record why a step was not sent, and release what is reserved for it."""
        ...

    async def return_turn(self, place: StepPlace, action_id: str) -> None:
        """Let a step wait again whose action did not count: nothing of it left, or the provider took no notice."""
        ...
