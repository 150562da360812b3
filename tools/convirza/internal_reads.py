"""Single rows that Convirza shows in lists only: what the guard reads before one of them is changed. No tools."""

from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from clients.effects import Effect
from clients.errors import NotFound, UnexpectedAnswer
from clients.fields import AnsweredNumber, AnsweredTime
from clients.operation import Answer, Operation
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Id
from tools.convirza.paging import Listing, listing_of

R = TypeVar("R")

LARGEST_PAGE = 200


class TrackingNumber(Answer):
    """A number of the account: reserved, or provisioned once a route uses it."""

    phone_number_id: int | None = None
    phone_number: AnsweredNumber | None = None
    status: str | None = None
    org_unit_id: int | None = None
    route_id: int | None = Field(default=None, alias="provisioned_route_id")
    route_name: str | None = Field(default=None, alias="provisioned_route_name")
    ordered: AnsweredTime | None = None


class TrackingNumbers(Listing):
    """Numbers of the account."""

    rows_name: ClassVar[str] = "phone_numbers"
    phone_numbers: list[TrackingNumber] = Field(default=[], alias="phone_numbers")


class Tag(Answer):
    """A label for calls."""

    tag_id: int | None = None
    name: str | None = Field(default=None, alias="tag_name")
    org_unit_id: int | None = None
    created: AnsweredTime | None = None


class Tags(Listing):
    """Tags."""

    rows_name: ClassVar[str] = "tags"
    tags: list[Tag] = []


def _row(found: Listing, key: str, wanted: int) -> Any:
    """Return the row of this id.

    Raises:
        NotFound: The list is whole, and each of its rows has another id.
        UnexpectedAnswer: The list may go on after the first page, or does not show the ids.
    """
    for row in found.rows:
        if getattr(row, key) == wanted:
            return row
    if found.shows_every(key):
        raise NotFound(f"There is no {key} {wanted} on the account.", status=404)
    raise UnexpectedAnswer(
        f"{key} {wanted} is not among the {len(found.rows)} rows that Convirza shows. Whether these are all, each with "
        "its id, is not clear, so that it may be there."
    )


class _NarrowRead(Operation[R], Generic[R]):
    def to_wire(self) -> dict[str, Any]:
        return {"limit": LARGEST_PAGE, "offset": 0}


@convirza.operation(
    "GET",
    "/v3/phone-numbers/assigned",
    effect=Effect.READ,
    toolset="numbers",
    docs=BASE_PATHS,
    basis="inferred",
)
class FindNumber(_NarrowRead[TrackingNumber]):
    """Show one number of the account."""

    phone_number_id: Id

    def select(self, content: Any) -> Any:
        return _row(listing_of(TrackingNumbers, content), "phone_number_id", self.phone_number_id)


@convirza.operation("GET", "/v3/tag", effect=Effect.READ, toolset="tags", docs=BASE_PATHS, basis="inferred")
class FindTag(_NarrowRead[Tag]):
    """Show one tag."""

    tag_id: Id

    def select(self, content: Any) -> Any:
        return _row(listing_of(Tags, content), "tag_id", self.tag_id)
