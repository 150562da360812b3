"""Which actions to show: declared once, and read from a form, the command line and a query of the store alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

from guard.action import State

Kind = Literal["text", "moment", "state", "choice"]
"""What a value of the filter is: free text, a point in time, a state, or one of the values on record."""

_AGO: Final = re.compile(r"([0-9]{1,4}) ?(h|d|w)")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

LONGEST: Final = 200
"""Characters of one value; no name, and nothing that is worth a search, is longer."""


class BadFilter(Exception):
    """A value of the filter cannot be read; the message says which, and what is expected."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How forms and commands show a value of the filter."""

    label: str
    help: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilter:
    """Conditions that actions fit, all of them; what is left out is no condition."""

    search: Annotated[str, Shown("Search", "Words, a telephone number or an id in the call.", "text")] = ""
    since: Annotated[
        datetime | None,
        Shown("From", "Requested since: a day or time in UTC, or how long ago, as 30d.", "moment"),
    ] = None
    until: Annotated[
        datetime | None, Shown("To", "Requested until: a day, which counts whole, or a time in UTC.", "moment")
    ] = None
    state: Annotated[State | None, Shown("State", f"One of {', '.join(State)}.", "state")] = None
    provider: Annotated[str | None, Shown("Provider", "Provider that the call goes to.", "choice")] = None
    account: Annotated[str | None, Shown("Account", "Account that it is made on, by its name.", "choice")] = None
    principal: Annotated[str | None, Shown("Requested by", "Who requested it: alice, or local:alice.", "choice")] = None
    operator: Annotated[
        str | None, Shown("Decided by", "Who approved or declined it, with or without where.", "choice")
    ] = None

    @property
    def is_empty(self) -> bool:
        """True where every action fits."""
        return self == ActionFilter()


CRITERIA: Final[Mapping[str, Shown]] = {
    name: next(one for one in get_args(hint) if isinstance(one, Shown))
    for name, hint in get_type_hints(ActionFilter, include_extras=True).items()
}
"""How the values of a filter are shown, by their names and in the order of a form."""


def read_filter(given: Mapping[str, str | None], now: datetime) -> ActionFilter:
    """Read a filter as somebody writes it, by the names of its values; empty ones are left out.

    Raises:
        BadFilter: One of them cannot be read.
    """
    read: dict[str, Any] = {}
    for name, shown in CRITERIA.items():
        text = " ".join((given.get(name) or "").split())
        if len(text) > LONGEST:
            raise BadFilter(f"{shown.label} is longer than {LONGEST} characters.")
        if text:
            read[name] = _read(name, shown, text, now)
    return ActionFilter(**read)


def write_filter(wanted: ActionFilter) -> dict[str, str]:
    """Write a filter as `read_filter` reads it, without what is no condition."""
    values = {name: value for name in CRITERIA if (value := getattr(wanted, name))}
    return {name: one.isoformat() if isinstance(one, datetime) else str(one) for name, one in values.items()}


def _read(name: str, shown: Shown, text: str, now: datetime) -> Any:
    match shown.kind:
        case "moment":
            return _read_moment(shown, text, now, is_end=name == "until")
        case "state":
            return _read_state(text)
        case _:
            return text


def _read_state(text: str) -> State:
    try:
        return State(text.lower())
    except ValueError:
        raise BadFilter(f"There is no state {text[:40]!r}; there are {', '.join(State)}.") from None


def _read_moment(shown: Shown, text: str, now: datetime, *, is_end: bool) -> datetime:
    """Read a day, a time, or how long ago; a day as the end counts whole."""
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        if _DAY.fullmatch(text):
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day + timedelta(days=1) if is_end else day
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadFilter(
            f"{shown.label}: {text[:40]!r} is no time. A day such as 2026-11-30, a time such as "
            "2026-11-30T14:00, or how long ago, such as 12h or 30d, is expected."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
