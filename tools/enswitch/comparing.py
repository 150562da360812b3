"""Whether what Enswitch shows is what was to be set. Both sides are compared in one form, whatever they came in."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from clients.operation import Operation
from tools.enswitch.field_types import SHORT

_INTERNATIONAL: Final = re.compile(r"\+(?=[0-9]+$)")


def given(operation: Operation[Any], *besides: str) -> dict[str, object]:
    """What a call sets, without the fields in `besides`. A secret is among it, and no read shows that one."""
    names = operation.model_fields_set - {*besides, "dry_run"}
    return {name: value for name in sorted(names) if (value := getattr(operation, name)) is not None}


def agreement(wanted: Mapping[str, object], shown: object) -> bool | None:
    """True where all of it is shown as wanted, False where something is shown that means something else.

    None where that cannot be told: something is not shown, or it is written in another way.
    """
    told = [_agrees(value, getattr(shown, name, None)) for name, value in wanted.items()]
    return False if False in told else None if None in told else True


def is_as_asked(operation: Operation[Any], row: object, *names: str) -> bool | None:
    """Whether a row shows these fields as the call that creates it asked for them.

    One that was left out is nothing in a new row. Where more is shown, the row may be an older one: None.
    """
    wanted = {name: value for name in names if (value := getattr(operation, name)) is not None}
    told = agreement(wanted, row)
    has_more = any(getattr(row, name) for name in names if name not in wanted)
    return None if told and has_more else told


def any_of(told: Iterable[bool | None]) -> bool | None:
    """What rows tell together: True where one is it, None where one may be, False where none is."""
    every = list(told)
    return True if True in every else None if None in every else False


def _agrees(wanted: object, shown: object) -> bool | None:
    """Flags and numbers may come as text. What is not shown, or of another kind, tells nothing."""
    if isinstance(wanted, bool) or isinstance(shown, bool):
        return wanted is shown if isinstance(wanted, bool) and isinstance(shown, bool) else None
    if isinstance(wanted, int | Decimal):
        number = _number(shown)
        return None if number is None else number == wanted
    return _same_text(wanted, shown) if isinstance(wanted, str) and isinstance(shown, str) else None


def _number(shown: object) -> Decimal | None:
    try:
        return Decimal(str(shown))
    except InvalidOperation:
        return None


def _same_text(wanted: str, shown: str) -> bool | None:
    """A plus sign is how a number is shown and no difference; case and punctuation may be how a text is stored."""
    if _INTERNATIONAL.sub("", wanted) == _INTERNATIONAL.sub("", shown):
        return True
    one, other = _letters_and_digits(wanted), _letters_and_digits(shown)
    return None if one == other or _may_be_one_number(one, other) else False


def _letters_and_digits(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _may_be_one_number(one: str, other: str) -> bool:
    """True for a telephone number with and without its country's code."""
    shorter, longer = sorted((one.lstrip("0"), other.lstrip("0")), key=len)
    return len(shorter) > SHORT and shorter.isdecimal() and longer.isdecimal() and longer.endswith(shorter)
