"""Records the transactions of the store as spans, as parts of what is recorded at the moment."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Literal, cast

from opentelemetry.trace import Span
from sqlalchemy import Select, Table
from sqlalchemy.sql.visitors import iterate

from clients.telemetry.spans import NOT_RECORDED, Facts, is_within_trace, span


def observe_transaction(
    name: Literal["store read", "store write"], system: str, work: Callable[..., Any]
) -> AbstractContextManager[Span]:
    """Record a transaction; nothing outside of a trace: servers look at the store every second, by the clock.

    `system` is the kind of the database. The span names the function of ours that reads or writes, or the tables, and
    no statement.
    """
    if not is_within_trace():
        return NOT_RECORDED
    facts = _tables_of(work) or {"code.function.name": _name_of(work)}
    return span(name, {"db.system.name": system, **facts})


def _name_of(work: Callable[..., Any]) -> str:
    """Return the name of the method that makes a transaction, such as `StoredJournal.move`."""
    return str(getattr(work, "__qualname__", type(work).__name__)).partition(".<locals>")[0]


def _tables_of(work: Callable[..., Any]) -> Facts:
    """Name the tables of a query that is read as it is, without a function of ours."""
    query = work.args[0] if isinstance(work, partial) and work.args else None
    if not isinstance(query, Select):
        return {}
    read = cast("Select[Any]", query)
    return {"db.collection.name": ", ".join(dict.fromkeys(one.name for one in iterate(read) if isinstance(one, Table)))}
