"""One client per provider account: `await client.send(operation)` returns the typed answer or raises a typed error.

Sending: build (pure) → count against the limit → credentials → send → unwrap the provider's envelope → typed answer.
A request is repeated only where its operation says that this is harmless.
"""

import secrets
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, ClassVar, Final, NoReturn, Protocol, Self, TypeVar

import anyio
import httpx2

from clients.answers import CHECKED, NOTHING, NotShown, TypedAnswer, read_answer
from clients.effects import Effect
from clients.errors import (
    LimitReached,
    NotSent,
    OutcomeUnknown,
    ProviderFailed,
    ProviderUnreachable,
    RateLimited,
    Refused,
    TelephonyError,
    UnexpectedAnswer,
    quoted,
)
from clients.operation import Exchange, Operation
from clients.shared.cache import AnswerCache, CachedAnswer, ProcessCache
from clients.shared.http_client import HttpPool
from clients.shared.inbound_texts import TextObserver
from clients.shared.limits import Limits, ProcessLimits
from clients.shared.read_memory import ReadMemory
from clients.spec import ProviderApi, Spec
from clients.telemetry.calls import (
    TOO_MANY,
    Attempts,
    note_redirect,
    note_renewed,
    note_retry,
    note_throttled,
    observe_attempt,
    observe_call,
)
from clients.wire.corrections import AS_DECLARED, Correction, Corrections, endpoint_of
from clients.wire.request import Request, build_request
from clients.wire.response import Response, backoff, excerpt, parse_json, parse_json_or_none, read_within

R = TypeVar("R")

ATTEMPTS = 3
NO_CONTENT: Final = 204
"""Success without an answer (RFC 9110, 15.3.5)."""

SCARCE_SECONDS: Final = 3600.0
"""A limit over so long a time is not waited for."""

ANSWER_SIZE_LIMIT = 32 * 1024 * 1024

_LOST = (httpx2.TransportError, httpx2.DecodingError)
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,  # raised only while the proxy opens the tunnel
    httpx2.UnsupportedProtocol,
)
_ILLEGAL_WHEN_SENT = (httpx2.LocalProtocolError,)
_ILLEGAL = (*_ILLEGAL_WHEN_SENT, httpx2.InvalidURL, UnicodeEncodeError)
"""Raised for what HTTP/1.1 cannot write. The first comes when the request is sent, before its first byte: method,
address and headers are checked as one. The others come from building it."""


class Credentials(Protocol):
    """Authenticates requests. The login is a request of its own: a lost login is never mistaken for a lost order."""

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        """Headers for one request, after logging in if needed."""
        ...

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        """After a 401: True if there are other credentials now, so that the request may be sent once more.

        `refused` is what the request was authenticated with, headers and form fields. If other credentials are in use
        by then, they are not touched: many calls may be refused for one token.
        """
        ...


class ApiClient:
    """Sends operations to one provider account; a provider's subclass defines its login and its envelope."""

    provider: ClassVar[ProviderApi]

    name: str
    """The operator's name for the account, by which logs and telemetry name it; the provider's, where it has none."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        identity: str,
        base_url: str | None = None,
        http: HttpPool | None = None,
        limits: Limits | None = None,
        cache: AnswerCache | None = None,
        corrections: Corrections | None = None,
        pause: Callable[[float], Awaitable[None]] = anyio.sleep,
        answer_within: float | None = None,
    ) -> None:
        self.base_url = (base_url or self.provider.base_url).rstrip("/")
        self.name = self.provider.name
        self._credentials = credentials
        self._identity = identity
        self._pool = http or HttpPool()
        self._owns_pool = http is None
        self._limits = limits or ProcessLimits()
        self._cache = cache or ProcessCache()
        self._corrections = corrections or {}
        self._pause = pause
        self._answer_within = answer_within or self._pool.answer_within
        self._reading_sparingly = anyio.Lock()
        self._texts: TextObserver | None = None
        self._memory: ReadMemory | None = None

    @property
    def account(self) -> str:
        """Identifies the account: the provider, its address, and the user or key."""
        return f"{self.provider.name} at {self.base_url.partition('://')[2]} as {self._identity}"

    def report_texts_to(self, observer: TextObserver) -> None:
        """Report every text that came in, whichever read shows it, to an observer."""
        self._texts = observer

    def sharing_reads(self) -> Self:
        """Return this client with a memory: a plain read that it made before is answered from there.

        For a job of many calls that need the same reads, and no longer than that job.
        """
        sharing = copy(self)
        sharing._memory = ReadMemory()
        return sharing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._owns_pool:
            await self._pool.close()

    @property
    def _http(self) -> httpx2.AsyncClient:
        return self._pool.client

    async def send(self, operation: Operation[R], *, idempotency_key: str | None = None) -> R:
        """Make one call.

        `idempotency_key` is used where the operation has a header for it; without one a fresh key is made, which
        lasts over the repetitions of this call only.

        Raises:
            NotSent: Nothing left this process.
            Refused: The provider answered no; the subclass says why.
            OutcomeUnknown: A write went out, and no answer came that shows whether it was done.
            UnexpectedAnswer: The answer to a read does not show what was asked for.
        """
        return (await self.exchange(operation, idempotency_key=idempotency_key)).answer

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Like `send`, with the answer as it came and the number of attempts."""
        if self._memory is not None and operation.spec.effect.is_plain_read:
            name = operation.spec.tool_name + operation.model_dump_json()
            return await self._memory.read(name, partial(self.exchange_anew, operation))
        return await self.exchange_anew(operation, idempotency_key=idempotency_key)

    async def exchange_anew(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Like `exchange`, whatever this client remembers of earlier reads."""
        if _keeps_last_answer(operation):
            async with self._reading_sparingly:
                return await self._exchange_sparingly(operation)
        outdates = _outdates_kept_answers(operation)
        try:
            return await self._exchange_now(operation, idempotency_key)
        except TelephonyError as error:
            outdates = outdates and not error.nothing_changed
            raise
        finally:
            if outdates:
                with anyio.CancelScope(shield=True):
                    await self._cache.mark_stale(self.account)

    def build_request(self, operation: Operation[Any]) -> Request:
        """Build the request for a call as this account's server and the operator's corrections want it; pure.

        Raises:
            InvalidRequest, NotConfigured: It cannot be made there.
        """
        return self.adapt_request(operation, build_request(operation, self._correction_for(operation.spec)))

    def read_again(self, operation: Operation[R], raw: str) -> R:
        """Parse a stored answer to a call once more.

        Raises:
            UnexpectedAnswer: It cannot be read.
        """
        return self._typed(operation, self._decoded(operation.spec, raw), raw).answer

    async def _exchange_now(self, operation: Operation[R], key: str | None) -> Exchange[R]:
        spec = operation.spec
        request = self.build_request(operation)
        attempts = Attempts()
        try:
            with observe_call(spec, self.name, key, attempts):
                response = await self._deliver(spec, request, key, attempts)
                typed = self._typed(operation, self._answer(spec, response), response.text)
        except (NotSent, Refused) as no:
            if isinstance(no, RateLimited) and spec.limit:
                await self._limits.exhaust(spec.limit, seconds=no.retry_after)
            if attempts.unclear and not spec.effect.is_plain_read:
                raise OutcomeUnknown(
                    f"{spec.title} was sent and got no clear answer, so it may have taken effect. Sent again: {no}"
                ) from no
            raise
        self.after_answer(operation, typed.answer)
        if self._texts is not None and (texts := operation.inbound_texts(typed.answer)):
            await self._texts.take_in(self.provider.name, texts)
        return Exchange(
            typed.answer, response.status, response.text, datetime.now(UTC), attempts.count, unread=typed.unread
        )

    async def _exchange_sparingly(self, operation: Operation[R]) -> Exchange[R]:
        """Return a cached answer while it is fresh, and also where the provider's limit allows no newer one."""
        spec, name = operation.spec, operation.spec.name + operation.model_dump_json()
        kept = await self._cache.get(self.account, name)
        if kept and not kept.is_stale and (datetime.now(UTC) - kept.at).total_seconds() < spec.cached_for:
            return self._kept_exchange(operation, kept)
        try:
            exchange = await self._exchange_now(operation, None)
        except (LimitReached, RateLimited):
            if kept is None:
                raise
            return self._kept_exchange(operation, kept)
        await self._cache.put(self.account, name, CachedAnswer(exchange.raw, exchange.received_at))
        return exchange

    def _kept_exchange(self, operation: Operation[R], kept: CachedAnswer) -> Exchange[R]:
        typed = self._typed(operation, self._decoded(operation.spec, kept.raw), kept.raw)
        return Exchange(typed.answer, 200, kept.raw, kept.at, attempts=0, unread=typed.unread)

    # What a provider's module overrides -----------------------------------------------------------------------------

    def adapt_request(self, operation: Operation[Any], request: Request) -> Request:
        """Adapt the request to this account's server; raises InvalidRequest where that server cannot do it."""
        return request

    def form_credentials(self) -> Mapping[str, str]:
        """Credentials for the form body, where the provider wants them there; read after `Credentials.headers`."""
        return {}

    def normalize_response(self, response: Response) -> Response:
        """Return the response with its real status, where the provider puts that in the body."""
        return response

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """Return the content of the provider's success envelope, or `NOTHING` where it documents an empty answer.

        A refusal inside an envelope is raised as `failure` makes it.

        Raises:
            NotShown: There is no such envelope.
        """
        raise NotImplementedError

    def is_own_refusal(self, payload: Any) -> bool:
        """Return True for a refusal in the provider's own form, not in that of a proxy or another server."""
        return isinstance(payload, Mapping)

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error for the provider's refusal."""
        raise NotImplementedError

    def doubts_login(self, spec: Spec, status: int, refused: Mapping[str, str]) -> bool:
        """Return True if this status may mean that the call's credentials are no longer valid."""
        return status == 401

    def after_answer(self, operation: Operation[Any], answer: Any) -> None:
        """Run after every answered call; overridden by clients whose credentials may change with it."""

    # Sending --------------------------------------------------------------------------------------------------------

    async def _deliver(self, spec: Spec, request: Request, key: str | None, attempts: Attempts) -> Response:
        headers = {spec.idempotency_header: key or secrets.token_hex(16)} if spec.idempotency_header else {}
        allowed = ATTEMPTS if spec.may_repeat else 1
        renewed = False
        while True:
            attempts.count += 1
            last = attempts.count >= allowed
            opened, form = await self._open(spec)
            try:
                answered = self._attempt(spec, request, {**opened, **headers}, form, attempts.count - 1)
                response = self.normalize_response(await answered)
            except _LOST as lost:
                if last:
                    self._lost(spec, lost)
                attempts.unclear |= not isinstance(lost, _NEVER_LEFT)
                pause = backoff(attempts.count)
                note_retry(spec, self.name, type(lost).__name__, pause)
                await self._pause(pause)
                continue
            attempts.status = response.status
            if response.status == TOO_MANY:
                note_throttled(spec, self.name, response.retry_after)
            sent = {**opened, **form}
            if spec.needs_key and not renewed and self.doubts_login(spec, response.status, sent):
                renewed = True
                if await self._renew(sent):
                    note_renewed(spec, self.name)
                    attempts.count -= 1
                    continue
            wait = response.wait_before_repeating(attempts.count)
            if wait is None or last:
                return response
            attempts.unclear |= response.status >= 500 and response.status not in spec.clean_failures
            note_retry(spec, self.name, f"HTTP {response.status}", wait)
            await self._pause(wait)

    async def _attempt(
        self, spec: Spec, request: Request, headers: Mapping[str, str], form: Mapping[str, str], resends: int
    ) -> Response:
        if spec.limit:
            await self._limits.take(spec.limit)
        with self._illegal_as_not_sent():
            built = httpx2.Request(
                request.method,
                self.base_url + request.path,
                params=request.query or None,
                json=request.body if request.carrier == "json" else None,
                data={**(request.body or {}), **form} if request.carrier == "form" else _parts(request, files=False),
                files=_parts(request, files=True),
                headers=self._headers_with(headers),
            )
        template = self._correction_for(spec).path or spec.path
        with observe_attempt(request.method, template, self.base_url, resends) as attempt, self._in_time(built):
            with self._illegal_as_not_sent(_ILLEGAL_WHEN_SENT):
                response = await self._http.send(built, stream=True, follow_redirects=False)
            attempt.answered(response.status_code)
            try:
                return await read_within(response, ANSWER_SIZE_LIMIT)
            finally:
                await response.aclose()

    def _headers_with(self, more: Mapping[str, str]) -> httpx2.Headers:
        """Return the headers of every request, and these."""
        headers = self._every_header.copy()
        headers.update(more)
        return headers

    @cached_property
    def _every_header(self) -> httpx2.Headers:
        """The headers of every request. Merging them with those of the pool costs as much as the rest of a request."""
        headers = self._http.headers.copy()
        headers.update({"Accept": "application/json", "User-Agent": "ringfence"})
        return headers

    async def _open(self, spec: Spec) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the headers and the form fields that open the account."""
        if not spec.needs_key:
            return {}, {}
        try:
            with self._illegal_as_not_sent(), self._in_time():
                return await self._credentials.headers(self._http), self.form_credentials()
        except _LOST as lost:
            raise ProviderUnreachable(
                f"{self.provider.title} could not be reached to log in ({type(lost).__name__}); "
                "the call itself was not sent."
            ) from lost

    async def _renew(self, refused: Mapping[str, str]) -> bool:
        try:
            with self._illegal_as_not_sent(), self._in_time():
                return await self._credentials.renew(self._http, refused)
        except _LOST as lost:
            raise ProviderUnreachable(
                f"{self.provider.title} did not take the login, and no new one came ({type(lost).__name__}); "
                "the call did nothing."
            ) from lost

    @contextmanager
    def _in_time(self, request: httpx2.Request | None = None) -> Generator[None]:
        """End what takes too long as a whole as if its connection had timed out."""
        late: TimeoutError | None = None
        # A scope of its own: `anyio.fail_after` costs twice as much, and every request needs two of them.
        with anyio.CancelScope(deadline=anyio.current_time() + self._answer_within) as scope:
            try:
                yield
            except TimeoutError as error:
                late = error
        if late is not None or scope.cancelled_caught:
            raise httpx2.ReadTimeout("The whole answer takes too long.", request=request) from late

    @contextmanager
    def _illegal_as_not_sent(self, kinds: tuple[type[Exception], ...] = _ILLEGAL) -> Generator[None]:
        """Raise NotSent for a request that cannot be written. The reason may quote the key, so it is not passed on."""
        try:
            yield
        except kinds:
            raise NotSent(
                f"Nothing was sent to {self.provider.title}: the call cannot be written as an HTTP request, because "
                "the key or the address has characters that do not belong there. Ask the operator to check both."
            ) from None

    def _lost(self, spec: Spec, lost: httpx2.RequestError) -> NoReturn:
        """No answer came: what that means depends on how far the request got and on what it does."""
        how = type(lost).__name__
        if isinstance(lost, _NEVER_LEFT):
            raise ProviderUnreachable(
                f"{self.provider.title} could not be reached ({how}); nothing was sent."
            ) from lost
        if spec.effect.is_plain_read:
            message = f"{self.provider.title} gave no answer ({how}); reading changes nothing."
            raise ProviderFailed(message, status=0) from lost
        raise OutcomeUnknown(
            f"{spec.title} was sent to {self.provider.title}, but no answer came ({how}). It may have taken effect."
        ) from lost

    # Reading the answer ---------------------------------------------------------------------------------------------

    def _answer(self, spec: Spec, response: Response) -> Any:
        status = response.status
        if status == spec.empty_on and self.is_own_refusal(parse_json_or_none(response.text)):
            return NOTHING
        if status == NO_CONTENT and Effect.READ not in spec.effect and not spec.confirmed_by:
            return NOTHING
        if 200 <= status < 300:
            if response.is_cut_off:
                raise self._not_shown(spec, response.text, f"it is larger than {ANSWER_SIZE_LIMIT} bytes")
            return self._decoded(spec, response.text)
        if 300 <= status < 400:
            note_redirect(spec, self.name, status)
            raise self._unclear(spec, status, "a redirect, which is not followed")
        payload, text = parse_json_or_none(response.text), excerpt(response.text)
        raise self.failure(spec, status, payload, text, retry_after=response.retry_after)

    def failure(
        self, spec: Spec, status: int, payload: Any, text: str = "", *, retry_after: float | None = None
    ) -> TelephonyError:
        """Return what a status of 400 or more means, whether it is that of the response or hidden in its envelope."""
        hint = f" It asks to wait {retry_after:.0f} seconds." if retry_after is not None else ""
        if status == 429:
            message = f"{self.provider.title} says: too many requests.{hint} Nothing was done."
            return RateLimited(message, retry_after=retry_after)
        if status >= 500 and not spec.effect.is_plain_read and status not in spec.clean_failures:
            return self._unclear(spec, status, f"HTTP {status}")
        no = self.refusal(spec, status, payload, text)
        return ProviderFailed(f"{no}{hint}", status=status) if hint and isinstance(no, ProviderFailed) else no

    def _unclear(self, spec: Spec, status: int, what: str) -> TelephonyError:
        message = f"{self.provider.title} answered {spec.title.lower()} with {what}"
        if spec.effect.is_plain_read:
            return ProviderFailed(message + "; reading changes nothing.", status=status)
        return OutcomeUnknown(message + ". It may have taken effect.")

    def _decoded(self, spec: Spec, text: str) -> Any:
        try:
            payload = parse_json(text) if text.strip() else None
        except ValueError:
            beginning = excerpt(text)
            raise self._not_shown(
                spec, text, "it is not JSON" + (f": {quoted(beginning)}" if beginning else "")
            ) from None
        try:
            if payload is not None:
                return self.unwrap(spec, payload)
        except NotShown as missing:
            raise self._not_shown(spec, text, str(missing)) from missing
        if spec.may_be_empty:
            return NOTHING
        raise self._not_shown(spec, text, "it is empty")

    def _typed(self, operation: Operation[R], content: Any, raw: str) -> TypedAnswer[R]:
        try:
            is_own = content is NOTHING or content is CHECKED
            named = content if is_own else self._correction_for(operation.spec).rename_answer(content)
            return read_answer(operation, named)
        except NotShown as missing:
            raise self._not_shown(operation.spec, raw, str(missing)) from missing

    def _correction_for(self, spec: Spec) -> Correction:
        return self._corrections.get(endpoint_of(spec), AS_DECLARED) if self._corrections else AS_DECLARED

    def _not_shown(self, spec: Spec, raw: str, why: str) -> TelephonyError:
        """Return what a success means whose content does not show what was done or asked for."""
        message = f"{self.provider.title} answered {spec.title.lower()}, but not as documented: {why}."
        if spec.effect.is_plain_read:
            return UnexpectedAnswer(f"{message} Reading changes nothing.", raw=raw)
        return OutcomeUnknown(f"{message} It may have taken effect.", raw=raw)


def _keeps_last_answer(operation: Operation[Any]) -> bool:
    """Return True for a read of which the last answer is kept for as long as its limit allows no other.

    Without `cached_for` that is only a figure of the account: what has arguments may hold anything, and anybody's data.
    """
    spec = operation.spec
    is_scarce = spec.limit is not None and spec.limit.seconds >= SCARCE_SECONDS
    return bool(spec.cached_for) or (is_scarce and spec.effect.is_plain_read and not type(operation).model_fields)


def _outdates_kept_answers(operation: Operation[Any]) -> bool:
    """Return True for a call that spends money or changes what a cached answer shows."""
    before = operation.before()
    return Effect.PAID in operation.spec.effect or (before is not None and before.spec.cached_for > 0)


def _parts(request: Request, *, files: bool) -> dict[str, Any] | None:
    """Return the files of a multipart body, which are `(name, content, media type)`, or its other fields."""
    if request.carrier != "multipart":
        return None
    return {name: part for name, part in request.body.items() if isinstance(part, tuple) == files}
