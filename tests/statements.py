"""Hears the statements that reach SQLite, whoever sends them, with their values written out."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool


@contextmanager
def heard_statements() -> Generator[list[str]]:
    """Return a list of every statement that SQLite runs meanwhile, on any connection that a transaction takes."""
    heard: list[str] = []
    listening: dict[int, Any] = {}

    def listen(connection: Any, *_: Any) -> None:
        connection.set_trace_callback(heard.append)
        listening[id(connection)] = connection

    event.listen(Pool, "checkout", listen)
    try:
        yield heard
    finally:
        event.remove(Pool, "checkout", listen)
        for connection in listening.values():
            with suppress(sqlite3.ProgrammingError):  # it was closed meanwhile
                connection.set_trace_callback(None)
