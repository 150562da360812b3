"""What a change means for what was there, one sentence for each field; and whether it is what is there now."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

LONGEST_SHOWN: Final = 80

Fields = Mapping[str, Any]


def changed(was: Fields, will: Fields) -> tuple[str, ...]:
    """Fields that become another."""
    return tuple(
        f"{name}: now {_shown(was[name])}, then {_shown(value)}."
        for name, value in will.items()
        if name in was and was[name] != value
    )


def replaced(was: Fields, will: Fields) -> tuple[str, ...]:
    """The same where the whole is replaced: what is left out is lost, and says so first."""
    lost = tuple(
        f"RESETS {name}, now {_shown(value)}, because it is left out."
        for name, value in was.items()
        if name not in will and value not in _NOTHING
    )
    return (*lost, *changed(was, will))


def agrees(wanted: Fields, shown: Fields, *, unclear: frozenset[str] = frozenset()) -> bool | None:
    """True where all that was asked for is shown, False where something else is, None where a field is not shown.

    That an `unclear` field differs proves nothing.
    """
    different = {name for name, value in wanted.items() if name in shown and shown[name] != value}
    if different - unclear:
        return False
    return None if different or wanted.keys() - shown.keys() else True


_NOTHING: Final[tuple[Any, ...]] = (None, "", False, 0, [], {})


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
