"""Reads that only add to an answer: one that fails, or takes too long, is a gap with its reason."""

from collections.abc import Awaitable
from typing import Final, TypeVar

import anyio

from clients.errors import TelephonyError
from clients.redaction import redact
from guard.errors import JournalUnavailable
from tools.overview.views import NotOffered, Partial, TooLong
from tools.policy_reader import NotAllowed

T = TypeVar("T")

SECONDS: Final = 12.0
"""How long the optional reads of one answer may take together: less than the answer itself may take."""


class OptionalReads:
    """The optional reads of one answer, and which of them failed."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._deadline = anyio.current_time() + seconds
        self._seconds = seconds
        self._failures: dict[str, Exception] = {}

    async def read(self, reading: Awaitable[T], *, shows: str) -> T | None:
        """Return what was read; None where it failed. `shows` names the field or part that is then missing."""
        with anyio.CancelScope(deadline=self._deadline):
            try:
                return await reading
            except (TelephonyError, JournalUnavailable, NotAllowed, NotOffered, TooLong) as failed:
                self._failures[shows] = failed
                return None
        self._failures[shows] = TooLong(f"it took longer than {self._seconds:.0f} seconds")
        return None

    @property
    def gaps(self) -> dict[str, str]:
        """Why a part is missing, by the field or part."""
        return {shows: describe_failure(failed) for shows, failed in self._failures.items()}

    def complete(self, found: T) -> T | Partial[T]:
        """Return what was found, with the gaps where there are any."""
        return Partial(found, self.gaps) if self._failures else found

    def raise_failure(self) -> None:
        """Raise the first failure, if there is one: for an answer of which nothing could be read."""
        for failed in self._failures.values():
            raise failed


def describe_failure(failed: Exception) -> str:
    """Say why a read failed, without secrets."""
    if isinstance(failed, TelephonyError):
        return redact(f"{type(failed).__name__}: {failed}")
    return str(failed)
