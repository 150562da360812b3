"""Texts that did not arrive: why, and whether it makes sense to send them again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from clients.grades import Grade
from guard.money import Money

Resend = Literal["yes", "later", "no", "unclear"]
"""`yes` once its cause is mended, `later` to the same number, `no` never to the same number or not as it was."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a text did not arrive."""

    why: str
    resend: Resend
    basis: Grade
    """How sure the meaning is: `documented` by a page of the provider, or `inferred` from its name."""


FAILED_STATES: Final = frozenset({"undelivered", "failed", "unsent", "rejected", "expired"})
"""States of delivery reports, in small letters, that say that a text did not arrive."""

UNKNOWN: Final = Cause("no document says what this state means", "unclear", "inferred")


@dataclass(frozen=True, slots=True)
class Failure:
    """One text that did not arrive."""

    provider: str
    message: str
    state: str
    code: str | None
    """The provider's own word for the reason."""

    cause: Cause
    to: str | None = None
    at: datetime | None = None
    price: Money | None = None
    """What it cost all the same; None where that is not shown."""
