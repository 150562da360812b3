"""What an update changes in the state it replaces: a sentence for each field, and the update that restores it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from clients.operation import UNREAD, Operation, Undo, put_back

LONGEST_SHOWN: Final = 80

_UNSET: Final[tuple[Any, ...]] = (None, "", "none", False, 0, [], {})
"""Values that a reset does not change noticeably, so that they need no sentence."""

Fields = Mapping[str, Any]


def describe_changes(was: Fields, will: Fields) -> tuple[str, ...]:
    """Return a sentence for each field that gets another value."""
    return tuple(
        f"{name}: now {_show(was[name])}, then {_show(value)}."
        for name, value in will.items()
        if name in was and was[name] != value
    )


def describe_replacement(was: Fields, will: Fields) -> tuple[str, ...]:
    """Describe an update that replaces everything: first the fields that it resets, then those that it changes."""
    resets = tuple(
        f"`{name}` goes back to its default (now {_show(value)}), because this update leaves it out."
        for name, value in was.items()
        if name not in will and value not in _UNSET
    )
    return (*resets, *describe_changes(was, will))


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


def flatten(fields: Fields, within: str = "") -> dict[str, Any]:
    """Return the fields of nested objects under dotted names; a list counts as one value."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            flat |= flatten(cast("Fields", value), f"{within}{name}.")
        else:
            flat[within + name] = value
    return flat


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
