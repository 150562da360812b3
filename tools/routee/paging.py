"""Lists of Routee, and those that it pages: asked for by `page` and `size`, counted from 0 (documented).

A cursor names both, so that a changed limit shifts nothing. The envelope says in several ways whether there is more;
whichever of them an answer shows is used.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, cast

from pydantic import AfterValidator, BaseModel, Field

from clients.answers import NotShown, parse
from clients.operation import Answer, Operation, wire_fields

R = TypeVar("R")

PAGING = frozenset({"limit", "cursor", "status"})
"""Arguments of lists that Routee does not know by these names."""

LARGEST_PAGE: Final = 500

_ROWS: Final = "content"
"""What the envelope calls the rows, and the client those of an answer that is an array."""


def _is_cursor(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}x[1-9][0-9]{0,2}", value):
        raise ValueError("the `next_cursor` of the page before, unchanged")
    return value


class Paged(Operation[R], Generic[R]):
    """A list of which one page is asked for."""

    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE)
    """Rows to show."""

    cursor: Annotated[str, AfterValidator(_is_cursor)] | None = None
    """`next_cursor` of the page before."""

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=PAGING) | self.page_query()

    def page_query(self) -> dict[str, Any]:
        """Return the page in Routee's form."""
        page, size = self._asked()
        return {"page": page, "size": size}

    def select(self, content: Any) -> Any:
        """Return the page, if it is one: without rows it is no empty list."""
        rows_of(content)
        return content

    def next_cursor(self, answer: Any) -> str | None:
        """None after the last page, and where Routee answered with all rows at once."""
        page, size = self._asked()
        if not isinstance(answer, Page) or not answer.has_more(page, size):
            return None
        return f"{page + 1}x{size}"

    def _asked(self) -> tuple[int, int]:
        page, _, size = (self.cursor or f"0x{self.limit}").partition("x")
        return int(page), int(size)


Progress = Literal["Queued", "Sent", "Unsent", "Delivered", "Undelivered", "Failed"]


class ByStatus(BaseModel):
    """For lists of what became of messages, which Routee does not filter."""

    status: Progress | None = None
    """Only these of each page."""

    def _is_wanted(self, status: Any) -> bool:
        shown = (status.status or status.name) if status is not None else None
        return self.status is None or (shown or "").casefold() == self.status.casefold()


class Listing(Answer):
    """A list. The rows are a field of their own name, whose alias is `content`."""

    total: int | None = Field(default=None, alias="totalElements")
    last: bool | None = Field(default=None, exclude=True)
    pages: int | None = Field(default=None, alias="totalPages", exclude=True)

    @property
    def is_whole(self) -> bool:
        """True for a list that shows all there is: no row is missing from it."""
        return self.shown is not None and not self._lacks_rows

    @property
    def shown(self) -> int | None:
        """How many rows it shows; None where it shows no list."""
        for name, field in type(self).model_fields.items():
            if field.alias == _ROWS and name in self.model_fields_set:
                return len(getattr(self, name))
        return None

    @property
    def _lacks_rows(self) -> bool:
        more = self.pages is not None and self.pages > 1
        return self.last is False or more or (self.total is not None and self.total != self.shown)


class Page(Listing):
    """One page."""

    size: int | None = Field(default=None, exclude=True)

    @property
    def is_whole(self) -> bool:
        """True for the only page: one that names neither a total nor an end may be the first of several."""
        return super().is_whole and (self.last, self.total, self.pages) != (None, None, None)

    def has_more(self, page: int, size: int) -> bool:
        """Return True if another page follows this one; where no end and no total is shown, a full one has a next."""
        if self.last is not None:
            return not self.last
        size = self.size or size
        if self.pages is not None:
            return page + 1 < self.pages
        if self.total is not None:
            return (page + 1) * size < self.total
        return self.shown == size


def fields_of(content: object) -> Mapping[str, Any]:
    """Return the fields of an object as it came; none for anything else."""
    return cast("Mapping[str, Any]", content) if isinstance(content, Mapping) else {}


def rows_of(content: Any) -> list[object]:
    """Return the rows of a list as they came.

    Raises:
        NotShown: It is no list.
    """
    rows: object = fields_of(content).get(_ROWS, "")
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise NotShown("it shows no list")
    return cast("list[object]", rows)


def is_whole(content: Mapping[str, Any], kind: type[Listing]) -> bool:
    """Return True for a list, as it came, that shows all there is; what its rows show is another question."""
    typed = parse(kind, content)
    if typed is None or any(not path.startswith(f"{_ROWS}.") for path in typed.unread):
        return False
    return typed.answer.is_whole
