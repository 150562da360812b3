"""Keys of VoiceTel's records of calls and messages, which end with a time."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

LENGTHS: Final = (2, 3)
"""Parts of a key: whose and when for a call, to whom and when for a message, a third part for a delivery receipt."""

_EPOCH = re.compile(r"[0-9]{9,11}")


def time_of_key(key: Sequence[str | None]) -> datetime | None:
    """Return the time that a key ends with, in epoch seconds; None where it ends with none."""
    seconds = key[-1] if len(key) in LENGTHS else None
    if seconds is None or not _EPOCH.fullmatch(seconds):
        return None
    return datetime.fromtimestamp(int(seconds), tz=UTC)
