"""Which read shows whether a call took effect, in words for whoever is shown an action whose outcome is unknown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from clients.operation import Operation
from guard.action import Action, State, arguments_of, rebuild_call
from guard.catalog import OperationCatalog

_STORED_HINT: Final = re.compile(r"\b(Look with [a-z0-9]+_|No read can tell: |No read settles it by itself\.)")
"""How hints began that version 0.1 stored in the outcome itself."""


def outcome_text(action: Action, catalog: OperationCatalog) -> str:
    """Word the outcome on record and, while it is unknown, which read shows it; empty while there is none."""
    outcome = action.outcome or ""
    if action.state is not State.UNKNOWN or _STORED_HINT.search(outcome):
        return outcome
    return f"{outcome} {verification_hint(action, catalog)}".strip()


def verification_hint(action: Action, catalog: OperationCatalog) -> str:
    """Name the read that shows whether the call took effect, or the reads that come closest."""
    called = catalog.operation_named(action.operation)
    if called is not None and called.spec.unverifiable:
        return f"No read can show it: {called.spec.unverifiable}.{_closest(catalog.related_reads(action.operation))}"
    operation = _rebuild(action, called)
    if (
        operation is not None
        and action.sent_at is not None
        and (verification := operation.verification(action.sent_at))
    ):
        return f"Check with {_call(verification.read, catalog)}."
    if operation is not None and (before := operation.before()) is not None:
        return f"Check with {_call(before, catalog)}."
    return f"No single read shows it.{_closest(catalog.related_reads(action.operation))}"


def _closest(reads: Sequence[str]) -> str:
    if not reads:
        return " Check in the provider's own portal, or ask its support."
    return f" Check with {' or '.join(reads)}, or in the provider's own portal."


def _rebuild(action: Action, called: type[Operation[Any]] | None) -> Operation[Any] | None:
    """Rebuild the call, or return None if one of its secrets is not on the record."""
    if called is None:
        return None
    try:
        return rebuild_call(called, action.arguments)
    except ValidationError:
        return None


def _call(read: Operation[Any], catalog: OperationCatalog) -> str:
    """Name the tool that makes a read. What it has no argument for is found in what it shows."""
    tool = catalog.tool_for(read)
    called = catalog.operation_named(tool)
    known = called.model_fields.keys() if called is not None else frozenset[str]()
    arguments = arguments_of(read)
    given = _listed({name: value for name, value in arguments.items() if name in known})
    sought = _listed({name: value for name, value in arguments.items() if name not in known})
    return tool + (f" ({given})" if given else "") + (f", looking for {sought}" if sought else "")


def _listed(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())
