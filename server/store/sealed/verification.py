"""Remembers when the audit log was last verified, by whom, and with which result."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.fernet import InvalidToken

from server.store.key_values import KeyValueStore
from server.store.sealed.checkpoint import Checkpoint
from server.store.sealed.seal import Seal

_LAST: Final = "audit verification"
_BEGUN: Final = "audit verification begun"

GIVEN_UP_AFTER: Final = timedelta(hours=1)
"""A verification that began longer ago and has no result was interrupted; millions of rows take half as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of verifying the whole audit log once."""

    at: datetime
    by: str
    rows: int
    fault: str
    """What was tampered with; empty if nothing was."""

    gaps: int
    """How many gaps in it an operator accepted."""

    signed: int
    """How many approvals are signed by the passkey of their operator."""

    whole_at: datetime | None = None
    """When all rows were last read; None if they were read now."""


class Verifications:
    """Remembers the last result, sealed: who changes the log cannot also change what is shown of it."""

    def __init__(self, key_values: KeyValueStore, seal: Seal) -> None:
        self._key_values = key_values
        self._seal = seal

    async def begin(self, at: datetime) -> None:
        """Remember that a verification was begun."""
        await self._key_values.put(_BEGUN, at.isoformat())

    async def begun_at(self, now: datetime) -> datetime | None:
        """Return when the verification that is under way was begun; None if none is."""
        stored = await self._key_values.get(_BEGUN)
        begun = datetime.fromisoformat(stored) if stored else None
        return begun if begun is not None and now - begun < GIVEN_UP_AFTER else None

    async def end(self) -> None:
        """Forget that a verification is under way."""
        await self._key_values.drop(_BEGUN)

    async def remember(self, end: Checkpoint, *, fault: str) -> None:
        """Remember how a verification ended, in place of the last one; the fault is empty if everything fits."""
        result = {
            "at": end.at,
            "by": end.by,
            "rows": end.rows,
            "fault": fault,
            "gaps": end.gaps,
            "signed": end.signed,
            "whole_at": end.whole_at if end.whole_at != end.at else None,
        }
        await self._key_values.put(_LAST, self._seal.close(json.dumps(result)).decode("ascii"))

    async def last(self) -> Verification | None:
        """Return the last result; None if there is none, or if somebody changed it."""
        stored = await self._key_values.get(_LAST)
        try:
            result: dict[str, Any] = json.loads(self._seal.open((stored or "").encode("ascii")))
        except (InvalidToken, ValueError):
            return None
        at, whole_at = datetime.fromisoformat(result.pop("at")), result.pop("whole_at", None)
        return Verification(at=at, whole_at=datetime.fromisoformat(whole_at) if whole_at else None, **result)
