"""Keeps secrets out of logs, errors, answers and the journal."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus

HIDDEN: Final = "[hidden]"

SECRET_NAMES: Final = frozenset({
    "apikey", "apikeys", "password", "portoutpin", "pin", "authorization", "authtoken", "accesstoken",
    "refreshtoken", "clientsecret", "applicationsecret", "xapikey", "secret", "token", "passcode",
    "authpassword", "adminpin", "listenpin", "talkpin", "staticvalue", "sharedtoken",
    "answer", "otp", "onetimecode", "onetimepassword", "verificationcode",
})  # fmt: skip
"""Names of fields that hold secrets at any provider, without case and separators."""

_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_ASSIGNED = re.compile(
    r"(?i)(\b(?:x[_-])?(?:api[_-]?key|(?:auth[_-])?password|(?:port[_-]?out[_-]?|admin|listen|talk)?pin"
    r"|(?:auth|access|refresh|shared)[_-]?token|token|otp|one[_-]?time[_-]?(?:code|password)|verification[_-]?code|(?:client|application)[_-]?secret|secret|passcode|signature)"
    r"[\\\"']*\s*[:=]\s*)(?![\\\"']*\[hidden\])"
    r"(\\\"(?:(?!\\\").)*\\\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,&}\"']+)"
)
"""`name=value`, `name: value`, `"name": "value"`, and the last as text inside JSON."""

_ANSWERED = re.compile(r"(?i)(\banswer[\\\"']*\s*[:=]\s*[\\\"']*)[0-9]{3,10}\b")
"""The code that a person received and gave back, in a field named `answer`. Other answers are text."""


def names_a_secret(name: str) -> bool:
    """Return True for a field name under which providers send secrets."""
    return re.sub(r"[^a-z]", "", name.lower()) in SECRET_NAMES


def without_secrets(value: Any) -> Any:
    """Return a JSON value with every secret field hidden, at any depth."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {name: HIDDEN if names_a_secret(name) and inner else without_secrets(inner) for name, inner in items}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in cast("list[object]", value)]
    return value


class Redactor:
    """Hides secrets in text: those it has learned, and whatever looks like one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, secret: str) -> None:
        """Hide this string wherever it appears, also as URLs and JSON spell it.

        Short strings and bare digits would hide ordinary text and numbers, and are not learned.
        """
        if len(secret) >= 6 and not secret.isdigit():
            self._known |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        text = _ANSWERED.sub(rf"\1{HIDDEN}", text)
        return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


redact: Final = Redactor()
"""The process's redactor: clients teach it their credentials, every log line and error passes it."""


class RedactingFilter(logging.Filter):
    """Puts every log record through the redactor before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record and let it pass."""
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def _message(record: logging.LogRecord) -> str:
    """Return the record's text; without its arguments if these do not fit, so that logging never breaks its caller."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def redact_answer(raw: str) -> str:
    """Return a provider's answer for the journal: whole, with every secret hidden."""
    try:
        return redact(json.dumps(without_secrets(json.loads(raw)), ensure_ascii=False))
    except (ValueError, RecursionError):
        return redact(raw)


def fingerprint(secret: str) -> str:
    """Return a short hash that identifies a secret without revealing it."""
    return hashlib.sha256(f"ringfence {secret}".encode()).hexdigest()[:12]
