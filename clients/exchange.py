"""One call that was answered. Apart from the client, because the guard knows answers but no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Exchange(Generic[R]):
    """A typed answer, with what it was read from."""

    answer: R
    status: int
    raw: str
    """The provider's answer as it came."""

    received_at: datetime
    attempts: int = 1
    """0 when the answer was kept from an earlier call."""
