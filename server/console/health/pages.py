"""The page of health, and its forms: check an unknown outcome again, close it, verify the audit log."""

import logging
from dataclasses import dataclass
from typing import Final

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.action import Action, State
from guard.errors import JournalUnavailable
from guard.operators.roles import Role
from server.console.access import require_role, require_session
from server.console.forms import read_form
from server.console.health.verification import verify_record
from server.console.health.views import build_accounts, build_processes
from server.console.login import SignIn
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.console.views import build_view
from server.services import Services
from server.settings.model import Settings

logger = logging.getLogger(__name__)

LISTED: Final = 50
"""How many calls of unknown outcome the page shows, newest first."""

CLOSED_AS: Final = {"done": State.DONE, "refused": State.REFUSED}

_PLACE: Final = f"{ROOT}/health"


@dataclass(frozen=True, slots=True)
class HealthPages:
    """The handlers of health."""

    frame: Frame
    login: SignIn
    clock: Clock
    settings: Settings
    services: Services | None
    """The clients that look at the providers; None where the page is served without any."""

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(_PLACE, self.health),
            Route(f"{_PLACE}/check", self.check, methods=["POST"]),
            Route(f"{_PLACE}/resolve", self.resolve, methods=["POST"]),
            Route(f"{_PLACE}/verify", self.verify, methods=["POST"]),
        ]

    @require_session
    async def health(self, request: Request, session: Session) -> Response:
        """Show accounts, limits, unknown outcomes, the audit log, and the processes on this record."""
        store, now = self.frame.store, self.clock.now()
        open_ones = await store.journal.latest(LISTED, states={State.UNKNOWN, State.SENDING})
        return await self.frame.show(
            "health/overview.html",
            session,
            may_answer=session.operator.role.includes(Role.APPROVER),
            accounts=await build_accounts(self.settings, store.limits),
            unfinished=list(self.settings.unfinished_accounts()),
            unknown=[build_view(one, now) for one in open_ones],
            can_check=self.services is not None,
            verification=await store.verifications.last(),
            verifying_since=await store.verifications.begun_at(now),
            gap=await store.audit.find_gap(),
            has_our_key=await store.audit.has_our_key(),
            processes=build_processes(await store.processes.latest(now), now),
            stopped_by=await store.freeze.stopped_by(),
            due=len(await store.plans.due(now)),
        )

    @require_role(Role.APPROVER)
    async def check(self, request: Request, session: Session) -> Response:
        """Check at the providers how calls ended whose answer was lost; nothing is sent again."""
        if self.services is None:
            raise HTTPException(409, "This page has no access to the providers. Nothing was checked.")
        action_id = (await read_form(request)).get("action", "")
        if not action_id:
            return RedirectResponse(_PLACE, 303, background=BackgroundTask(self._check_all, self.services))
        action = await self._find(action_id)
        await self.services.guard.reconciler.check(action)
        return RedirectResponse(f"{ROOT}/{action.id}", 303)

    @require_role(Role.APPROVER)
    async def resolve(self, request: Request, session: Session) -> Response:
        """Close a call whose outcome is unknown, as the operator found it at the provider."""
        form = await read_form(request)
        action, to = await self._find(form.get("action", "")), CLOSED_AS.get(form.get("outcome", ""))
        if to is None:
            raise HTTPException(400, "The outcome is `done` or `refused`. Nothing was changed.")
        closed = await self.frame.store.journal.move(
            action.id,
            {State.UNKNOWN, State.SENDING},
            to,
            outcome=f"Closed by {session.by}.",
            finished_at=self.clock.now(),
        )
        if closed is None:
            raise HTTPException(409, f"The outcome of {action.id} is known by now. Nothing was changed.")
        return RedirectResponse(f"{ROOT}/{action.id}", 303)

    @require_session
    async def verify(self, request: Request, session: Session) -> Response:
        """Verify the audit log; the page is shown meanwhile, and then shows the result."""
        await self.frame.store.verifications.begin(self.clock.now())
        return RedirectResponse(f"{_PLACE}#audit", 303, background=BackgroundTask(self._verify, session.by))

    async def _check_all(self, services: Services) -> None:
        try:
            await services.guard.reconciler.run()
        except JournalUnavailable as unavailable:
            logger.warning("Unknown outcomes were not checked: %s", unavailable)

    async def _verify(self, by: str) -> None:
        try:
            await verify_record(self.frame.store, by=by, at=self.clock.now())
        except JournalUnavailable as unavailable:
            logger.warning("The audit log was not verified: %s", unavailable)

    async def _find(self, action_id: str) -> Action:
        action = await self.frame.store.journal.find(action_id)
        if action is None:
            raise HTTPException(404, "There is no such action.")
        return action
