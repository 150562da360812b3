"""What a change means for what was there: for the question, for the way back, and for telling whether it happened."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import BaseModel

from clients.operation import UNREAD, Undo, put_back

LONGEST_SHOWN: Final = 80

UNSEEN: Final = "What was there could not be read, so what is reset is not known."

DEFAULTS: Final = "Whatever is left out goes to a default that no document names."

CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""Convirza's times may lag behind ours by so much."""

Fields = Mapping[str, Any]


def fields_of(model: BaseModel, *without: str) -> dict[str, Any]:
    """What is set, as JSON values under clean names."""
    return model.model_dump(mode="json", exclude_none=True, exclude={"extra_fields", *without})


def changed(before: BaseModel | None, wanted: Fields) -> tuple[str, ...]:
    """A sentence for each field that becomes another."""
    if before is None:
        return ()
    was = flat(fields_of(before))
    return tuple(
        f"{name}: now {_shown(was[name])}, then {_shown(value)}."
        for name, value in flat(wanted).items()
        if name in was and was[name] != value
    )


def replaced(before: BaseModel | None, wanted: Fields, *, kept: frozenset[str]) -> tuple[str, ...]:
    """The same for a full update, which resets every field that is left out. `kept` names what it cannot touch."""
    if before is None:
        return (UNSEEN, DEFAULTS)
    was, will = flat(fields_of(before, *kept)), flat(wanted)
    resets = tuple(
        f"RESETS {name}, now {_shown(value)}, because it is left out."
        for name, value in was.items()
        if name not in will and value not in _NOTHING
    )
    return (*changed(before, wanted), *resets, DEFAULTS)


def agrees(found: BaseModel, wanted: Fields) -> bool | None:
    """Whether what is there is what was wanted; None where it does not show."""
    there, will = flat(fields_of(found)), flat(wanted)
    return all_of(_means(there[name], value) if name in there else None for name, value in will.items())


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """False if one is False, True if all are True; None where one cannot tell, or there are none."""
    told = list(verdicts)
    if any(verdict is False for verdict in told):
        return False
    return True if told and None not in told else None


def is_new(created: datetime | None, sent_at: datetime) -> bool:
    """Whether a row came with a call sent at that time; one that shows no time may be an older twin."""
    return created is not None and created >= sent_at - CLOCKS_DIFFER


def _means(there: Any, wanted: Any) -> bool | None:
    """Whether a value that is shown is the wanted one; None where it may be, in a way of writing that is not known."""
    if there == wanted:
        return True
    return None if _may_be(there, wanted) else False


def _may_be(there: Any, wanted: Any) -> bool:
    if isinstance(there, str) and isinstance(wanted, str):
        unrecognised = _NUMBER.fullmatch(wanted) is not None and _NUMBER.fullmatch(there) is None
        return unrecognised or there.casefold() == wanted.casefold()
    if isinstance(there, list) and isinstance(wanted, list):
        return _in_one_order(there) == _in_one_order(wanted)
    return False


def _in_one_order(entries: Any) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in cast("list[Any]", entries))


def put_fields_back(operation: Any, before: BaseModel | None, wanted: Fields, *, lost: str = "", **ids: Any) -> Undo:
    """The call that sets the changed fields to what they were."""
    if before is None:
        return UNREAD
    was = flat(fields_of(before))
    again = {name: was[name] for name in flat(wanted) if name in was}
    gone = sorted(flat(wanted).keys() - again.keys())
    if not again:
        return Undo(verdict="none", lost="The read shows none of the fields that were changed.")
    if gone:
        lost = f"Not shown before, so not put back: {', '.join(gone)}. {lost}".strip()
    return put_back(operation, lost=lost, **ids, **nested(again))


def flat(fields: Fields, within: str = "") -> dict[str, Any]:
    """Nested fields under dotted names; a list counts as one value."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            out |= flat(cast("Fields", value), f"{within}{name}.")
        else:
            out[within + name] = value
    return out


def nested(fields: Fields) -> dict[str, Any]:
    """Dotted names taken apart again."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = name.split(".")
        inner = out
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return out


_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_NOTHING: Final[tuple[Any, ...]] = (None, "", "none", False, 0, [])
"""Values whose reset is not worth a sentence of its own."""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
