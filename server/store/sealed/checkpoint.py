"""How far the audit log was verified, so that a later verification can go on from there.

It stands under the store's key and names the last verified row by number and MAC. It shows nothing of the rows before:
whoever changes one of those after they were verified is found only by verifying all of them again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from server.store.sealed.hash_chain import Head, open_text, seal_text

CHECKPOINT: Final = "audit checkpoint"
"""The name under which the store holds it."""

WHOLE_BELOW: Final = 100_000
"""A log that ends before this row is always verified from its beginning, which takes a few seconds."""

WHOLE_AFTER: Final = timedelta(days=7)
"""When a longer one is verified from its beginning again: so long a change of a verified row may stay unnoticed."""

_PURPOSE: Final = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The end of a verification that found nothing wrong."""

    row: Head
    at: str
    by: str
    whole_at: str
    """When all rows were last verified in one go."""

    read_from: int
    """The first row that this verification read."""

    rows: int
    """How many rows were verified up to here, in one verification or in several."""

    approvals: int
    """How many approvals of the store are in these rows."""

    signed: int
    """How many of them are signed."""

    gaps: int
    """How many accepted gaps there are in them."""

    receipts: Mapping[str, Any]
    """The last receipt that was verified, as `server.store.receipts.checking` says it."""

    enrolled: Mapping[str, Any]
    """The passkeys of operators as the verified rows leave them."""


class Rows(Enum):
    """Which rows a verification reads."""

    ALL = "all"
    NEW = "new"
    """Those behind the last checkpoint."""

    AS_DUE = "as due"
    """The new ones of a long log, all rows of a short one, and once a week those of every log."""

    def go_on(self, checkpoint: Checkpoint, *, last: int, now: datetime) -> bool:
        """Return True if a verification goes on from a checkpoint; `last` is the last row of the log."""
        if self is Rows.AS_DUE:
            return last >= WHOLE_BELOW and now - datetime.fromisoformat(checkpoint.whole_at) < WHOLE_AFTER
        return self is Rows.NEW


def seal_checkpoint(key: bytes, checkpoint: Checkpoint) -> str:
    """Serialise a checkpoint with its MAC."""
    return seal_text(key, _PURPOSE, json.dumps(asdict(checkpoint), sort_keys=True))


def read_checkpoint(stored: str | None, key: bytes) -> Checkpoint | None:
    """Return the checkpoint; None if there is none, or if its MAC is wrong."""
    if (plain := open_text(stored, key, _PURPOSE)) is None:
        return None
    found: dict[str, Any] = json.loads(plain)
    return Checkpoint(row=Head(**found.pop("row")), **found)
