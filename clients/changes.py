"""What an update resets in the state it replaces, and the update that restores it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clients.operation import UNREAD, Operation, Undo, put_back

LONGEST_SHOWN: Final = 80

_UNSET: Final[tuple[Any, ...]] = (None, "", "none", False, 0, [], {})
"""Values that a reset does not change noticeably, so that they need no sentence."""

Fields = Mapping[str, Any]


def describe_resets(was: Fields, will: Fields) -> tuple[str, ...]:
    """Return a sentence for each field that an update resets by leaving it out."""
    return tuple(
        f"`{name}` goes back to its default (now {_show(value)}), because this update leaves it out."
        for name, value in was.items()
        if name not in will and value not in _UNSET
    )


def restore_fields(operation: type[Operation[Any]], old: Fields, *, lost: str = "", **ids: Any) -> Undo:
    """Return the update that sets fields to their old values; None stands for a value that was not read.

    A dotted name is a field of a nested object. `ids` are the fields that name what is updated, `lost` is what the
    update does not bring back besides.
    """
    known = {name: value for name, value in old.items() if value is not None}
    if not known:
        return UNREAD
    if unread := sorted(old.keys() - known.keys()):
        lost = f"{', '.join(unread)} (not read before the change). {lost}".strip()
    return put_back(operation, lost=lost, **ids, **_nest(known))


def _nest(fields: Fields) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = name.split(".")
        inner = nested
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return nested


def _show(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
