"""The settings of one account at a provider: the base that each provider's own settings extend."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, field_validator


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


def strip_line_end(value: object) -> object:
    """Strip the line end that a value read from a file often has, and that no provider takes as a part of a key."""
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().rstrip("\r\n"))
    return value.rstrip("\r\n") if isinstance(value, str) else value


def reveal(secret: SecretStr | None) -> str | None:
    """Return a secret in clear, for the client that logs in with it."""
    return secret.get_secret_value() if secret else None


ApiAddress = Annotated[
    str, matching(r"(https?://[^/?#\s]+[^?#\s]*)?", "an address that begins with https:// or http://")
]
"""Where an API is. A variable that is set to nothing counts as one that is not set."""

Currency = Annotated[str, matching(r"[A-Z]{3}", "a currency of three capital letters, such as USD,")]


class AccountSettings(Section):
    """One account at one provider."""

    base_url: ApiAddress | None = None
    """Another address for the API."""

    @field_validator("*", mode="before")
    @classmethod
    def _strip_line_end(cls, value: object) -> object:
        return strip_line_end(value)

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
