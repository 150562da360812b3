"""An action as a model is shown it: what strangers wrote in the state before the call stands behind the fence."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from clients.operation import Operation, answer_type
from guard.action import Action
from server.mcp.untrusted import Untrusted, fenced
from tools.registry import operation_named


def fence_action(action: Action, fence: Untrusted) -> tuple[Action, Callable[[str], str]]:
    """The action with its state before fenced, and what goes round a text that may repeat that state."""
    if not action.before:
        return action, str
    before = _fenced_before(action, fence)
    return replace(action, before=before), fence.around if fence.is_used else str


def _fenced_before(action: Action, fence: Untrusted) -> Any:
    """Whatever cannot be read again as what it was is fenced whole."""
    try:
        kept = _answer_read_before(action).model_validate(action.before)
    except (ValidationError, LookupError):
        return fence.around(json.dumps(action.before, ensure_ascii=False))
    if kept.model_dump(mode="json", exclude_none=True) != action.before:
        return fence.around(json.dumps(action.before, ensure_ascii=False))
    return fenced(kept, action.before, fence)


def _answer_read_before(action: Action) -> type[BaseModel]:
    operation = operation_named(action.operation)
    if operation is None:
        raise LookupError(action.operation)
    read: Operation[Any] | None = operation.model_validate(dict(action.arguments)).before()
    if read is None:
        raise LookupError(action.operation)
    answer: type[BaseModel] = answer_type(type(read))
    return answer
