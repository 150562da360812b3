"""Every field of every answer: a value of another kind than declared costs that field at most, and never the answer."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from clients.answers import parse
from clients.operation import answer_type
from tools.registry import operations_of

PROVIDERS = ("voicetel", "routee", "convirza", "enswitch")

KEPT = {"kept": 1}
NO_VALUES: tuple[object, ...] = ("", [], {}, None)
ODD: tuple[Any, ...] = (0, 7, -1, 7.5, True, "text", "0", [1], {"a": 1}, [[]], [{}])

Leaf = tuple[dict[str, Any], list[str]]


def leaves(model: type[BaseModel], value: object, within: int = 0) -> Iterator[Leaf]:
    """Yield an answer for each field at any depth that has this value there and nowhere else, and the field's path."""
    for name, field in model.model_fields.items():
        path = wire_path(name, field)
        yield nested(path, value), path
        inner, is_list = inner_model(field.annotation)
        if inner is None or within > 4:
            continue
        for part, below in leaves(inner, value, within + 1):
            yield nested(path, [part] if is_list else part), [*path, *(["0"] if is_list else []), *below]


def wire_path(name: str, field: FieldInfo) -> list[str]:
    """Return where a field stands in the provider's answer."""
    alias = field.validation_alias or field.alias or name
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    return [str(step) for step in alias.path] if isinstance(alias, AliasPath) else [alias]


def nested(path: list[str], value: object) -> dict[str, Any]:
    """Return an object that has a value at a path, beside what is ignored."""
    first, *rest = path
    return {first: nested(rest, value) if rest else value, **KEPT}


def inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that a field holds, if any, and whether it holds a list of them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return inner_model(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return next((found for part in get_args(annotation) if (found := inner_model(part))[0]), (None, False))
    if origin is list:
        return inner_model(get_args(annotation)[0])[0], True
    return (annotation, False) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else (None, False)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_value_of_another_kind_costs_its_field_and_not_the_answer(provider: str) -> None:
    lost: list[str] = []
    for model in {answer_type(operation) for operation in operations_of(provider).values()}:
        for value in (*NO_VALUES, *ODD):
            for content, path in leaves(model, value):
                if parse(model, content) is None:
                    lost.append(f"{model.__name__}: {'.'.join(path)} = {value!r}")
    assert lost == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_value_that_is_not_set_is_missing_and_not_named_as_unread(provider: str) -> None:
    named: list[str] = []
    for model in {answer_type(operation) for operation in operations_of(provider).values()}:
        for value in NO_VALUES:
            for content, path in leaves(model, value):
                typed = parse(model, content)
                if typed is not None and ".".join(path) in typed.unread:
                    named.append(f"{model.__name__}: {'.'.join(path)} = {value!r}")
    assert named == []
