"""Signs operators in; all processes on a store share the limits on attempts."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.errors import LimitReached
from guard.operator_commands import OperatorCommands
from guard.operators.roles import LOCAL, Operator
from server.console.attempts import LIFETIME as KNOWN_FOR
from server.console.attempts import Attempts, retry_after
from server.console.forms import read_form
from server.console.passcode import BadPasscode, check, is_set
from server.console.rendering import render
from server.console.sessions import LIFETIME, Session, Sessions
from server.console.urls import ROOT, asked_id
from server.store.operators.sessions import Way
from server.store.store import Store


class SignIn:
    """Begins a session for whoever knows the passcode or proves otherwise who they are, and finds that of a request."""

    def __init__(
        self, store: Store, sessions: Sessions, commands: OperatorCommands, *, is_https: bool, company: str = ""
    ) -> None:
        """`company` is what the button of single sign-on names; empty where there is none."""
        self._store = store
        self._sessions = sessions
        self._commands = commands
        self._attempts = Attempts(store)
        self._is_https = is_https
        self._company = company

    async def session(self, request: Request) -> Session | None:
        """Find the session of a request by its cookie; nothing else counts."""
        return await self._sessions.find(request.cookies.get(self._sessions.cookie_name))

    async def show_form(self, request: Request, *, status: int, message: str = "", wanted: str = "") -> Response:
        """Render the sign-in page; it shows nothing of what is behind it."""
        return render(
            "sign_in.html",
            self._commands,
            status=status,
            root=ROOT,
            message=self._commands.complete(message),
            wanted=wanted or _asked_in(request),
            is_set=await is_set(self._store.key_values),
            company=self._company,
            has_passkeys=await self._store.operators.has_passkeys(),
            # Browsers withhold a strict cookie when a link on another site is followed, and send it with our own links.
            came_from_elsewhere=request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site",
        )

    async def sign_in(self, request: Request) -> Response:
        """Check the posted passcode and begin a session. Every attempt counts, a successful one too."""
        given = await read_form(request)
        wanted = asked_id(given.get("wanted", ""))
        try:
            await self._attempts.take(request)
            await check(self._store.key_values, given.get("passcode", ""))
        except LimitReached as reached:
            return await self._refuse_attempt(request, reached, wanted)
        except BadPasscode as wrong:
            await self._store.audit.note("sign-in refused", principal="someone at the approval page")
            return await self.show_form(request, status=401, message=str(wrong), wanted=wanted)
        local = await self._store.operators.find(LOCAL)
        if local is None or not local.is_enabled:
            message = "The passcode signs nobody in here any more: sign in under your own name."
            return await self.show_form(request, status=403, message=message, wanted=wanted)
        return await self.begin(request, local, via="passcode", wanted=wanted)

    async def take_attempt(self, request: Request) -> Response | None:
        """Count an attempt to sign in; return the answer to one too many, None for any other."""
        try:
            await self._attempts.take(request)
        except LimitReached as reached:
            return await self._refuse_attempt(request, reached, "")
        return None

    async def begin(self, request: Request, operator: Operator, *, via: Way, wanted: str = "") -> Response:
        """Begin a session of an operator who has proved who they are, and show what was wanted."""
        wanted = asked_id(wanted)
        signed_in = RedirectResponse(f"{ROOT}/{wanted}" if wanted else ROOT, 303)
        await self.set_session(request, signed_in, operator, via=via)
        return signed_in

    async def set_session(self, request: Request, answer: Response, operator: Operator, *, via: Way) -> None:
        """Begin a new session, whatever cookie the request has, and put its cookie into an answer."""
        browser = request.headers.get("user-agent", "")
        is_new = await self._attempts.known_browser(request) is None
        cookie = await self._sessions.begin(operator, via=via, browser=browser, is_new=is_new)
        self._set_cookie(request, answer, self._sessions.cookie_name, cookie, LIFETIME)
        known = await self._attempts.cookie_for(request)
        self._set_cookie(request, answer, self._attempts.cookie_name, known, KNOWN_FOR)

    async def sign_out(self, session: Session) -> Response:
        """End a session and delete its cookie."""
        await self._sessions.end(session)
        signed_out = RedirectResponse(ROOT, 303)
        signed_out.delete_cookie(self._sessions.cookie_name, path=ROOT, httponly=True, samesite="strict")
        return signed_out

    def _set_cookie(self, request: Request, answer: Response, name: str, value: str, lifetime: timedelta) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=int(lifetime.total_seconds()),
            path=ROOT,
            secure=self._is_https or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def _refuse_attempt(self, request: Request, reached: LimitReached, wanted: str) -> Response:
        seconds = retry_after(reached)
        message = (
            f"Too many attempts. Try again in {seconds} seconds, in a browser that signed in before, "
            "or use `ringfence approvals list` on the command line, which has no such limit."
        )
        answer = await self.show_form(request, status=429, message=message, wanted=wanted)
        answer.headers["Retry-After"] = str(seconds)
        return answer


def _asked_in(request: Request) -> str:
    """Return the action or plan whose page was asked for; empty for any other page."""
    parameters = request.path_params
    return asked_id(parameters.get("action_id") or f"plan_{parameters.get('key', '')}")
