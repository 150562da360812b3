"""Token pairs as the V3 Authentication pages describe them: opaque, revocable, refreshed exactly once."""

import secrets
from datetime import timedelta

from sandbox.clock import Clock
from sandbox.convirza.records import Session

ACCESS_LIFE = timedelta(days=7)
REFRESH_LIFE = timedelta(days=180)
LOGIN_LIMIT = 10
LOGIN_WINDOW = timedelta(minutes=1)


class Sessions:
    """The live token pairs, and how often each address has tried to log in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_access: dict[str, Session] = {}
        self._by_refresh: dict[str, Session] = {}
        self._attempts: dict[str, list[float]] = {}

    def open(self, user_id: int) -> Session:
        """Start a session: a new token pair for a user."""
        now = self._clock.now()
        session = Session(
            user_id=user_id,
            access=secrets.token_hex(48),
            refresh=secrets.token_hex(48),
            access_expires=now + ACCESS_LIFE,
            refresh_expires=now + REFRESH_LIFE,
        )
        self._by_access[session.access] = session
        self._by_refresh[session.refresh] = session
        return session

    def use(self, access: str) -> Session | None:
        """Return the session of an access token, which lives seven more days from now; None if it is dead."""
        session = self._by_access.get(access)
        now = self._clock.now()
        if session is None or now >= session.access_expires:
            return None
        session.access_expires = now + ACCESS_LIFE
        return session

    def rotate(self, refresh: str) -> Session | None:
        """Return a new pair for a refresh token that has not been used; None for any other.

        The old refresh token dies at once (documented). inferred: the old access token dies with it, since the page
        says that both are rotated; and using a dead refresh token ends no other session.
        """
        session = self._by_refresh.pop(refresh, None)
        if session is None or self._clock.now() >= session.refresh_expires:
            return None
        self._by_access.pop(session.access, None)
        return self.open(session.user_id)

    def revoke_access(self, token: str) -> None:
        """End an access token; its refresh token lives on (documented)."""
        self._by_access.pop(token, None)

    def revoke_refresh(self, token: str) -> None:
        """End a refresh token; inferred: its access token lives on until it expires."""
        self._by_refresh.pop(token, None)

    def expire_access(self) -> int:
        """End every access token and leave the refresh tokens alone; return how many there were."""
        ended = len(self._by_access)
        self._by_access.clear()
        return ended

    def may_try_login(self, client: str) -> bool:
        """Count a login attempt of an address; inferred: all attempts count, over a sliding minute."""
        now = self._clock.now().timestamp()
        recent = [at for at in self._attempts.get(client, []) if now - at < LOGIN_WINDOW.total_seconds()]
        self._attempts[client] = recent
        if len(recent) >= LOGIN_LIMIT:
            return False
        recent.append(now)
        return True
