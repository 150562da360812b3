"""The value patterns and small objects that several operations share."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar, cast

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from sandbox.frame.inputs import Body, Query
from sandbox.frame.wire import Answer, Wire
from sandbox.routee.wire import page_of, refuse, refuse_input

Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164 with '+' and up to 15 digits."""

Text = Annotated[str, StringConstraints(min_length=1)]
"""Text that must say something; inferred: the documents only say string."""

SmsText = Annotated[str, StringConstraints(min_length=1, max_length=1600)]
"""Documented: an SMS has up to 1600 characters."""

SmsTtl = Annotated[int, Field(ge=1, le=4320)]
"""Minutes for which delivery of an SMS is attempted."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]
"""A web address."""

Label = Annotated[str, StringConstraints(max_length=350)]
"""A tag of up to 350 characters."""

CampaignName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 -]{2,30}$")]
"""2 to 30 latin letters, digits, spaces and '-'."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Positive = Annotated[int, Field(ge=1)]
PageNumber = Annotated[int, Field(ge=0)]
Flag = Literal["true", "false"]
"""A truth value in a query."""


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("an ISO 8601 date and time with a time zone is needed")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_with_zone)]
"""ISO 8601 with a time zone."""

Strategy = TypeVar("Strategy", bound=str)


class Callback(Body, Generic[Strategy]):
    """The callback object; that both members are required is inferred."""

    url: Url
    strategy: Strategy

    def wants(self, final: bool) -> bool:
        """Return whether a change of status is to be posted."""
        return final or self.strategy in {"OnChange", "OnStep"}


MessageCallback = Callback[Literal["OnChange", "OnCompletion"]]


class UrlShortener(Body):
    """Asks for links in the text to be shortened; documented for failover, the same object elsewhere (inferred)."""

    urlValidity: int = Field(default=2_592_000, ge=3600, le=2_592_000)


class Restrictions(Body):
    """For India only; the names of its keys are published nowhere (these are inferred)."""

    contentTemplateId: str = ""
    principalEntityId: str = ""


class Recipients(Body):
    """Who a bulk send goes to; one of the three is needed."""

    to: list[str] = Field(default=[], max_length=1000)
    contacts: list[str] = Field(default=[], max_length=1000)
    groups: list[str] = Field(default=[], max_length=1000)


class PageQuery(Query):
    """Which page of a list."""

    page: PageNumber = 0
    size: Positive = 20

    def answer(self, items: Sequence[Wire]) -> Answer:
        """Answer that page."""
        return page_of(items, self.page, self.size)


class SortedPageQuery(PageQuery):
    """Which page of a sorted list."""

    sort: str = ""

    def answer(self, items: Sequence[Wire]) -> Answer:
        """Answer that page, sorted."""
        return page_of(items, self.page, self.size, self.sort)


class Dates(BaseModel):
    """A time, open at both ends."""

    dateStart: Moment | None = None
    dateEnd: Moment | None = None

    def cover(self, moment: datetime) -> bool:
        """Return whether a moment is within."""
        after = self.dateStart is None or moment >= self.dateStart
        return after and (self.dateEnd is None or moment <= self.dateEnd)


class Filter(Body):
    """One condition; the body of a search is an array of these."""

    fieldName: str
    searchTerm: str
    searchOperator: Literal["is", "is_not", "contains", "starts_with", "ends_with"] = "is"


Filters = list[Filter]

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "is": lambda value, term: value.casefold() == term.casefold(),
    "is_not": lambda value, term: value.casefold() != term.casefold(),
    "contains": lambda value, term: term.casefold() in value.casefold(),
    "starts_with": lambda value, term: value.casefold().startswith(term.casefold()),
    "ends_with": lambda value, term: value.casefold().endswith(term.casefold()),
}


def refuse_unknown_fields(filters: Filters, allowed: Sequence[str]) -> None:
    """Refuse a filter on a field that is not listed (that it is refused is inferred).

    Raises:
        Refusal: 400000000.
    """
    for one in filters:
        if one.fieldName not in allowed:
            raise refuse_input(f"{one.fieldName} cannot be filtered.", {"fieldName": f"one of {', '.join(allowed)}"})


def select(items: Sequence[Wire], filters: Filters, names: Mapping[str, str] | None = None) -> list[Wire]:
    """Return the items that meet every filter; letter case does not matter (inferred).

    A field is a path such as `status.status`; `names` gives the path where the filter calls it otherwise.
    """
    paths = names or {}

    def meets(item: Wire, one: Filter) -> bool:
        value = _value_at(item, paths.get(one.fieldName, one.fieldName))
        return _OPERATORS[one.searchOperator](value, one.searchTerm)

    return [item for item in items if all(meets(item, one) for one in filters)]


def _value_at(item: Wire, path: str) -> str:
    *way, last = path.split(".")
    for step in way:
        inner = item.get(step)
        item = cast("Wire", inner) if isinstance(inner, dict) else {}
    return str(item.get(last, ""))


def require_sender(sender: str) -> None:
    """Check the sender of a message: up to 16 digits without '+', or up to 11 letters and digits.

    Raises:
        Refusal: 400005000 with inner error 002.
    """
    if not re.fullmatch(r"[0-9]{1,16}|(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11}", sender):
        raise refuse("400005000", "The sender id is invalid. (errorCode: 002)")
