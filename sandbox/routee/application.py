"""Applications, the access tokens they get, and the two things a token is checked for: time and scope."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from sandbox.routee.wire import Answer, ok, refused, refused_by_gateway, refused_by_oauth

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


class TokenDesk:
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
        """Make every token invalid at once and say how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def check(self, header: str, scope: str | None, path: str) -> Application:
        """The application behind a bearer header.

        Raises:
            Refusal: 401 if there is no living token, 403000000 if the token lacks the service.
        """
        scheme, _, value = header.partition(" ")
        token = self._tokens.get(value) if scheme.lower() == "bearer" else None
        if token is None or self._now() >= token.expires:
            raise refused_by_gateway(401, "Invalid access token, maybe has expired.", path, self._now())
        if scope is not None and scope not in token.scopes:
            raise refused("403000000", "Access denied.")
        return token.application

    def issue(self, authorization: str, content_type: str, body: bytes, path: str) -> Answer:
        """Answer `POST /oauth/token`.

        A new token leaves the old ones alive (inferred). Several scopes may be divided by spaces or commas, since
        the sources disagree.
        """
        application = self._authenticate(authorization, path)
        scopes = self._scopes(application, content_type, body)
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

    def _authenticate(self, authorization: str, path: str) -> Application:
        scheme, _, encoded = authorization.partition(" ")
        try:
            identifier, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            identifier, secret = "", ""
        application = self.applications.get(identifier)
        if scheme.lower() != "basic" or application is None or application.secret != secret:
            raise refused_by_gateway(401, "Bad credentials", path, self._now())
        return application

    def _scopes(self, application: Application, content_type: str, body: bytes) -> tuple[str, ...]:
        if content_type.split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise refused_by_oauth("invalid_request", "The body must be application/x-www-form-urlencoded.")
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        _refuse_bad_grant(form)
        wanted = tuple(form.get("scope", "").replace(",", " ").split())
        if any(scope not in application.scopes for scope in wanted):
            raise refused_by_oauth("invalid_scope", "The application does not have this scope.")
        return wanted or application.scopes


def _refuse_bad_grant(form: dict[str, str]) -> None:
    if unknown := form.keys() - {"grant_type", "scope"}:
        raise refused_by_oauth("invalid_request", f"Unknown parameter {min(unknown)}.")
    if "grant_type" not in form:
        raise refused_by_oauth("invalid_request", "Missing grant type")
    if form["grant_type"] != "client_credentials":
        raise refused_by_oauth("unsupported_grant_type", f"Unsupported grant type: {form['grant_type']}")
