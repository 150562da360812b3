"""The approval page: what waits for an answer, one action in full, the history, and the freeze switch.

Nothing happens by GET. Every other request needs the operator's session and the token of its forms; a bearer token of
the agent's side means nothing here.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from clients.clock import Clock, SystemClock
from guard.action import Action, State
from guard.approvals import Approvals
from guard.errors import GuardRefusal, JournalUnavailable
from server.console.forms import posted
from server.console.login import SignIn
from server.console.middleware import SecurityMiddleware
from server.console.page_identity import PageIdentity
from server.console.rendering import render, stylesheet
from server.console.sessions import Session, Sessions
from server.console.urls import ROOT
from server.console.views import view
from server.store.store import Store

OPERATOR = "the operator, on the approval page"
LISTED = 200
"""Actions shown at most, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSetup:
    """What the page stands on."""

    store: Store
    hosts: Collection[str]
    """Host headers that it answers to."""

    identity: PageIdentity
    address: str | None = None
    """Where people reach it, where that is not one of the hosts."""

    clock: Clock = field(default_factory=SystemClock)


def approval_app(setup: PageSetup) -> ASGIApp:
    """The page as an ASGI application, for paths under `/approvals`."""
    pages = Pages(setup)
    routes = [
        Route(ROOT, pages.waiting),
        Route(f"{ROOT}/", pages.waiting),
        Route(f"{ROOT}/history", pages.history),
        Route(f"{ROOT}/sign-in", pages.sign_in, methods=["POST"]),
        Route(f"{ROOT}/sign-out", pages.sign_out, methods=["POST"]),
        Route(f"{ROOT}/freeze", pages.freeze, methods=["POST"]),
        Route(f"{ROOT}/unfreeze", pages.unfreeze, methods=["POST"]),
        Route(f"{ROOT}/page.css", _css),
        Route(f"{ROOT}/healthz", setup.identity.prove),
        Route(f"{ROOT}/{{action_id}}", pages.action),
        Route(f"{ROOT}/{{action_id}}/approve", pages.approve, methods=["POST"]),
        Route(f"{ROOT}/{{action_id}}/decline", pages.decline, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _problem, JournalUnavailable: _unavailable})
    return SecurityMiddleware(app, setup.hosts, setup.address)


Handler = Callable[[Any, Request], Awaitable[Response]]


def _signed_in(handler: Callable[[Any, Request, Session], Awaitable[Response]]) -> Handler:
    """Only for the operator; and a form only from a page of the operator's session."""

    async def guarded(self: "Pages", request: Request) -> Response:
        session = await self.sign_in_desk.session(request)
        if session is None:
            return await self.sign_in_desk.form(request, status=401)
        if request.method == "POST" and not session.sent((await posted(request)).get("token", "")):
            raise HTTPException(403, "This form is not from a page of your session. Nothing was done.")
        return await handler(self, request, session)

    return guarded


class Pages:
    """The pages and what their forms do."""

    def __init__(self, setup: PageSetup) -> None:
        self._store = setup.store
        self._now = setup.clock.now
        self._answers = Approvals(setup.store.journal, setup.clock)
        sessions = Sessions(setup.store, setup.clock.now)
        self.sign_in_desk = SignIn(setup.store, sessions, is_https=(setup.address or "").startswith("https:"))

    async def sign_in(self, request: Request) -> Response:
        """Check the passcode."""
        return await self.sign_in_desk.take(request)

    @_signed_in
    async def sign_out(self, request: Request, session: Session) -> Response:
        """End the session."""
        return await self.sign_in_desk.end(session)

    @_signed_in
    async def waiting(self, request: Request, session: Session) -> Response:
        """What waits for an answer."""
        found = await self._store.journal.latest(LISTED, states={State.PROPOSED})
        current = [await self._answers.expire_if_due(action) for action in found]
        actions = [view(action, self._now()) for action in current if action.state is State.PROPOSED]
        return await self._shown("waiting.html", session, actions=actions)

    @_signed_in
    async def history(self, request: Request, session: Session) -> Response:
        """What was asked and what became of it."""
        found = await self._store.journal.latest(LISTED)
        actions = [view(await self._answers.expire_if_due(action), self._now()) for action in found]
        return await self._shown("history.html", session, actions=actions)

    @_signed_in
    async def action(self, request: Request, session: Session) -> Response:
        """One action in full."""
        return await self._action(request, session)

    @_signed_in
    async def approve(self, request: Request, session: Session) -> Response:
        """Say yes to exactly this call, once."""
        if await self._store.freeze.is_on():
            refusal = "Everything is stopped. Let things go on before you approve; nothing was sent."
            return await self._action(request, session, refusal=refusal, status=409)
        return await self._answer(request, session, State.APPROVED)

    @_signed_in
    async def decline(self, request: Request, session: Session) -> Response:
        """Say no."""
        return await self._answer(request, session, State.DECLINED)

    @_signed_in
    async def freeze(self, request: Request, session: Session) -> Response:
        """Stop every guarded action, in every process."""
        await self._store.freeze.freeze(OPERATOR)
        return RedirectResponse(ROOT, 303)

    @_signed_in
    async def unfreeze(self, request: Request, session: Session) -> Response:
        """Let guarded actions go on."""
        await self._store.freeze.unfreeze(OPERATOR)
        return RedirectResponse(ROOT, 303)

    async def _answer(self, request: Request, session: Session, to: State) -> Response:
        found = await self._found(request)
        try:
            await self._answers.give(found.id, to, by=OPERATOR)
        except JournalUnavailable:
            raise
        except GuardRefusal as refused:
            return await self._action(request, session, refusal=str(refused), status=409)
        return RedirectResponse(f"{ROOT}/{found.id}", 303)

    async def _action(self, request: Request, session: Session, *, refusal: str = "", status: int = 200) -> Response:
        current = await self._answers.expire_if_due(await self._found(request))
        shown = view(current, self._now())
        return await self._shown("action.html", session, status=status, shown=shown, refusal=refusal)

    async def _found(self, request: Request) -> Action:
        action = await self._store.journal.find(request.path_params["action_id"])
        if action is None:
            raise HTTPException(404, "There is no such action.")
        return action

    async def _shown(self, template: str, session: Session, *, status: int = 200, **values: Any) -> Response:
        is_frozen = await self._store.freeze.is_on()
        return render(template, status=status, root=ROOT, token=session.form_token, is_frozen=is_frozen, **values)


async def _css(request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


async def _problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, HTTPException):
        raise problem
    return render("problem.html", status=problem.status_code, root=ROOT, message=problem.detail)


async def _unavailable(request: Request, problem: Exception) -> Response:
    return PlainTextResponse(f"{problem} Nothing was done.", 503)
