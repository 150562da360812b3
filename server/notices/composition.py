"""Words a row of the outbox as things stand when it is sent; nothing where there is nothing left to tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from guard.action import State
from guard.notices.event import Event
from guard.notices.notice import Notice
from guard.notices.wording import (
    Item,
    NoticeContext,
    cap_notice,
    freeze_notice,
    item_of_action,
    item_of_plan,
    item_of_request,
    not_picked_up_notice,
    sign_in_notice,
    unknown_notice,
    waiting_notice,
)
from guard.plans.plan import Plan, PlanState
from server.console.urls import ROOT
from server.services import Services
from server.store.notices.outbox import DueNotice

_STATES: Final = {
    Event.WAITS: (State.PROPOSED, PlanState.PROPOSED),
    Event.NOT_PICKED_UP: (State.APPROVED, PlanState.APPROVED),
    Event.UNKNOWN: (State.UNKNOWN, None),
}
"""In which state an action and a plan still are what a notice says of them."""


@dataclass(frozen=True, slots=True)
class Composition:
    """Words notices from the record."""

    services: Services
    base: str | None
    """URL of the server whose approval page people reach; None where nobody knows one."""

    async def compose(self, due: DueNotice) -> Notice | None:
        """Return the notice of a row; None where things have changed so that it would be wrong by now.

        Raises:
            JournalUnavailable: The record cannot be read.
        """
        context = self.context()
        match due.event:
            case Event.CAP:
                return cap_notice([due.facts[key] for key in due.about], context)
            case Event.FROZEN | Event.RESUMED:
                is_so = await self.services.store.freeze.is_on() is (due.event is Event.FROZEN)
                return freeze_notice(due.event, due.facts["by"][0], context, _moment(due)) if is_so else None
            case Event.SIGN_IN:
                return sign_in_notice(due.facts["by"], context, _moment(due))
            case _:
                items = await self._items(due)
        if not items:
            return None
        match due.event:
            case Event.NOT_PICKED_UP:
                return not_picked_up_notice(items, context)
            case Event.UNKNOWN:
                return unknown_notice(items, context)
            case _:
                return waiting_notice(items, context)

    def context(self) -> NoticeContext:
        """Return what a notice of now needs to know beside what it is about."""
        settings = self.services.settings
        return NoticeContext(
            now=self.services.clock.now(),
            zone=settings.time_zone,
            page=f"{self.base.rstrip('/')}{ROOT}" if self.base else None,
            commands=settings.commands,
        )

    async def _items(self, due: DueNotice) -> Sequence[Item]:
        """Return those of a row that still are in the state that it tells of."""
        of_action, of_plan = _STATES[due.event]
        now, store = self.services.clock.now(), self.services.store
        actions = await store.notices.actions([one for one in due.about if one.startswith("act_")])
        found = [
            item_of_action(action)
            for action in actions
            if action.state is of_action and (action.state is State.UNKNOWN or now < action.expires_at)
        ]
        for plan_id in (one for one in due.about if one.startswith("plan_")):
            plan = await store.plans.find(plan_id)
            if plan is not None and plan.state is of_plan and plan.undoes is None and now < _ends_at(plan):
                found.append(item_of_plan(plan, expires_at=_ends_at(plan)))
        for request_id in (one for one in due.about if one.startswith("alreq_")):
            request = await store.allowances.find_request(request_id)
            if request is not None:
                found.append(item_of_request(request))
        return found


def _moment(due: DueNotice) -> datetime:
    """Return when that happened which a notice tells of."""
    return datetime.fromisoformat(due.facts["at"])


def _ends_at(plan: Plan) -> datetime:
    """Return when a plan can no longer be answered, or, once it is approved, no longer be carried out."""
    return plan.expires_at if plan.state is PlanState.PROPOSED else plan.runs_until
