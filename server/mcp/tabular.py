"""Long lists in the two forms of a result, at less than half the tokens of JSON objects.

As text, the column names stand once, then one line per row. As structured content, the list is an object of `columns`,
`rows` and `in_all`, what is the same in all rows; `read_rows` makes a list of objects of it again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

FEWEST_ROWS = 4
"""With fewer rows, JSON objects are shorter than a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A long list of flat rows."""

    columns: list[str]
    """Names of what differs between the rows, in the order of the cells."""

    rows: list[list[Any]]
    in_all: Mapping[str, Any]
    """What is the same in all rows."""


def render(content: Mapping[str, Any], rows: str | None) -> str:
    """Render content as compact JSON, with the list under the key `rows` as a table below it if long and flat."""
    table = _table_of(content.get(rows)) if rows is not None else None
    if table is None:
        return compact(content)
    rest = {name: value for name, value in content.items() if name != rows}
    head = [compact(rest)] if rest else []
    shared = f" (in all of them {compact(table.in_all)})" if table.in_all else ""
    lines = ["|".join(_cell(value) for value in row) for row in table.rows]
    return "\n".join([*head, f"{rows}{shared}, a line each: {'|'.join(table.columns)}", *lines])


def tabulate(content: Mapping[str, Any], rows: str | None) -> dict[str, Any]:
    """Return content with the list under the key `rows` as an object of columns and rows if long and flat."""
    table = _table_of(content.get(rows)) if rows is not None else None
    if rows is None or table is None:
        return dict(content)
    shared = {"in_all": dict(table.in_all)} if table.in_all else {}
    return {**content, rows: {**shared, "columns": table.columns, "rows": table.rows}}


def read_tables(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return structured content with every table in it as a list of objects."""
    return {name: read_rows(value) if _is_table(value) else value for name, value in content.items()}


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and {"columns", "rows"} <= cast("dict[str, object]", value).keys()


def read_rows(listed: Any) -> list[dict[str, Any]]:
    """Return the rows of a list in structured content as objects, whichever form it has."""
    if isinstance(listed, list):
        return cast("list[dict[str, Any]]", listed)
    table = cast("dict[str, Any]", listed)
    shared: dict[str, Any] = table.get("in_all", {})
    return [
        shared | {name: value for name, value in zip(table["columns"], row, strict=True) if value is not None}
        for row in table["rows"]
    ]


def compact(content: Mapping[str, Any]) -> str:
    """Render content as JSON without spaces."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)


def _table_of(listed: object) -> Table | None:
    rows = cast("list[object]", listed) if isinstance(listed, list) else []
    if len(rows) < FEWEST_ROWS or not all(_is_flat(row) for row in rows):
        return None
    table = cast("list[dict[str, Any]]", rows)
    columns = list(dict.fromkeys(name for row in table for name in row))
    same = {name: table[0][name] for name in columns[1:] if _is_same(table, name)}
    columns = [name for name in columns if name not in same]
    return Table(columns, [[row.get(name) for name in columns] for row in table], same)


def _is_same(table: list[dict[str, Any]], name: str) -> bool:
    """Return True if every row has the same value of the same type; 1 and true are two."""
    first = table[0].get(name)
    return first is not None and all(type(row.get(name)) is type(first) and row[name] == first for row in table)


def _is_flat(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    return not any(isinstance(value, dict | list) for value in cast("dict[str, object]", row).values())


def _cell(value: object) -> str:
    """Render a value so that it cannot be taken for two cells or two lines."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str() if any(sign in value for sign in '|\n\r"'):
            return json.dumps(value, ensure_ascii=False).replace("|", "\\u007c")
        case _:
            return str(value)
