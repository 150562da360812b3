"""Remembers plain reads for the length of one job, so that many calls that need the same read make it once."""

from collections import defaultdict
from typing import Any, Protocol, TypeVar, cast

import anyio

from clients.errors import TelephonyError
from clients.operation import Exchange, Operation

R = TypeVar("R")


class Reader(Protocol):
    """Makes a read."""

    async def exchange_anew(self, operation: Operation[R]) -> Exchange[R]:
        """Make one read, whatever is remembered."""
        ...


class ReadMemory:
    """Answers, and failures, of the plain reads of one job."""

    def __init__(self) -> None:
        self._known: dict[str, Exchange[Any] | TelephonyError] = {}
        self._turns: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def read(self, operation: Operation[R], reader: Reader) -> Exchange[R]:
        """Return what the same read brought before, or make it.

        Raises:
            TelephonyError: The read fails, or failed before.
        """
        name = operation.spec.tool_name + operation.model_dump_json()
        async with self._turns[name]:
            if name not in self._known:
                try:
                    self._known[name] = await reader.exchange_anew(operation)
                except TelephonyError as failed:
                    self._known[name] = failed
        known = self._known[name]
        if isinstance(known, TelephonyError):
            raise known.with_traceback(None)
        return cast("Exchange[R]", known)
