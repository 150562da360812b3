"""The operator's session: a cookie signed with the store's key, and a token that every form repeats.

Several processes may serve one store, so nothing is kept in memory. The cookie is bound to the passcode: a new passcode
ends every session. Signing out lists the session in the store until it would have expired.
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clients.shared.clock import Clock, SystemClock
from server.console.passcode import fingerprint
from server.store.store import Store

LIFETIME: Final = timedelta(hours=8)
_PURPOSE: Final = "approval session"
_ENDED: Final = "approval sessions ended"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in operator."""

    id: str
    expires: int
    """Seconds since 1970."""

    form_token: str
    """Every form contains it; another site's page cannot know it."""

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

    async def begin(self) -> str:
        """Begin a session and return its cookie."""
        session_id = secrets.token_urlsafe(18)
        expires = int((self._clock.now() + LIFETIME).timestamp())
        return f"{session_id}.{expires}.{await self._sign(session_id, expires)}"

    async def find(self, cookie: str | None) -> Session | None:
        """Find the session of a cookie, if this store signed it, it has not ended, and the passcode is unchanged."""
        parts = (cookie or "").split(".")
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 12):
            return None
        session_id, expires, signature = parts[0], int(parts[1]), parts[2]
        expected = await self._sign(session_id, expires)
        if not hmac.compare_digest(expected.encode("utf-8"), signature.encode("utf-8")):
            return None
        ended = self._unexpired(await self._store.key_values.get(_ENDED))
        if expires <= self._clock.now().timestamp() or session_id in ended:
            return None
        return Session(session_id, expires, self._mac(f"form {session_id}"))

    async def end(self, session: Session) -> None:
        """End a session everywhere, for copies of its cookie too."""

        def add(stored: str | None) -> str:
            return json.dumps(self._unexpired(stored) | {session.id: session.expires})

        await self._store.key_values.change(_ENDED, add)

    def _unexpired(self, stored: str | None) -> dict[str, int]:
        """Read the list of ended sessions, without those that have expired since."""
        ended: dict[str, int] = json.loads(stored or "{}")
        now = self._clock.now().timestamp()
        return {session_id: expires for session_id, expires in ended.items() if expires > now}

    async def _sign(self, session_id: str, expires: int) -> str:
        return self._mac(f"session {session_id} {expires} {await fingerprint(self._store.key_values)}")

    def _mac(self, text: str) -> str:
        return hmac.digest(self._store.seal.derive(_PURPOSE), text.encode("utf-8"), "sha256").hex()
