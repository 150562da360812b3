"""Convirza API v3: its two hosts, its envelope, and its errors.

Rests on the provider's pages of April 2026 (`https://docs.convirza.com/`). The page on errors is not public, so the
shape of an error is inferred: `{code, message, request_id}` from the API host.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, cast

from clients.answers import NotShown
from clients.client import ApiClient
from clients.errors import Refused, quoted, refusal
from clients.operation import Operation
from clients.redaction import redact
from clients.resources import ClientResources
from clients.settings import reveal
from clients.shared.limits import Limits, ProcessLimits
from clients.shared.tokens import ProcessTokens, TokenStore
from clients.spec import ProviderApi, Spec
from clients.wire.response import whole_number
from tools.convirza.field_types import object_in
from tools.convirza.session import ConvirzaSession
from tools.convirza.settings import ConvirzaSettings

convirza: Final = ProviderApi(
    "convirza",
    title="Convirza",
    base_url="https://platform-api.convirza.com",
    has_envelope=True,
    docs_url="https://docs.convirza.com/",
    wire_case=str,
    quirks=(
        "Most paths under /v3 are inferred; `ringfence doctor` reports what each answered.",
        "PUT resets what is left out; the tools named update change single settings, those named replace all of them.",
        "Refresh tokens count once: two installations need two users.",
        "No amounts and no prices are published, so every paid call has an unknown price.",
        "Whoever has the link of a recording can hear it for 7 days.",
    ),
)

OAUTH_URL: Final = "https://platform-oauth.convirza.com"

ALL_PATHS: Final = "api-endpoints-reference-2043386m0"
"""The page with the paths of the users' operations."""

BASE_PATHS: Final = "architecture-2043388m0"
"""The page with the base path of each resource, named where an operation has no page of its own that is public."""


class Convirza(ApiClient):
    """A Convirza account, as one of its users.

    async with Convirza(email="…", password="…") as client:
        found = await client.send(ListProvisionedRoutes())
    """

    provider: ClassVar[ProviderApi] = convirza

    def __init__(
        self,
        *,
        email: str | None = None,
        password: str | None = None,
        base_url: str | None = None,
        oauth_url: str | None = None,
        limits: Limits | None = None,
        tokens: TokenStore | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        limits = limits or ProcessLimits()
        self.session = ConvirzaSession(
            email=email,
            password=password,
            oauth_url=(oauth_url or OAUTH_URL).rstrip("/"),
            limits=limits,
            tokens=tokens or ProcessTokens(),
            clock=clock,
        )
        super().__init__(
            credentials=self.session, identity=email or "nobody", base_url=base_url, limits=limits, **options
        )

    async def revoke(self) -> bool:
        """Log out: end this user's session at Convirza and forget it. False if there was none.

        Raises:
            ProviderUnreachable, ProviderFailed: Convirza did not confirm; call again.
        """
        return await self.session.revoke(self._http)

    def doubts_login(self, spec: Spec, status: int, refused: Mapping[str, str]) -> bool:
        """Not where a 401 is also how an operation says no, and the token was good a moment ago.

        Each renewal spends a refresh token, and takes the access token from whoever is using it.
        """
        return status == 401 and (401 not in spec.refusals or not self.session.is_surely_good(refused))

    def after_answer(self, operation: Operation[Any], answer: Any) -> None:
        # An answer shows that the token is good.
        self.session.accepted()

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """`{"code": 200, "data": …, "request_id": …}` → data. A code of 400 or more is a refusal in any status."""
        envelope = object_in(payload) or {}
        code = whole_number(envelope.get("code"))
        if code is not None and 400 <= code < 600:
            raise self.failure(spec, code, envelope)
        if code is None or not 200 <= code < 300:
            raise NotShown("its envelope has no code of success")
        data = envelope.get("data")
        if _names_an_error(envelope) or _names_an_error(object_in(data) or {}):
            raise NotShown("it names an error beside a code of success")
        return {} if data is None else data

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error, with the request id that Convirza's support asks for."""
        envelope = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
        reason = redact(_reason(envelope) or text or "no reason given")
        message = f"Convirza refused to {spec.title[0].lower()}{spec.title[1:]} ({status}): {quoted(reason)}"
        if request := envelope.get("request_id") or envelope.get("requestId"):
            message += f" (request {quoted(str(request))})"
        kind = spec.refusals.get(status)
        return kind(message, status=status) if kind is not None else refusal(status, message)


_NO: Final = frozenset({"error", "errors", "fail", "failed", "failure", "false"})


def _names_an_error(part: Mapping[str, Any]) -> bool:
    """Return True for an error or a result of failure; version 2 says `result`, no page shows it for version 3."""
    results = (part.get("result"), part.get("success"))
    return bool(part.get("error") or part.get("errors")) or any(str(word).casefold() in _NO for word in results)


def _reason(envelope: Mapping[str, Any]) -> str:
    """Return the provider's words: one sentence, or several."""
    words = envelope.get("message") or envelope.get("error") or ""
    return " ".join(str(word) for word in cast("list[object]", words)) if isinstance(words, list) else str(words)


def connect(account: ConvirzaSettings, resources: ClientResources) -> Convirza:
    """Make a client of the account that the settings name."""
    return Convirza(
        email=account.email,
        password=reveal(account.password),
        base_url=account.base_url,
        oauth_url=account.oauth_url,
        http=resources.http,
        limits=resources.limits,
        cache=resources.cache,
        tokens=resources.tokens,
        corrections=resources.corrections,
    )
