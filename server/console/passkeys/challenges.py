"""Challenges for enrolment and sign-in: random, for a few minutes, and each for one answer."""

import hashlib
import hmac
import json
import secrets
from datetime import timedelta
from typing import Final

from clients.shared.clock import Clock
from server.store.store import Store

LIFETIME: Final = timedelta(minutes=5)
_PURPOSE: Final = "passkey challenge"
_USED: Final = "passkey challenges used"


class Challenges:
    """Makes challenges, and recognises its own, once; processes on one store share them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def make(self, about: str) -> str:
        """Return a challenge as text: what is signed is its SHA-256. `about` is what it may be used for."""
        expires = int((self._clock.now() + LIFETIME).timestamp())
        text = f"{secrets.token_urlsafe(24)}.{expires}"
        return f"{text}.{self._mac(f'{about} {text}')}"

    async def use(self, challenge: str, about: str) -> bytes | None:
        """Return the bytes that were to be signed, and use the challenge up; None if it is not one of ours of now."""
        text, _, mac = challenge.rpartition(".")
        expires = text.rpartition(".")[2]
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return None
        if not hmac.compare_digest(self._mac(f"{about} {text}").encode("utf-8"), mac.encode("utf-8")):
            return None
        if int(expires) <= self._clock.now().timestamp() or not await self._take(text, int(expires)):
            return None
        return to_sign(challenge)

    async def _take(self, text: str, expires: int) -> bool:
        is_new: list[bool] = []

        def add(stored: str | None) -> str:
            now = self._clock.now().timestamp()
            used = {one: until for one, until in json.loads(stored or "{}").items() if until > now}
            is_new[:] = [text not in used]
            return json.dumps(used | {text: expires})

        await self._store.key_values.change(_USED, add)
        return is_new[0]

    def _mac(self, text: str) -> str:
        return hmac.digest(self._store.seal.derive(_PURPOSE), text.encode("utf-8"), "sha256").hex()


def to_sign(challenge: str) -> bytes:
    """Return the bytes that an authenticator signs for a challenge."""
    return hashlib.sha256(challenge.encode("utf-8")).digest()
