"""Has operators who have a passkey sign what they approve, and checks it."""

from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.deferred import Deferred
from clients.shared.clock import Clock
from guard.operators.approval import Approver, Assertion, Statement
from server.console.passkeys.relying_party import RelyingParty
from server.console.sessions import Session
from server.store.operators.operators import Passkey
from server.store.store import Store

ASSERTION_OPTIONS: Final = Deferred[Callable[[RelyingParty, bytes, Sequence[Passkey]], str]](
    "server.console.passkeys.ceremonies:assertion_options"
)
PASSKEY_ID_IN: Final = Deferred[Callable[[str], str]]("server.console.passkeys.ceremonies:passkey_id_in")
READ_ASSERTION: Final = Deferred[Callable[[RelyingParty, Passkey, bytes, str], tuple[Assertion, int]]](
    "server.console.passkeys.ceremonies:read_assertion"
)
BAD_PASSKEY: Final = Deferred[type[Exception]]("server.console.passkeys.ceremonies:BadPasskey")
"""Deferred: what reads passkeys takes a while to load, and few pages need it."""


class NotSigned(Exception):
    """An approval that needs a signature has none, or one for something else. The message is the reason."""


class Signing:
    """Asks for signatures of statements, and turns them into the approver whom they prove."""

    def __init__(self, store: Store, clock: Clock, address: str | None) -> None:
        """`address` is the page's public address, if it has one."""
        self._store = store
        self._clock = clock
        self._address = address

    async def is_needed(self, session: Session) -> bool:
        """Return True if the operator has a passkey, so that every approval is signed with it."""
        return bool(await self._store.operators.passkeys_of(session.operator.name))

    async def options(self, request: Request, session: Session, statement: Statement) -> Response:
        """Answer with what the browser hands to the authenticator to sign a statement."""
        page = RelyingParty.of(request, self._address)
        known = await self._store.operators.passkeys_of(session.operator.name)
        usable = [one for one in known if one.rp_id == page.rp_id]
        if not usable:
            return JSONResponse({"problem": page.problem or "None of your passkeys is for this page."}, 409)
        options = ASSERTION_OPTIONS.load()(page, statement.challenge, usable)
        return Response(options, media_type="application/json")

    async def approver(self, request: Request, session: Session, statement: Statement, answer: str) -> Approver:
        """Return the operator who approves: with the signature, where the operator has a passkey.

        Raises:
            NotSigned: There is no signature, or it is not this operator's for this very statement.
        """
        known = {one.id: one for one in await self._store.operators.passkeys_of(session.operator.name)}
        if not known:
            return Approver(operator=session.operator, by=session.by)
        if not answer:
            raise NotSigned(
                "You approve with your passkey, and this was not signed: the page needs its script for that. "
                "Nothing was recorded."
            )
        assertion = await self._read(RelyingParty.of(request, self._address), known, statement, answer)
        return Approver(operator=session.operator, by=session.by, assertion=assertion)

    async def _read(
        self, page: RelyingParty, known: dict[str, Passkey], statement: Statement, answer: str
    ) -> Assertion:
        try:
            used = known.get(PASSKEY_ID_IN.load()(answer))
            if used is None or used.rp_id != page.rp_id:
                raise NotSigned("This was signed with a passkey that is not yours for this page. Nothing was recorded.")
            assertion, count = READ_ASSERTION.load()(page, used, statement.challenge, answer)
        except BAD_PASSKEY.load() as bad:
            raise NotSigned(f"{bad} Nothing was recorded.") from bad
        if not await self._store.operators.count_use(used, count, self._clock.now()):
            raise NotSigned("This signature was used before, or the passkey is a copy. Nothing was recorded.")
        return assertion
