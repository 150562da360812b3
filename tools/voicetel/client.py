"""VoiceTel REST API 2.2: how it logs in, wraps its answers, and limits its callers.

Rests on the provider's API page for 2.2.10 (`https://voicetel.com/docs/api/v2.2/`).
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar, cast

import anyio
import httpx2

from clients.answers import NOTHING, NotShown
from clients.client import ApiClient
from clients.errors import (
    Conflict,
    NotAuthenticated,
    NotConfigured,
    NotPermitted,
    ProviderFailed,
    RateLimited,
    Refused,
    quoted,
    refusal,
)
from clients.operation import Exchange, Operation
from clients.redaction import fingerprint, redact, without_secrets
from clients.resources import ClientResources
from clients.settings import reveal
from clients.shared.limits import Limit, Limits, ProcessLimits
from clients.spec import ProviderApi, Spec
from clients.telemetry.calls import post_login
from clients.wire.response import retry_after
from tools.voicetel.settings import VoiceTelSettings

voicetel: Final = ProviderApi(
    "voicetel",
    title="VoiceTel",
    base_url="https://api.voicetel.com",
    has_envelope=True,
    docs_url="https://voicetel.com/docs/api/v2.2/",
    quirks=(
        "An empty list is answered as 404, and a number of somebody else as 401; both are reported as what they mean.",
        "Numbers have ten digits on the wire; here they are E.164.",
        "Orders are charged at once, and some of the numbers may fail: check `failed`.",
        "Only orders have an idempotency key; no other call is ever sent a second time.",
        "Changing the password ends the API key that is in use.",
        "Message times run backwards on the wire: `from` is the newer bound. Here they are `since` and `until`.",
    ),
)

HOURLY: Final = Limit("voicetel account, call records, recurring charges and login", calls=6, seconds=3600)
"""6 an hour and IP, shared by the four routes (documented on each; that they share it is from the provider's SDK)."""

LOGIN_PATH: Final = "/v2.2/account/api-key"

R = TypeVar("R")

_ACCOUNT_UNKNOWN = re.compile(r"(?i)account.*not found")


class VoiceTelKey:
    """The bearer key: given, or fetched once with username and password.

    A key that was fetched is not fetched again after a 401: the login shares the hourly limit, and VoiceTel also
    answers 401 for a number that is not on the account.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        username: str | None,
        password: str | None,
        base_url: str,
        limits: Limits,
    ) -> None:
        self._key = api_key
        self._username = username
        self._password = password
        self._base_url = base_url
        self._limits = limits
        self._fetching = anyio.Lock()
        for secret in (api_key, password):
            if secret:
                redact.learn(secret)

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        if self._key is None:
            async with self._fetching:
                if self._key is None:
                    self._key = await self._fetch(http)
        return {"Authorization": f"Bearer {self._key}"}

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        return False

    def replace(self, key: str) -> None:
        """Use a new key from now on."""
        redact.learn(key)
        self._key = key

    def password_changed(self, password: str) -> None:
        """Log in with the new password when a key is next needed; the old key no longer opens the account."""
        redact.learn(password)
        self._password = password
        self._key = None

    async def _fetch(self, http: httpx2.AsyncClient) -> str:
        if not (self._username and self._password):
            raise NotConfigured(
                "VoiceTel has no API key, and no username and password to fetch one with; nothing was sent."
            )
        await self._limits.take(HOURLY)
        response = await post_login(
            http,
            "voicetel",
            self._base_url,
            LOGIN_PATH,
            json={"username": self._username, "password": self._password},
        )
        if response.status_code == 429:
            wait = retry_after(response.headers)
            await self._limits.exhaust(HOURLY, seconds=wait)
            raise RateLimited(
                "VoiceTel refuses to log in: 6 logins and account reads an hour. The call itself was not sent.",
                retry_after=wait,
            )
        if 400 <= response.status_code < 500:
            raise NotAuthenticated(
                "VoiceTel does not accept the username and password; the call itself was not sent.",
                status=response.status_code,
            )
        key = _key_in(response)
        if key is None:
            raise ProviderFailed(
                f"VoiceTel's login answered {response.status_code} without a key; the call itself was not sent.",
                status=response.status_code,
            )
        redact.learn(key)
        return key


class VoiceTel(ApiClient):
    """A VoiceTel account.

    async with VoiceTel(api_key="…") as client:
        found = await client.send(SearchInventory(tn_mask="201"))
    """

    provider: ClassVar[ProviderApi] = voicetel

    def __init__(
        self,
        *,
        api_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        base_url: str | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        limits = limits or ProcessLimits()
        self.key = VoiceTelKey(
            api_key=api_key,
            username=username,
            password=password,
            base_url=(base_url or voicetel.base_url).rstrip("/"),
            limits=limits,
        )
        super().__init__(
            credentials=self.key,
            identity=username or fingerprint(api_key or ""),
            base_url=base_url,
            limits=limits,
            **options,
        )

    def after_answer(self, operation: Operation[Any], answer: Any) -> None:
        """Keep up with a key that was fetched anew, and with a password change, which ends the key in use."""
        key = getattr(answer, "api_key", None)
        if operation.spec.path == LOGIN_PATH and key is not None:
            self.key.replace(key.get_secret_value())
        password = getattr(operation, "password", None)
        if operation.spec.path == "/v2.2/auth" and password is not None:
            self.key.password_changed(password.get_secret_value())

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Like that of every client; a password that was changed, though the mode beside it was not, is noticed too."""
        try:
            return await super().exchange(operation, idempotency_key=idempotency_key)
        except Conflict as partly:
            if "password" in _updated(partly.details):
                self.after_answer(operation, None)
            raise

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """`{"status": "success", "data": …}` → data. An error envelope inside a 200 is a refusal all the same."""
        envelope = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
        if envelope.get("status") == "error":
            status = _code(envelope)
            if status == spec.empty_on:
                return NOTHING
            raise self.failure(spec, status, envelope)
        if envelope.get("status") != "success" and "data" not in envelope:
            raise NotShown("its envelope is missing")
        data = envelope.get("data")
        return {} if data is None else data

    def is_own_refusal(self, payload: Any) -> bool:
        return isinstance(payload, dict) and cast("dict[str, Any]", payload).get("status") == "error"

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error, with what was done in part (`details`) where the documents show such an answer."""
        envelope = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
        reason = _reason(envelope) or text or "no reason given"
        message = f"VoiceTel refused to {spec.title[0].lower()}{spec.title[1:]} ({status}): {quoted(redact(reason))}"
        details = _done_in_part(envelope)
        if status == 404 and not self.is_own_refusal(payload):
            strange = (
                "VoiceTel's address answered 404 in a form that is not VoiceTel's: check its base URL and proxies."
            )
            return ProviderFailed(strange, status=status)
        kind = _kind(spec, status, reason)
        if kind is not None:
            return kind(message, status=status, details=without_secrets(details))
        return refusal(status, message, details=without_secrets(details))


def _kind(spec: Spec, status: int, reason: str) -> type[Refused] | None:
    """Return what a status means on this route. That of support says 401 also of an account that it does not know."""
    if status == 401 and spec.toolset == "support" and _ACCOUNT_UNKNOWN.search(reason):
        return NotPermitted
    return spec.refusals.get(status)


def _key_in(response: httpx2.Response) -> str | None:
    try:
        key = response.json()["data"]["apikey"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return key if response.status_code == 200 and isinstance(key, str) and key else None


def _done_in_part(envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a 409 did and did not do (ACL, authentication); None where nothing was done."""
    data = envelope.get("data")
    parts = {**(cast("dict[str, Any]", data) if isinstance(data, dict) else {}), **envelope}
    done = {name: parts[name] for name in ("added", "removed", "updated") if parts.get(name)}
    failed = {name: parts[name] for name in ("failed", "errors") if parts.get(name)}
    return {**done, **failed} if done else None


def _updated(details: Any) -> set[str]:
    """Names of the settings that a 409 says were changed."""
    rows: object = cast("Mapping[str, Any]", details).get("updated") if isinstance(details, Mapping) else None
    listed = cast("list[object]", rows) if isinstance(rows, list) else []
    return {str(cast("Mapping[str, Any]", row).get("field")) for row in listed if isinstance(row, Mapping)}


def _code(envelope: Mapping[str, Any]) -> int:
    """Return the status an error envelope names, as a number or as text; 400 if it names none that means no."""
    error = envelope.get("error")
    code = cast("Mapping[str, Any]", error).get("code") if isinstance(error, dict) else None
    named = str(code)
    return int(named) if re.fullmatch(r"[45][0-9]{2}", named) else 400


def _reason(envelope: Mapping[str, Any]) -> str:
    """Return the provider's words. Its own pages also read `data.message`, `message` and a plain `error`."""
    error = envelope.get("error")
    if isinstance(error, dict):
        parts = cast("Mapping[str, Any]", error)
        return " ".join(str(parts[key]) for key in ("message", "requirement") if parts.get(key))
    if isinstance(error, str):
        return error
    data = envelope.get("data")
    nested = cast("Mapping[str, Any]", data).get("message") if isinstance(data, dict) else None
    return str(nested or envelope.get("message") or "")


def connect(account: VoiceTelSettings, resources: ClientResources) -> VoiceTel:
    """Make a client of the account that the settings name."""
    return VoiceTel(
        api_key=reveal(account.api_key),
        username=account.username,
        password=reveal(account.password),
        base_url=account.base_url,
        http=resources.http,
        limits=resources.limits,
        cache=resources.cache,
        corrections=resources.corrections,
    )
