"""The record of webhooks, as tools read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tools.webhooks import Callback


class Event(Protocol):
    """A webhook that was taken in."""

    @property
    def number(self) -> int:
        """Counts up; a cursor."""
        ...

    @property
    def received_at(self) -> datetime: ...

    @property
    def callback(self) -> Callback: ...


class EventRecord(Protocol):
    """Every webhook that was taken in. All servers on one store share it."""

    async def find(
        self,
        *,
        kind: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[Event]:
        """Events that fit, oldest first."""
        ...

    async def newest(self) -> int:
        """The number of the event that came last; 0 before the first."""
        ...
