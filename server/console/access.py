"""Serves pages to operators only, by their role, and accepts only forms of the operator's own session."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from guard.operators.roles import Role
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.sessions import Session


class HasLogin(Protocol):
    """Handlers of pages that need the operator's session."""

    @property
    def login(self) -> SignIn:
        """Signs the operator in."""
        ...


H = TypeVar("H", bound=HasLogin)


def require_session(
    handler: Callable[[H, Request, Session], Awaitable[Response]],
) -> Callable[[H, Request], Awaitable[Response]]:
    """Serve a handler to operators only, and accept only forms of the operator's session."""
    return require_role(Role.VIEWER)(handler)


def require_role(
    role: Role,
) -> Callable[[Callable[[H, Request, Session], Awaitable[Response]]], Callable[[H, Request], Awaitable[Response]]]:
    """Serve a handler to operators of a role, and accept only forms of the operator's session."""

    def decorate(
        handler: Callable[[H, Request, Session], Awaitable[Response]],
    ) -> Callable[[H, Request], Awaitable[Response]]:
        async def guarded(self: H, request: Request) -> Response:
            session = await self.login.session(request)
            if session is None:
                return await self.login.show_form(request, status=401)
            if request.method == "POST" and not session.owns_form((await read_form(request)).get("token", "")):
                raise HTTPException(403, "This form is not from a page of your session. Nothing was done.")
            if not session.operator.role.includes(role):
                mine = session.operator.role.value
                raise HTTPException(403, f"You are a {mine}, and only an {role.value} may do this. Nothing was done.")
            return await handler(self, request, session)

        return guarded

    return decorate
