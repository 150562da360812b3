"""What the arguments of an operation have to be, read from the validators themselves and not from the schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from clients.operation import OperationType

BOUNDS: Final = (
    "pattern", "min_length", "max_length", "ge", "gt", "le", "lt", "max_digits", "decimal_places", "expected",
)  # fmt: skip
_NOT_WALKED: Final = {"serialization", "metadata", "function"}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One demand on an argument: a bound, or a function that decides."""

    argument: str
    """Names from the operation's argument down to the nested one, with dots; empty for a rule on several."""

    kind: str
    rule: str


def constraints(operation: OperationType) -> list[Constraint]:
    """Return every demand on the arguments of an operation."""
    operation.model_rebuild()
    return list(dict.fromkeys(_walk(operation.__pydantic_core_schema__, "", {})))


def _walk(node: object, argument: str, defined: Mapping[str, Any]) -> Iterator[Constraint]:
    if isinstance(node, list | tuple):
        for item in cast("list[object]", node):
            yield from _walk(item, argument, defined)
    if isinstance(node, Mapping):
        yield from _walk_schema(cast("Mapping[str, Any]", node), argument, defined)


def _walk_schema(schema: Mapping[str, Any], argument: str, defined: Mapping[str, Any]) -> Iterator[Constraint]:
    kind = str(schema.get("type", ""))
    if kind == "definitions":
        yield from _walk(schema["schema"], argument, {**defined, **{one["ref"]: one for one in schema["definitions"]}})
    elif kind == "definition-ref":
        # Once only: JSON holds JSON.
        others = {name: one for name, one in defined.items() if name != schema["schema_ref"]}
        if schema["schema_ref"] in defined:
            yield from _walk(defined[schema["schema_ref"]], argument, others)
    elif kind == "model-fields":
        for name, field in schema["fields"].items():
            yield from _walk(field["schema"], f"{argument}.{name}".removeprefix("."), defined)
    else:
        yield from _own(schema, kind, argument)
        inner = [value for name, value in schema.items() if name not in _NOT_WALKED]
        yield from _walk(inner, argument, defined)


def _own(schema: Mapping[str, Any], kind: str, argument: str) -> Iterator[Constraint]:
    bounds = {name: schema[name] for name in BOUNDS if schema.get(name) is not None}
    if bounds and kind in {"str", "int", "float", "decimal", "list", "dict", "literal"}:
        yield Constraint(argument, kind, ", ".join(f"{name} {value}" for name, value in bounds.items()))
    if kind == "function-after":
        function = schema["function"]["function"]
        yield Constraint(argument, kind, getattr(function, "__qualname__", str(function)))
