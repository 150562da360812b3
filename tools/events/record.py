"""The record of received webhooks, as tools read it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from tools.webhooks import Callback


class Event(Protocol):
    """A received webhook."""

    @property
    def number(self) -> int:
        """A number that counts up, used as a cursor."""
        ...

    @property
    def received_at(self) -> datetime:
        """When it was received."""
        ...

    @property
    def callback(self) -> Callback:
        """The parsed webhook."""
        ...


class EventRecord(Protocol):
    """The received webhooks of all servers on one store."""

    async def find(
        self,
        *,
        kind: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        accounts: Collection[str] | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[Event]:
        """Return the events that fit, oldest first; `accounts` are the names of those whose events fit."""
        ...

    async def newest(self) -> int:
        """Return the number of the newest event; 0 before the first."""
        ...
