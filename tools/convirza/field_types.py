"""Field types of Convirza's bodies: clean inside, in the documented mixture of types on the wire."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    SerializationInfo,
    WithJsonSchema,
    model_validator,
)

from clients.fields import WIRE, E164OrUsDigits, Email, Moment, UsNumber
from clients.phone_numbers import strip_separators

_INTEGER = WithJsonSchema({"type": "integer"})
_STRING = WithJsonSchema({"type": "string"})
"""Bounds that go without saying are checked, and not listed: 57 tools would repeat them 150 times."""

Id = Annotated[int, Field(ge=1), _INTEGER]
Count = Annotated[int, Field(ge=0), _INTEGER]
Word = Annotated[str, Field(min_length=1), _STRING]
Mail = Annotated[Email, _STRING]
Number = Annotated[UsNumber, _STRING]
"""A US or Canadian number: E.164 inside, ten digits on the wire."""


def _null_on_wire(value: int, info: SerializationInfo) -> int | None:
    return None if info.context == WIRE and value == 0 else value


IdOrNone = Annotated[int, Field(ge=0), PlainSerializer(_null_on_wire), _INTEGER]
"""An id, or 0 for none, which is null on the wire (the route example has a null id)."""


def _one_or_zero(value: bool, info: SerializationInfo) -> bool | str:
    return str(int(value)) if info.context == WIRE else value


TextFlag = Annotated[bool, PlainSerializer(_one_or_zero)]
"""A switch that is `"1"` on the wire; that off is `"0"` is inferred."""


def _digits(value: int, info: SerializationInfo) -> int | str:
    return str(value) if info.context == WIRE else value


TextCount = Annotated[int, Field(ge=0), PlainSerializer(_digits), _INTEGER]
"""A count that is text on the wire."""


def _empty_on_wire(value: str, info: SerializationInfo) -> str:
    return "" if info.context == WIRE and value == "none" else value


OffByEmptyText = PlainSerializer(_empty_on_wire)

Media = Annotated[Literal["none", "file", "text"], OffByEmptyText]
"""What is played: an uploaded prompt or spoken text. `text`, and empty text for none, are inferred."""


def _blank(value: object) -> object:
    return "none" if value == "" else value


AnsweredChoice = Annotated[str, BeforeValidator(_blank)]
"""A choice in an answer, `none` where it is empty."""


def _none_where_empty(value: object) -> object:
    return None if value == "" else value


EmptyIsNone = BeforeValidator(_none_where_empty)


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


Amount = Annotated[float, Field(ge=0), PlainSerializer(_whole), WithJsonSchema({"type": "number"})]


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


IsoTime = Annotated[Moment, PlainSerializer(_iso)]
"""A time with its zone, ISO 8601 in UTC on the wire too."""

E164 = Annotated[E164OrUsDigits, _STRING]
"""A number that keeps its country code on the wire, as callers have it, who may call from anywhere."""


def body(settings: BaseModel, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the arguments that are set, under Convirza's names at every depth, and the further ones beside them."""
    left_out = {"extra_fields", *without}
    wire = settings.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=left_out, context=WIRE)
    return {**wire, **(getattr(settings, "extra_fields", None) or {})}


def object_in(data: object) -> dict[str, Any] | None:
    """Return a JSON object, None for anything else."""
    return cast("dict[str, Any]", data) if isinstance(data, dict) else None


def list_in(data: object) -> list[Any] | None:
    """Return a JSON array, None for anything else."""
    return cast("list[object]", data) if isinstance(data, list) else None


class FurtherFields(BaseModel):
    """Arguments of an operation whose body no public page shows."""

    extra_fields: Annotated[dict[str, JsonValue], Field(min_length=1), WithJsonSchema({"type": "object"})] | None = None
    """Further body fields, by Convirza's names."""

    @model_validator(mode="after")
    def _none_twice(self) -> Self:
        """Give nothing in `extra_fields` that has an argument."""
        fields = type(self).model_fields
        taken = {_bare(name) for own, field in fields.items() for name in (own, field.serialization_alias) if name}
        if both := sorted(name for name in self.extra_fields or {} if _bare(name) in taken):
            raise ValueError(f"extra_fields: {', '.join(both)} has an argument of its own; use that")
        return self


def _bare(name: str) -> str:
    """Return a name without case and separators, since a server may take `scheduledAt` for `scheduled_at`."""
    return re.sub(r"[\W_]", "", name).casefold()


_NUMBER = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})")


def numbers_in(value: JsonValue | None) -> tuple[str, ...]:
    """Telephone numbers anywhere in further fields, in E.164, so that none slips past the guard."""
    return tuple(found for text in _texts(value) for found in _number(text))


def _number(text: str) -> tuple[str, ...]:
    stripped = strip_separators(text)
    if found := _NUMBER.fullmatch(stripped):
        return ("+1" + found[1],)
    return (stripped,) if re.fullmatch(r"\+[1-9][0-9]{6,14}", stripped) else ()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[str, object]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _texts(inner)
