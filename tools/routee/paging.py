"""Lists that Routee pages: asked for by `page` and `size`, counted from 0 (documented). A cursor names both, so that a
changed limit shifts nothing.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar, cast

from pydantic import AfterValidator, Field

from clients.errors import UnexpectedAnswer
from clients.operation import Answer, Operation, wire_fields

R = TypeVar("R")

PAGING = frozenset({"limit", "cursor"})

LARGEST_PAGE: Final = 500


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
        page, _, size = (self.cursor or f"0x{self.limit}").partition("x")
        return {"page": int(page), "size": int(size)}

    def next_cursor(self, answer: Any) -> str | None:
        """None after the last page, and where Routee answered with all rows at once."""
        if not isinstance(answer, Page) or answer.last is not False:
            return None
        asked = self.page_query()
        return f"{asked['page'] + 1}x{asked['size']}"


def rows_of(content: Any) -> list[dict[str, Any]]:
    """Return the rows of a list as Routee sent them.

    Raises:
        UnexpectedAnswer: It is no list of rows.
    """
    rows: object = cast("Mapping[str, Any]", content).get("content") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
        raise UnexpectedAnswer("Routee answered with something else than a list of rows.")
    return cast("list[dict[str, Any]]", rows)


class Page(Answer):
    """One page. The rows are a field of their own name, whose alias is `content`."""

    total: int | None = Field(default=None, alias="totalElements")
    last: bool | None = Field(default=None, exclude=True)
