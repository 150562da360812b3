"""Records the transactions of the store as spans, as parts of what is recorded at the moment."""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from opentelemetry.trace import Span
from sqlalchemy.engine import Connection

from clients.telemetry.spans import NOT_RECORDED, is_within_trace, span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """A transaction that is named after the method that wants it."""

    work: Callable[[Connection], T]
    wanted_by: str

    def __call__(self, connection: Connection) -> T:
        """Run it."""
        return self.work(connection)


def observe_transaction(
    name: Literal["store read", "store write"], system: str, work: Callable[..., Any]
) -> AbstractContextManager[Span]:
    """Record a transaction; nothing outside of a trace: servers look at the store every second, by the clock.

    `system` is the kind of the database. The span names the method of ours that reads or writes, and no statement.
    """
    if not is_within_trace():
        return NOT_RECORDED
    return span(name, {"db.system.name": system, "code.function.name": _name_of(work)})


def name_of_reader() -> str:
    """Name the method that called the caller of this; empty outside of a trace, where nobody asks."""
    caller = inspect.currentframe() if is_within_trace() else None
    for _ in range(2):
        caller = caller.f_back if caller is not None else None
    return caller.f_code.co_qualname if caller is not None else ""


def _name_of(work: Callable[..., Any]) -> str:
    """Return the name of the method that makes a transaction, such as `StoredJournal.move`."""
    name = work.wanted_by if isinstance(work, Named) else getattr(work, "__qualname__", type(work).__name__)
    return str(name).partition(".<locals>")[0]
