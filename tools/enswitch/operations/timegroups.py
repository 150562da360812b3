"""Enswitch time groups: when they are active, and what calls do meanwhile.

Rests on guides 3.13 and 4.4. What makes, changes and deletes a time group or one of its periods is left out, and so are
numbers/times/list and create, of which no page was found.
"""

from typing import Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field

from clients.effects import Effect
from clients.fields import LooseText
from clients.operation import Answer, Operation
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import Flag, Id, ShownNumber, ShownTime
from tools.enswitch.groups import ForCustomer, Listing
from tools.enswitch.versions import Version

ALWAYS: Final = frozenset(
    ",".join(f"{one:{digits}}" for one in every)
    for digits, every in (("02", range(1, 32)), ("02", range(1, 13)), ("", range(2000, 2100)), ("", range(1, 8)))
)
"""Every day of the month, month, year and day of the week, as timegroups/periods/create has them by default."""


def _none_for_always(value: object) -> object:
    return None if isinstance(value, str) and value in ALWAYS else value


Restriction = Annotated[LooseText | None, BeforeValidator(_none_for_always)]
"""Days, months or years with commas between them; None where none is left out."""


class Timegroup(Answer):
    """A time group. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    customer: int | None = None
    active: bool | None = None
    """True where it is active during its periods, false where it is outside all of them."""

    priority: int | None = None
    shared: bool | None = None


class Timegroups(Listing):
    """Time groups."""

    timegroups: list[Timegroup] = []


@enswitch.function(
    "timegroups/list",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    rows="timegroups",
    synonyms=("schedule", "opening hours", "office hours", "after hours", "holidays", "night service"),
)
class ListTimegroups(ForCustomer, Operation[Timegroups]):
    """List time groups, by which numbers go elsewhere at night or on holidays."""

    available: Flag | None = None
    """Those that may be used, shared ones too."""


class TimePeriod(Answer):
    """When a time group is active. Columns are named as the parameters are (inferred)."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    timegroup: int | None = None
    days_week: Restriction = None
    """1 is Monday and 7 Sunday; every day where it is missing."""

    days_month: Restriction = None
    months: Restriction = None
    years: Restriction = None
    starthour: int | None = None
    startminute: int | None = None
    startsecond: int | None = None
    endhour: int | None = None
    endminute: int | None = None
    endsecond: int | None = None
    startdate: ShownTime = None
    enddate: ShownTime = None
    repeats: bool | None = None


class TimePeriods(Listing):
    """The periods of a time group."""

    periods: list[TimePeriod] = []


@enswitch.function(
    "timegroups/periods/list",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    rows="periods",
    synonyms=("schedule", "opening hours", "when", "days", "holidays", "hours"),
)
class ListTimegroupPeriods(Operation[TimePeriods]):
    """List the days and hours of a time group."""

    timegroup: Id
    """From enswitch_list_timegroups."""


class TimegroupUse(Answer):
    """What uses a time group, and where its calls go meanwhile (columns of the destination are inferred)."""

    stype: str | None = None
    snumber: ShownNumber | None = None
    dtype: str | None = None
    dnumber: ShownNumber | None = None


class TimegroupUses(Listing):
    """What uses a time group."""

    uses: list[TimegroupUse] = []


@enswitch.function(
    "timegroups/usage",
    effect=Effect.READ,
    toolset="numbers",
    basis=COLUMNS_INFERRED,
    rows="uses",
    synonyms=("schedule", "after hours", "night", "which numbers", "where do calls go"),
)
class ListTimegroupUses(Operation[TimegroupUses]):
    """List the numbers and features that use a time group, and where their calls go meanwhile; from 4.0 on."""

    added_in: ClassVar[Version] = (4, 0)

    timegroup: Id = Field(serialization_alias="id")
    """From enswitch_list_timegroups."""
