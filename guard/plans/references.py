"""References: arguments of a step that an earlier step's answer gives, such as the id of what it made.

    {"route": {"$from": "office.id"}}

A person approves a plan before such a value exists. So it may only be an identifier, and nothing that decides whom a
call reaches, when, how many, or what it costs may depend on it: for every operation, a stand-in of the call is asked
for its recipients, its time and its charge, and refuses to be read where the value would be needed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, create_model
from pydantic.fields import FieldInfo

from clients.effects import Effect
from clients.fields import FromOutside, is_secret
from clients.operation import Operation, OperationType, answer_type
from clients.questions.subjects import NOBODY, Reach
from clients.spec import placeholders
from guard.errors import GuardRefusal

KEY: Final = "$from"

_PATH: Final = re.compile(r"([a-z][a-z0-9_]{0,39})\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)")
_IDENTIFIER: Final = re.compile(r"(id|route|[a-z0-9_]+_id)")
_WHO: Final = re.compile(r"number|phone|caller|contact|customer|account|recipient|destination")
"""Words in the names of arguments that say who is meant, or which number, whatever they are made of."""

AS_THE_RULE_SAYS: Final = (
    "A reference stands for an id that an earlier step brings, never for a number, a recipient, a destination or an "
    "amount: write the value itself."
)


class NotKnownYet(GuardRefusal):
    """A call needs the value of a reference before the step that brings it was carried out."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An argument that a field of an earlier step's answer gives."""

    label: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.label, *self.path))


def references_in(arguments: Mapping[str, Any]) -> dict[str, Reference]:
    """Return the references among arguments, by the argument's name.

    Raises:
        ValueError: One of them is not written as a reference, or stands within an argument. The message says so.
    """
    found: dict[str, Reference] = {}
    for name, value in arguments.items():
        if is_reference(value):
            found[name] = _read(name, cast("Mapping[str, Any]", value))
        elif any(is_reference(inner) for inner in _within(value)):
            raise ValueError(f"{name}: a reference is a whole argument, never a part of one.")
    return found


def why_not(operation: OperationType, name: str) -> str | None:
    """Return why an argument may never be a reference, whatever the call; None where it may be one."""
    field = operation.model_fields.get(name)
    if field is None:
        return f"{name}: there is no such argument."
    if why := _why_none_at_all(operation, name):
        return f"{name}: {why}"
    is_identifier = _IDENTIFIER.fullmatch(name) and not _WHO.search(name)
    if not is_identifier or _scalar(field.annotation) is None or _is_normalized(field) or is_secret(field.annotation):
        return f"{name}: {AS_THE_RULE_SAYS}"
    return None


def why_no_source(operation: OperationType, reference: Reference) -> str | None:
    """Return why a field of an operation's answer cannot be referred to; None where it can be."""
    field = _field_at(answer_type(operation), reference.path)
    if field is None:
        known = ", ".join(sorted(_identifiers(answer_type(operation)))) or "none"
        return f"The answer of {operation.spec.tool_name} declares no {'.'.join(reference.path)}; its ids: {known}."
    if any(isinstance(rule, FromOutside) for rule in field.metadata) or is_secret(field.annotation):
        return f"{reference} may hold text from outside or a secret, so no argument takes it from there."
    if _scalar(field.annotation) is None:
        return f"{reference} is no single text or whole number."
    return None


def value_at(answer: Any, reference: Reference) -> str | int | None:
    """Return what an answer shows at a reference; None if it shows nothing there."""
    for name in reference.path:
        answer = getattr(answer, name, None)
    return answer if isinstance(answer, str | int) and not isinstance(answer, bool) else None


_LEFT_OUT: Final[Mapping[str, object]] = {
    "before": None,
    "preconditions": (),
    "differences": (),
    "warnings": (),
    "changes": (),
}
"""What a call says about itself, and what is taken instead where that depends on a reference."""


@cache
def stand_in(operation: OperationType, names: frozenset[str]) -> OperationType:
    """Return a class of the same calls in which some arguments are references that refuse to be read.

    The state before such a call, its warnings and its changes are left out where they depend on a reference.
    """

    default: Any = Operation

    class StandIn(operation):  # type: ignore[valid-type, misc]  # the class is known when a plan is proposed
        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            if name in names and is_reference(value):
                raise NotKnownYet(f"{name}: the call needs its value before it is sent. {AS_THE_RULE_SAYS}")
            return value

        def recipient_count(self) -> int:
            if operation.recipient_count is not default.recipient_count:
                counted: int = super().recipient_count()
                return counted
            values = (getattr(self, name) for name in operation.model_fields if name not in names)
            return max([1, *(len(cast("list[object]", value)) for value in values if isinstance(value, list))])

        def describe(self, before: Any = None, reach: Reach = NOBODY) -> str:
            with suppress(NotKnownYet):
                sentence: str = super().describe(before, reach)
                return sentence
            return f"{operation.spec.title} at {operation.spec.provider.title}"

    for method, otherwise in _LEFT_OUT.items():
        setattr(StandIn, method, _unless_it_needs_a_value(operation, method, otherwise))
    StandIn.__doc__, StandIn.__name__ = operation.__doc__, operation.__name__
    fields: Any = dict.fromkeys(names, (Any, ...))
    made = create_model(operation.__name__, __base__=StandIn, **fields)
    return cast("OperationType", made)


def _unless_it_needs_a_value(operation: OperationType, name: str, otherwise: object) -> Callable[..., object]:
    """Return a method of an operation that answers otherwise where it needs the value of a reference."""
    original: Callable[..., object] = getattr(operation, name)

    def answer(self: object, *arguments: object) -> object:
        with suppress(NotKnownYet):
            return original(self, *arguments)
        return otherwise

    return answer


def _why_none_at_all(operation: OperationType, name: str) -> str:
    """Return why an operation, or the object that it acts on, must be seen by whoever approves it; empty otherwise."""
    spec = operation.spec
    in_path = placeholders(spec.path)
    if spec.irreversible or Effect.PRIVILEGED in spec.effect:
        return f"{spec.title} is approved with every value in sight, so none of its arguments is a reference."
    if Effect.DESTRUCTIVE in spec.effect and (name in in_path or not in_path):
        return "What a call removes or overwrites is approved by its id, so it is no reference."
    if any(_amount(field.annotation) for field in operation.model_fields.values()):
        return "Whoever gets or pays an amount is approved by their id, so it is no reference."
    return ""


def _amount(annotation: Any) -> bool:
    return annotation in (Decimal, float) or any(_amount(part) for part in get_args(annotation))


def _read(name: str, value: Mapping[str, Any]) -> Reference:
    given = value[KEY]
    found = _PATH.fullmatch(given) if isinstance(given, str) else None
    if found is None or len(value) > 1:
        raise ValueError(f'{name}: a reference is written {{"{KEY}": "label.field"}}, and nothing beside it.')
    return Reference(found[1], tuple(found[2].split(".")))


def is_reference(value: Any) -> bool:
    """Return True for an argument that is written as a reference."""
    return isinstance(value, Mapping) and KEY in value


def _within(value: object) -> Iterator[object]:
    """Yield every value within a value, at any depth."""
    if isinstance(value, Mapping):
        inner = list(cast("Mapping[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return
    for one in inner:
        yield one
        yield from _within(one)


def _scalar(annotation: Any) -> type | None:
    """Return `str` or `int` for a type that is nothing else but for None; None for any other."""
    if annotation in (str, int):
        return cast("type", annotation)
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not NoneType]
        return _scalar(rest[0]) if len(rest) == 1 else None
    if hasattr(annotation, "__metadata__"):
        return _scalar(get_args(annotation)[0])
    return None


def _is_normalized(field: FieldInfo) -> bool:
    """Return True for an argument that is brought into a form, as telephone numbers are: it is no bare id."""
    return any(isinstance(rule, BeforeValidator) for rule in field.metadata)


def _field_at(model: Any, path: tuple[str, ...]) -> FieldInfo | None:
    """Return the field of an answer at a path through nested answers."""
    *outer, last = path
    for name in outer:
        model = _model_of(model.model_fields[name].annotation) if _has(model, name) else None
    found: FieldInfo | None = model.model_fields[last] if _has(model, last) else None
    return found


def _has(model: Any, name: str) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel) and name in model.model_fields


def _model_of(annotation: Any) -> Any:
    """Return the model that an annotation is, with or without None beside it."""
    parts = [part for part in get_args(annotation) if part is not NoneType] or [annotation]
    return parts[0] if len(parts) == 1 else None


def _identifiers(model: Any, within: str = "") -> Iterator[str]:
    """Yield the fields of an answer that are ids, by their paths."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return
    for name, field in model.model_fields.items():
        if _IDENTIFIER.fullmatch(name) and _scalar(field.annotation) is not None:
            yield f"{within}{name}"
        if not within:
            yield from _identifiers(_model_of(field.annotation), f"{name}.")
