"""The value patterns and small objects that several operations share."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints

from sandbox.routee.callbacks import Target
from sandbox.routee.endpoint import Body, Query
from sandbox.routee.wire import Wire, invalid, refused

Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164 with '+' and up to 15 digits."""

Text = Annotated[str, StringConstraints(min_length=1)]
"""Text that must say something; inferred: the documents only say string."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]
"""A web address."""

Label = Annotated[str, StringConstraints(max_length=350)]
"""A tag of up to 350 characters."""

CampaignName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 -]{2,30}$")]
"""2 to 30 latin letters, digits, spaces and '-'."""

GroupName = Annotated[str, StringConstraints(min_length=2, max_length=30)]
"""The name of a group, 2 to 30 characters."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("an ISO 8601 date and time with a time zone is needed")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_with_zone)]
"""ISO 8601 with a time zone."""


class CallbackBody(Body):
    """The callback object; that both members are required is inferred."""

    url: Url
    strategy: Literal["OnChange", "OnCompletion"]

    def target(self) -> Target:
        """The callback as it is kept."""
        return Target(self.url, self.strategy)


class UrlShortenerBody(Body):
    """Asks for links in the text to be shortened; documented for failover, the same object elsewhere (inferred)."""

    urlValidity: int = Field(default=2_592_000, ge=3600, le=2_592_000)


class PageQuery(Query):
    """Which page of a list."""

    page: int = Field(default=0, ge=0)
    size: int = Field(default=20, ge=1)


class SortedPageQuery(PageQuery):
    """Which page of a sorted list."""

    sort: str = ""


class FilterBody(Body):
    """One condition; the body of a search is an array of these."""

    fieldName: str
    searchTerm: str
    searchOperator: Literal["is", "is_not", "contains", "starts_with", "ends_with"] = "is"


Filters = list[FilterBody]

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
            raise invalid(f"{one.fieldName} cannot be filtered.", {"fieldName": f"one of {', '.join(allowed)}"})


def matching(items: Sequence[Wire], filters: Filters, names: dict[str, str] | None = None) -> list[Wire]:
    """The items that meet every filter; letter case does not matter (inferred).

    A field is a path such as `status.status`; `names` gives the path where the filter calls it otherwise.
    """
    paths = names or {}
    return [
        item
        for item in items
        if all(
            _OPERATORS[one.searchOperator](_value_at(item, paths.get(one.fieldName, one.fieldName)), one.searchTerm)
            for one in filters
        )
    ]


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
        raise refused("400005000", "The sender id is invalid. (errorCode: 002)")
