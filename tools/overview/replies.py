"""Replies of the tools over all providers: what was found, where, and what is missing from it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tools.builtin import BuiltinCall, Reply
from tools.overview.gather import Gathered

HERE: Final = "this server"
"""Stands for the account where this server's own record could not be read."""


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
            without_none({**place_of(call, gap.source), "what": gap.what, "why": gap.why}) for gap in gathered.gaps
        ]
    if nothing := [name for name, found in gathered.found.items() if found == []]:
        content["nothing_found_at"] = [" ".join(place_of(call, name).values()) for name in nothing]
    if call.services.not_set_up:
        content["not_set_up"] = list(call.services.not_set_up)
    return Reply(content=content, notes=notes, rows=rows)


def named_account(call: BuiltinCall, account: str) -> dict[str, str]:
    """Return what names an account in a row: nothing where its provider has only one."""
    names = call.services.accounts_of(call.services.provider_of(account))
    return {"account": account} if len(names) > 1 else {}


def place_of(call: BuiltinCall, account: str) -> dict[str, str]:
    """Return the provider of an account, and its name where the provider has several; another source as it is."""
    if account == HERE:
        return {"provider": account}
    return {"provider": call.services.provider_of(account), **named_account(call, account)}


def without_none(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without the fields that are not known."""
    return {name: value for name, value in row.items() if value is not None}
