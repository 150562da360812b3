"""How strict bodies and queries are, and the value shapes of the examples with their mixed types."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sandbox.convirza.wire import Answer, Refusal
from sandbox.frame.wire import Wire

Text = Annotated[str, StringConstraints(min_length=1)]
"""Text that must say something (inferred: the examples only show that it is text)."""

BareNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
"""Ten digits without country code, as in every route example."""

BareNumberOrNone = Annotated[str, StringConstraints(pattern=r"^([0-9]{10})?$")]
"""Ten digits, or empty text where nothing is set (inferred)."""

E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""`+15551234567`, as callers are written in call records."""

Flag = Literal["0", "1"]
"""A boolean written as text; the examples show `"1"`, `"0"` is inferred."""

Count = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
"""A number of rings written as text, such as `"3"`."""

Number = int | float
"""A JSON number that keeps the form it was sent in."""

Status = Literal["active", "inactive"]
"""Whether something is in use."""

Limit = Annotated[int, Field(ge=1, le=200)]
"""Page size; documented range."""

Offset = Annotated[int, Field(ge=0)]
"""How many records to skip."""


class OpenBody(BaseModel):
    """A JSON body that no public page shows: the known fields are checked, further ones are kept."""

    model_config = ConfigDict(strict=True, extra="allow")


class OpenQuery(BaseModel):
    """Query parameters that no public page lists: the known ones are checked, further ones are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class PageQuery(OpenQuery):
    """Paging where it is inferred."""

    limit: Limit = 100
    offset: Offset = 0


class UnitQuery(OpenQuery):
    """Paging and the org unit, both inferred."""

    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = 0


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be an ISO-8601 timestamp such as 2026-01-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must carry its timezone, such as 2026-01-01T00:00:00Z")
    if not 2000 <= moment.year < 2100:
        raise ValueError("must be between 2000 and 2099")
    return text


Instant = Annotated[str, AfterValidator(_instant)]
"""An ISO-8601 timestamp in UTC; one without a timezone or out of this century is refused (inferred)."""


def parse_instant(text: str) -> datetime:
    """Return a checked `Instant` as a datetime."""
    return datetime.fromisoformat(text)


def bare(number: str) -> str:
    """Return a number as ten digits: `+15125550100` and `15125550100` become `5125550100`."""
    digits = number.removeprefix("+")
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def e164(number: str) -> str:
    """Return a ten-digit number with its country code."""
    return f"+1{bare(number)}"


T = TypeVar("T")


def page(plural: str, found: Sequence[T], limit: int, offset: int, row: Callable[[T], Wire]) -> Answer:
    """Answer one page of a list: its rows under their plural name, and how many there are in all."""
    return Answer({plural: [row(each) for each in found[offset : offset + limit]], "total": len(found)})


def comma_list(text: str | None, allowed: frozenset[str], what: str) -> set[str]:
    """Return the values of a comma-separated query parameter; none if it is left out.

    Raises:
        Refusal: 400 if a value is not one of those allowed.
    """
    values = {value.strip() for value in text.split(",")} if text else set[str]()
    if wrong := sorted(values - allowed):
        raise Refusal(400, f"Invalid {what}: {', '.join(wrong)}. Allowed: {', '.join(sorted(allowed))}.")
    return values
