"""Routee's REST API: how it logs in, wraps its lists, and words its refusals.

Rests on Routee's documentation page ("[seed]" in the provider notes) and its reference at `https://docs.routee.net`.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, cast

import anyio
import httpx2

from clients.client import ApiClient
from clients.errors import (
    Conflict,
    InsufficientFunds,
    InvalidRequest,
    NotAuthenticated,
    NotConfigured,
    NotPermitted,
    ProviderFailed,
    RateLimited,
    Refused,
    TelephonyError,
    quoted,
    refusal,
)
from clients.operation import Operation
from clients.redaction import redact
from clients.resources import ClientResources
from clients.settings import reveal
from clients.shared.limits import Limit
from clients.shared.webhook_urls import INBOX, INBOX_PATH, Inbox, NoInbox, expand, uses_placeholder
from clients.spec import ProviderApi, Spec
from clients.telemetry.calls import post_login
from clients.wire.request import Request
from clients.wire.response import Response, parse_json_or_none
from tools.routee.personal_texts import LabelForm, PersonalText, misspelt
from tools.routee.settings import RouteeSettings

routee: Final = ProviderApi(
    "routee",
    title="Routee",
    base_url="https://connect.routee.net",
    docs_url="https://docs.routee.net/reference/",
    quirks=(
        "Updating a campaign without a time sends it at once; `when` is therefore required here.",
        "An update replaces a campaign whole: what is left out goes back to its default.",
        "One invalid number blocks a whole campaign, unless invalid ones are dropped.",
        "Costs are an object here and an array there, and prices decimals or texts; here they are one thing.",
        "What a campaign costs is counted by recipients, countries and parts; the most expensive network is the bound.",
        "Calls are charged by the second once answered, so what a call will cost is never known beforehand.",
        "No call lists all campaigns: keep the ids.",
    ),
)

AUTH_URL: Final = "https://auth.routee.net"
"""Where tokens are issued: another host than that of the API (documented)."""

CONVERSATIONS: Final = Limit("routee voice conversation", calls=1, seconds=1)
"""One conversation a second: the only limit that Routee documents."""

LONGEST_MARGIN: Final = 60.0
"""Seconds before its end at which a token is replaced; a tenth of its life where that is less."""

STALE_AFTER: Final = 600.0
"""Seconds after which a 403 may mean the token (documented: get another after a 401 or a 403) and not the service."""

_MEANINGS: Mapping[str, type[Refused]] = {
    "400001009": InsufficientFunds,  # the balance does not cover the call
    "400001012": NotPermitted,  # the account is a trial
    "400009002": Conflict,  # the campaign is not Scheduled
}
"""Codes whose first three digits say less than the documents do."""

_CODE = re.compile(r"[45][0-9]{8}")
_INBOX_URL = re.compile(r"https?:[^\s\"'<>]*?/webhooks\\?/[a-z0-9_-]+\\?/[0-9a-f]{40}\\?/[a-z]+")
"""Any address of an inbox, also of another server on the same store or of an earlier public address."""

CALLBACK_KINDS: Final[Mapping[str, str]] = {
    "callback": "sms",
    "campaignCallback": "campaign",
    "inboundSmsCallbackUrl": "inbound",
    "inboundSMSCallbackUrl": "pool",
}
"""What is posted to the address in each field."""


class RouteeToken:
    """The access token: issued for an application's id and secret, kept until shortly before it ends.

    Calls that need one at the same time wait for one login. A token that is refused is thrown away once, however many
    calls were sent with it.
    """

    def __init__(
        self,
        *,
        application_id: str | None,
        application_secret: str | None,
        auth_url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id = application_id
        self._secret = application_secret
        self._auth_url = auth_url
        self._clock = clock
        self._token: str | None = None
        self._fetched_at = 0.0
        self._good_until = 0.0
        self._fetching = anyio.Lock()
        if application_secret:
            redact.learn(application_secret)

    async def headers(self, http: httpx2.AsyncClient) -> Mapping[str, str]:
        token = self._token if self._is_fresh() else None
        if token is None:
            async with self._fetching:
                token = self._token if self._is_fresh() else None
                if token is None:
                    token = await self._fetch(http)
        return _bearer_header(token)

    async def renew(self, http: httpx2.AsyncClient, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused; the next call, which is the repetition, fetches another."""
        if self._token is not None and refused == _bearer_header(self._token):
            self._token = None
        return True

    def may_be_stale(self, refused: Mapping[str, str]) -> bool:
        """Return True where the token that a call was sent with is old, or not the one that is kept now."""
        kept = _bearer_header(self._token) if self._token is not None else None
        return refused != kept or self._clock() >= self._fetched_at + STALE_AFTER

    def _is_fresh(self) -> bool:
        return self._token is not None and self._clock() < self._good_until

    async def _fetch(self, http: httpx2.AsyncClient) -> str:
        if not (self._id and self._secret):
            raise NotConfigured("Routee has no application id and application secret; nothing was sent.")
        basic = base64.b64encode(f"{self._id}:{self._secret}".encode()).decode("ascii")
        redact.learn(basic)
        asked_at = self._clock()
        response = await post_login(
            http,
            "routee",
            self._auth_url,
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
        )
        _require_login(response)
        token, lasts = _token_in(response)
        redact.learn(token)
        self._token = token
        self._fetched_at = asked_at
        self._good_until = asked_at + lasts - min(LONGEST_MARGIN, lasts / 10)
        return token


class Routee(ApiClient):
    """A Routee account, as one of its applications sees it.

    async with Routee(application_id="…", application_secret="…") as client:
        balance = await client.send(GetBalance())
    """

    provider: ClassVar[ProviderApi] = routee

    def __init__(
        self,
        *,
        application_id: str | None = None,
        application_secret: str | None = None,
        base_url: str | None = None,
        auth_url: str | None = None,
        inbox: Inbox | None = None,
        label_form: LabelForm | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        self._inbox = inbox or NoInbox()
        self._label_form: LabelForm | None = label_form
        self._token = RouteeToken(
            application_id=application_id,
            application_secret=application_secret,
            auth_url=(auth_url or AUTH_URL).rstrip("/"),
            clock=clock,
        )
        super().__init__(credentials=self._token, identity=application_id or "nobody", base_url=base_url, **options)

    def adapt_request(self, operation: Operation[Any], request: Request) -> Request:
        """Return the request with the inbox's addresses where it asks for the inbox.

        Raises:
            NotConfigured: Routee could not reach the inbox.
            InvalidRequest: A text writes labels in the form that this account's Routee does not fill in.
        """
        if isinstance(operation, PersonalText):
            self._require_label_form(operation)
        if not uses_placeholder(request.body):
            return request
        return replace(request, body=expand(request.body, self._reached, CALLBACK_KINDS))

    def normalize_response(self, response: Response) -> Response:
        """Return the response with `inbox` for the inbox's addresses, whose secret is nobody's business."""
        if INBOX_PATH not in response.text:
            return response
        return replace(response, text=_INBOX_URL.sub(INBOX, response.text))

    def doubts_login(self, spec: Spec, status: int, refused: Mapping[str, str]) -> bool:
        """Also after a 403 to a read, once a token: what is refused with a new one is not permitted."""
        if status == 403 and spec.effect.is_plain_read:
            return self._token.may_be_stale(refused)
        return super().doubts_login(spec, status, refused)

    def _require_label_form(self, call: PersonalText) -> None:
        form = self._label_form
        right = next((found for text in call.personal_texts() if form and (found := misspelt(text, form))), None)
        if right is not None:
            raise InvalidRequest(
                f"Labels of this Routee account are written as {form}: write {right}. Nothing was sent.", status=0
            )

    def _reached(self, kind: str) -> str:
        url = self._inbox.url(kind)
        if url is None:
            raise NotConfigured(
                "There is no inbox that Routee could reach; nothing was sent. The operator serves over HTTP and sets "
                "http.public_address. Leave the callback out, or give an address of your own."
            )
        return url

    def unwrap(self, spec: Spec, payload: Any) -> Any:
        """Bare JSON; an array becomes `content`, as pages call it. An error object inside a 200 is a refusal."""
        content: object = payload
        if isinstance(content, list):
            return {"content": cast("list[object]", content)}
        body = _object(content)
        if "developerMessage" in body and _code(body):
            raise self.failure(spec, 400, body)
        return content

    def failure(
        self, spec: Spec, status: int, payload: Any, text: str = "", *, retry_after: float | None = None
    ) -> TelephonyError:
        """Take the status from Routee's code, whose pages print 404009001 under status 400.

        After a 5xx the code is not believed, since the call may have taken effect.
        """
        code = _code(_object(payload))
        if code is not None and status < 500:
            status = int(code[:3])
        return super().failure(spec, status, payload, text, retry_after=retry_after)

    def is_own_refusal(self, payload: Any) -> bool:
        """Return True for an error of the API, with its nine digits; what is in front of it has none."""
        return _code(_object(payload)) is not None

    def refusal(self, spec: Spec, status: int, payload: Any, text: str) -> Refused:
        """Return the typed error, from either shape: `code` and `developerMessage`, or what the login layer answers."""
        body = _object(payload)
        code = _code(body)
        reason = _reason(body) or text or "no reason given"
        message = (
            f"Routee refused to {spec.title[0].lower()}{spec.title[1:]} ({code or status}): {quoted(redact(reason))}"
        )
        if status == 404 and not self.is_own_refusal(payload):
            strange = "Routee's address answered 404 in a form that is not the API's, so it says nothing of the object"
            return ProviderFailed(
                f"{strange}: {quoted(redact(reason))}. Check the path and the base URL.", status=status
            )
        kind = _MEANINGS.get(code or "") or spec.refusals.get(status)
        if kind is not None:
            return kind(message, status=status, code=code)
        return refusal(status, message, code=code)


def _bearer_header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _require_login(response: httpx2.Response) -> None:
    status = response.status_code
    if status == 429:
        raise RateLimited("Routee refuses to issue more tokens now. The call itself was not sent.")
    if 400 <= status < 500:
        reason = _reason(_object(parse_json_or_none(response.text)))
        notes = f": {quoted(redact(reason))}" if reason else ""
        raise NotAuthenticated(
            f"Routee does not accept the application id and secret ({status}){notes}; the call itself was not sent.",
            status=status,
        )


def _token_in(response: httpx2.Response) -> tuple[str, float]:
    """Return the token and the seconds it lasts, from `expires_in`: applications differ, from an hour to 20 years."""
    fields = _object(parse_json_or_none(response.text)) if response.status_code == 200 else {}
    token, lasts = fields.get("access_token"), fields.get("expires_in")
    try:
        seconds = float(lasts) if lasts is not None else 3600.0
    except (TypeError, ValueError):
        seconds = 3600.0
    if not isinstance(token, str) or not token:
        raise ProviderFailed(
            f"Routee's login answered {response.status_code} without a token; the call itself was not sent.",
            status=response.status_code,
        )
    return token, max(0.0, seconds)


def _code(body: Mapping[str, Any]) -> str | None:
    """Return the nine digits: HTTP status, module, error."""
    code = str(body.get("code", ""))
    return code if _CODE.fullmatch(code) else None


def _reason(body: Mapping[str, Any]) -> str:
    """Return the provider's words, with the fields and recipients that it names."""
    words = next(
        (str(body[key]) for key in ("developerMessage", "error_description", "message", "error") if body.get(key)), ""
    )
    named = [f"{name}: {rule}" for name, rule in _object(body.get("properties")).items()]
    errors: object = body.get("errors")
    faults = [_object(error) for error in cast("list[object]", errors)] if isinstance(errors, list) else []
    named += [f"{fault.get('developerMessage', 'error')}: {fault.get('property', '')}" for fault in faults]
    return "; ".join([words, *named]) if named else words


def _object(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def connect(account: RouteeSettings, resources: ClientResources) -> Routee:
    """Make a client of the account that the settings name."""
    return Routee(
        application_id=account.application_id,
        application_secret=reveal(account.application_secret),
        base_url=account.base_url,
        auth_url=account.auth_url,
        inbox=resources.inbox,
        label_form=account.label_form,
        http=resources.http,
        limits=resources.limits,
        cache=resources.cache,
        corrections=resources.corrections,
    )
