"""The page of operators: who may sign in and how, and the sessions that are open.

Operators are added, and given roles and links, on the command line alone: a stolen session makes no operator.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.operators.roles import BadOperator, Role
from server.console.access import require_role, require_session
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT


class OperatorPages:
    """The handlers of the page of operators and its forms."""

    def __init__(self, frame: Frame, clock: Clock, login: SignIn) -> None:
        self._frame = frame
        self._store = frame.store
        self._clock = clock
        self.login = login

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(f"{ROOT}/operators", self.show),
            Route(f"{ROOT}/operators/disable", self.disable, methods=["POST"]),
            Route(f"{ROOT}/operators/end-session", self.end_session, methods=["POST"]),
        ]

    @require_session
    async def show(self, request: Request, session: Session) -> Response:
        """Show who may sign in, and the sessions that are open: all to an admin, to others their own."""
        operators = self._store.operators
        is_admin = session.operator.role.includes(Role.ADMIN)
        found = await self._store.sessions.open(self._clock.now())
        mine = [one for one in found if is_admin or one.operator == session.operator.name]
        rows = [{"operator": one, "passkeys": await operators.passkeys_of(one.name)} for one in await operators.all()]
        return await self._frame.show(
            "operators/operators.html",
            session,
            rows=rows,
            sessions=mine,
            own_session=session.id,
            is_admin=is_admin,
        )

    @require_role(Role.ADMIN)
    async def disable(self, request: Request, session: Session) -> Response:
        """Disable an operator at once; enabling one again is for the command line."""
        name = (await read_form(request)).get("name", "")
        if name == session.operator.name:
            raise HTTPException(409, "You cannot disable yourself: another admin can. Nothing was changed.")
        try:
            await self._store.operators.disable(name, by=session.by, at=self._clock.now())
        except BadOperator as unknown:
            raise HTTPException(404, str(unknown)) from unknown
        return RedirectResponse(f"{ROOT}/operators", 303)

    @require_session
    async def end_session(self, request: Request, session: Session) -> Response:
        """End a session: an admin any, others their own."""
        chosen = (await read_form(request)).get("session", "")
        found = [one for one in await self._store.sessions.open(self._clock.now()) if one.id == chosen]
        if not found:
            raise HTTPException(404, "There is no such session.")
        if found[0].operator != session.operator.name and not session.operator.role.includes(Role.ADMIN):
            raise HTTPException(403, "That is another operator's session. Nothing was done.")
        await self._store.sessions.end(chosen, by=session.by, at=self._clock.now())
        return RedirectResponse(f"{ROOT}/operators", 303)
