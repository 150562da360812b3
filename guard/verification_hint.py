"""Names the read that shows whether a call took effect, while its outcome is unknown."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from clients.operation import Operation
from guard.action import Action, arguments_of
from guard.dependencies import OperationCatalog


def verification_hint(action: Action, catalog: OperationCatalog) -> str:
    """One sentence that names the read which verifies the call, or the reads nearest to that."""
    called = catalog.operation_named(action.operation)
    if called is not None and called.spec.unverifiable:
        return f"No read can tell: {called.spec.unverifiable}.{_nearest(catalog.related_reads(action.operation))}"
    operation = _again(action, called)
    if (
        operation is not None
        and action.sent_at is not None
        and (verification := operation.verification(action.sent_at))
    ):
        return f"Look with {_call(verification.read)}."
    if operation is not None and (before := operation.before()) is not None:
        return f"Look with {_call(before)}."
    return f"No read settles it by itself.{_nearest(catalog.related_reads(action.operation))}"


def _nearest(beside: Sequence[str]) -> str:
    if not beside:
        return " Look in the provider's own portal, or ask its support."
    return f" Look with {' or '.join(beside)}, or in the provider's own portal."


def _again(action: Action, called: type[Operation[Any]] | None) -> Operation[Any] | None:
    """The call as it was made; None where it cannot be rebuilt, because the journal does not hold its secret."""
    if called is None:
        return None
    try:
        return called.model_validate(dict(action.arguments))
    except ValidationError:
        return None


def _call(read: Operation[Any]) -> str:
    arguments = ", ".join(f"{name}={value}" for name, value in arguments_of(read).items())
    return f"{read.spec.tool_name} ({arguments})" if arguments else read.spec.tool_name
