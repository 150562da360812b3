"""Keeps secrets out of logs, errors, answers and the journal."""

import hashlib
import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
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


NUMBER: Final = "[number]"

_NUMBERS = re.compile(
    r"(?:\+|%2[Bb])[0-9][0-9 ().-]{4,}[0-9]"  # international
    r"|(?<![A-Za-z0-9_])\(?[0-9]{3}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}(?![0-9])"  # as people write those of ten digits
    r"|(?<![A-Za-z0-9_])[0-9]{7,}"
    r"|[0-9]{10,}"
)
"""What may be a telephone number. In a log, where none is needed, too much is hidden rather than too little."""


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

    @property
    def learned(self) -> int:
        """How many strings it hides; what was redacted before it learned another may hold that."""
        return len(self._known)

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        text = _ANSWERED.sub(rf"\1{HIDDEN}", text)
        return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


redact: Final = Redactor()
"""The process's redactor: clients teach it their credentials, every log line and error passes it."""


def redact_for_logs(text: str) -> str:
    """Return a text on one line without secrets and telephone numbers, as logs and telemetry may hold it.

    Characters that cannot be seen are escaped, so that nobody outside can forge a line.
    """
    shown = _NUMBERS.sub(NUMBER, redact(text))
    return shown if shown.isprintable() else "".join(_visible(character) for character in shown)


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


class RedactingFilter(logging.Filter):
    """Redacts every log record before any handler sees it: the only place that does, and nothing is logged around it.

    Of an exception the class and the lines of code are kept, and not what it says: that may quote a caller, a provider
    or a message.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record and let it pass."""
        record.msg = redact_for_logs(_message(record))
        record.args = None
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            record.fields = {name: _redact_field(value) for name, value in cast("Mapping[str, Any]", fields).items()}
        if record.exc_info and isinstance(error := record.exc_info[1], BaseException):
            record.exc_text = "\n".join(_traceback(error))
        record.exc_info = None
        record.stack_info = None
        return True


def _redact_field(value: Any) -> Any:
    return redact_for_logs(value) if isinstance(value, str) else value


def _traceback(error: BaseException) -> Iterator[str]:
    """Yield the lines of a traceback and of the exceptions that led to it, without what any of them says."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _traceback(before)
        yield "Then:"
    yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _traceback(inner)


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
