"""Groups of fields that recur in Enswitch's functions, and the shapes of its answers."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, WithJsonSchema, model_validator

from clients.fields import Moment
from clients.operation import Answer
from tools.enswitch.field_types import Amount, Flag, Id, Kind, Target, Whole

Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,9}$"), WithJsonSchema({"type": "string"})]


class Accepted(Answer):
    """Enswitch did it, or checked it."""

    validated: bool | None = None
    """True when the input was checked only, and nothing was done."""


class Created(Accepted):
    """What was made."""

    id: int | None = None


class Listing(Answer):
    """A list. Enswitch sends a bare array; it becomes the first field."""

    @model_validator(mode="before")
    @classmethod
    def _array_is_rows(cls, data: object) -> object:
        first = next(iter(cls.__pydantic_fields__))
        return {first: cast("object", data)} if isinstance(data, list) else data


class DryRun(BaseModel):
    """For functions whose page documents `validation`. Others pass it over and act, so they do not have it."""

    dry_run: Flag | None = Field(default=None, serialization_alias="validation", exclude_if=lambda value: not value)
    """Only check."""


class ForCustomer(BaseModel):
    """For functions that work for one customer."""

    customer: Id | None = None
    """Another customer."""


class Paged(BaseModel):
    """For lists that Enswitch pages. It never says how many there are."""

    limit: Annotated[int, Field(ge=1, le=500), WithJsonSchema({"type": "integer"})] = 50
    """Rows, at most 500."""

    cursor: Cursor | None = Field(default=None, serialization_alias="offset")
    """`next_cursor` before this."""

    def next_cursor(self, answer: Any) -> str | None:
        """Where the next page starts, if this one is full."""
        rows: list[Any] = getattr(answer, next(iter(cast("BaseModel", answer).__pydantic_fields__)))
        return str(int(self.cursor or 0) + self.limit) if len(rows) >= self.limit else None


class Window(BaseModel):
    """For records of what happened. The guide recommends bounds: without them the database reads everything."""

    since: Moment = Field(serialization_alias="start")
    """Older bound, with zone."""

    until: Moment | None = Field(default=None, serialization_alias="end")
    """Newer bound, with zone, itself not included."""


class Descending(BaseModel):
    """For lists that can be turned round."""

    descending: Flag | None = None
    """Last first."""


class CallPrice(BaseModel):
    """What a call costs."""

    connectfee: Amount | None = None
    """Price of being connected."""

    cost: Amount | None = None
    """Price of a minute."""

    message: Amount | None = None
    """Price of a text message."""

    increment: Whole | None = None
    """Seconds by which calls are billed."""

    minimum: Whole | None = None
    """Fewest seconds billed."""


class Destination(BaseModel):
    """Where calls go: a type, and the number or name of one of that type."""

    dtype: Kind | None = None
    """Destination type, such as phone, queue, mailbox, external."""

    dnumber: Target | None = None
    """Destination: name, id or telephone number."""


def as_row(data: object) -> Mapping[str, Any] | None:
    """Return a row as it came, before it is read; None where it is none."""
    return cast("Mapping[str, Any]", data) if isinstance(data, Mapping) else None


def with_wire_name(data: object, **names: str) -> object:
    """Return a row with some columns under other names, where they are there."""
    row = as_row(data)
    if row is None:
        return data
    return {**row, **{name: row[column] for name, column in names.items() if column in row}}
