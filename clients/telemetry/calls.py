"""One call of an operation as it is watched: a span, a measurement and one line of the log; and each of its requests.

Addresses are recorded as their templates, such as `/v2.2/numbers/{number}`: what is filled in are people's numbers.
"""

import logging
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import httpx2
from opentelemetry.trace import SpanKind, StatusCode

from clients.spec import Spec
from clients.telemetry.instruments import LOGINS, REQUEST_SECONDS, RETRIES, STATUS, THROTTLED
from clients.telemetry.spans import ACCOUNT, ACTION, ATTEMPTS, ERROR, OPERATION, OUTCOME, PROVIDER, Facts, span

logger = logging.getLogger(__name__)

TOO_MANY: Final = 429
LOG_IN: Final = "log in"
_ACTION_ID: Final = re.compile("act_[a-z0-9]{8}")


@dataclass(slots=True)
class Attempts:
    """How often one call was sent, and whether one of the requests may have taken effect without a clear answer."""

    count: int = 0
    unclear: bool = False
    status: int = 0
    """The HTTP status of the last answer; 0 before there is one."""


@contextmanager
def observe_call(spec: Spec, account: str, key: str | None, attempts: Attempts) -> Generator[None]:
    """Record a call from the first attempt to the answer.

    `account` is the operator's name for the account. `key` is what the call is sent under: the id of an action, where
    the guard sends it.
    """
    action_id = key if key is not None and _ACTION_ID.fullmatch(key) else None
    began, failed = time.perf_counter(), ""
    facts: dict[str, str | int] = {OPERATION: spec.tool_name, PROVIDER: spec.provider.name, ACCOUNT: account}
    with span(spec.tool_name, {**facts, ACTION: action_id} if action_id else facts) as current:
        try:
            yield
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            seconds = time.perf_counter() - began
            result: dict[str, str | int] = {STATUS: attempts.status} if attempts.status else {}
            result |= {ERROR: failed} if failed else {}
            REQUEST_SECONDS.record(seconds, {**facts, **result})
            if current.is_recording():
                current.set_attributes({ATTEMPTS: attempts.count, OUTCOME: failed or "answered"})
            if logger.isEnabledFor(logging.INFO):
                _log_call(spec, account, action_id, attempts, failed, round(seconds * 1000))


def _log_call(
    spec: Spec, account: str, action_id: str | None, attempts: Attempts, failed: str, milliseconds: int
) -> None:
    said = [f"HTTP {attempts.status}" if attempts.status else "", failed]
    logger.info(
        "%s on %s: %s, %s, %d ms%s",
        spec.tool_name,
        account,
        " ".join(filter(None, said)) or "no answer",
        "1 attempt" if attempts.count == 1 else f"{attempts.count} attempts",
        milliseconds,
        f", {action_id}" if action_id else "",
        extra={
            "fields": {
                "operation": spec.tool_name,
                "provider": spec.provider.name,
                "account": account,
                "status": attempts.status or None,
                "error": failed or None,
                "attempts": attempts.count,
                "milliseconds": milliseconds,
                "action": action_id,
            }
        },
    )


class Attempt:
    """One request of a call, under way."""

    def __init__(self) -> None:
        self.status = 0

    def answered(self, status: int) -> None:
        """Note the HTTP status of the answer."""
        self.status = status


@contextmanager
def observe_attempt(method: str, template: str, base_url: str, resends: int) -> Generator[Attempt]:
    """Record one request. `resends` is how often it was sent before."""
    attempt = Attempt()
    server, path = _server_at(base_url)
    facts: dict[str, str | int | float | bool] = {
        "http.request.method": method,
        "url.template": path + template,
        **server,
    }
    facts |= {"http.request.resend_count": resends} if resends else {}
    with span(f"{method} {template}", facts, kind=SpanKind.CLIENT) as current:
        yield attempt
        if current.is_recording() and attempt.status:
            current.set_attribute(STATUS, attempt.status)
            if attempt.status >= 400:
                current.set_attribute(ERROR, str(attempt.status))
                current.set_status(StatusCode.ERROR)


@lru_cache(maxsize=64)  # one for each account and each address to log in
def _server_at(base_url: str) -> tuple[Facts, str]:
    """Return host and port of an address as attributes, and its path."""
    url = httpx2.URL(base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    return {"server.address": url.host, "server.port": port}, url.path.rstrip("/")


def note_throttled(spec: Spec, account: str, retry_after: float | None) -> None:
    """Note that a provider answered with 429."""
    THROTTLED.add(1, _facts(spec, account))
    asks = "does not say how long to wait" if retry_after is None else f"asks to wait {retry_after:.0f} seconds"
    logger.warning("%s on %s: HTTP %d, too many requests; the provider %s", spec.tool_name, account, TOO_MANY, asks)


def note_retry(spec: Spec, account: str, why: str, wait: float) -> None:
    """Note that a request is sent again."""
    RETRIES.add(1, _facts(spec, account))
    logger.warning("%s on %s: %s, sent again in %.1f seconds", spec.tool_name, account, why, wait)


def note_redirect(spec: Spec, account: str, status: int) -> None:
    """Note a redirect, which is not followed: it may lead anywhere."""
    logger.warning("%s on %s: HTTP %d, a redirect, is refused", spec.tool_name, account, status)


def note_renewed(spec: Spec, account: str) -> None:
    """Note that a login was refused, and that there is another one now."""
    logger.info("%s on %s: the login was refused and renewed", spec.tool_name, account)


async def post_login(
    http: httpx2.AsyncClient, provider: str, base_url: str, path: str, **content: Any
) -> httpx2.Response:
    """Post what begins, renews or ends a login; a redirect is not followed. What it sends is in no span and no log."""
    outcome = "failed"
    try:
        with span(LOG_IN, {PROVIDER: provider}), observe_attempt("POST", path, base_url, 0) as attempt:
            response = await http.post(base_url + path, **content, follow_redirects=False)
            attempt.answered(response.status_code)
            outcome = "accepted" if response.is_success else "refused"
            return response
    finally:
        LOGINS.add(1, {PROVIDER: provider, OUTCOME: outcome})
        logger.info("%s: POST %s to log in: %s", provider, path, outcome)


def _facts(spec: Spec, account: str) -> Facts:
    return {OPERATION: spec.tool_name, PROVIDER: spec.provider.name, ACCOUNT: account}
