"""The provider's own ledger: which calls took effect there, by the mark in each."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import httpx2

MARK: Final = re.compile(r"soak-\d{6}-end")
TAKES_NO_EFFECT: Final = frozenset({"drop_before", "status"})


async def requests_of(sandbox: str) -> list[dict[str, Any]]:
    """Return every request that the simulated providers received."""
    async with httpx2.AsyncClient(timeout=60) as http:
        found: list[dict[str, Any]] = (await http.get(f"{sandbox}/_control/requests")).json()
    return found


def mark_of(request: dict[str, Any]) -> str | None:
    """Return the mark of a request that changes something; None for all others."""
    path = str(request["path"])
    if request["method"] == "GET" and "create" not in path:
        return None
    if any(word in path for word in ("analyze", "estimate")):
        return None
    found = MARK.search(json.dumps([request["query"], request["body"]]))
    return found[0] if found else None


def received_marks(requests: Iterable[dict[str, Any]]) -> Counter[str]:
    """Count by mark the requests that took effect, whether or not their answer arrived."""
    took_effect = (
        one
        for one in requests
        if one["fault"] not in TAKES_NO_EFFECT and (one["status"] is None or one["status"] < 400)
    )
    return Counter(mark for one in took_effect if (mark := mark_of(one)) is not None)
