"""Long lists in the two forms of a result, at less than half the tokens of JSON objects.

As text, the column names stand once, then one line per row. As structured content, the list is an object of `columns`,
`rows` and `in_all`, what is the same in all rows; `read_rows` makes a list of objects of it again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

FEWEST_ROWS = 4
"""With fewer rows, JSON objects are shorter than a table."""


SEPARATOR = "."
"""Between the name of an object and that of its field, in the name of a column."""

LONGEST_LIST = 5
"""So many entries of a list fit into a cell."""


_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True)
class Table:
    """A long list of flat rows."""

    columns: list[str]
    """Names of what differs between the rows, in the order of the cells."""

    rows: list[list[Any]]
    in_all: Mapping[str, Any]
    """What is the same in all rows."""


def both_forms(content: Mapping[str, Any], rows: str | None) -> tuple[str, dict[str, Any]]:
    """Return content as text and as structured content, with the list under the key `rows` as a table."""
    table = _table_of(content.get(rows)) if rows is not None else None
    return _text(content, rows, table), _structure(content, rows, table)


def render(content: Mapping[str, Any], rows: str | None) -> str:
    """Render content as compact JSON, with the list under the key `rows` as a table below it if long and flat."""
    return both_forms(content, rows)[0]


def tabulate(content: Mapping[str, Any], rows: str | None) -> dict[str, Any]:
    """Return content with the list under the key `rows` as an object of columns and rows if long and flat."""
    return both_forms(content, rows)[1]


def _text(content: Mapping[str, Any], rows: str | None, table: Table | None) -> str:
    if table is None:
        return compact(content)
    rest = {name: value for name, value in content.items() if name != rows}
    head = [compact(rest)] if rest else []
    shared = f" (in all of them {compact(table.in_all)})" if table.in_all else ""
    lines = ["|".join(_cell(value) for value in row) for row in table.rows]
    return "\n".join([*head, f"{rows}{shared}, a line each: {'|'.join(table.columns)}", *lines])


def _structure(content: Mapping[str, Any], rows: str | None, table: Table | None) -> dict[str, Any]:
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
        _nest(shared | {name: value for name, value in zip(table["columns"], row, strict=True) if value is not None})
        for row in table["rows"]
    ]


def compact(content: Mapping[str, Any]) -> str:
    """Render content as JSON without spaces."""
    return _COMPACT.encode(content)


def _table_of(listed: object) -> Table | None:
    rows = cast("list[object]", listed) if isinstance(listed, list) else []
    if len(rows) < FEWEST_ROWS or not all(isinstance(row, dict) for row in rows):
        return None
    table = [_flatten(cast("dict[str, Any]", row)) for row in rows]
    if not all(_is_flat(row) for row in table):
        return None
    columns = list(dict.fromkeys(name for row in table for name in row))
    same = {name: table[0][name] for name in columns[1:] if _is_same(table, name)}
    columns = [name for name in columns if name not in same]
    return Table(columns, [[row.get(name) for name in columns] for row in table], same)


def _is_same(table: list[dict[str, Any]], name: str) -> bool:
    """Return True if every row has the same value of the same type; 1 and true are two."""
    first = table[0].get(name)
    return first is not None and all(type(row.get(name)) is type(first) and row[name] == first for row in table)


def _flatten(row: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return a row with the fields of its objects as fields of its own, such as `status.date`; empty lists left out."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value and not any(SEPARATOR in key for key in cast("dict[str, Any]", value)):
            flat |= _flatten(cast("dict[str, Any]", value), f"{within}{name}{SEPARATOR}")
        elif value not in ([], {}):
            flat[f"{within}{name}"] = value
    return flat


def _nest(row: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `_flatten`."""
    nested: dict[str, Any] = {}
    for name, value in row.items():
        *groups, last = name.split(SEPARATOR)
        target = nested
        for group in groups:
            target = target.setdefault(group, {})
        target[last] = value
    return nested


def _is_flat(row: Mapping[str, Any]) -> bool:
    """Return True for a row that fits into cells: its lists are short and hold no objects."""
    return not any(
        isinstance(value, dict) or (isinstance(value, list) and not _is_cell(value)) for value in row.values()
    )


def _is_cell(value: Any) -> bool:
    items = cast("list[object]", value)
    return len(items) <= LONGEST_LIST and not any(isinstance(item, dict | list) for item in items)


def _cell(value: object) -> str:
    """Render a value so that it cannot be taken for two cells or two lines."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_cell(item) for item in cast("list[object]", value))
        case str() if any(sign in value for sign in '|\n\r"'):
            return json.dumps(value, ensure_ascii=False).replace("|", "\\u007c")
        case _:
            return str(value)
