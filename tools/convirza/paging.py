"""Convirza's lists: `limit` and `offset` in the query, the rows under a plural name, and how many there are in all."""

from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import Field, WithJsonSchema, model_validator

from clients.answers import NotShown, RowWanted, find_row, parse
from clients.operation import Answer, Operation
from tools.convirza.field_types import body, list_in, object_in

R = TypeVar("R")

Offset = Annotated[str, Field(pattern=r"^[0-9]{1,9}$"), WithJsonSchema({"type": "string"})]


class Listing(Answer):
    """A page of a list. Where the rows' name is inferred, the only list with rows in it is taken for them."""

    rows_name: ClassVar[str]
    """The field that holds the rows."""

    total: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _find_rows(cls, data: object) -> object:
        return cls._name_rows(data)

    @classmethod
    def _name_rows(cls, data: object) -> object:
        if (bare := list_in(data)) is not None:
            return {cls.rows_name: bare}
        found = object_in(data)
        if found is None or {cls.rows_name, cls.model_fields[cls.rows_name].alias} & found.keys():
            return data
        # An empty list under another name may be one of something else, and then says nothing of these rows.
        lists = [rows for value in found.values() if (rows := list_in(value)) and object_in(rows[0]) is not None]
        return {**found, cls.rows_name: lists[0]} if len(lists) == 1 else data

    @classmethod
    def rows_as_sent(cls, content: object) -> list[Any]:
        """Return the rows of a list's content as they came; none where it shows no list."""
        found = object_in(cls._name_rows(content)) or {}
        alias = cls.model_fields[cls.rows_name].alias or cls.rows_name
        return list_in(found.get(alias, found.get(cls.rows_name))) or []

    @property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return cast("list[Any]", getattr(self, self.rows_name))

    @property
    def is_whole(self) -> bool:
        """True where a list is shown with its total, and no row is left out.

        Without its total that cannot be told: a server may cap its pages. A total below the rows that are shown is not
        theirs.
        """
        return self.rows_name in self.model_fields_set and self.total == len(self.rows)

    def shows_every(self, *names: str) -> bool:
        """Return True where no row is left out and each shows these fields, so that what is not found is not there."""
        return self.is_whole and all(row.model_fields_set.issuperset(names) for row in self.rows)


def row_of(listing: type[Listing], content: object, wanted: RowWanted) -> Any:
    """Return the wanted row of a list's content, as it came.

    Raises:
        NotFound: The list is whole, and each of its rows plainly is another.
        UnexpectedAnswer: It is not among the rows, which may not be all, or may not show what tells them apart.
        NotShown: The content is no list of this kind.
    """
    page = parse(listing, content)
    if page is None or listing.rows_name not in page.answer.model_fields_set:
        raise NotShown(f"it shows no list of {listing.rows_name.replace('_', ' ')}")
    row_type = get_args(listing.model_fields[listing.rows_name].annotation)[0]
    return find_row(listing.rows_as_sent(content), row_type, wanted, is_whole=page.answer.is_whole)


class PagedOperation(Operation[R], Generic[R]):
    """A list that Convirza pages. Documented for users, child groups, calls and SMS; inferred for the others."""

    limit: int = Field(default=50, ge=1, le=200)
    """Rows to show."""

    cursor: Offset = "0"
    """`next_cursor` of the page before."""

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"cursor"})) | {"offset": int(self.cursor)}

    def next_cursor(self, answer: Any) -> str | None:
        """Return None after the last page, and where Convirza did not page at all.

        Where the total is missing, a full page says that there may be more.
        """
        shown = len(answer.rows)
        end = int(self.cursor) + shown
        if not shown or shown > self.limit:
            return None
        has_more = shown == self.limit if answer.total is None else end < answer.total
        return str(end) if has_more else None
