"""Prepares an action for the templates: everything that is sent, uncut, worded as in the other approval channels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeGuard, cast

from clients.effects import Effect
from clients.operation import OperationType
from guard.action import Action, State
from guard.messages import status_line
from guard.verification_hint import outcome_text
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named

EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.PAID: "Spends money",
    Effect.DESTRUCTIVE: "Removes, overwrites, ends or uses up something",
    Effect.REROUTES: "Sends live calls or messages elsewhere",
    Effect.PRIVILEGED: "Touches credentials, access or consent",
    Effect.OUTWARD: "Reaches people outside or the provider's staff",
}

STATES: Final[Mapping[State, str]] = {
    State.PROPOSED: "Waiting",
    State.APPROVED: "Approved",
    State.DECLINED: "Declined",
    State.EXPIRED: "Expired",
    State.SENDING: "Under way",
    State.DONE: "Done",
    State.REFUSED: "Refused by the provider",
    State.UNKNOWN: "Outcome unknown",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value in full: one line for each text of a list, or the lines of one indented JSON text."""

    lines: tuple[str, ...]
    is_one: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A named value; `before` is the current value where the call changes it."""

    name: str
    value: Value
    before: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """One action, ready for the templates."""

    action: Action
    state: str
    status_line: str
    outcome: str
    """The outcome on record and, while it is unknown, how to check it."""

    answer: Value
    """The provider's answer; no lines if there was none."""

    provider: str
    what: str
    """The description of the operation; empty if it is no longer in the catalogue."""

    effects: tuple[str, ...]
    endpoint: str
    """Method and path; empty if unknown."""

    price: str
    """The amount alone, for lists."""

    quote: tuple[str, ...]
    """The quote without its warnings, the price first."""

    arguments: tuple[Field, ...]
    before: tuple[Field, ...]
    changes: tuple[Field, ...]
    """Arguments that change a field of the current state."""

    waits: bool
    remaining: str
    seconds_left: int


def build_view(action: Action, now: datetime) -> ActionView:
    """Prepare an action for the templates."""
    operation = operation_named(action.operation)
    left = max(0, int((action.expires_at - now).total_seconds()))
    arguments = _arguments(action)
    return ActionView(
        action=action,
        state=STATES[action.state],
        status_line=status_line(action),
        outcome=outcome_text(action, RegisteredOperations()),
        answer=Value(tuple((action.answer or "").split("\n")) if action.answer else (), is_one=True),
        provider=operation.spec.provider.title if operation else action.provider,
        what=" ".join((operation.__doc__ or "").split()) if operation else "",
        effects=_effects(operation),
        endpoint=f"{operation.spec.method} {operation.spec.path}" if operation else "",
        price=_price(action),
        quote=tuple(replace(action.quote, warnings=()).lines()),
        arguments=arguments,
        before=_fields(action.before),
        changes=tuple(field for field in arguments if field.before is not None),
        waits=action.state is State.PROPOSED,
        remaining=span(left),
        seconds_left=left,
    )


def to_value(value: Any) -> Value:
    """Convert a JSON value: text as it is, a list of texts item by item, anything else to indented JSON."""
    if isinstance(value, str):
        return Value((value,))
    if isinstance(value, list) and value and all(isinstance(item, str) for item in cast("list[object]", value)):
        return Value(tuple(cast("list[str]", value)))
    # Not splitlines(): it would also split at separators inside the values, and so hide them.
    return Value(tuple(json.dumps(value, ensure_ascii=False, indent=2, default=str).split("\n")), is_one=True)


def _arguments(action: Action) -> tuple[Field, ...]:
    before: Mapping[str, Any] = action.before if is_object(action.before) else {}
    return tuple(
        Field(name, to_value(value), to_value(before[name]) if before.get(name, value) != value else None)
        for name, value in action.arguments.items()
    )


def _fields(value: Any) -> tuple[Field, ...]:
    if is_object(value):
        return tuple(Field(name, to_value(inner)) for name, inner in value.items())
    return (Field("state", to_value(value)),) if value else ()


def is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for a JSON object."""
    return isinstance(value, Mapping)


def _effects(operation: OperationType | None) -> tuple[str, ...]:
    if operation is None:
        return ()
    spec = operation.spec
    words = tuple(word for effect, word in EFFECTS.items() if effect in spec.effect)
    return (*words, "Cannot be undone") if spec.irreversible else words


def _price(action: Action) -> str:
    if action.quote.amount is not None:
        return f"{'at most ' if action.quote.is_bound else ''}{action.quote.amount}"
    return "Price unknown" if action.quote.unknown else "No charge"


def span(seconds: int) -> str:
    """Say how long something takes, in the largest unit that fits."""
    if seconds >= 2 * 3600:
        return f"{seconds // 3600} hours"
    if seconds >= 120:
        return f"{seconds // 60} minutes"
    return f"{seconds} seconds"
