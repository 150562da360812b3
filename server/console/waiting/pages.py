"""The first page of the console: what waits for approval, and answering several alike calls together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.action import Action, State
from guard.approvals import Approvals
from guard.errors import GuardRefusal, JournalUnavailable
from guard.messages import status_line
from guard.operators.approval import Approver
from guard.operators.roles import Role
from guard.plans.approvals import PlanApprovals
from guard.plans.plan import Plan, PlanState
from server.console.access import require_role, require_session
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.passkeys.signing import Signing
from server.console.plan_views import build_plan_card
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.console.views import build_request, build_view, is_final
from server.console.waiting.alike import find_alike, ids_in, may_be_together, picked_in
from server.console.waiting.filters import Wanted, traits_of
from tools.registry import operation_named

FOUND: Final = 200
"""How many waiting actions, and how many plans, the list has at most, newest first."""

LISTED: Final = 40
"""How many of them one page of the list shows: it stays light on a phone."""

_SIGNED_ALONE: Final = (
    "Your passkey signs each call by itself: open each one to approve it. Nothing was recorded. "
    "Several can be declined together without it."
)

REQUESTS_LISTED: Final = 20
"""How many opt-out requests the page shows at most, oldest first."""


@dataclass(frozen=True, slots=True)
class WaitingPages:
    """The handlers of the list of what waits."""

    frame: Frame
    login: SignIn
    clock: Clock
    approvals: Approvals
    plan_approvals: PlanApprovals
    signing: Signing
    runs_on_approval: bool

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(ROOT, self.waiting),
            Route(f"{ROOT}/", self.waiting),
            Route(f"{ROOT}/together", self.answered),
            Route(f"{ROOT}/together", self.answer, methods=["POST"]),
        ]

    @require_session
    async def waiting(self, request: Request, session: Session) -> Response:
        """Show what waits for approval."""
        return await self._show(request, session)

    @require_role(Role.APPROVER)
    async def answer(self, request: Request, session: Session) -> Response:
        """Answer several alike calls together: each by its own record, with the digest that the page showed."""
        form = await read_form(request)
        picked = picked_in(form)
        if not picked:
            return await self._show(request, session, refusal="Tick the calls that you mean. Nothing was recorded.")
        found = [await self._find(action_id) for action_id in picked]
        to = State.DECLINED if form.get("answer") == "decline" else State.APPROVED
        if to is State.APPROVED:
            if await self.frame.store.freeze.is_on():
                refusal = "Everything is stopped. Resume before you approve; nothing was sent."
                return await self._show(request, session, refusal=refusal)
            if await self.signing.is_needed(session):
                return await self._show(request, session, refusal=_SIGNED_ALONE)
            if refusal := _why_not_together(found):
                return await self._show(request, session, refusal=refusal)
            final = ",".join(sorted(action.id for action in found if _is_final(action)))
            if final and form.get("sure") != final:
                views = [build_view(action, self.clock.now()) for action in found]
                return await self.frame.show("waiting/sure.html", session, actions=views, sure=final)
        refusals = {one.id: why for one in found if (why := await self._record(one, picked[one.id], to, session))}
        if refusals:
            return await self._show_answered(session, list(picked), refusals)
        return RedirectResponse(f"{ROOT}/together?of={','.join(picked)}", 303)

    @require_session
    async def answered(self, request: Request, session: Session) -> Response:
        """Show how calls stand that were answered together."""
        return await self._show_answered(session, ids_in(request.query_params.get("of", "")), {})

    async def _show_answered(self, session: Session, ids: Sequence[str], refusals: Mapping[str, str]) -> Response:
        current = [await self.approvals.expire_if_due(await self._find(action_id)) for action_id in ids]
        rows = [
            (build_view(action, self.clock.now()), refusals.get(action.id) or status_line(action)) for action in current
        ]
        return await self.frame.show("waiting/answered.html", session, status=409 if refusals else 200, rows=rows)

    async def _record(self, action: Action, digest: str, to: State, session: Session) -> str:
        """Record one answer; return why it was not recorded, empty if it was."""
        if action.digest != digest:
            return "It is another call than the one that your page showed. Nothing was recorded."
        try:
            if to is State.DECLINED:
                await self.approvals.record(action.id, to, by=session.by)
            else:
                approver = Approver(operator=session.operator, by=session.by)
                await self.approvals.approve(action.id, approver, run_by_server=self.runs_on_approval)
        except JournalUnavailable:
            raise
        except GuardRefusal as refused:
            return self.frame.commands.complete(str(refused))
        return ""

    async def _find(self, action_id: str) -> Action:
        action = await self.frame.store.journal.find(action_id)
        if action is None:
            raise HTTPException(404, "There is no such action.")
        return action

    async def _show(self, request: Request, session: Session, *, refusal: str = "") -> Response:
        store, now = self.frame.store, self.clock.now()
        found = await store.journal.latest(FOUND, states={State.PROPOSED})
        current = [await self.approvals.expire_if_due(action) for action in found]
        actions = [action for action in current if action.state is State.PROPOSED]
        plans = await self._waiting_plans()
        wanted = Wanted.of(request.query_params)
        entries: list[Action | Plan] = [*plans, *actions]
        traits = {one.id: traits_of(one.principal, _operations(one)) for one in entries}
        fitting = [one for one in entries if wanted.fits(traits[one.id])]
        page = page_in(request)
        listed = fitting[(page - 1) * LISTED : page * LISTED]
        shown = [one for one in listed if isinstance(one, Action)]
        requests = await store.optouts.requests()
        alike = find_alike(shown, _titles(shown))
        return await self.frame.show(
            "waiting.html",
            session,
            status=409 if refusal else 200,
            refusal=refusal,
            actions=[build_view(action, now) for action in shown],
            plans=[build_plan_card(one, now) for one in listed if isinstance(one, Plan)],
            page=page,
            has_more=len(fitting) > page * LISTED,
            waiting=len(entries),
            may_answer=session.operator.role.includes(Role.APPROVER),
            is_signed=await self.signing.is_needed(session),
            filters=[one for one in wanted.filters(list(traits.values())) if len(one.choices) > 1 or wanted.is_narrow],
            is_narrow=wanted.is_narrow,
            query=_query(wanted),
            alike=alike,
            group_of={action.id: group.operation for group in alike for action in group.actions},
            ticked=frozenset(ids_in(request.query_params.get("tick", ""))),
            requests=[build_request(one, self.frame.commands) for one in requests[:REQUESTS_LISTED]],
            wanted=len(await store.allowances.requests()),
            more_requests=max(0, len(requests) - REQUESTS_LISTED),
        )

    async def _waiting_plans(self) -> list[Plan]:
        found = await self.frame.store.plans.latest(FOUND, states={PlanState.PROPOSED})
        current = [await self.plan_approvals.expire_if_due(plan) for plan in found if plan.undoes is None]
        return [plan for plan in current if plan.state is PlanState.PROPOSED]


def page_in(request: Request) -> int:
    """Return which page of a list an address names; the first if it names none."""
    number = request.query_params.get("page", "1")
    return max(1, int(number)) if re.fullmatch(r"[0-9]{1,6}", number) else 1


def _why_not_together(found: Sequence[Action]) -> str:
    """Return why calls cannot be approved together; empty if they can."""
    if len({action.operation for action in found}) > 1:
        return "Only calls of one operation are approved together. Nothing was recorded."
    waiting = [action for action in found if action.state is State.PROPOSED]
    if not all(may_be_together(action) for action in waiting):
        return "A call of unknown price is approved by itself, on its own page. Nothing was recorded."
    return ""


def _is_final(action: Action) -> bool:
    return is_final(action, operation_named(action.operation))


def _operations(entry: Action | Plan) -> list[str]:
    return [entry.operation] if isinstance(entry, Action) else [step.operation for step in entry.steps]


def _titles(actions: Sequence[Action]) -> dict[str, str]:
    found = ((name, operation_named(name)) for name in {action.operation for action in actions})
    return {name: f"{one.spec.title} at {one.spec.provider.title}" for name, one in found if one is not None}


def _query(wanted: Wanted) -> dict[str, str]:
    chosen = {"who": wanted.who, "provider": wanted.provider, "effect": wanted.effect}
    return {name: value for name, value in chosen.items() if value}
