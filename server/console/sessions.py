"""Sessions of operators: a cookie signed with the store's key, and a token that every form repeats.

Several processes may serve one store, so sessions are kept there, where they are listed and ended one by one. The
cookie of whoever signed in with the passcode is bound to it: a new passcode ends every such session.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clients.shared.clock import Clock, SystemClock
from guard.operators.roles import Operator
from server.console.passcode import fingerprint
from server.store.operators.sessions import StoredSession, Way
from server.store.store import Store

LIFETIME: Final = timedelta(hours=8)
_PURPOSE: Final = "approval session"
_LONGEST_BROWSER: Final = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in operator."""

    id: str
    operator: Operator
    form_token: str
    """Every form contains it; another site's page cannot know it."""

    @property
    def by(self) -> str:
        """As the record names what the operator does on the page."""
        return self.operator.on_page

    def owns_form(self, token: str) -> bool:
        """Return True if a form with this token came from a page of this session."""
        return hmac.compare_digest(self.form_token.encode("utf-8"), token.encode("utf-8"))


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    @property
    def cookie_name(self) -> str:
        """Name the cookie after the key: cookies ignore ports, and a sandbox's page may run beside the real one."""
        return f"ringfence_approvals_{self._store.seal.derive('approval cookie').hex()[:8]}"

    async def begin(self, operator: Operator, *, via: Way, browser: str = "", is_new: bool = False) -> str:
        """Begin a session of an operator and return its cookie.

        `browser` is what the browser says of itself, and `is_new` says that nobody signed in there before.
        """
        now = self._clock.now()
        session = StoredSession(
            id=secrets.token_urlsafe(18),
            operator=operator.name,
            via=via,
            browser=browser[:_LONGEST_BROWSER],
            created_at=now,
            expires_at=now + LIFETIME,
        )
        await self._store.sessions.begin(session, by=operator.on_page, is_new=is_new)
        return f"{session.id}.{await self._sign(session)}"

    async def find(self, cookie: str | None) -> Session | None:
        """Find the session of a cookie, if this store signed it, it is open, and its operator may sign in."""
        session_id, _, signature = (cookie or "").partition(".")
        if not session_id or not signature:
            return None
        found = await self._store.sessions.find(session_id, self._clock.now())
        if found is None:
            return None
        expected = await self._sign(found[0])
        if not hmac.compare_digest(expected.encode("utf-8"), signature.encode("utf-8")):
            return None
        return Session(session_id, found[1], self._mac(f"form {session_id}"))

    async def end(self, session: Session) -> None:
        """End a session everywhere, for copies of its cookie too."""
        await self._store.sessions.end(session.id, by=session.by, at=self._clock.now())

    async def _sign(self, session: StoredSession) -> str:
        bound = f" {await fingerprint(self._store.key_values)}" if session.via == "passcode" else ""
        return self._mac(f"session {session.id} {session.operator} {session.via}{bound}")

    def _mac(self, text: str) -> str:
        return hmac.digest(self._store.seal.derive(_PURPOSE), text.encode("utf-8"), "sha256").hex()
