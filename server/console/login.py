"""Signing in with the operator's passcode, a few tries at a time for all processes together."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.errors import LimitReached
from clients.limits import Limit
from server.console.forms import posted
from server.console.passcode import BadPasscode, check, is_set
from server.console.rendering import render
from server.console.sessions import LIFETIME, Session, Sessions
from server.console.urls import ROOT
from server.store.store import Store

TRIES: Final = (Limit("approval sign-in, a minute", 5, 60), Limit("approval sign-in, an hour", 20, 3600))
_ACTION_ID: Final = re.compile(r"act_[a-z0-9]{4,12}")


class SignIn:
    """Turns a passcode into a session, and a cookie back into one."""

    def __init__(self, store: Store, sessions: Sessions, *, is_https: bool) -> None:
        self._store = store
        self._sessions = sessions
        self._is_https = is_https

    async def session(self, request: Request) -> Session | None:
        """Whoever is signed in. Nothing but the cookie counts."""
        return await self._sessions.find(request.cookies.get(self._sessions.cookie_name))

    async def form(self, request: Request, *, status: int, message: str = "", wanted: str = "") -> Response:
        """The sign-in page. It says nothing about what lies behind it."""
        return render(
            "sign_in.html",
            status=status,
            root=ROOT,
            message=message,
            wanted=wanted or _wanted(request.path_params.get("action_id", "")),
            is_set=await is_set(self._store.key_values),
            # A strict cookie does not come along on a link from another site; a link of our own brings it.
            came_from_elsewhere=request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site",
        )

    async def take(self, request: Request) -> Response:
        """Check a passcode. Every try counts, the right ones too."""
        given = await posted(request)
        wanted = _wanted(given.get("wanted", ""))
        try:
            for limit in TRIES:
                await self._store.limits.take(limit)
            await check(self._store.key_values, given.get("passcode", ""))
        except LimitReached as reached:
            return await self._too_many(request, reached, wanted)
        except BadPasscode as wrong:
            await self._store.audit.note("sign-in refused", principal="someone at the approval page")
            return await self.form(request, status=401, message=str(wrong), wanted=wanted)
        await self._store.audit.note("signed in", principal="the operator, on the approval page")
        signed_in = RedirectResponse(f"{ROOT}/{wanted}" if wanted else ROOT, 303)
        signed_in.set_cookie(
            self._sessions.cookie_name,
            await self._sessions.begin(),
            max_age=int(LIFETIME.total_seconds()),
            path=ROOT,
            secure=self._is_https or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return signed_in

    async def end(self, session: Session) -> Response:
        """Sign out."""
        await self._sessions.end(session)
        signed_out = RedirectResponse(ROOT, 303)
        signed_out.delete_cookie(self._sessions.cookie_name, path=ROOT, httponly=True, samesite="strict")
        return signed_out

    async def _too_many(self, request: Request, reached: LimitReached, wanted: str) -> Response:
        seconds = max(1, round(reached.retry_after or TRIES[0].seconds))
        message = f"Too many tries. The next is possible in {seconds} seconds; the command line still works."
        answer = await self.form(request, status=429, message=message, wanted=wanted)
        answer.headers["Retry-After"] = str(seconds)
        return answer


def _wanted(text: str) -> str:
    """The action that a person wants to see after signing in; nothing that is not an action's id."""
    return text if _ACTION_ID.fullmatch(text) else ""
