"""Single rows that Enswitch shows in lists only: what the guard reads before and after a call that adds one.

They are no tools. Each is declared for the function of the tool that lists the rows, so that a correction reaches both.
"""

from typing import Annotated, Any, Final, cast

from pydantic import Field, model_validator

from clients.answers import NotShown, RowWanted, find_row
from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import LooseText
from clients.operation import Answer, Operation, wire_fields
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import (
    Allow,
    Flag,
    Id,
    Kind,
    Limit,
    Media,
    Number,
    Prefix,
    ShownAllow,
    ShownNumber,
    Target,
    Text,
    Words,
)
from tools.enswitch.groups import ForCustomer, Listing, as_row
from tools.enswitch.updates import is_as_requested
from tools.enswitch.versions import ROUTE_IDS, Formerly

MOST_ROWS: Final = 500
"""Rows that a list is asked for; fewer are all there are."""

CalledPrefix = Annotated[Prefix, Formerly("prefix", until=ROUTE_IDS)]


class OwnedNumber(Answer):
    """A number and where its calls go. Columns are named as the parameters are (inferred)."""

    number: ShownNumber | None = None
    customer: int | None = None
    """0 while nobody has it."""

    description: str | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None
    callerid: ShownNumber | None = None
    allow_callerid: bool | None = None
    direct: bool | None = None
    directory: bool | None = None
    emergency_register: bool | None = None
    fax_detect: bool | None = None
    fax_dtype: str | None = None
    fax_dnumber: ShownNumber | None = None
    language: str | None = None
    maximum_seconds: int | None = None
    music: int | None = None
    owner: int | None = None
    panel: bool | None = None
    number_class: int | None = Field(default=None, alias="class")
    ingroup: int | None = None
    status: str | None = None
    alias: LooseText | None = None
    region: LooseText | None = None
    shortcut: LooseText | None = None


class OwnedNumbers(Listing):
    """Numbers."""

    numbers: list[OwnedNumber] = []


class PlanRoute(Answer):
    """A route of a rate plan. Columns are named as the parameters are (inferred)."""

    route: LooseText | None = Field(default=None, alias="id")
    """Id, or `plan/prefix/media` up to 4.0."""

    plan: int | None = None
    called_prefix: LooseText | None = None
    caller_prefix: LooseText | None = None
    allow: ShownAllow | None = None
    description: str | None = None
    media: str | None = None
    peer1: int | None = None
    peer2: int | None = None
    peer3: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _named_as_before_41(cls, data: object) -> object:
        row = as_row(data)
        if row is None or "prefix" not in row:
            return data
        prefix, media = row["prefix"], row.get("media") or "voice_fax"
        name = {"route": f"{row['plan']}/{prefix}/{media}"} if row.get("plan") else {}
        return {**row, "called_prefix": prefix, **name}


class PlanRoutes(Listing):
    """Routes of a rate plan."""

    routes: list[PlanRoute] = []


class Address(Answer):
    """A SIP address. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    user: str | None = None
    domain: str | None = None
    customer: int | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None
    description: str | None = None


class Addresses(Listing):
    """SIP addresses."""

    addresses: list[Address] = []


class QueueDestination(Answer):
    """Who answers a queue's calls. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    queue: int | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None
    available: bool | None = None
    priority: int | None = None


class QueueDestinations(Listing):
    """Who answers queues' calls."""

    destinations: list[QueueDestination] = []


@enswitch.function("numbers/list", effect=Effect.READ, toolset="numbers", basis=COLUMNS_INFERRED)
class FindNumber(ForCustomer, Operation[OwnedNumber]):
    """Show one number of a customer."""

    number: Number

    def to_wire(self) -> dict[str, Any]:
        return {**wire_fields(self, exclude=frozenset({"number"})), "limit": MOST_ROWS}

    def select(self, content: Any) -> Any:
        return _row_as_requested(self, content, OwnedNumber, "number", most=MOST_ROWS)


@enswitch.function("plans/routes/list", effect=Effect.READ, toolset="plans", basis=COLUMNS_INFERRED)
class FindPlanRoute(Operation[PlanRoute]):
    """Show the route of a rate plan that has these settings."""

    plan: Id
    called_prefix: CalledPrefix
    media: Media
    caller_prefix: str | None = None
    allow: Allow
    description: Text | None = None
    peer1: Limit | None = None
    peer2: Limit | None = None
    peer3: Limit | None = None

    def to_wire(self) -> dict[str, Any]:
        kept = {"plan", "called_prefix", "media"}
        return {**wire_fields(self, exclude=frozenset(type(self).model_fields) - kept), "limit": MOST_ROWS}

    def select(self, content: Any) -> Any:
        names = "called_prefix", "caller_prefix", "media", "allow", "description", "peer1", "peer2", "peer3"
        return _row_as_requested(self, content, PlanRoute, *names, most=MOST_ROWS)


@enswitch.function("addresses/list", effect=Effect.READ, toolset="telephony", basis=COLUMNS_INFERRED)
class FindAddress(ForCustomer, Operation[Address]):
    """Show the SIP address that has these settings."""

    user: Words
    domain: Words
    dtype: Kind
    dnumber: Target
    description: Text | None = None

    def to_wire(self) -> dict[str, Any]:
        return {"customer": self.customer} if self.customer is not None else {}

    def select(self, content: Any) -> Any:
        return _row_as_requested(self, content, Address, "user", "domain", "dtype", "dnumber", "description")


@enswitch.function("queues/destinations/list", effect=Effect.READ, toolset="telephony", basis=COLUMNS_INFERRED)
class FindQueueDestination(Operation[QueueDestination]):
    """Show the destination of a queue that has these settings."""

    queue: Id
    dtype: Kind
    dnumber: Target
    available: Flag
    priority: int | None = None

    def to_wire(self) -> dict[str, Any]:
        return {"queue": self.queue}

    def select(self, content: Any) -> Any:
        return _row_as_requested(self, content, QueueDestination, "dtype", "dnumber", "available", "priority")


def _row_as_requested(
    read: Operation[Any], content: object, row_type: type[Answer], *names: str, most: int | None = None
) -> Any:
    """Return the row that has what the read names, of a list that leaves out none below `most`.

    Raises:
        NotFound: The list is whole, and each of its rows shows something else.
        UnexpectedAnswer: It is not among the rows, which may not be all, or may not show what tells them apart.
        NotShown: The content is no list.
    """
    if not isinstance(content, list):
        raise NotShown("it shows no list")
    rows = cast("list[object]", content)
    shown = ", ".join(str(getattr(read, name)) for name in names if getattr(read, name) is not None)
    wanted = RowWanted(
        f"{row_type.__name__} with {shown}",
        is_it=lambda row: is_as_requested(read, row, *names) is Evidence.YES,
        is_another=lambda row: is_as_requested(read, row, *names) is Evidence.NO,
    )
    return find_row(rows, row_type, wanted, is_whole=most is None or len(rows) < most)
