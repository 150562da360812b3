"""Single rows that Convirza shows in lists only: what the guard reads before and after one of them is changed.

They are no tools. Each is declared for the endpoint of the tool that lists the rows, so that a correction reaches both.
"""

from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import Field

from clients.answers import RowWanted
from clients.effects import Effect
from clients.fields import AnsweredNumber, AnsweredTime, LooseText
from clients.operation import Answer, Operation
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Id, Number, Word
from tools.convirza.grades import ONLY_BASE_PATH, ONLY_METHOD
from tools.convirza.paging import Listing, row_of
from tools.convirza.route_models import RouteRow, Routes

R = TypeVar("R")

LARGEST_PAGE: Final = 200


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


class Prompt(Answer):
    """An uploaded audio file."""

    prompt_id: LooseText | None = None
    file_name: str | None = Field(default=None, alias="file_name")
    kind: str | None = Field(default=None, alias="message_type")
    size: int | None = None
    org_unit_id: int | None = None
    created: AnsweredTime | None = None


class Prompts(Listing):
    """Uploaded audio files."""

    rows_name: ClassVar[str] = "prompts"
    prompts: list[Prompt] = []


class _NarrowRead(Operation[R], Generic[R]):
    def to_wire(self) -> dict[str, Any]:
        return {"limit": LARGEST_PAGE, "offset": 0}


@convirza.operation(
    "GET", "/v3/phone-numbers/assigned", effect=Effect.READ, toolset="numbers", docs=BASE_PATHS, basis=ONLY_METHOD
)
class FindNumber(_NarrowRead[TrackingNumber]):
    """Show one number of the account by its id."""

    phone_number_id: Id

    def select(self, content: Any) -> Any:
        return row_of(TrackingNumbers, content, _with("phone_number_id", self.phone_number_id))


@convirza.operation(
    "GET", "/v3/phone-numbers/assigned", effect=Effect.READ, toolset="numbers", docs=BASE_PATHS, basis=ONLY_METHOD
)
class FindOwnNumber(_NarrowRead[TrackingNumber]):
    """Show one number of the account."""

    phone_number: Number

    def select(self, content: Any) -> Any:
        return row_of(TrackingNumbers, content, _with("phone_number", self.phone_number))


@convirza.operation("GET", "/v3/tag", effect=Effect.READ, toolset="tags", docs=BASE_PATHS, basis=ONLY_BASE_PATH)
class FindTag(_NarrowRead[Tag]):
    """Show one tag."""

    tag_id: Id

    def select(self, content: Any) -> Any:
        return row_of(Tags, content, _with("tag_id", self.tag_id))


@convirza.operation(
    "GET", "/v3/media-prompts", effect=Effect.READ, toolset="prompts", docs=BASE_PATHS, basis=ONLY_METHOD
)
class FindPrompt(_NarrowRead[Prompt]):
    """Show one uploaded audio file."""

    prompt_id: Word

    def select(self, content: Any) -> Any:
        return row_of(Prompts, content, _with("prompt_id", self.prompt_id))


@convirza.operation(
    "GET", "/v3/provisioned-routes", effect=Effect.READ, toolset="routing", docs=BASE_PATHS, basis=ONLY_METHOD
)
class FindRoute(_NarrowRead[RouteRow]):
    """Show the route of a name that has certain numbers."""

    name: Word
    number_ids: frozenset[Id]

    def select(self, content: Any) -> Any:
        wanted = RowWanted(
            f"route {self.name}",
            is_it=lambda row: row.is_of(self.name, self.number_ids),
            is_another=lambda row: row.is_another(self.name, self.number_ids),
        )
        return row_of(Routes, content, wanted)


def _with(key: str, value: object) -> RowWanted:
    """Return the row that has this value under a key; a row that does not show the key may be the one."""
    return RowWanted(
        f"{key} {value}",
        is_it=lambda row: getattr(row, key) == value,
        is_another=lambda row: getattr(row, key) not in (None, value),
    )
