"""Convirza's lists: `limit` and `offset` in the query, the rows under a plural name, and how many there are in all."""

from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast

from pydantic import Field, WithJsonSchema, model_validator

from clients.answers import NotShown, parse
from clients.operation import Answer, Operation
from tools.convirza.field_types import body, list_in, object_in

R = TypeVar("R")
L = TypeVar("L", bound="Listing")

Offset = Annotated[str, Field(pattern=r"^[0-9]{1,9}$"), WithJsonSchema({"type": "string"})]


class Listing(Answer):
    """A page of a list. Where the rows' name is inferred, the only list of the answer is taken for them."""

    rows_name: ClassVar[str]
    """The field that holds the rows."""

    total: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _find_rows(cls, data: object) -> object:
        if (bare := list_in(data)) is not None:
            return {cls.rows_name: bare}
        found = object_in(data)
        if found is None or {cls.rows_name, cls.model_fields[cls.rows_name].alias} & found.keys():
            return data
        lists = [rows for value in found.values() if (rows := list_in(value)) is not None]
        return {**found, cls.rows_name: lists[0]} if len(lists) == 1 else data

    @property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return cast("list[Any]", getattr(self, self.rows_name))

    @property
    def is_whole(self) -> bool:
        """True where it says that no row is left out. Without its total it cannot: a server may cap its pages."""
        return self.total is not None and self.total <= len(self.rows)

    def shows_every(self, *names: str) -> bool:
        """Return True where no row is left out and each shows these fields, so that what is not found is not there."""
        return self.is_whole and all(row.model_fields_set.issuperset(names) for row in self.rows)


def listing_of(wanted: type[L], content: object) -> L:
    """Return the page that a list's content shows.

    Raises:
        NotShown: The content is no list of this kind.
    """
    typed = parse(wanted, content)
    if typed is None:
        raise NotShown("it has another form than documented")
    return typed.answer


class PagedOperation(Operation[R], Generic[R]):
    """A list that Convirza pages. Documented for users, child groups, calls and SMS; inferred for the others."""

    limit: int = Field(default=50, ge=1, le=200)
    """Rows to show."""

    cursor: Offset = "0"
    """`next_cursor` of the page before."""

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"cursor"})) | {"offset": int(self.cursor)}

    def next_cursor(self, answer: Any) -> str | None:
        """None after the last page, and where Convirza did not page at all."""
        shown = len(answer.rows)
        end = int(self.cursor) + shown
        if not shown or shown > self.limit or answer.total is None or end >= answer.total:
            return None
        return str(end)
