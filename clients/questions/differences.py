"""What a call changes in the state before it, leaf by leaf: which field, what it is now, and what it is then."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic_core import to_jsonable_python

Fields = Mapping[str, Any]

LONGEST_SHOWN: Final = 80
"""Characters of a value in a line; the approval page shows it in full."""

_UNSET: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changes. Both are JSON values; None where nothing is set."""

    field: str
    """Dotted name, such as `config.ring_to` or `overflow_numbers.1.rings`."""

    now: Any
    then: Any

    def __str__(self) -> str:
        """Word it in a line: `forward: now none, then "+12015550142"`."""
        return f"{self.field}: now {_show(self.now)}, then {_show(self.then)}"


def differences(now: Fields, then: Fields) -> tuple[Difference, ...]:
    """Compare the fields of `then` with those of the same name in `now`; what `now` does not have is left out."""
    found: list[Difference] = []
    for name in (name for name in then if name in now):
        before, after = to_jsonable_python(now[name]), to_jsonable_python(then[name])
        found += [Difference(*leaf) for leaf in _pairs(name, before, after)]
    return tuple(found)


def field_at(fields: Fields, path: str) -> Any:
    """Return the field of a dotted name; None where it is not there."""
    value: Any = fields
    for name in path.split("."):
        value = cast("Fields", value).get(name) if isinstance(value, Mapping) else None
    return value


def flatten(fields: Fields, within: str = "") -> dict[str, Any]:
    """Return the fields of nested objects under dotted names; a list counts as one value."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            flat |= flatten(cast("Fields", value), f"{within}{name}.")
        else:
            flat[within + name] = value
    return flat


def _pairs(name: str, now: Any, then: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the leaves that differ. A field of an object that `then` leaves out stays as it is."""
    if isinstance(then, Mapping):
        inner: Fields = cast("Fields", now) if isinstance(now, Mapping) else {}
        for key, value in cast("Fields", then).items():
            yield from _pairs(f"{name}.{key}", inner.get(key), value)
    elif _has_objects(then) or (_has_objects(now) and isinstance(then, list)):
        yield from _pairs_of_lists(name, _as_list(now), _as_list(then))
    elif now != then and not (now in _UNSET and then in _UNSET):
        yield name, now, then


def _pairs_of_lists(name: str, now: Sequence[Any], then: Sequence[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the leaves that differ between the objects of two lists, which are counted from 1."""
    for index in range(max(len(now), len(then))):
        before = now[index] if index < len(now) else None
        entry = f"{name}.{index + 1}"
        if index < len(then):
            yield from _pairs(entry, before, then[index])
        else:
            yield entry, before, None


def _show(value: Any) -> str:
    if value in _UNSET:
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _as_list(value: Any) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in cast("list[object]", value))
