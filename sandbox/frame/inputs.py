"""What a function takes from a request, read off its signature."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model


class Body(BaseModel):
    """A JSON object in a request: a wrong type or an unknown field is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """Query parameters or form fields: unknown ones are refused, numbers are read from text."""

    model_config = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Found:
    """Marks a parameter that is looked up for each call, as in `OwnNumber = Annotated[Number, Found(own_number)]`."""

    look_up: Callable[[Any], object]
    """Gets the provider's call; raises its refusal if there is no such thing."""


@dataclass(frozen=True)
class Inputs:
    """What a function takes: parts of the request as a whole, members of one of them by name, and things looked up."""

    wholes: Mapping[str, TypeAdapter[Any]]
    """By parameter: `query`, `body`, `form`, or whatever the caller of `inputs_of` lets through."""
    members: type[BaseModel] | None
    """The model of the keyword-only parameters; None if there are none."""
    found: Mapping[str, Callable[[Any], object]]
    """By parameter: how it is looked up."""


def inputs_of(function: Callable[..., object], base: type[BaseModel], skip: frozenset[str] = frozenset()) -> Inputs:
    """Read the signature of a function behind its first parameter.

    A keyword-only parameter is a member of the same name; an underscore at the end, as in `from_`, is not part of it.
    One whose default is None may be left out, and null is still refused. Parameters named in `skip` are passed over.
    """
    hints = get_type_hints(function, include_extras=True)
    _, *parameters = inspect.signature(function).parameters.values()
    wholes: dict[str, TypeAdapter[Any]] = {}
    found: dict[str, Callable[[Any], object]] = {}
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in skip:
            continue
        hint = hints[parameter.name]
        marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Found)]
        if marks:
            found[parameter.name] = marks[0].look_up
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY:
            wholes[parameter.name] = TypeAdapter(hint)
            continue
        if parameter.default is None:
            hint = _without_none(hint)
        if parameter.name.endswith("_"):
            hint = Annotated[hint, Field(alias=parameter.name[:-1])]
        fields[parameter.name] = (hint, ... if parameter.default is parameter.empty else parameter.default)
    members = create_model(function.__name__, __base__=base, **fields) if fields else None
    return Inputs(wholes, members, found)


def members_of(model: BaseModel) -> dict[str, Any]:
    """Return the checked members as keyword arguments."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def _without_none(hint: Any) -> Any:
    """Drop None from a union, also from one inside Annotated."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        return Annotated[_without_none(inner), *extras]
    if get_origin(hint) in {Union, UnionType}:
        return Union[tuple(part for part in get_args(hint) if part is not NoneType)]  # noqa: UP007 - built at run time
    return hint
