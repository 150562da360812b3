"""The approval page: pending actions, one action in full, the history, and the freeze switch.

A GET changes nothing. Every other request needs the operator's session and the token of its forms; the bearer token of
an assistant opens nothing here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clients.shared.clock import Clock, SystemClock
from guard.action import Action, State
from guard.approvals import Approvals
from guard.errors import GuardRefusal, JournalUnavailable
from guard.plans.approvals import PlanApprovals
from guard.plans.plan import PlanState
from guard.rules.budget import Cap
from server.console.access import OPERATOR, require_session
from server.console.login import SignIn
from server.console.middleware import SecurityMiddleware
from server.console.page_identity import PageIdentity
from server.console.plan_pages import PlanPages
from server.console.plan_views import build_plan_card
from server.console.rendering import render, stylesheet
from server.console.sessions import Session, Sessions
from server.console.urls import ROOT
from server.console.views import build_view
from server.store.store import Store
from tools.operation_catalog import RegisteredOperations

LISTED = 200
"""How many actions a page shows at most, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSetup:
    """The dependencies of the page."""

    store: Store
    hosts: Collection[str]
    """Host headers that it accepts."""

    identity: PageIdentity
    address: str | None = None
    """The public address of the page, if it is not one of the hosts."""

    clock: Clock = field(default_factory=SystemClock)

    caps: Sequence[Cap] = ()
    """The operator's caps, against which the approval of a plan reserves what it costs."""


def approval_app(setup: PageSetup) -> ASGIApp:
    """Build the page as an ASGI application, for paths under `/approvals`."""
    pages = Pages(setup)
    plans = PlanPages(setup.store, setup.clock, setup.caps, pages.login)
    routes = [
        Route(ROOT, pages.waiting),
        Route(f"{ROOT}/", pages.waiting),
        Route(f"{ROOT}/history", pages.history),
        Route(f"{ROOT}/sign-in", pages.sign_in, methods=["POST"]),
        Route(f"{ROOT}/sign-out", pages.sign_out, methods=["POST"]),
        Route(f"{ROOT}/freeze", pages.freeze, methods=["POST"]),
        Route(f"{ROOT}/unfreeze", pages.unfreeze, methods=["POST"]),
        Route(f"{ROOT}/page.css", _show_css),
        Route(f"{ROOT}/healthz", setup.identity.prove),
        Route(f"{ROOT}/plan_{{key}}", plans.plan),
        Route(f"{ROOT}/plan_{{key}}/approve", plans.approve, methods=["POST"]),
        Route(f"{ROOT}/plan_{{key}}/decline", plans.decline, methods=["POST"]),
        Route(f"{ROOT}/{{action_id}}", pages.action),
        Route(f"{ROOT}/{{action_id}}/approve", pages.approve, methods=["POST"]),
        Route(f"{ROOT}/{{action_id}}/decline", pages.decline, methods=["POST"]),
    ]
    app = Starlette(
        routes=routes, exception_handlers={HTTPException: _show_problem, JournalUnavailable: _show_unavailable}
    )
    return SecurityMiddleware(app, setup.hosts, setup.address)


class Pages:
    """The handlers of the pages and their forms."""

    def __init__(self, setup: PageSetup) -> None:
        self._store = setup.store
        self._clock = setup.clock
        self._approvals = Approvals(setup.store.journal, setup.clock, RegisteredOperations())
        self._plan_approvals = PlanApprovals(setup.store.plans, setup.clock, setup.caps)
        sessions = Sessions(setup.store, setup.clock)
        self.login = SignIn(setup.store, sessions, is_https=(setup.address or "").startswith("https:"))

    async def sign_in(self, request: Request) -> Response:
        """Check the passcode."""
        return await self.login.sign_in(request)

    @require_session
    async def sign_out(self, request: Request, session: Session) -> Response:
        """End the session."""
        return await self.login.sign_out(session)

    @require_session
    async def waiting(self, request: Request, session: Session) -> Response:
        """Show what waits for approval."""
        found = await self._store.journal.latest(LISTED, states={State.PROPOSED})
        current = [await self._approvals.expire_if_due(action) for action in found]
        actions = [build_view(action, self._clock.now()) for action in current if action.state is State.PROPOSED]
        plans = await self._store.plans.latest(LISTED, states={PlanState.PROPOSED})
        waiting = [await self._plan_approvals.expire_if_due(plan) for plan in plans]
        jobs = [build_plan_card(plan, self._clock.now()) for plan in waiting if plan.state is PlanState.PROPOSED]
        return await self._render("waiting.html", session, actions=actions, plans=jobs)

    @require_session
    async def history(self, request: Request, session: Session) -> Response:
        """Show the newest actions and how they ended."""
        found = await self._store.journal.latest(LISTED)
        actions = [build_view(await self._approvals.expire_if_due(action), self._clock.now()) for action in found]
        plans = [await self._plan_approvals.expire_if_due(plan) for plan in await self._store.plans.latest(LISTED)]
        jobs = [build_plan_card(plan, self._clock.now()) for plan in plans]
        return await self._render("history.html", session, actions=actions, plans=jobs)

    @require_session
    async def action(self, request: Request, session: Session) -> Response:
        """Show one action in full."""
        return await self._show_action(request, session)

    @require_session
    async def approve(self, request: Request, session: Session) -> Response:
        """Approve exactly this call, once."""
        if await self._store.freeze.is_on():
            refusal = "Everything is stopped. Resume before you approve; nothing was sent."
            return await self._show_action(request, session, refusal=refusal, status=409)
        return await self._record(request, session, State.APPROVED)

    @require_session
    async def decline(self, request: Request, session: Session) -> Response:
        """Decline the call."""
        return await self._record(request, session, State.DECLINED)

    @require_session
    async def freeze(self, request: Request, session: Session) -> Response:
        """Stop every guarded action in every process."""
        await self._store.freeze.freeze(OPERATOR)
        return RedirectResponse(ROOT, 303)

    @require_session
    async def unfreeze(self, request: Request, session: Session) -> Response:
        """Resume guarded actions."""
        await self._store.freeze.unfreeze(OPERATOR)
        return RedirectResponse(ROOT, 303)

    async def _record(self, request: Request, session: Session, to: State) -> Response:
        found = await self._find(request)
        try:
            await self._approvals.record(found.id, to, by=OPERATOR)
        except JournalUnavailable:
            raise
        except GuardRefusal as refused:
            return await self._show_action(request, session, refusal=str(refused), status=409)
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    async def _show_action(
        self, request: Request, session: Session, *, refusal: str = "", status: int = 200
    ) -> Response:
        current = await self._approvals.expire_if_due(await self._find(request))
        shown = build_view(current, self._clock.now())
        return await self._render("action.html", session, status=status, shown=shown, refusal=refusal)

    async def _find(self, request: Request) -> Action:
        action = await self._store.journal.find(request.path_params["action_id"])
        if action is None:
            raise HTTPException(404, "There is no such action.")
        return action

    async def _render(self, template: str, session: Session, *, status: int = 200, **values: Any) -> Response:
        is_frozen = await self._store.freeze.is_on()
        return render(template, status=status, root=ROOT, token=session.form_token, is_frozen=is_frozen, **values)


async def _show_css(request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


async def _show_problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, HTTPException):
        raise problem
    return render("problem.html", status=problem.status_code, root=ROOT, message=problem.detail)


async def _show_unavailable(request: Request, problem: Exception) -> Response:
    return PlainTextResponse(f"{problem} Nothing was done.", 503)
