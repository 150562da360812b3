"""Clocks that a test sets."""

from collections.abc import Callable
from datetime import datetime


class ClockOf:
    """A clock that shows what a function returns, so that a test can move it."""

    def __init__(self, read: Callable[[], datetime]) -> None:
        self._read = read

    def now(self) -> datetime:
        """The time that the test has set."""
        return self._read()
