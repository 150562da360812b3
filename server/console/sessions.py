"""The operator's session: a cookie that only this store can have made, and the token that every form repeats.

Several processes may serve one store, so nothing is kept in memory. The cookie is bound to the passcode: changing that
ends every session. Signing out puts the session on a list in the store until it would have ended by itself.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from server.console.passcode import fingerprint
from server.store.key_values import get_value, put_value
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
    """Every form carries it; a page of another site cannot know it."""

    def sent(self, token: str) -> bool:
        """True when a form came from a page of this session."""
        return hmac.compare_digest(self.form_token.encode("utf-8"), token.encode("utf-8"))


class Sessions:
    """Begins, recognises and ends sessions."""

    def __init__(self, store: Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now

    @property
    def cookie_name(self) -> str:
        """Named after the store: cookies do not tell ports apart, and a sandbox's page may run beside the real one."""
        return f"ringfence_approvals_{self._store.seal.derive('approval cookie').hex()[:8]}"

    async def begin(self) -> str:
        """A new session's cookie, for whoever knew the passcode."""
        session_id = secrets.token_urlsafe(18)
        expires = int((self._now() + LIFETIME).timestamp())
        return f"{session_id}.{expires}.{await self._mark(session_id, expires)}"

    async def find(self, cookie: str | None) -> Session | None:
        """The session of a cookie, if this store made it, it has not ended, and the passcode is still the same."""
        parts = (cookie or "").split(".")
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 12):
            return None
        session_id, expires, mark = parts[0], int(parts[1]), parts[2]
        expected = await self._mark(session_id, expires)
        if not hmac.compare_digest(expected.encode("utf-8"), mark.encode("utf-8")):
            return None
        if expires <= self._now().timestamp() or session_id in self._still_listed(
            await self._store.key_values.get(_ENDED)
        ):
            return None
        return Session(session_id, expires, self._sealed(f"form {session_id}"))

    async def end(self, session: Session) -> None:
        """End it everywhere, also for a copy of the cookie."""
        async with self._store.database.transaction() as connection:
            ended = self._still_listed(await get_value(connection, _ENDED)) | {session.id: session.expires}
            await put_value(connection, _ENDED, json.dumps(ended))

    def _still_listed(self, kept: str | None) -> dict[str, int]:
        """The sessions that were ended before their time and would live on without the list."""
        ended: dict[str, int] = json.loads(kept or "{}")
        now = self._now().timestamp()
        return {session_id: expires for session_id, expires in ended.items() if expires > now}

    async def _mark(self, session_id: str, expires: int) -> str:
        return self._sealed(f"session {session_id} {expires} {await fingerprint(self._store.key_values)}")

    def _sealed(self, text: str) -> str:
        return hmac.digest(self._store.seal.derive(_PURPOSE), text.encode("utf-8"), "sha256").hex()
