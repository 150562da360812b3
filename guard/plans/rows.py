"""Rows of a plan's step, given as a list of objects or as CSV text."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_ROWS: Final = 500
_DELIMITERS: Final = ",;\t"


class BadRows(ValueError):
    """Rows cannot be read. The message names the line and the rule, as a sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, and where it stands."""

    values: Mapping[str, Any]
    place: str
    """`row 3`, with the line of the text where it came from one."""


def read_rows(given: str | Sequence[Mapping[str, Any]]) -> list[Row]:
    """Read rows.

    Raises:
        BadRows: There are none or too many, they are no CSV, or a value is more than a text, a number or a truth value.
    """
    rows = list(_read_csv(given)) if isinstance(given, str) else list(_read_objects(given))
    if not rows:
        raise BadRows("for_each has no rows: give one for each call.")
    if len(rows) > MOST_ROWS:
        raise BadRows(f"for_each has {len(rows)} rows, and a plan has {MOST_ROWS} steps at most: make several plans.")
    return rows


def _read_objects(given: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for number, values in enumerate(given, 1):
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool | None):
                raise BadRows(f"Row {number} of for_each: {name} is a list or an object; a row has single values only.")
        yield Row(values, f"row {number}")


def _read_csv(text: str) -> Iterator[Row]:
    """Read CSV with a header, as spreadsheets write it: quoted fields, a byte order mark, semicolons or tabs."""
    text = text.removeprefix("\ufeff").lstrip("\r\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text), strict=True)
    header: list[str] = []
    number, line = 0, 1
    for fields in _records(reader):
        if any(field.strip() for field in fields):
            if not header:
                header = _read_header(fields)
            else:
                number += 1
                yield Row(_values(header, fields, line), f"row {number} (line {line})")
        line = reader.line_num + 1


def _records(reader: Any) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as wrong:
        raise BadRows(
            f"Line {reader.line_num} of the CSV in for_each cannot be read: {wrong}. A field with a comma, a quotation "
            'mark or a line break stands in quotation marks, and a quotation mark in it is doubled: "Ann said ""yes""".'
        ) from None


def _delimiter_of(text: str) -> str:
    """Return the delimiter that splits the header into the most columns; a comma where none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda delimiter: sum(map(len, csv.reader([first], delimiter=delimiter))))


def _read_header(fields: Sequence[str]) -> list[str]:
    header = [field.strip() for field in fields]
    if "" in header:
        raise BadRows(f"Column {header.index('') + 1} of the CSV in for_each has no name in the header.")
    if twice := [name for name in header if header.count(name) > 1]:
        raise BadRows(f"The header of the CSV in for_each names {twice[0]!r} twice.")
    return header


def _values(header: Sequence[str], fields: Sequence[str], line: int) -> Mapping[str, str | None]:
    if len(fields) != len(header):
        raise BadRows(
            f"Line {line} of the CSV in for_each has {len(fields)} fields, and the header names {len(header)} "
            f"({', '.join(header)}). A field with a delimiter in it stands in quotation marks."
        )
    # An empty field is a value that is not given: CSV has no other way to leave one out.
    return {name: field.strip() or None for name, field in zip(header, fields, strict=True)}
