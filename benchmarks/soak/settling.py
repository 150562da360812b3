"""Settles what a soak left open, as the documents tell an operator to."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import anyio

from benchmarks.soak.children import CommandLine
from benchmarks.soak.ledgers import OPEN, Unknown
from benchmarks.soak.receiving import MARK, mark_of, received_marks, requests_of

PATIENCE: Final = 420.0
"""Seconds until a call whose server was killed is unknown (five minutes) and settled."""

NEAR: Final = 45.0
"""Seconds around a kill, a cut or a restart in which it explains that an outcome is unknown."""


async def settle(
    operator: CommandLine, sandbox: str, moments: Sequence[tuple[float, str]], passcode: str
) -> list[Unknown]:
    """Reconcile, then close as the provider's ledger shows what no read can settle; return what was unknown."""
    unknown: dict[str, Unknown] = {}
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        waiting = [one for one in await operator.actions() if one["state"] in {*OPEN, "approved"}]
        sending = [one for one in waiting if one["state"] in OPEN]
        if not sending:
            break
        sys.stderr.write(f"{len(sending)} actions are open.\n")
        requests = await requests_of(sandbox)
        for one in sending:
            if one["state"] == "unknown" and one["id"] not in unknown:
                fault = _fault_of(one, requests, moments)
                unknown[one["id"]] = Unknown(one["id"], str(one.get("outcome") or ""), fault)
        try:
            await operator.run("actions", "reconcile")
        except RuntimeError as wrong:
            sys.stderr.write(f"{wrong}\n")
        received = received_marks(await requests_of(sandbox))
        for one in await operator.actions():
            if one["state"] == "unknown":
                outcome = "done" if received[mark_in(one)] else "refused"
                await operator.run("actions", "resolve", one["id"], outcome, typed=f"{passcode}\n")
        await anyio.sleep(5)
    return list(unknown.values())


def mark_in(action: dict[str, Any]) -> str:
    """Return the mark in an action's arguments; empty if there is none."""
    found = MARK.search(json.dumps(action["arguments"]))
    return found[0] if found else ""


def _fault_of(
    action: dict[str, Any], requests: Sequence[dict[str, Any]], moments: Sequence[tuple[float, str]]
) -> str | None:
    """Return the fault that the provider's own log shows for the call, or what else failed while it was sent."""
    mark = mark_in(action)
    for request in requests:
        if request["fault"] and mark_of(request) == mark:
            return f"provider {request['fault']}"
    sent = action.get("sent_at")
    if not sent:
        return None
    at = datetime.fromisoformat(str(sent)).timestamp()
    near = [what for when, what in moments if not what.startswith("provider") and -1 <= when - at <= NEAR]
    return near[0] if near else None
