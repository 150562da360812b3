"""Records the transactions of the store as spans, as parts of what is recorded at the moment."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from opentelemetry.trace import Span
from sqlalchemy import Executable
from sqlalchemy.engine import Connection, RowMapping

from clients.telemetry.spans import NOT_RECORDED, is_within_trace, span


@dataclass(frozen=True, slots=True)
class Rows:
    """Reads all rows of one query; `read_by` is the method that wants them."""

    query: Executable
    values: Mapping[str, Any] | None
    read_by: str

    def __call__(self, connection: Connection) -> Sequence[RowMapping]:
        """Read them."""
        return connection.execute(self.query, self.values).mappings().all()


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
    name = work.read_by if isinstance(work, Rows) else getattr(work, "__qualname__", type(work).__name__)
    return str(name).partition(".<locals>")[0]
