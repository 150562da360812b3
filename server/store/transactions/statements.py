"""Statements that are built once, and run again and again with other values.

SQLite's driver gets them directly: for a row that an index finds, SQLAlchemy's way to the driver costs several times
what SQLite needs. PostgreSQL gets them through SQLAlchemy, since there the way through the network costs most. What a
column's type does to a value is the same both ways.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from sqlalchemy import ColumnElement, Delete, Insert, Select, Update, bindparam, literal
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeEngine

Clause = Select[*tuple[Any, ...]] | Insert | Update | Delete
Row = Mapping[str, Any]
Convert = Callable[[Any], Any]

_NO_VALUES: Final[Row] = {}

_AT_ONCE: Final = 512
"""How many values one statement takes at most; older SQLite takes 999."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as SQLite's driver takes it, for values of certain names."""

    sql: str
    inputs: tuple[tuple[str, Any, Convert | None], ...]
    """For each place: the name of its value, the value where the statement itself has one, and its conversion."""

    names: tuple[str, ...]
    """The names of what a row holds."""

    outputs: tuple[tuple[str, Convert], ...]
    """Which of it is converted, and how."""

    @classmethod
    def of(cls, clause: Clause, values: Row, dialect: Dialect) -> Self:
        """Compile a statement; its lists are written with `is_one_of`, because a driver takes one value a place."""
        compiled = clause.compile(dialect=dialect, column_keys=list(values))
        own, binds = compiled.params, compiled.binds
        names = compiled.positiontup or ()
        if missing := [name for name in names if name not in values and (name not in binds or binds[name].required)]:
            raise TypeError(f"This statement needs a value for {', '.join(missing)}.")
        found = [(str(name), column.type) for name, column in clause.exported_columns.items()]
        return cls(
            sql=str(compiled),
            inputs=tuple((name, own.get(name), _to_driver(binds[name].type, dialect)) for name in names),
            names=tuple(name for name, _ in found),
            outputs=tuple((name, convert) for name, of in found if (convert := _from_driver(of, dialect)) is not None),
        )

    def places(self, values: Row) -> list[Any]:
        """Return the values in the order of their places."""
        given = [(values.get(name, own), convert) for name, own, convert in self.inputs]
        return [convert(value) if convert is not None else value for value, convert in given]

    def row(self, found: Sequence[Any]) -> dict[str, Any]:
        """Return what was found by the names of its columns."""
        row = dict(zip(self.names, found, strict=True))
        for name, convert in self.outputs:
            row[name] = convert(row[name])
        return row


def is_one_of(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these values."""
    return column.in_([literal(str(value)) for value in values])


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query for the rows whose column holds one of many values; `others` names what else they are chosen by.

    A statement takes as many values as it was compiled for, so they are filled up to the next power of two.
    """

    query: Select[*tuple[Any, ...]]
    column: ColumnElement[str]
    _statements: dict[int, "Statement"] = field(default_factory=dict[int, "Statement"])

    def all(self, connection: Connection, wanted: Sequence[str], others: Row = _NO_VALUES) -> Sequence[Row]:
        """Return every row that is found for these values; none where there is no value."""
        found: list[Row] = []
        for start in range(0, len(wanted), _AT_ONCE):
            part = list(wanted[start : start + _AT_ONCE])
            size = 1 << (len(part) - 1).bit_length()
            filled = part + part[-1:] * (size - len(part))
            found += self._of(size).all(connection, {**others, **{_place(n): one for n, one in enumerate(filled)}})
        return found

    def _of(self, size: int) -> "Statement":
        statement = self._statements.get(size)
        if statement is None:
            places: list[ColumnElement[str]] = [bindparam(_place(n)) for n in range(size)]
            statement = self._statements[size] = Statement(self.query.where(self.column.in_(places)))
        return statement


def _place(number: int) -> str:
    return f"value_{number}"


class Statement:
    """A statement of the store that is run often."""

    def __init__(self, clause: Clause) -> None:
        self.clause = clause
        self._compiled: dict[frozenset[str], Compiled] = {}

    def all(self, connection: Connection, values: Row = _NO_VALUES) -> Sequence[Row]:
        """Run it, and return every row that it finds."""
        if not _is_sqlite(connection):
            return [dict(row) for row in connection.execute(self.clause, values).mappings()]
        compiled = self._for(connection, values)
        return [compiled.row(found) for found in _driver(connection).execute(compiled.sql, compiled.places(values))]

    def first(self, connection: Connection, values: Row = _NO_VALUES) -> Row | None:
        """Run it, and return the first row that it finds; None if it finds none."""
        found = self.all(connection, values)
        return found[0] if found else None

    def value(self, connection: Connection, values: Row = _NO_VALUES) -> Any:
        """Run it, and return the first value of the first row; None if it finds none."""
        row = self.first(connection, values)
        return None if row is None else next(iter(row.values()))

    def run(self, connection: Connection, values: Row = _NO_VALUES) -> int:
        """Run it, and return how many rows it changed."""
        if not _is_sqlite(connection):
            return connection.execute(self.clause, values).rowcount
        compiled = self._for(connection, values)
        return _driver(connection).execute(compiled.sql, compiled.places(values)).rowcount

    def run_for_each(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it for each of these rows, which have the same names."""
        if not rows:
            return
        if not _is_sqlite(connection):
            connection.execute(self.clause, rows)
            return
        compiled = self._for(connection, rows[0])
        _driver(connection).executemany(compiled.sql, [compiled.places(row) for row in rows])

    def _for(self, connection: Connection, values: Row) -> Compiled:
        names = frozenset(values)
        compiled = self._compiled.get(names)
        if compiled is None:
            compiled = self._compiled[names] = Compiled.of(self.clause, values, connection.dialect)
        return compiled


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _to_driver(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return of.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(of: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return of.dialect_impl(dialect).result_processor(dialect, None)
