"""What an update of Enswitch sets, the update that restores it, and whether a read shows that it happened.

Enswitch shows one value in several forms, so both sides are compared in one form.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydantic import SecretStr

from clients.changes import restore_fields
from clients.evidence import Evidence, same_fields
from clients.operation import UNREAD, Operation, Undo, Verification, is_dry_run
from tools.enswitch.field_types import SHORT

ONLY_CHECKED: Final = Undo(verdict="none", lost="This was a dry run, so nothing changed.")

_INTERNATIONAL: Final = re.compile(r"\+(?=[0-9]+$)")


def settings_of(operation: Operation[Any], *besides: str) -> dict[str, object]:
    """Return the fields that a call sets, except `besides`; a secret is among them, though no read shows it."""
    names = operation.model_fields_set - {*besides, "dry_run"}
    return {name: value for name in sorted(names) if (value := getattr(operation, name)) is not None}


def restore_settings(operation: Operation[Any], before: Any, *names: str) -> Undo:
    """Return the same call with the values read before it; `names` are the fields that say what it works on."""
    if is_dry_run(operation):
        return ONLY_CHECKED
    if before is None:
        return UNREAD
    changed = operation.model_fields_set - {*names, "dry_run"}
    old = {name: getattr(before, name, None) for name in sorted(changed)}
    return restore_fields(type(operation), old, **{name: getattr(operation, name) for name in names})


def verify_settings(operation: Operation[Any], *names: str) -> Verification[Any] | None:
    """Repeat the read of the state before and compare it with what was to be set; None where no read can show that.

    `names` are the fields that say what the call works on. A call that sets a secret is never found done, because no
    read shows that the secret was set.
    """
    read = operation.before()
    wanted = settings_of(operation, *names)
    is_readable = any(not isinstance(value, SecretStr) for value in wanted.values())
    if read is None or not is_readable or is_dry_run(operation):
        return None
    return Verification(read=read, check=lambda found: same_settings(wanted, found))


def same_settings(wanted: Mapping[str, object], found: object) -> Evidence:
    """Whether everything wanted is shown; UNKNOWN where a value is not shown, or is written in another way."""
    return same_fields(wanted, {name: getattr(found, name, None) for name in wanted}, compare=_same_value)


def is_as_requested(operation: Operation[Any], row: object, *names: str) -> Evidence:
    """Whether a row shows these fields as the call that creates it requested them.

    A field that the call leaves out is empty in a new row. Where it is not, the row may be an older one: UNKNOWN.
    """
    wanted = {name: value for name in names if (value := getattr(operation, name)) is not None}
    evidence = same_settings(wanted, row)
    has_more = any(getattr(row, name) for name in names if name not in wanted)
    return Evidence.UNKNOWN if evidence is Evidence.YES and has_more else evidence


def _same_value(shown: object, wanted: object) -> Evidence:
    """Compare flags and numbers that may come as text; a value of another kind proves nothing."""
    if isinstance(wanted, bool) or isinstance(shown, bool):
        are_flags = isinstance(wanted, bool) and isinstance(shown, bool)
        return Evidence.of(wanted is shown) if are_flags else Evidence.UNKNOWN
    if isinstance(wanted, int | Decimal):
        number = _number(shown)
        return Evidence.UNKNOWN if number is None else Evidence.of(number == wanted)
    return _same_text(shown, wanted) if isinstance(wanted, str) and isinstance(shown, str) else Evidence.UNKNOWN


def _number(shown: object) -> Decimal | None:
    try:
        return Decimal(str(shown))
    except InvalidOperation:
        return None


def _same_text(shown: str, wanted: str) -> Evidence:
    """Compare texts whose plus sign means nothing, and whose case and punctuation may change when they are stored."""
    if _INTERNATIONAL.sub("", wanted) == _INTERNATIONAL.sub("", shown):
        return Evidence.YES
    one, other = _letters_and_digits(wanted), _letters_and_digits(shown)
    return Evidence.no_if(one != other and not _may_be_one_number(one, other))


def _letters_and_digits(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _may_be_one_number(one: str, other: str) -> bool:
    """Return True for a telephone number with and without its country code."""
    shorter, longer = sorted((one.lstrip("0"), other.lstrip("0")), key=len)
    return len(shorter) > SHORT and shorter.isdecimal() and longer.isdecimal() and longer.endswith(shorter)
