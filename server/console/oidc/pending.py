"""A sign-in that is under way at the provider: kept in the browser, sealed, for a few minutes and for one return."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from clients.shared.clock import Clock
from server.console.oidc.errors import NotSignedIn
from server.store.store import Store

LIFETIME: Final = timedelta(minutes=10)
"""In which the person signs in at the provider, with a second factor where it asks for one."""

_PURPOSE: Final = "single sign-on"
_USED: Final = "single sign-ons used"
LARGEST_COOKIE: Final = 4096


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What must fit when the browser comes back."""

    state: str
    """Goes to the provider and comes back with the browser: only this browser can have begun with it."""

    nonce: str
    """Goes to the provider and comes back in the token."""

    verifier: str
    """Proves to the provider that who exchanges the code also began (PKCE, RFC 7636). Its hash goes there before."""

    redirect_uri: str
    wanted: str
    """The action or plan to show afterwards; empty for the page of what waits."""

    expires: int
    """Seconds since 1970."""

    @property
    def challenge(self) -> str:
        """The hash of the verifier, as `S256` wants it."""
        hashed = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


class PendingSignIns:
    """Begins sign-ins, and uses each up that comes back, over all processes on a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def cookie_name(self) -> str:
        """Name the cookie after the key, as the session's."""
        return f"ringfence_sign_in_{self._store.seal.derive('approval cookie').hex()[:8]}"

    def begin(self, *, redirect_uri: str, wanted: str) -> PendingSignIn:
        """Begin a sign-in with values that nobody can guess."""
        return PendingSignIn(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            wanted=wanted,
            expires=int((self._clock.now() + LIFETIME).timestamp()),
        )

    def cookie_for(self, pending: PendingSignIn) -> str:
        """Seal a sign-in for the browser that begins it. Nobody else can read it, and nobody can make one."""
        return self._fernet().encrypt(json.dumps(asdict(pending)).encode("utf-8")).decode("ascii")

    def match(self, cookie: str | None, state: str) -> PendingSignIn:
        """Return the sign-in that this browser began and now comes back from.

        Raises:
            NotSignedIn: It began none, began another one since, or took too long.
        """
        pending = self._open(cookie)
        if pending is None:
            raise NotSignedIn("This browser has begun no sign-in, or does not keep cookies.")
        if not hmac.compare_digest(pending.state.encode("utf-8"), state.encode("utf-8")):
            raise NotSignedIn("This is the answer to another sign-in than the one this browser began last.")
        if pending.expires <= self._clock.now().timestamp():
            raise NotSignedIn(f"The sign-in took longer than {LIFETIME.seconds // 60} minutes.")
        return pending

    async def use(self, pending: PendingSignIn) -> None:
        """Use a sign-in up, for copies of its cookie too.

        Raises:
            NotSignedIn: It was used already.
        """
        used, now = hashlib.sha256(pending.state.encode("ascii")).hexdigest(), self._clock.now().timestamp()

        def add(stored: str | None) -> str:
            known: dict[str, int] = json.loads(stored or "{}")
            if used in known:
                raise NotSignedIn("This sign-in was completed already.")
            return json.dumps({**{each: until for each, until in known.items() if until > now}, used: pending.expires})

        await self._store.key_values.change(_USED, add)

    def _open(self, cookie: str | None) -> PendingSignIn | None:
        if not cookie or len(cookie) > LARGEST_COOKIE:
            return None
        try:
            return PendingSignIn(**json.loads(self._fernet().decrypt(cookie)))
        except (InvalidToken, ValueError, TypeError):
            return None

    def _fernet(self) -> Fernet:
        return Fernet(urlsafe_b64encode(self._store.seal.derive(_PURPOSE)))
