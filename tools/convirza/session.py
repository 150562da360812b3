"""Convirza's login: a token pair whose refresh token works once, so that the new pair is kept before it is used.

Documented (V3 Authentication): `POST /oauth/token`, `/oauth/refresh-token` and `/oauth/revoke-token` on the OAuth host,
opaque tokens, an access token that lives seven days from its last use, a refresh token that lives 180 days and dies
when it is used, ten logins a minute. Inferred: the names `email` and `password` in a login, `token` in a revocation.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

import anyio
import httpx2

from clients.errors import NotAuthenticated, NotConfigured, ProviderFailed, ProviderUnreachable, RateLimited
from clients.redaction import redact
from clients.shared.limits import Limit, Limits
from clients.shared.tokens import TokenStore
from clients.telemetry.calls import post_login
from clients.wire.response import retry_after

REFRESH_WITHIN: Final = 60.0
"""Seconds for a refresh, which nobody who waits for it can cancel: a slow answer would hold every later call."""

LOGINS: Final = Limit("convirza login", calls=10, seconds=60)
"""Ten a minute and IP (documented). Refreshing does not count against it (inferred)."""

JUST_NOW: Final = 60.0
"""Seconds for which a token that was obtained or accepted is not doubted where a 401 may mean something else."""

LOGIN_PATH: Final = "/oauth/token"
REFRESH_PATH: Final = "/oauth/refresh-token"
REVOKE_PATH: Final = "/oauth/revoke-token"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or a refresh answers. Its expiry times are not needed: a token is used until it is refused."""

    access_token: str
    refresh_token: str


class ConvirzaSession:
    """Opens one user's account, and keeps the session over restarts and between processes."""

    def __init__(
        self,
        *,
        email: str | None,
        password: str | None,
        oauth_url: str,
        limits: Limits,
        tokens: TokenStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._email = email
        self._password = password
        self._oauth_url = oauth_url
        self._limits = limits
        self._tokens = tokens
        self._name = "convirza-" + hashlib.sha256(f"{oauth_url} {email}".encode()).hexdigest()[:24]
        self._clock = clock
        self._pair: TokenPair | None = None
        self._good_at: float | None = None
        self._changing = anyio.Lock()
        if password:
            redact.learn(password)

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        pair = self._pair
        if pair is None:
            async with self._changing:
                pair = self._pair = self._pair or await self._kept() or await self._log_in(http)
        return _bearer_header(pair)

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        """Another pair than the one that was refused: one that another caller brought, a refreshed, or a new one.

        A pair that came after the request was sent is left alone, since refreshing it would take it from its users.
        """
        async with self._changing:
            pair = self._pair
            if pair is not None and refused == _bearer_header(pair):
                self._good_at = None
                self._pair = await self._brought_by_another(pair) or await self._next(http, pair)
        return True

    def accepted(self) -> None:
        """Note that Convirza took the token."""
        self._good_at = self._clock()

    def is_surely_good(self, sent: Mapping[str, str]) -> bool:
        """Whether this is the present token, given or taken a moment ago. It lives seven days from then."""
        is_present = self._pair is not None and sent == _bearer_header(self._pair)
        return is_present and self._good_at is not None and self._clock() - self._good_at < JUST_NOW

    async def revoke(self, http: httpx2.AsyncClient) -> bool:
        """End the session at Convirza and forget it; False if there was none.

        Revoking needs no login and may be repeated; a dead token counts as revoked (documented).

        Raises:
            ProviderUnreachable, ProviderFailed: Convirza did not confirm; the session is kept, so call again.
        """
        async with self._changing:
            pair = self._pair or await self._kept()
            if pair is None:
                return False
            await self._end(http, pair.refresh_token, "refresh")
            await self._end(http, pair.access_token, "access")
            await self._tokens.drop(self._name)
            self._pair = None
            return True

    async def _kept(self) -> TokenPair | None:
        text = await self._tokens.get(self._name)
        pair = _pair_in(text) if text else None
        return _redact_tokens(pair) if pair else None

    async def _keep(self, pair: TokenPair) -> TokenPair:
        await self._tokens.put(self._name, json.dumps(asdict(_redact_tokens(pair))))
        self.accepted()
        return pair

    async def _next(self, http: httpx2.AsyncClient, refused: TokenPair) -> TokenPair:
        try:
            return await self._refreshed(http, refused) or await self._log_in(http)
        except (httpx2.TransportError, httpx2.DecodingError) as lost:
            raise ProviderUnreachable(
                f"Convirza did not take the token, and its login could not be reached ({type(lost).__name__}); "
                "the call did nothing."
            ) from lost

    async def _refreshed(self, http: httpx2.AsyncClient, old: TokenPair) -> TokenPair | None:
        """Return the next pair, kept before anybody uses it; None where only a new login helps.

        A refresh whose answer was lost may have used up the token, so it is not sent twice.
        """
        pair: TokenPair | None = None
        lost = (httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError, TimeoutError)
        with anyio.CancelScope(shield=True), suppress(*lost):
            with anyio.fail_after(REFRESH_WITHIN):
                response = await self._post(http, REFRESH_PATH, {"refresh_token": old.refresh_token})
            pair = _pair_in(response.text) if response.is_success else None
            if pair is not None:
                await self._keep(pair)
        return pair or await self._brought_by_another(old)

    async def _brought_by_another(self, old: TokenPair) -> TokenPair | None:
        """Return the pair of another process on the same store that was faster."""
        kept = await self._kept()
        return kept if kept != old else None

    async def _log_in(self, http: httpx2.AsyncClient) -> TokenPair:
        if not (self._email and self._password):
            raise NotConfigured("Convirza has no e-mail and password to log in with; nothing was sent.")
        await self._limits.take(LOGINS)
        response = await self._post(http, LOGIN_PATH, {"email": self._email, "password": self._password})
        status = response.status_code
        if status == 429:
            wait = retry_after(response.headers)
            await self._limits.exhaust(LOGINS, seconds=wait)
            raise RateLimited(
                "Convirza refuses to log in: 10 logins a minute. The call itself was not sent.", retry_after=wait
            )
        if 400 <= status < 500:
            raise NotAuthenticated(
                "Convirza does not accept the e-mail and password; the call itself was not sent.", status=status
            )
        pair = _pair_in(response.text) if response.is_success else None
        if pair is None:
            raise ProviderFailed(
                f"Convirza's login answered {status} without tokens; the call itself was not sent.", status=status
            )
        return await self._keep(pair)

    async def _end(self, http: httpx2.AsyncClient, token: str, kind: Literal["access", "refresh"]) -> None:
        try:
            response = await self._post(http, REVOKE_PATH, {"token": token, "token_type": kind})
        except httpx2.TransportError as lost:
            raise ProviderUnreachable(
                f"Convirza did not confirm that the {kind} token is revoked ({type(lost).__name__}); call again."
            ) from lost
        if not response.is_success:
            raise ProviderFailed(
                f"Convirza answered {response.status_code} instead of revoking the {kind} token.",
                status=response.status_code,
            )

    async def _post(self, http: httpx2.AsyncClient, path: str, body: Mapping[str, str]) -> httpx2.Response:
        return await post_login(http, "convirza", self._oauth_url, path, json=dict(body))


def _bearer_header(pair: TokenPair) -> dict[str, str]:
    return {"Authorization": f"Bearer {pair.access_token}"}


def _pair_in(text: str) -> TokenPair | None:
    """Return the pair in an answer or in the token store, with or without an envelope; None where there is none."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found: Mapping[str, Any] = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    inner: Any = found.get("data")
    tokens: Mapping[str, Any] = cast("dict[str, Any]", inner) if isinstance(inner, dict) else found
    access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
    if isinstance(access, str) and access and isinstance(refresh, str) and refresh:
        return TokenPair(access, refresh)
    return None


def _redact_tokens(pair: TokenPair) -> TokenPair:
    redact.learn(pair.access_token)
    redact.learn(pair.refresh_token)
    return pair
