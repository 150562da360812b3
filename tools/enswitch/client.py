"""Enswitch JSON API (Integrics): how it logs in, wraps its answers, and says no.

Not a REST API: each function is an address that takes a form. Codes in the body count, not those of HTTP, and do not
mean what HTTP's do. Rests on the public guide's introduction and its pages on tokens and user/login
(`https://integrics.com/enswitch/guides/4.4/en/dev/json/`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, TypeVar, cast

import anyio
import httpx2

from clients.answers import CHECKED, NotShown
from clients.client import ApiClient
from clients.effects import Effect
from clients.errors import (
    InvalidRequest,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    ProviderFailed,
    Refused,
    quoted,
)
from clients.grades import Grade, Grades
from clients.operation import Exchange, Operation, is_dry_run
from clients.redaction import redact
from clients.resources import ClientResources
from clients.settings import reveal
from clients.spec import ProviderApi, Spec
from clients.telemetry.calls import post_login
from clients.wire.request import Request
from clients.wire.response import Response, parse_json_or_none, whole_number
from tools.enswitch.settings import EnswitchSettings
from tools.enswitch.versions import NEWEST, TOKENS, Version, in_form_of, version_of

R = TypeVar("R")
OperationT = TypeVar("OperationT", bound=Operation[Any])

API: Final = "/api/json"
LOGIN_PATH: Final = f"{API}/user/login/"

VALIDATED: Final = "201"
"""The input passed validation, and nothing was done."""

SUCCESS: Final = frozenset({"200", VALIDATED, "204"})

EARLY: Final = 30.0
"""Seconds before its end at which a token is replaced."""


class EnswitchProvider(ProviderApi):
    """Functions instead of resources, each at an address of its own and called by POST."""

    def function(
        self,
        path: str,
        *,
        effect: Effect,
        toolset: str,
        subject: str = "",
        guide: str = "4.4",
        basis: Grade | Grades = "documented",
        irreversible: bool = False,
        confirmed_by: tuple[str, ...] = (),
        unverifiable: str = "",
        admin_only: bool = False,
        rows: str | None = None,
        synonyms: tuple[str, ...] = (),
    ) -> Callable[[type[OperationT]], type[OperationT]]:
        """Declare the function that a class calls. `guide` is the version of the page that was read."""
        return self.operation(
            "POST",
            f"{API}/{path}/",
            effect=effect,
            toolset=toolset,
            docs=f"{guide}/en/dev/json/{path}/",
            subject=subject,
            basis=basis,
            irreversible=irreversible,
            confirmed_by=confirmed_by,
            unverifiable=unverifiable,
            admin_only=admin_only,
            rows=rows,
            synonyms=synonyms,
        )


COLUMNS_INFERRED: Final = Grades(answer="inferred")
"""The page shows one or two columns of the answer, or none; the others are named as the parameters are."""


def _as_it_is(name: str) -> str:
    return name


enswitch: Final = EnswitchProvider(
    "enswitch",
    title="Enswitch",
    base_url="",  # every company runs its own, or uses its operator's
    has_envelope=True,
    docs_url="https://integrics.com/enswitch/guides/",
    write_carrier="form",
    wire_case=_as_it_is,
    quirks=(
        "Errors come as text codes inside HTTP 200: 402 is a missing role, 403 the rate plan.",
        "Names of some parameters changed with version 4.1; the `version` setting chooses.",
        "Fields that the documents cut off are left out here; the tools whose list is not whole say so.",
        "Reading a message would mark it as listened to; here it does not.",
        "A dry run is offered only where `validation` is documented; any other answer is reported as possibly done.",
        "Some functions act on every customer of a rate plan, or mail every invoice of a status.",
    ),
)


class EnswitchLogin:
    """What opens the account, as form fields: a token since 4.1, username and password before."""

    def __init__(
        self,
        *,
        username: str | None,
        password: str | None,
        base_url: str,
        version: Version,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._username = username
        self._password = password
        self._base_url = base_url
        self._version = version
        self._clock = clock
        self._logging_in = anyio.Lock()
        self._fields: Mapping[str, str] = {}
        self._until: float | None = None
        if password:
            redact.learn(password)

    @property
    def fields(self) -> Mapping[str, str]:
        """The form fields, which `headers` has made valid."""
        return self._fields

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        if not self._is_good():
            async with self._logging_in:
                if not self._is_good():
                    await self._log_in(http)
        return {}

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        """Have the next request log in first. Before 4.1 there is nothing that a second login could change."""
        if self._version < TOKENS:
            return False
        if refused == self._fields:
            self._until = 0.0
        return True

    def _is_good(self) -> bool:
        return bool(self._fields) and (self._until is None or self._clock() < self._until)

    async def _log_in(self, http: httpx2.AsyncClient) -> None:
        if not (self._username and self._password and self._base_url):
            raise NotConfigured("Enswitch needs base_url, username and password in the settings; nothing was sent.")
        person = {"auth_username": self._username, "auth_password": self._password}
        if self._version < TOKENS:
            self._fields = person
            return
        response = await post_login(http, "enswitch", self._base_url, LOGIN_PATH, data={**person, "token": 1})
        payload = parse_json_or_none(response.text)
        if "401" in codes_of(payload) or response.status_code == 401:
            raise NotAuthenticated(
                "Enswitch does not accept the username and password, or not from this address; "
                "the call itself was not sent.",
                status=401,
            )
        data = _member(payload, "data")
        token = _member(data, "auth_token")
        if not isinstance(token, str) or not token:
            raise ProviderFailed(
                f"Enswitch's login answered {response.status_code} without a token (is it older than 4.1? then set "
                "`version`); the call itself was not sent.",
                status=response.status_code,
            )
        redact.learn(token)
        now = self._clock()
        self._fields = {"auth_token": token}
        self._until = _end_of(_member(data, "auth_token_expiry"), now)


class Enswitch(ApiClient):
    """A person of one Enswitch installation.

    async with Enswitch(base_url="https://…", username="…", password="…") as client:
        found = await client.send(ListPlanRoutes(plan=3))
    """

    provider: ClassVar[ProviderApi] = enswitch

    def __init__(
        self,
        *,
        base_url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        version: Version = NEWEST,
        currency: str = "USD",
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        self.login = EnswitchLogin(
            username=username,
            password=password,
            base_url=(base_url or "").rstrip("/"),
            version=version,
            clock=clock,
        )
        self.currency = currency
        self._version = version
        self._username = username
        super().__init__(credentials=self.login, identity=username or "nobody", base_url=base_url, **options)

    async def exchange(self, operation: Operation[R], *, idempotency_key: str | None = None) -> Exchange[R]:
        """Like `ApiClient.exchange`, for an answer that says whether the call was done or only checked, as asked."""
        exchange = await super().exchange(operation, idempotency_key=idempotency_key)
        if not operation.spec.effect.is_plain_read:
            _require_as_asked(operation, exchange)
        return exchange

    def adapt_request(self, operation: Operation[Any], request: Request) -> Request:
        """Return the call as this installation's version knows it."""
        return replace(request, body=in_form_of(self._version, operation, request.body or {}))

    def form_credentials(self) -> Mapping[str, str]:
        """Token or password, never in the address."""
        return self.login.fields

    def normalize_response(self, response: Response) -> Response:
        # The code in the body counts. Whether HTTP's mirrors it is not documented; both are read.
        if not (200 <= response.status < 300 or 400 <= response.status < 500):
            return response
        refused = [code for code in codes_of(parse_json_or_none(response.text)) if code not in SUCCESS]
        return replace(response, status=_status(refused[0])) if refused else response

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """`{"responses": [{"code", "key", "message"}], "data": …}` → data; `{"validated": True}` after a dry run."""
        codes = codes_of(payload)
        if not codes:
            raise NotShown("its envelope is missing, as in an answer of a proxy or a login page")
        if VALIDATED in codes and not spec.effect.is_plain_read:
            return CHECKED
        data = _member(payload, "data")
        return {} if data is None else data

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error, with each faulty parameter and Enswitch's words."""
        what = f"Enswitch refused to {spec.title[0].lower()}{spec.title[1:]}"
        if not codes_of(payload) and status in {404, 405}:
            return Refused(
                f"{what}: there is no such function at {spec.path}. The installation is older than the function, or "
                "`base_url` leads elsewhere; the operator can change both in the settings.",
                status=status,
            )
        kind, meaning = _REFUSALS.get(status, (ProviderFailed if status >= 500 else InvalidRequest, ""))
        reason = quoted(redact(_reasons(payload) or text or "no reason given"))
        return kind(f"{what} ({status}{meaning}): {reason}", status=status)


def _require_as_asked(operation: Operation[Any], exchange: Exchange[Any]) -> None:
    """Require the answer of a dry run to a dry run, and to nothing else: some functions ignore `validation` and act.

    Raises:
        OutcomeUnknown: It may have acted.
        Refused: It did nothing.
    """
    title = operation.spec.title.lower()
    was_checked_only = VALIDATED in codes_of(parse_json_or_none(exchange.raw))
    if is_dry_run(operation) and not was_checked_only:
        raise OutcomeUnknown(
            f"Enswitch was asked to check {title} only, and does not say that it did no more. It may have acted: look "
            "before repeating.",
            raw=exchange.raw,
        )
    if was_checked_only and not is_dry_run(operation):
        raise Refused(f"Enswitch checked {title} only ({VALIDATED}), and did nothing.", status=int(VALIDATED))


_REFUSALS: Final[Mapping[int, tuple[type[Refused], str]]] = {
    400: (InvalidRequest, ""),
    401: (NotAuthenticated, ""),
    402: (NotPermitted, ", the role of the API user does not allow it; this is not about money"),
    403: (NotPermitted, ", the rate plan of the customer does not allow it"),
    404: (NotFound, ", it does not exist or this user may not see it"),
}
"""Enswitch's codes are not HTTP's: 402 and 403 say whose permission is missing, 404 may hide what is there."""


def codes_of(payload: Any) -> list[str]:
    """Return the codes of an envelope, as text; some installations send them as numbers. Empty where it is none.

    A response that shows no code has the code `none`, which is none of success.
    """
    return [_code_of(entry) for entry in _entries(payload)]


def _code_of(entry: object) -> str:
    code: object = _member(entry, "code")
    number = whole_number(code)
    return str(number) if number is not None else str(code or "none")


def _entries(payload: Any) -> list[object]:
    """Return the responses of an envelope; one alone may stand without a list."""
    entries: object = _member(payload, "responses")
    if isinstance(entries, dict):
        return [cast("object", entries)]
    return cast("list[object]", entries) if isinstance(entries, list) else []


def _reasons(payload: Any) -> str:
    reasons: list[str] = []
    for entry in _entries(payload):
        key, message = _member(entry, "key"), _member(entry, "message")
        reasons.append(f"{key}: {message}" if key else str(message or ""))
    return "; ".join(part for part in reasons if part)


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _status(code: str) -> int:
    """Return a code as the engine reads statuses; what is none of an error's counts as a failure of the server."""
    return int(code) if code.isdecimal() and 400 <= int(code) < 600 else 500


def _end_of(expiry: Any, now: float) -> float | None:
    """When to log in again. Absent or 0 where tokens never expire (inferred)."""
    try:
        seconds = float(expiry)
    except (TypeError, ValueError):
        return None
    return now + max(seconds - EARLY, seconds / 2) if seconds > 0 else None


def connect(account: EnswitchSettings, resources: ClientResources) -> Enswitch:
    """Make a client of the account that the settings name."""
    return Enswitch(
        base_url=account.base_url,
        username=account.username,
        password=reveal(account.password),
        version=version_of(account.version),
        currency=account.currency,
        http=resources.http,
        limits=resources.limits,
        cache=resources.cache,
        corrections=resources.corrections,
    )
