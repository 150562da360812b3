"""Renders long lists for a model as tables: column names once, then one line per row, at half the tokens of JSON."""

import json
from collections.abc import Mapping
from typing import Any, cast

FEWEST_ROWS = 4
"""With fewer rows, JSON objects are shorter than a table."""


def render(content: Mapping[str, Any], rows: str | None) -> str:
    """Render content as compact JSON, with the list under the key `rows` as a table below it if long and flat."""
    listed: list[Any] = content.get(rows, []) if rows is not None else []
    if rows is None or not _is_tabular(listed):
        return compact(content)
    table = cast("list[dict[str, Any]]", listed)
    columns = list(dict.fromkeys(name for row in table for name in row))
    same = {name: table[0].get(name) for name in columns[1:] if len({_cell(row.get(name)) for row in table}) == 1}
    columns = [name for name in columns if name not in same]
    rest = {name: value for name, value in content.items() if name != rows}
    head = [compact(rest)] if rest else []
    shared = f" (in all of them {compact(same)})" if same else ""
    lines = ["|".join(_cell(row.get(name)) for name in columns) for row in table]
    return "\n".join([*head, f"{rows}{shared}, a line each: {'|'.join(columns)}", *lines])


def compact(content: Mapping[str, Any]) -> str:
    """Render content as JSON without spaces."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)


def _is_tabular(listed: object) -> bool:
    rows = cast("list[object]", listed) if isinstance(listed, list) else []
    return len(rows) >= FEWEST_ROWS and all(_is_flat(row) for row in rows)


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
