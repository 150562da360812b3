"""Applications, the access tokens they get, and the two things a token is checked for: time and scope."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from sandbox.frame.endpoint import FORM
from sandbox.frame.wire import Answer, Request
from sandbox.routee.wire import ok, refuse, refuse_at_gateway, refuse_token

PERMISSIONS = {
    "sms": "MT_ROLE_SMS",
    "account": "MT_ROLE_ACCOUNT_FINANCE",
    "report": "MT_ROLE_REPORT",
    "2step": "MT_ROLE_2STEP",
    "contact": "MT_ROLE_CONTACT",
}
"""The scopes whose names are public, and the permission each stands for."""


@dataclass(frozen=True)
class Application:
    """A set of credentials of the account, with the scopes it may use and the life of its tokens in seconds."""

    id: str
    secret: str
    name: str
    scopes: tuple[str, ...]
    lifetime: int = 3600


@dataclass(frozen=True)
class Token:
    """An access token that was issued."""

    value: str
    application: Application
    scopes: tuple[str, ...]
    expires: datetime


class Tokens:
    """Issues access tokens and checks them."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        self._now = now
        self._new_id = new_id
        self.applications: dict[str, Application] = {}
        self._tokens: dict[str, Token] = {}

    def register(self, application: Application) -> None:
        """Let an application ask for tokens."""
        self.applications[application.id] = application

    def expire_all(self) -> int:
        """Make every token invalid at once and return how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def knows(self, request: Request) -> bool:
        """Return whether a request carries a token or the credentials of one of these applications."""
        return request.bearer in self._tokens or _credentials_in(request)[1] in self.applications

    def check(self, request: Request, scope: str | None) -> Application:
        """Return the application behind a bearer token.

        Raises:
            Refusal: 401 if there is no living token, 403000000 if the token lacks the service.
        """
        token = self._tokens.get(request.bearer or "")
        if token is None or self._now() >= token.expires:
            raise refuse_at_gateway(401, "Invalid access token, maybe has expired.", request.path, self._now())
        if scope is not None and scope not in token.scopes:
            raise refuse("403000000", "Access denied.")
        return token.application

    def issue(self, request: Request) -> Answer:
        """Answer `POST /oauth/token`.

        A new token leaves the old ones alive (inferred). Several scopes may be divided by spaces or commas, since
        the sources disagree.
        """
        application = self._authenticate(request)
        scopes = _read_scopes(application, request)
        token = Token(self._new_id("token"), application, scopes, self._now() + timedelta(seconds=application.lifetime))
        self._tokens[token.value] = token
        return ok(
            {
                "access_token": token.value,
                "token_type": "bearer",
                "expires_in": application.lifetime,
                "scope": " ".join(scopes),
                "permissions": [PERMISSIONS[scope] for scope in scopes],
            }
        )

    def _authenticate(self, request: Request) -> Application:
        scheme, identifier, secret = _credentials_in(request)
        application = self.applications.get(identifier)
        if scheme.lower() != "basic" or application is None or application.secret != secret:
            raise refuse_at_gateway(401, "Bad credentials", request.path, self._now())
        return application


def _credentials_in(request: Request) -> tuple[str, str, str]:
    """Return the scheme, the identifier and the secret of the header; the last two are empty where it has none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        identifier, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        identifier, secret = "", ""
    return scheme, identifier, secret


def _read_scopes(application: Application, request: Request) -> tuple[str, ...]:
    if request.media_type != FORM:
        raise refuse_token("invalid_request", f"The body must be {FORM}.")
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if unknown := form.keys() - {"grant_type", "scope"}:
        raise refuse_token("invalid_request", f"Unknown parameter {min(unknown)}.")
    if "grant_type" not in form:
        raise refuse_token("invalid_request", "Missing grant type")
    if form["grant_type"] != "client_credentials":
        raise refuse_token("unsupported_grant_type", f"Unsupported grant type: {form['grant_type']}")
    wanted = tuple(form.get("scope", "").replace(",", " ").split())
    if any(scope not in application.scopes for scope in wanted):
        raise refuse_token("invalid_scope", "The application does not have this scope.")
    return wanted or application.scopes
