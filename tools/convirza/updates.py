"""What an update of Convirza changes, the update that restores it, and whether a read shows that it happened."""

import json
import re
from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import BaseModel

from clients.changes import describe_resets, restore_fields
from clients.evidence import Evidence, is_since, same_fields
from clients.operation import UNREAD, Operation, Undo
from clients.questions.differences import Fields, flatten

STATE_UNREAD: Final = "The state before could not be read, so it is not known which settings this resets."

DEFAULTS: Final = "Settings that are left out go back to defaults, which no document names."

CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""How far Convirza's clock may be behind ours."""

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def fields_of(model: BaseModel, *without: str) -> dict[str, Any]:
    """Return the fields that are set, as JSON values under their Python names."""
    return model.model_dump(mode="json", exclude_none=True, exclude={"extra_fields", *without})


def describe_full_update(before: BaseModel | None, wanted: Fields, *, kept: frozenset[str]) -> tuple[str, ...]:
    """Return a sentence for each setting that a full update resets by leaving it out, except those in `kept`."""
    if before is None:
        return (STATE_UNREAD, DEFAULTS)
    return (*describe_resets(flatten(fields_of(before, *kept)), flatten(wanted)), DEFAULTS)


def restore_settings(
    operation: type[Operation[Any]], before: BaseModel | None, wanted: Fields, *, lost: str = "", **ids: Any
) -> Undo:
    """Return the update that sets the changed settings to what they were."""
    if before is None:
        return UNREAD
    was = flatten(fields_of(before))
    old = {name: was.get(name) for name in flatten(wanted)}
    return restore_fields(operation, old, lost=lost, **ids)


def same_settings(found: BaseModel, wanted: Fields) -> Evidence:
    """Whether the settings that are shown are the wanted ones."""
    return same_fields(flatten(wanted), flatten(fields_of(found)), compare=_same_value)


def is_new(created: datetime | None, sent_at: datetime) -> bool:
    """Return True for an object created by a call sent at that time; one that shows no time may be an older one."""
    return is_since(created, sent_at, tolerance=CLOCKS_DIFFER)


def _same_value(shown: Any, wanted: Any) -> Evidence:
    """UNKNOWN where the two may be one value, written in a way that no document describes."""
    if shown == wanted:
        return Evidence.YES
    return Evidence.no_if(not _may_be_same(shown, wanted))


def _may_be_same(shown: Any, wanted: Any) -> bool:
    if isinstance(shown, str) and isinstance(wanted, str):
        is_unrecognised = _NUMBER.fullmatch(wanted) is not None and _NUMBER.fullmatch(shown) is None
        return is_unrecognised or shown.casefold() == wanted.casefold()
    if isinstance(shown, list) and isinstance(wanted, list):
        return _in_one_order(shown) == _in_one_order(wanted)
    return False


def _in_one_order(entries: Any) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in cast("list[Any]", entries))
