"""Asks the authorization server about tokens that say nothing themselves (RFC 7662), and keeps its answers for a while.

Anybody can send tokens that mean nothing, each of which has to be asked about. They are asked about a few at a time and
not without end, and beside the tokens that counted before: whoever works does not wait for whoever guesses.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import quote_plus
from weakref import WeakValueDictionary

import anyio

from clients.shared.clock import Clock
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.transport import post_form
from server.http.oauth.claims import require_for_us
from server.http.oauth.errors import AuthorizationServerUnavailable
from server.http.oauth.issuer import BETWEEN_READS, KEPT, KEPT_OFFLINE, find_endpoint, is_within, reason_of
from server.settings.sections.oauth import IntrospectionSettings, OAuthSettings

logger = logging.getLogger(__name__)

ENDPOINT: Final = "introspection_endpoint"
"""Where the server's document says whom to ask."""

AT_ONCE: Final = 8
"""Requests under way for tokens that never counted, and as many for those that did."""

WAIT_SECONDS: Final = 2.0
"""How long a token waits for its turn, so that a slow server does not pile requests up here."""

NEW_A_MINUTE: Final = 600
"""How many tokens that never counted are asked about in a minute: the server has other work than guesses."""

MOST_KEPT: Final = 2048
"""Answers of each kind, the latest used; with a kilobyte each, some megabytes."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{8,8192}={0,2}")
"""What a bearer token is made of (RFC 6750, 2.1), as long as any server makes it. Nothing else is asked about."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the server said about a token, or why that is not enough."""

    claims: Mapping[str, Any]
    refusal: str | None
    since: datetime
    until: datetime

    def counts(self, now: datetime) -> bool:
        return self.since <= now < self.until


class Introspection:
    """Checks tokens at the authorization server, for all requests of this process."""

    def __init__(
        self, settings: OAuthSettings, asks: IntrospectionSettings, clock: Clock, *, new_a_minute: int = NEW_A_MINUTE
    ) -> None:
        """`asks` says as whom we ask; `new_a_minute` is about how many tokens that never counted, at most."""
        self._settings = settings
        self._asks = asks
        self._clock = clock
        self._endpoint = _Endpoint(settings.issuer, clock)
        self._accepted = OrderedDict[bytes, _Known]()
        self._refused = OrderedDict[bytes, _Known]()  # apart, so that guesses push no token out that counts
        self._locks = WeakValueDictionary[bytes, anyio.Lock]()
        self._turns, self._turns_of_new = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(AT_ONCE)
        self._new_a_minute = new_a_minute
        self._minute: datetime | None = None
        self._asked = 0
        self._warned_at: datetime | None = None

    async def claims_of(self, token: str) -> Mapping[str, Any]:
        """Return what the authorization server says about a token that counts and is for us.

        Raises:
            ProviderMisfit: It does not count, or is not for us.
            AuthorizationServerUnavailable: The server does not say.
        """
        if not _TOKEN.fullmatch(token):
            raise ProviderMisfit("it is no token.")
        digest = sha256(token.encode()).digest()
        if (known := self._find(digest)) is None:
            async with self._turn(digest):
                if (known := self._find(digest)) is None:  # whoever was before us may have asked
                    known = self._keep(digest, await self._ask(token))
        if known.refusal is not None:
            raise ProviderMisfit(known.refusal)
        require_for_us(known.claims, self._settings, self._clock.now())
        return known.claims

    def _find(self, digest: bytes) -> _Known | None:
        for kept in (self._accepted, self._refused):
            known = kept.get(digest)
            if known is not None and known.counts(self._clock.now()):
                kept.move_to_end(digest)
                return known
        return None

    @asynccontextmanager
    async def _turn(self, digest: bytes) -> AsyncGenerator[None]:
        """Wait until a token may be asked about: once at a time, and among few.

        Raises:
            AuthorizationServerUnavailable: Too many are before it.
        """
        is_new = digest not in self._accepted
        lock = self._locks.setdefault(digest, anyio.Lock())
        async with AsyncExitStack() as held:
            try:
                with anyio.fail_after(WAIT_SECONDS):
                    await held.enter_async_context(lock)
                    await held.enter_async_context(self._turns_of_new if is_new else self._turns)
            except TimeoutError:
                raise AuthorizationServerUnavailable("Too many tokens are being checked at once.") from None
            if is_new:
                self._count_new()
            yield

    def _count_new(self) -> None:
        if not is_within(self._clock, self._minute, timedelta(minutes=1)):
            self._minute, self._asked = self._clock.now(), 0
        if self._asked >= self._new_a_minute:
            raise AuthorizationServerUnavailable("Too many new tokens came within a minute.")
        self._asked += 1

    async def _ask(self, token: str) -> Mapping[str, Any]:
        try:
            return await introspect(await self._endpoint.address(), self._asks, token)
        except ProviderMisfit as misfit:
            reason = reason_of(misfit)
            if not is_within(self._clock, self._warned_at, BETWEEN_READS):
                self._warned_at = self._clock.now()
                logger.warning("%s cannot be asked about access tokens: %s", self._settings.issuer, reason)
            raise AuthorizationServerUnavailable(reason) from None

    def _keep(self, digest: bytes, answer: Mapping[str, Any]) -> _Known:
        """Keep an answer: as one that counts only if it is for us, whatever the server vouches for."""
        now = self._clock.now()
        # An answer may leave out whose token it is, since we asked them.
        claims: dict[str, Any] = {"iss": self._settings.issuer, **answer}
        refusal, until = None, now + timedelta(seconds=self._asks.keep_seconds)
        try:
            if answer["active"] is not True:
                raise ProviderMisfit("the authorization server says that it does not count, or no longer.")
            require_for_us(claims, self._settings, now)
            if claims["exp"] < until.timestamp():
                until = datetime.fromtimestamp(claims["exp"], now.tzinfo)
        except ProviderMisfit as misfit:
            refusal = str(misfit)
            self._accepted.pop(digest, None)
        known = _Known({} if refusal else claims, refusal, now, until)
        kept = self._accepted if refusal is None else self._refused
        kept[digest] = known
        kept.move_to_end(digest)
        if len(kept) > MOST_KEPT:
            kept.popitem(last=False)
        return known


class _Endpoint:
    """Where the authorization server is asked, by its own document, which is read once an hour."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._reading = anyio.Lock()
        self._address = ""
        self._failure = ProviderMisfit("The authorization server has no document.")
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None

    async def address(self) -> str:
        """Return the address.

        Raises:
            ProviderMisfit: It cannot be found out, and was not within a day.
        """
        if not self._is_known_for(KEPT) and not (self._reading.locked() and self._is_known_for(KEPT_OFFLINE)):
            async with self._reading:
                if not self._is_known_for(KEPT) and not is_within(self._clock, self._tried_at, BETWEEN_READS):
                    self._tried_at = self._clock.now()
                    await self._read()
        if not self._is_known_for(KEPT_OFFLINE):
            raise self._failure
        return self._address

    def _is_known_for(self, span: timedelta) -> bool:
        return is_within(self._clock, self._read_at, span)

    async def _read(self) -> None:
        try:
            self._address, self._read_at = await find_endpoint(self._issuer, ENDPOINT), self._clock.now()
        except ProviderMisfit as misfit:
            self._failure = misfit


async def introspect(address: str, settings: IntrospectionSettings, token: str) -> Mapping[str, Any]:
    """Ask an authorization server about a token and return the answer, whatever it says.

    Raises:
        ProviderMisfit: The server cannot be reached, or what comes back is no answer to that.
    """
    fields = {"token": token, "token_type_hint": "access_token"}
    client, secret = settings.client_id, settings.client_secret.get_secret_value()
    if settings.authentication == "post":
        fields, login = fields | {"client_id": client, "client_secret": secret}, None
    else:
        login = quote_plus(client), quote_plus(secret)  # encoded before they are joined (RFC 6749, 2.3.1)
    status, answer = await post_form(address, fields, login=login, declared=True)
    if status in {400, 401, 403}:
        raise ProviderMisfit(
            f"The authorization server does not let us ask about tokens (status {status}). Compare "
            "`http.oauth.introspection` with the registration there."
        )
    if status != 200 or answer is None:
        raise ProviderMisfit(f"The authorization server answered {status} where a JSON document was expected.")
    if not isinstance(answer.get("active"), bool):
        raise ProviderMisfit("The authorization server does not say whether a token is active.")
    return answer


async def try_introspection(issuer: str, settings: IntrospectionSettings) -> None:
    """Ask an authorization server about a token that nobody has.

    Raises:
        ProviderMisfit: It does not answer, or vouches for that.
    """
    answer = await introspect(await find_endpoint(issuer, ENDPOINT), settings, token_urlsafe())
    if answer["active"]:
        raise ProviderMisfit("The authorization server says that a token counts which nobody has.")
