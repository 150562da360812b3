"""Replies of the tools over all providers: what was found, and what is missing from it."""

from collections.abc import Sequence
from typing import Any

from tools.builtin import BuiltinCall, Reply
from tools.overview.gather import Gathered


def reply_with_gaps(
    content: dict[str, Any],
    gathered: Gathered[Any],
    call: BuiltinCall,
    *,
    rows: str | None = None,
    notes: Sequence[str] = (),
) -> Reply:
    """Return the reply with what is missing, where nothing was found, and which providers are not set up."""
    if gathered.gaps:
        content["missing"] = [
            without_none({"provider": gap.provider, "what": gap.what, "why": gap.why}) for gap in gathered.gaps
        ]
    if nothing := [name for name, found in gathered.found.items() if found == []]:
        content["nothing_found_at"] = nothing
    if call.services.not_set_up:
        content["not_set_up"] = list(call.services.not_set_up)
    return Reply(content=content, notes=notes, rows=rows)


def without_none(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the fields that are not known."""
    return {name: value for name, value in row.items() if value is not None}
