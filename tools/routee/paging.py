"""Lists that Routee pages: asked for by `page` and `size`, counted from 0 (documented). A cursor names both, so that a
changed limit shifts nothing.
"""

import re
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, Field

from clients.operation import Answer, Operation, wire_fields

R = TypeVar("R")

PAGING = frozenset({"limit", "cursor"})


def _is_cursor(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}x[1-9][0-9]{0,2}", value):
        raise ValueError("the `next_cursor` of the page before, unchanged")
    return value


class Paged(Operation[R], Generic[R]):
    """A list of which one page is asked for."""

    limit: int = Field(default=50, ge=1, le=500)
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


class Page(Answer):
    """One page. The rows are a field of their own name, whose alias is `content`."""

    total: int | None = Field(default=None, alias="totalElements")
    last: bool | None = Field(default=None, exclude=True)
