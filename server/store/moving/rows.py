"""The rows of a record as both databases mean them: read, written and digested by value, in batches.

Times are copied as the text that they are stored as, and JSON as its text, so that nothing is rounded, reordered or
made valid on the way. What is sealed stays sealed: the key lies outside.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import JSON, Column, MetaData, String, Table, Text, func, insert, literal, null, select, text, tuple_
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from server.store import schema
from server.store.engine import make_engine

AT_ONCE: Final = 500
"""Rows of one batch: an answer of a provider may be long, and memory stays small with any record."""

MOVE: Final = "move"
"""The name under which a closed store holds which copy it was closed for, and where to. It is not copied.

It changes once the copy is verified, and a copy that stops then has to find both sides the same.
"""

_WHOLE: Final = 1 << 256

Key = Sequence[str | int]
"""The primary key of a row."""


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows a table has, and the sum of their digests: databases sort text in different orders."""

    rows: int
    total: int


def open_for_copy(url: URL) -> Engine:
    """Return connections that hand on JSON as its text."""
    return make_engine(url, json_serializer=_as_it_is, json_deserializer=_as_text)


def tables() -> list[Table]:
    """Return every table of the store, with the types in which its values are copied."""
    return [_of_values(table) for table in schema.metadata.sorted_tables]


def read_batches(connection: Connection, table: Table, *, after: Key | None = None) -> Iterator[list[dict[str, Any]]]:
    """Read the rows that are copied and stand behind a key, in the order of the keys."""
    keys = list(table.primary_key.columns)
    query = select(table).order_by(*keys).limit(AT_ONCE)
    if table.name == schema.facts.name:
        query = query.where(table.c.name != MOVE)
    while True:
        beyond = query if after is None else query.where(tuple_(*keys) > tuple_(*_bound(keys, after)))
        rows = [dict(row) for row in connection.execute(beyond).mappings()]
        if rows:
            yield cast("list[dict[str, Any]]", rows)
        if len(rows) < AT_ONCE:
            return
        after = key_of(table, rows[-1])


def write_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows as they were read. Into PostgreSQL, a stream takes half as long as a statement for each row.

    Raises:
        SQLAlchemyError: They cannot be written.
    """
    if connection.dialect.name == "postgresql":
        _stream_rows(connection, table, rows)
        return
    of_json = {column.name for column in table.columns if isinstance(column.type, JSON)}
    values = [
        {name: null() if value is None and name in of_json else value for name, value in row.items()} for row in rows
    ]
    connection.execute(insert(table), values)


def key_of(table: Table, row: Mapping[Any, Any]) -> list[Any]:
    """Return the primary key of a row."""
    return [row[column.name] for column in table.primary_key.columns]


def digest_of(connection: Connection, table: Table) -> Digest:
    """Digest all rows of a table, by their values."""
    rows = total = 0
    for batch in read_batches(connection, table):
        rows += len(batch)
        total += sum(_digest_of_row(row) for row in batch)
    return Digest(rows, total % _WHOLE)


def continue_numbers(connection: Connection) -> None:
    """Let PostgreSQL number new rows behind the copied ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in schema.metadata.sorted_tables:
        if (column := table.autoincrement_column) is not None:
            last = connection.execute(select(func.max(column))).scalar() or 0
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)"),
                {"table": table.name, "column": column.name, "next": last + 1},
            )


def _stream_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    quoted = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quoted(column.name) for column in table.columns)
    statement = f"COPY {quoted(table.name)} ({columns}) FROM STDIN"
    driver = cast("Any", connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as stream:
            for row in rows:
                stream.write_row([row[column.name] for column in table.columns])
    except connection.dialect.loaded_dbapi.Error as failed:
        raise DBAPIError(statement, None, failed) from failed


def _of_values(table: Table) -> Table:
    columns = [Column(one.name, _type_of_values(one.type), primary_key=one.primary_key) for one in table.columns]
    return Table(table.name, MetaData(), *columns)


def _type_of_values(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, schema.UtcTime):
        return String()
    return Text() if isinstance(kind, schema.StorableText) else kind


def _bound(keys: Sequence[Column[Any]], values: Key) -> list[Any]:
    return [literal(value, column.type) for column, value in zip(keys, values, strict=True)]


def _digest_of_row(row: Mapping[str, Any]) -> int:
    plain = json.dumps(list(row.values()), default=_hexadecimal)
    return int.from_bytes(hashlib.sha256(plain.encode("ascii")).digest())


def _hexadecimal(value: Any) -> dict[str, str]:
    return {"bytes": bytes(value).hex()}


def _as_it_is(value: Any) -> Any:
    return value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode("utf-8")
