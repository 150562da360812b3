"""Prepares the form of the filter: a field for each value that can be filtered by, with what is on record to choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from guard.action import State
from server.console.views import STATES
from server.store.reports.filter import CRITERIA, ActionFilter
from server.store.reports.history import Choices

_DATE: Final = "date"
_TEXT: Final = "text"


@dataclass(frozen=True, slots=True)
class Option:
    """One value to choose."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterField:
    """One field of the form."""

    name: str
    label: str
    help: str
    value: str
    type: str
    """Of the input, where there is nothing to choose."""

    options: Sequence[Option] = ()


def build_fields(given: Mapping[str, str], choices: Choices) -> list[FilterField]:
    """Return the fields, filled in as they were given."""
    return [
        FilterField(
            name=name,
            label=shown.label,
            help=shown.help,
            value=given.get(name, ""),
            type=_type_of(shown.kind, given.get(name, "")),
            options=_options(name, given.get(name, ""), choices),
        )
        for name, shown in CRITERIA.items()
    ]


def given_values(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the filter in the address of a page, without empty ones."""
    return {name: value for name in CRITERIA if (value := parameters.get(name, "").strip())}


def query_string(given: Mapping[str, str], **more: str) -> str:
    """Return the values as a part of an address."""
    return urlencode({**given, **more})


def in_words(wanted: ActionFilter, given: Mapping[str, str]) -> str:
    """Say what is filtered by, such as `State: Done, From: 2026-11-01`; empty for every action."""
    if wanted.is_empty:
        return ""
    return ", ".join(f"{CRITERIA[name].label}: {_in_words(name, value)}" for name, value in given.items())


def day_in_words(day: date) -> str:
    """Name a day as a heading."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _in_words(name: str, value: str) -> str:
    return STATES[State(value)] if name == "state" else value


def _type_of(kind: str, value: str) -> str:
    """Return the type of an input: a browser's own field for days, unless a time is given, which it would not show."""
    return _DATE if kind == "moment" and (not value or _is_day(value)) else _TEXT


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _options(name: str, value: str, choices: Choices) -> Sequence[Option]:
    if name == "state":
        return [Option(state.value, STATES[state]) for state in State]
    known: Sequence[str] = getattr(choices, name, ())
    missing = [value] if known and value and value not in known else []
    return [Option(one, one) for one in (*missing, *known)]
