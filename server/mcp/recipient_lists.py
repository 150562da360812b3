"""Shortens lists of recipients in receipts: a count, the first few, and where all of them can be read."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, cast

MOST_WHOLE: Final = 5
"""So many recipients are shown whole."""

SHOWN: Final = 3

_NUMBER: Final = re.compile(r"\+?[0-9]{7,15}")


def shorten_recipients(content: Mapping[str, Any], *, whole: str) -> dict[str, Any]:
    """Return content in which no list of more than a few recipients is left; `whole` names the read that shows all."""
    return {name: _shortened(value, whole) for name, value in content.items()}


def _shortened(value: Any, whole: str) -> Any:
    if isinstance(value, list):
        rows = cast("list[object]", value)
        if len(rows) > MOST_WHOLE and all(names_number(row) for row in rows):
            return {"count": len(rows), "first": _first(rows), "all": whole}
        return [_shortened(row, whole) for row in rows]
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        entries = [_entry(name, row) for name, row in fields.items()]
        if len(entries) > MOST_WHOLE and all(names_number(entry) for entry in entries):
            return {"count": len(entries), "first": _first(entries), "all": whole}
        return shorten_recipients(fields, whole=whole)
    return value


def _entry(name: str, row: object) -> object:
    """Return an entry of an object as a row: its fields with its name, or its name where it has none."""
    return {"id": name, **cast("dict[str, object]", row)} if isinstance(row, dict) else name


def _first(rows: list[Any]) -> list[Any]:
    """Return the first rows; those that a flag sets apart, such as recipients who are left out, before the others."""
    return list(islice(sorted(rows, key=lambda row: not _is_flagged(row)), SHOWN))


def _is_flagged(row: object) -> bool:
    return isinstance(row, dict) and any(value is True for value in cast("dict[str, object]", row).values())


def names_number(row: object) -> bool:
    """Return True for a telephone number, and for an object that holds one."""
    parts: Iterable[object] = cast("dict[str, object]", row).values() if isinstance(row, dict) else (row,)
    return any(isinstance(part, str) and _NUMBER.fullmatch(part) for part in parts)
