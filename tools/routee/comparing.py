"""What a change means for what was there, one sentence for each field."""

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


_NOTHING: Final[tuple[Any, ...]] = (None, "", False, 0, [], {})


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
