"""What clients sent and what they were answered, with credentials redacted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import parse_qs, parse_qsl

from sandbox.clock import iso

REDACTED = "[redacted]"
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token"})
SECRET_FIELDS = frozenset({
    "password", "auth_token", "access_token", "refresh_token", "client_secret", "applicationsecret",
    "auth_password", "pin", "adminpin", "listenpin", "talkpin", "copy_pin", "copy_password",
    "token", "signature", "static_value", "answer", "otp", "secret", "apikey", "api_key",
})  # fmt: skip


@dataclass
class LoggedRequest:
    """One request; `status` stays empty while it runs and when the connection was dropped instead of answered."""

    provider: str
    method: str
    path: str
    query: dict[str, object]
    headers: dict[str, str]
    body: object
    at: datetime
    status: int | None = None
    fault: str | None = None

    def to_wire(self) -> dict[str, object]:
        """Return the request as `/_control/requests` shows it."""
        return {**self.__dict__, "at": iso(self.at)}


class RequestLog:
    """The requests since the last reset, oldest first."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []

    def append(self, entry: LoggedRequest) -> None:
        """Add a request when it arrives; its outcome is filled in later."""
        self._entries.append(entry)

    def entries(self, provider: str | None = None) -> Sequence[LoggedRequest]:
        """Return the requests to one provider, or to all."""
        return [entry for entry in self._entries if provider in {None, entry.provider}]

    def reset(self) -> None:
        """Forget every request."""
        self._entries.clear()


def readable_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers with names in lower case; credentials replaced, everything else as sent."""
    decoded = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return {name: REDACTED if name in SECRET_HEADERS else value for name, value in decoded}


def readable_query(query_string: bytes) -> dict[str, object]:
    """Parse query parameters, separated by `&` or `;`; a parameter given more than once becomes a list."""
    pairs = parse_qs(query_string.decode("latin-1").replace(";", "&"), keep_blank_values=True)
    return redact({name: values[0] if len(values) == 1 else values for name, values in pairs.items()})


def readable_body(body: bytes, content_type: str) -> object:
    """Parse the body as its content type says: JSON, a form, or text; None if there is none."""
    if not body:
        return None
    text = body.decode("utf-8", errors="replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return redact(dict(parse_qsl(text, keep_blank_values=True)))
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return text
    return _redact_value(parsed)


def redact(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the same fields with the values of secret ones replaced, at any depth."""
    return {name: REDACTED if name.lower() in SECRET_FIELDS else _redact_value(value) for name, value in fields.items()}


def _redact_value(value: object) -> object:
    if isinstance(value, dict):
        return redact(cast("dict[str, object]", value))
    if isinstance(value, list):
        return [_redact_value(item) for item in cast("list[object]", value)]
    return value
