"""Carries out one approved action or plan for the worker, and says when to look at it again."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clients.spec import Spec
from clients.telemetry.spans import traced
from guard.action import SET_BY_SERVER, Action, Principal, State, digest_of
from guard.errors import GuardRefusal, JournalUnavailable, NotTheSameCall
from guard.plans.plan import CAN_RUN, Plan, PlanState
from server.mcp.call_parser import SessionCalls
from server.services import Services

logger = logging.getLogger(__name__)

LOOK_AGAIN: Final = timedelta(minutes=1)
"""After how long a plan that stopped is looked at again. A step whose outcome is unknown is then checked at the
provider, never sent again."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever approved: reaches what this server's settings allow, and does not wait for progress."""

    services: Services

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why the settings keep an operation out of reach; None where they do not."""
        selection = self.services.settings.selection
        return selection.why_out_of_reach(spec.tool_name, only_reads=spec.effect.is_plain_read)

    def may_use(self, account: str) -> bool:
        """Return True: the operator may use every account."""
        return True

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Ignore the progress: the record shows it."""


@dataclass(frozen=True, slots=True)
class Errands:
    """Carries out actions and plans by their ids."""

    services: Services

    @traced("worker: carry out")
    async def carry_out(self, item: str) -> str:
        """Carry out an action or a plan as far as that is possible now; return how it stands.

        Raises:
            JournalUnavailable: The record cannot be written.
        """
        if item.startswith("plan_"):
            return await self._carry_out_plan(item)
        return await self._carry_out_action(item)

    async def _carry_out_plan(self, plan_id: str) -> str:
        plan = await self.services.plans.find(plan_id)
        if plan is None:
            return "gone"
        try:
            await self._run(plan)
        except JournalUnavailable:
            raise
        except NotTheSameCall as changed:
            await self._give_up(plan, str(changed))
        except GuardRefusal as refusal:
            logger.info("%s is not carried out now: %s", plan_id, refusal)
        except Exception:
            logger.exception("%s could not be carried out; it is looked at again.", plan_id)
        return await self._reschedule(plan_id)

    async def _run(self, plan: Plan) -> None:
        """Run a plan until it ends or stops; a pause of a run is none for the worker."""
        operator = Operator(self.services)
        while True:
            run = await self.services.plan_runner.run(plan, SessionCalls(operator, self.services), operator)
            if not run.is_paused:
                return
            plan = run.plan

    async def _give_up(self, plan: Plan, why: str) -> None:
        """Fail a plan on the record that is not what was approved: no later look can change that."""
        now = self.services.clock.now()
        await self.services.plans.move(plan.id, CAN_RUN, PlanState.FAILED, outcome=why, finished_at=now)

    async def _reschedule(self, plan_id: str) -> str:
        """Put on the record when the worker looks at a plan again, or that it is done with it."""
        plans = self.services.plans
        found = await plans.find(plan_id)
        if found is None:
            return "gone"
        goes_on = found.state in CAN_RUN
        await plans.set_due(plan_id, self.services.clock.now() + LOOK_AGAIN if goes_on else None)
        return found.state.value

    async def _carry_out_action(self, action_id: str) -> str:
        action = await self.services.journal.find(action_id)
        if action is None or action.state is not State.APPROVED:
            return action.state.value if action else "gone"
        try:
            await self._execute(action)
        except JournalUnavailable:
            raise
        except GuardRefusal as refusal:
            await self._close(action, str(refusal))
        except Exception:
            logger.exception("%s could not be carried out.", action_id)
            await self._close(action, "The server could not carry it out; its log says why.")
        found = await self.services.journal.find(action_id)
        return found.state.value if found else "gone"

    async def _execute(self, action: Action) -> None:
        """Build the call of an action again, check that it is what was approved, and send it."""
        given = {name: value for name, value in action.arguments.items() if value != SET_BY_SERVER}
        made = SessionCalls(Operator(self.services), self.services).parse(
            action.operation, given, account=action.made_on
        )
        call = made.operation
        if digest_of(call, account=action.account, principal=Principal(action.principal)) != action.digest:
            raise NotTheSameCall("It is another call now than was approved; nothing was sent.")
        await self.services.guard.execute(action, call)

    async def _close(self, action: Action, why: str) -> None:
        """Close an approved action that cannot be carried out: nobody calls again to hear why."""
        outcome = f"Not sent by the server: {why}"
        await self.services.journal.move(action.id, {State.APPROVED}, State.EXPIRED, outcome=outcome)
