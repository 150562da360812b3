"""What to look at while nobody knows whether a call took effect."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from clients.operation import Operation
from guard.action import Action, arguments_of

Operations = Callable[[str], type[Operation[Any]] | None]
"""The operation of a tool name."""

ReadsBeside = Callable[[str], Sequence[str]]
"""Tool names of the plain reads that show what an operation touches, the nearest first."""


def where_to_look(action: Action, operations: Operations, reads_beside: ReadsBeside) -> str:
    """One sentence that names the read which shows whether the call took effect, or those that come nearest to it."""
    operation = _again(action, operations)
    proof = operation.settled(action.sent_at) if operation is not None and action.sent_at is not None else None
    read = proof.read if proof is not None else operation.before() if operation is not None else None
    if read is not None:
        return f"Look with {_call(read)}."
    beside = reads_beside(action.operation)
    if beside:
        return f"No read settles it by itself; look with {' or '.join(beside)}."
    return f"No read of {action.provider} shows it; look in the provider's own portal, or ask its support."


def _again(action: Action, operations: Operations) -> Operation[Any] | None:
    """The call as it was made; None where it cannot be built, because a secret of it is not on the record."""
    operation = operations(action.operation)
    if operation is None:
        return None
    try:
        return operation.model_validate(dict(action.arguments))
    except ValidationError:
        return None


def _call(read: Operation[Any]) -> str:
    arguments = ", ".join(f"{name}={value}" for name, value in arguments_of(read).items())
    return f"{read.spec.tool_name} ({arguments})" if arguments else read.spec.tool_name
