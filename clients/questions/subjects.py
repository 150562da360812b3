"""The subject of a call: one sentence that says what exactly this call does, for titles, questions and lists.

An operation declares its subject as a template, beside its effect:

    subject="Release {number} for good"
    subject="Text {people}[ at {when:time}]"
    subject="Delete the route [{before.name:text}|{route_id}]"

* `{number}` shows an argument: a telephone number as people write it, a code or an id as it is, any other text in
  quotes. `{before.name}` shows a field of the state before the call, unless it holds text from outside.
* `{numbers:number}` shows the only entry of a list, or how many there are: `3 numbers`. Other forms are `{when:time}`,
  `{name:text}` (always in quotes) and `{text:parts}` (how many parts a text message has, where there are several).
* `{people}` says how many people the call reaches, and where. `{settings}` names the optional arguments that are given.
* `[...|...]` shows the first of its alternatives whose values are all known, and nothing where there is none.
  `[flag?...]` also wants the flag to be on.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clients.deferred import Deferred
from clients.fields import is_secret, outside_marker
from clients.phone_numbers import canonical, country_of, format_for_people, read_with_country_code
from clients.segments import segments

COUNTRY_NAME: Final = Deferred[Callable[[str], str]]("clients.questions.countries:country_name")
"""Loads the table of countries, which a start does not need."""

PEOPLE: Final = "people"
SETTINGS: Final = "settings"
_BEFORE: Final = "before"

LONGEST_VALUE: Final = 60
"""Characters of one value; the whole of it stands among the arguments."""

MOST_COUNTRIES: Final = 3
MOST_NAMES: Final = 3
MOST_LISTED: Final = 2
"""How many entries of a list are shown by themselves."""

_PART: Final = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_CONDITION: Final = re.compile(r"(\w+)\?(.*)", re.DOTALL)
_CODE: Final = re.compile(r"[\w.@:/+*#%-]+")
"""An id, a code, an address: what cannot pass for words of the sentence."""

_PLURALS: Final = {"person": "people", "batch": "batches", "entry": "entries"}


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a call reaches: the telephone numbers that are known, and how many there are in all."""

    numbers: tuple[str, ...] = ()
    """In E.164."""

    count: int | None = 1
    """None where nobody knows."""


NOBODY: Final = Reach()


def check_subject(template: str, fields: Mapping[str, FieldInfo]) -> None:
    """Check the template of an operation with these fields.

    Raises:
        ValueError: It names no field, a secret, or outside of brackets a field that may be left out.
    """
    for optional, plain in _PART.findall(template):
        for alternative in optional.split("|") if optional else [plain]:
            condition, text = _split(alternative)
            for name, _ in _values_in(text):
                _check_name(name, fields, may_be_unset=bool(optional))
            if condition and condition not in fields:
                raise ValueError(f"{condition}, which is no field")


def write_subject(template: str, call: BaseModel, *, before: BaseModel | None = None, reach: Reach = NOBODY) -> str:
    """Return the sentence for a call. `before` is the answer to the read of that name, None where it was not read."""
    source = _Source(call, before, reach)
    parts = [
        _first_known(optional.split("|"), source) if optional else _fill(plain, source) or ""
        for optional, plain in _PART.findall(template)
    ]
    return " ".join("".join(parts).split())


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of arguments."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the values of a template come from."""

    call: BaseModel
    before: BaseModel | None
    reach: Reach

    def value(self, name: str) -> Any:
        """Return a value by its name; None where it is not known or not set."""
        first, _, rest = name.partition(".")
        if first == PEOPLE:
            return self.reach
        if first == SETTINGS:
            return self._settings()
        return _field_at(self.before, rest) if first == _BEFORE else _field_at(self.call, name)

    def _settings(self) -> "_Names":
        fields = type(self.call).model_fields
        optional = [name for name, field in fields.items() if not field.is_required() and name != "dry_run"]
        given = [name for name in optional if getattr(self.call, name) != fields[name].default]
        return _Names(tuple(leaf for name in given for leaf in _leaves(name, getattr(self.call, name))))


def _leaves(name: str, value: Any) -> list[str]:
    """Return the names of the arguments that are set in a nested one; its own name where it is not nested."""
    if not isinstance(value, BaseModel):
        return [name]
    return [field for field in type(value).model_fields if getattr(value, field) is not None] or [name]


def _field_at(model: BaseModel | None, path: str) -> Any:
    """Return a field of an answer, by dotted name; None where it is not shown, or is text from outside."""
    name, _, rest = path.partition(".")
    if model is None:
        return None
    value: object = getattr(model, name)
    if rest:
        return _field_at(value, rest) if isinstance(value, BaseModel) else None
    field = type(model).model_fields[name]
    marker = outside_marker(field.metadata, field.annotation)
    return None if marker is not None and (not isinstance(value, str) or marker.is_suspect(value)) else value


def _first_known(alternatives: list[str], source: _Source) -> str:
    for alternative in alternatives:
        condition, text = _split(alternative)
        if condition and not source.value(condition):
            continue
        filled = _fill(text, source)
        if filled is not None:
            return filled
    return ""


def _fill(text: str, source: _Source) -> str | None:
    """Put the values into a text; None where one of them is not known."""
    parts: list[str] = []
    for literal, name, form, _ in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            shown = _show(source.value(name), form or "")
            if not shown:
                return None
            parts.append(shown)
    return "".join(parts)


def _show(value: Any, form: str) -> str:
    """Return a value in words; empty where there is none."""
    match value:
        case None | "" | []:
            return ""
        case Reach():
            return _count_people(value)
        case _Names():
            return _name_settings(value.names)
        case bool():
            return "on" if value else "off"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case list() | tuple():
            return _show_list(list(cast("list[object]", value)), form)
        case str():
            return _show_text(value, form)
        case _:
            return f"{value:,} {_plural(form, value)}" if form else str(value)


def _show_text(value: str, form: str) -> str:
    if form == "parts":
        count = segments(value).count
        return f"{count} parts" if count > 1 else ""
    if form == "time":
        return _show_time(value)
    if form == "text":
        return _quote(value)
    number = read_with_country_code(value) if form == "number" else value
    if number and number.startswith("+") and canonical(number):
        return format_for_people(number)
    return value if _CODE.fullmatch(value) and len(value) <= LONGEST_VALUE else _quote(value)


def _show_time(value: str) -> str:
    """Return a time in words; empty for `now`, which no sentence has to say."""
    try:
        return _show(datetime.fromisoformat(value), "")
    except ValueError:
        return "" if value == "now" else _show_text(value, "")


def _show_list(values: list[object], form: str) -> str:
    noun = _plural(form or "entry", len(values))
    if len(values) > MOST_LISTED or any(isinstance(value, BaseModel) for value in values):
        return f"{len(values):,} {noun}"
    shown = _join([_show(value, "") for value in values])
    return shown if form in {"", "number", "person"} else f"{noun} {shown}"


def _name_settings(names: tuple[str, ...]) -> str:
    if not names:
        return "settings"
    if len(names) > MOST_NAMES:
        return f"{len(names)} settings"
    return _join([name.replace("_", " ") for name in names])


def _join(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def _count_people(reach: Reach) -> str:
    if reach.count is None:
        return "an unknown number of people"
    if reach.count == 1 and len(reach.numbers) == 1:
        return format_for_people(reach.numbers[0])
    return f"{reach.count:,} {_plural('person', reach.count)}{_where(reach.numbers)}"


def _where(numbers: tuple[str, ...]) -> str:
    names = [COUNTRY_NAME.load()(code) for code in dict.fromkeys(map(country_of, numbers)) if code]
    if not names:
        return ""
    if len(names) > MOST_COUNTRIES:
        return f" in {len(names)} countries"
    return f" in {_join(names)}"


def _plural(noun: str, count: Any) -> str:
    return noun if count == 1 else _PLURALS.get(noun, f"{noun}s")


def _quote(value: str) -> str:
    """Return text in quotes, on one line, cut where it is long; it cannot close the quotes itself."""
    line = re.sub('[“”"„‟〝〞]', "'", " ".join(value.split()))
    return f"“{line}”" if len(line) <= LONGEST_VALUE else f"“{line[:LONGEST_VALUE]}…”"


def _split(alternative: str) -> tuple[str, str]:
    """Return the flag that an alternative wants, empty for none, and its text."""
    found = _CONDITION.fullmatch(alternative)
    return (found[1], found[2]) if found else ("", alternative)


def _values_in(text: str) -> Iterator[tuple[str, str]]:
    return ((name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None)


def _check_name(name: str, fields: Mapping[str, FieldInfo], *, may_be_unset: bool) -> None:
    first = name.partition(".")[0]
    if first in {PEOPLE, SETTINGS}:
        return
    if first == _BEFORE:
        if not may_be_unset:
            raise ValueError(f"{name} outside of brackets, and it may not be known")
        return
    if first not in fields:
        raise ValueError(f"{name}, which is no field")
    field = fields[first]
    if is_secret(field.annotation):
        raise ValueError(f"{name}, which is a secret")
    if not may_be_unset and not field.is_required() and field.default is None:
        raise ValueError(f"{name} outside of brackets, and it may be left out")
