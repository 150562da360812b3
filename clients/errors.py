"""What can go wrong with a call, in three levels.

    TelephonyError                      anything foreseen
    ├── NotSent                         no request left this process; nothing can have happened
    │   ├── NotConfigured               the settings lack what it needs, such as credentials
    │   ├── ProviderUnreachable         no connection could be opened
    │   └── LimitReached                our own count of the provider's limit says wait
    ├── Refused                         the provider answered no; nothing changed unless it says so
    │   ├── InvalidRequest              400, 405, 422: the arguments do not fit
    │   ├── NotAuthenticated            401: the credentials do not open the account
    │   ├── InsufficientFunds           402: balance too low, or the service is off
    │   ├── NotPermitted                403: not with this account or role
    │   ├── NotFound                    404
    │   ├── Conflict                    409: the state does not allow it, or only a part was done
    │   ├── RateLimited                 429: the provider's own limit
    │   └── ProviderFailed              5xx where the documents say that nothing was written, or on a read
    ├── OutcomeUnknown                  a write went out, and no answer shows whether it was done
    └── UnexpectedAnswer                a read was answered, but the answer does not show what was asked for

What a reader should do differs per class; `advice` says it in one sentence.
"""

from typing import Any, ClassVar

PROVIDER_TEXT_LIMIT = 300


class TelephonyError(Exception):
    """A foreseen failure. `str()` is safe to show: provider text is quoted, trimmed, and free of secrets."""

    advice: ClassVar[str] = "Report this to the operator."

    nothing_changed: bool = True
    """True where it is certain that the provider did nothing."""


class NotSent(TelephonyError):
    """No request left this process."""


class NotConfigured(NotSent):
    """Something that the call needs is not in the settings."""

    advice = "Ask the operator to set what is missing."


class ProviderUnreachable(NotSent):
    """No connection to the provider could be opened."""

    advice = "Try again in a minute; if it persists, ask the operator to run `ringfence doctor`."


class LimitReached(NotSent):
    """A limit the provider documents would be exceeded, so nothing was sent."""

    advice = "Wait as long as the message says; do not repeat the call before."

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds until the call may be made."""


class Refused(TelephonyError):
    """The provider answered no."""

    advice = "Read the provider's reason before trying anything else."

    def __init__(self, message: str, *, status: int, code: str | None = None, details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status, or the status the provider hides inside a 200."""
        self.code = code
        """The provider's own error code."""
        self.details = details
        """What the provider did in part, parsed from its answer, such as `added` and `failed`."""


class InvalidRequest(Refused):
    """The provider does not accept the arguments."""

    advice = "Correct the arguments and call again."


class NotAuthenticated(Refused):
    """The credentials do not open the account, or the object is not on it."""

    advice = "Ask the operator to check the credentials; `ringfence doctor` tests them."


class InsufficientFunds(Refused):
    """The balance does not cover the call, or the service is switched off for the account."""

    advice = "Tell the user that the account must be topped up or the service switched on; do not repeat the call."


class NotPermitted(Refused):
    """The account or role may not do this, or does not own the object."""

    advice = "Use an object of this account, or ask an administrator."


class NotFound(Refused):
    """No such object on this account."""

    advice = "List the objects of this kind and use one that exists."


class Conflict(Refused):
    """The current state does not allow the call, or only a part of it was done."""

    advice = "Read the current state, then decide."

    def __init__(self, message: str, *, status: int, code: str | None = None, details: Any = None) -> None:
        super().__init__(message, status=status, code=code, details=details)
        self.nothing_changed = not self.is_partly_done

    @property
    def is_partly_done(self) -> bool:
        """True when the provider says that a part of it was done."""
        return bool(self.details)


class RateLimited(Refused):
    """The provider's own limit was hit."""

    advice = "Wait before calling again; an hourly limit does not clear by repeating."

    def __init__(self, message: str, *, status: int = 429, retry_after: float | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after
        """Seconds the provider asked to wait, if it said so."""


class ProviderFailed(Refused):
    """The provider failed, and it is known that nothing was written."""

    advice = "Try again in a minute."


class OutcomeUnknown(TelephonyError):
    """A write went out, and no answer shows whether it was done. It may or may not have happened."""

    advice = "Look at the provider's state before repeating anything."
    nothing_changed = False

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw
        """The answer as it came, for the journal; empty where none came."""


class UnexpectedAnswer(TelephonyError):
    """The provider answered a read, but the answer does not show what was asked for."""

    advice = "Do not take it for an empty answer; report the difference to the operator."

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw
        """The answer as it came."""


_BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    402: InsufficientFunds,
    403: NotPermitted,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    422: InvalidRequest,
}


def refusal(status: int, message: str, *, code: str | None = None, details: Any = None) -> Refused:
    """Return the error class for a status that means no. 429 and 5xx are decided by the caller."""
    kind = _BY_STATUS.get(status, InvalidRequest if 400 <= status < 500 else ProviderFailed)
    return kind(message, status=status, code=code, details=details)


def quoted(text: str) -> str:
    """Return provider text as data: one line, trimmed, in quotation marks that it cannot close itself."""
    flat = "".join(character for character in " ".join(text.split()) if character.isprintable())
    inner = flat.translate({ord("«"): "\u2039", ord("»"): "\u203a"})
    short = inner if len(inner) <= PROVIDER_TEXT_LIMIT else inner[: PROVIDER_TEXT_LIMIT - 1] + "…"
    return f"«{short}»"
