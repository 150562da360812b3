"""The text of each action that a search looks through, in a table of its own: reading it does not read the rest."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from server.store.schema import storable

_PRINTED_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().\-/]{5,}[0-9]")
_BETWEEN_DIGITS: Final = re.compile(r"[^0-9]")


def searchable_row(
    *, action_id: str, created_at: datetime | str, operation: str, title: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the row that makes an action found: its id, its tool, its sentence, and the values of its arguments."""
    values = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    body = storable(f"{action_id} {operation} {title} {values}".lower())
    return {"action_id": action_id, "created_at": created_at, "body": body}


def searched_texts(words: str) -> tuple[str, ...]:
    """Return what to look for, in lower case; a telephone number also as it stands in arguments."""
    text = " ".join(words.split()).lower()
    digits = _BETWEEN_DIGITS.sub("", text) if _PRINTED_NUMBER.fullmatch(text) else text
    return tuple(dict.fromkeys((text, digits)))
