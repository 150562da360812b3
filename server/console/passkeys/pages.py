"""The pages on which operators enrol a passkey and sign in with it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clients.deferred import Deferred
from clients.shared.clock import Clock
from guard.operator_commands import OperatorCommands
from guard.operators.roles import BadOperator, Operator
from server.console.forms import read_form
from server.console.login import SignIn
from server.console.passkeys.challenges import Challenges, to_sign
from server.console.passkeys.relying_party import RelyingParty
from server.console.passkeys.signing import ASSERTION_OPTIONS, BAD_PASSKEY, PASSKEY_ID_IN, READ_ASSERTION
from server.console.rendering import render
from server.console.urls import ROOT
from server.store.operators.operators import Passkey
from server.store.store import Store


class ReadRegistration(Protocol):
    """Checks what a browser made of a new passkey."""

    def __call__(
        self, page: RelyingParty, operator: Operator, challenge: bytes, answer: str, *, label: str, at: datetime
    ) -> Passkey:
        """Return the passkey to store."""
        ...


REGISTRATION_OPTIONS: Final = Deferred[Callable[[RelyingParty, Operator, bytes, Sequence[Passkey]], str]](
    "server.console.passkeys.ceremonies:registration_options"
)
READ_REGISTRATION: Final = Deferred[ReadRegistration]("server.console.passkeys.ceremonies:read_registration")

_SIGN_IN: Final = "sign in"
_LABEL: Final = "Passkey"
_LONGEST_LABEL: Final = 64


class PasskeyPages:
    """The handlers of enrolment and of signing in with a passkey."""

    def __init__(
        self, store: Store, clock: Clock, login: SignIn, commands: OperatorCommands, address: str | None
    ) -> None:
        """`address` is the page's public address, if it has one."""
        self._store = store
        self._clock = clock
        self._login = login
        self._commands = commands
        self._address = address
        self._challenges = Challenges(store, clock)

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route(f"{ROOT}/enrol", self.show_enrolment),
            Route(f"{ROOT}/enrol", self.enrol, methods=["POST"]),
            Route(f"{ROOT}/enrol/options", self.enrolment_options, methods=["POST"]),
            Route(f"{ROOT}/sign-in/options", self.sign_in_options, methods=["POST"]),
            Route(f"{ROOT}/sign-in/passkey", self.sign_in, methods=["POST"]),
        ]

    async def show_enrolment(self, request: Request) -> Response:
        """Show the page behind an enrolment link. The link's secret is behind its #, so no request names it."""
        return self._show_enrolment(request)

    async def enrolment_options(self, request: Request) -> Response:
        """Answer with what the browser hands to the authenticator to make a passkey for the link's operator."""
        if (refused := await self._login.take_attempt(request)) is not None:
            return refused
        form = await read_form(request)
        operator = await self._store.operators.enrolling(form.get("secret", ""), self._clock.now())
        if operator is None:
            return JSONResponse({"problem": "This link was used, or its time is over. Ask for a new one."}, 403)
        page = RelyingParty.of(request, self._address)
        if page.problem:
            return JSONResponse({"problem": page.problem}, 409)
        challenge = self._challenges.make(_enrolment_of(operator.name))
        known = await self._store.operators.passkeys_of(operator.name)
        options = REGISTRATION_OPTIONS.load()(page, operator, to_sign(challenge), known)
        return Response(options, media_type="application/json", headers={"Ringfence-Challenge": challenge})

    async def enrol(self, request: Request) -> Response:
        """Store the passkey that the browser made, use the link up, and sign the operator in."""
        form, now = await read_form(request), self._clock.now()
        secret, challenge = form.get("secret", ""), form.get("challenge", "")
        operator = await self._store.operators.enrolling(secret, now)
        signed = await self._challenges.use(challenge, _enrolment_of(operator.name)) if operator else None
        if operator is None or signed is None:
            return self._show_enrolment(request, "This link was used, or its time is over. Ask for a new one.", 403)
        label = form.get("label", "").strip()[:_LONGEST_LABEL] or _LABEL
        page = RelyingParty.of(request, self._address)
        try:
            read = READ_REGISTRATION.load()
            passkey = read(page, operator, signed, form.get("credential", ""), label=label, at=now)
            enrolled = await self._store.operators.enrol(secret, passkey, at=now)
        except (BadOperator, BAD_PASSKEY.load()) as refused:
            return self._show_enrolment(request, f"{refused}", 409)
        return await self._login.begin(request, enrolled, via="passkey")

    async def sign_in_options(self, request: Request) -> Response:
        """Answer with what the browser hands to the authenticator to sign in; it offers the passkeys that it knows."""
        page = RelyingParty.of(request, self._address)
        if page.problem:
            return JSONResponse({"problem": page.problem}, 409)
        challenge = self._challenges.make(_SIGN_IN)
        options = ASSERTION_OPTIONS.load()(page, to_sign(challenge), ())
        return Response(options, media_type="application/json", headers={"Ringfence-Challenge": challenge})

    async def sign_in(self, request: Request) -> Response:
        """Check what the passkey signed and begin a session of its operator. Every attempt counts."""
        if (refused := await self._login.take_attempt(request)) is not None:
            return refused
        form = await read_form(request)
        operator = await self._operator_of(request, form.get("challenge", ""), form.get("credential", ""))
        wanted = form.get("wanted", "")
        if operator is None:
            await self._store.audit.note("sign-in refused", principal="someone at the approval page")
            message = "This passkey signs nobody in here."
            return await self._login.show_form(request, status=401, message=message, wanted=wanted)
        return await self._login.begin(request, operator, via="passkey", wanted=wanted)

    async def _operator_of(self, request: Request, challenge: str, answer: str) -> Operator | None:
        """Return the enabled operator whose passkey signed a challenge of ours; None where none did."""
        signed = await self._challenges.use(challenge, _SIGN_IN)
        if signed is None:
            return None
        page = RelyingParty.of(request, self._address)
        try:
            passkey = await self._store.operators.passkey(PASSKEY_ID_IN.load()(answer))
            if passkey is None or passkey.rp_id != page.rp_id:
                return None
            _, count = READ_ASSERTION.load()(page, passkey, signed, answer)
        except BAD_PASSKEY.load():
            return None
        if not await self._store.operators.count_use(passkey, count, self._clock.now()):
            return None
        found = await self._store.operators.find(passkey.operator)
        return found if found is not None and found.is_enabled else None

    def _show_enrolment(self, request: Request, message: str = "", status: int = 200) -> Response:
        page = RelyingParty.of(request, self._address)
        return render(
            "passkeys/enrol.html", self._commands, status=status, root=ROOT, message=message, problem=page.problem
        )


def _enrolment_of(operator: str) -> str:
    return f"enrol {operator}"
