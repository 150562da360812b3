"""Lists that Routee pages: asked for by `limit` and `cursor`, answered with `next_cursor`.

Pages are counted from 0 and hold `size` rows (documented). A cursor names both, so that a changed limit shifts nothing.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import Field, model_validator

from clients.operation import Answer, Operation, wire_fields

R = TypeVar("R")

PAGING = frozenset({"limit", "cursor"})


class Paged(Operation[R], Generic[R]):
    """A list of which one page is asked for."""

    limit: int = Field(default=50, ge=1, le=500)
    """Rows to show."""

    cursor: str | None = Field(default=None, pattern=r"^[0-9]+x[0-9]+$")
    """`next_cursor` of the page before."""

    def to_wire(self) -> dict[str, Any]:
        return wire_fields(self, exclude=PAGING) | self.page_query()

    def page_query(self) -> dict[str, Any]:
        """The page in Routee's form."""
        page, _, size = (self.cursor or f"0x{self.limit}").partition("x")
        return {"page": int(page), "size": int(size)}


class Page(Answer):
    """One page. The rows are a field of their own name, whose alias is `content`."""

    total: int | None = Field(default=None, alias="totalElements")
    next_cursor: str | None = None
    """Cursor of the page after this one; none after the last."""

    @model_validator(mode="before")
    @classmethod
    def _names_the_next_page(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        page = cast("Mapping[str, Any]", data)
        number, size = page.get("number"), page.get("size")
        if page.get("last") is False and isinstance(number, int) and isinstance(size, int) and size > 0:
            return {**page, "next_cursor": f"{number + 1}x{size}"}
        return page
