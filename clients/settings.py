"""The settings of one account at a provider: the base that each provider's own settings extend."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, field_validator, model_validator


class Section(BaseModel):
    """A table of the settings file. It refuses unknown keys, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def matching(pattern: str, expected: str) -> AfterValidator:
    """Return a validator for text that must match a pattern as a whole; `expected` says in words what is allowed."""
    shape = re.compile(pattern)

    def require_match(value: str) -> str:
        if not shape.fullmatch(value):
            raise ValueError(f"{expected} is expected")
        return value

    return AfterValidator(require_match)


_UNEXPANDED: Final = re.compile(r"\s*(\$?\{\{?[^{}]*\}?\}|\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%)\s*")
"""A value that is nothing but a variable in the notation of shells, Windows, CI systems and clients' settings."""

_AROUND: Final = "\ufeff\u200b\u2060"
"""Invisible characters that come along when a key is copied, and that `str.strip` leaves in place."""

_CARRIED: Final = re.compile(r"[ -~]*")
"""What every HTTP client and server takes in a header: printable ASCII (RFC 9110, 5.5)."""


def strip_line_end(value: object) -> object:
    """Strip the line end that a value read from a file often has, and that no provider takes for a part of one."""
    return _map_text(value, lambda text: text.rstrip("\r\n"))


def strip_surroundings(value: object) -> object:
    """Strip what surrounds a key without belonging to it: blanks, line ends, invisible characters, a pair of quotes."""
    return _map_text(value, _strip_text)


def require_expanded(value: object) -> object:
    """Refuse a value that is a variable's name, such as `${NAME}`, where its value should stand.

    Raises:
        ValueError: It is one.
    """
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and _UNEXPANDED.fullmatch(text):
        raise ValueError(
            "a value is expected, not the name of a variable: whatever starts Ringfence does not fill it in here"
        )
    return value


def require_header_text(secret: SecretStr) -> SecretStr:
    """Refuse a key that no HTTP header can carry.

    Raises:
        ValueError: It has other characters than printable ASCII.
    """
    if not _CARRIED.fullmatch(secret.get_secret_value()):
        raise ValueError("a key of letters, digits and ASCII signs is expected, on one line")
    return secret


def _map_text(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, SecretStr):
        return SecretStr(change(value.get_secret_value()))
    return change(value) if isinstance(value, str) else value


def _strip_text(text: str) -> str:
    stripped = text
    while (inner := stripped.strip().strip(_AROUND)) != stripped:
        stripped = inner
    is_quoted = len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'"
    return _strip_text(stripped[1:-1]) if is_quoted else stripped


def _is_blank(value: object) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return isinstance(text, str) and not _strip_text(text)


def reveal(secret: SecretStr | None) -> str | None:
    """Return a secret in clear, for the client that logs in with it."""
    return secret.get_secret_value() if secret else None


ApiAddress = Annotated[
    str,
    BeforeValidator(strip_surroundings),
    matching(r"(https?://[^/?#\s]+[^?#\s]*)?", "an address that begins with https:// or http://"),
]
"""Where an API is."""

Key = Annotated[SecretStr, BeforeValidator(strip_surroundings), AfterValidator(require_header_text)]
"""A key that a provider issued. What surrounds it is stripped, and what cannot be one is refused."""

Identifier = Annotated[str, BeforeValidator(strip_surroundings)]
"""A username, an address or an id; what surrounds it is stripped."""


def key_matching(pattern: str, expected: str) -> AfterValidator:
    """Return a validator for a `Key` whose form the provider documents; `expected` says that form in words."""
    shape = re.compile(pattern)

    def require_match(secret: SecretStr) -> SecretStr:
        if not shape.fullmatch(secret.get_secret_value()):
            raise ValueError(f"{expected} are expected")
        return secret

    return AfterValidator(require_match)


Currency = Annotated[str, matching(r"[A-Z]{3}", "a currency of three capital letters, such as USD,")]


class AccountSettings(Section):
    """One account at one provider."""

    base_url: ApiAddress | None = None
    """Another address for the API."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, values: Any) -> Any:
        """Take what is empty, as a variable that is set to nothing, for what is not set."""
        if not isinstance(values, Mapping):
            return values
        return {name: value for name, value in cast("Mapping[str, object]", values).items() if not _is_blank(value)}

    @field_validator("*", mode="before")
    @classmethod
    def _take_text(cls, value: object) -> object:
        return strip_line_end(require_expanded(value))

    @property
    def is_complete(self) -> bool:
        """True when a client can log in, and so the provider is on."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys without which no client can log in; empty where it can."""
        raise NotImplementedError

    @property
    def is_begun(self) -> bool:
        """True when anything is set: whoever set it wants the provider on."""
        return any(getattr(self, name) for name in self.model_fields_set)

    def unset(self, *names: str) -> tuple[str, ...]:
        """Which of these keys are not set."""
        return tuple(name for name in names if not getattr(self, name))

    def value_of(self, name: str) -> str | None:
        """Return a setting by its key, in clear; None where it is not set or does not exist."""
        value = getattr(self, name, None)
        return value.get_secret_value() if isinstance(value, SecretStr) else value
