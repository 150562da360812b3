"""Conditions on the arguments of a call, one a line, as the operator writes and reads them.

    from_number = +12015550100
    to_number texted us within 30 days
    text any

An argument that no condition names must be left out of the call. So nothing that an operation takes, today or in a
later version, widens what the operator allowed.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast


class Relation(StrEnum):
    """What a condition demands of an argument, in the words that it is written with."""

    ANY = "any"
    """Any value, said explicitly."""

    EQUALS = "="
    ONE_OF = "one of"
    PREFIX = "starts with"
    TEXTED_US = "texted us within"
    """A number that sent this server a text within so many days."""

    IN_GROUP = "in group"
    """A number in a group of the provider's, at the moment of the call."""


_ARGUMENT: Final = r"[a-z][a-z0-9_]*"
_WORDS: Final = "|".join(re.escape(one) for one in Relation if one is not Relation.EQUALS)
_LINE: Final = re.compile(rf"({_ARGUMENT})(?:\s*(=)\s*|\s+({_WORDS})(?:\s+|$))(.*)", re.DOTALL)
_DAYS: Final = re.compile(r"([0-9]{1,4})\s+days?")
_PLAIN: Final = re.compile(r"[^\s,\"\[\]{}](?:[^,\"\[\]{}\n\r]*[^\s,\"\[\]{}])?")
_ITEM: Final = re.compile(r"\s*([^,]*?)\s*(?:,|$)")

HOW_TO_WRITE: Final = (
    "A condition is written `argument = value`, `argument one of value, value`, `argument starts with +1201`, "
    "`argument texted us within 30 days`, `argument in group NAME`, or `argument any`."
)


class BadCondition(ValueError):
    """A condition cannot be read. The message says what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What one argument must be. `str()` writes it as `read_condition` reads it."""

    argument: str
    relation: Relation
    values: tuple[Any, ...] = ()
    """JSON values: several for `one of`, the number of days for `texted us within`, none for `any`."""

    def __str__(self) -> str:
        if self.relation is Relation.ANY:
            return f"{self.argument} any"
        if self.relation is Relation.TEXTED_US:
            return f"{self.argument} {self.relation.value} {self.values[0]} day{'' if self.values[0] == 1 else 's'}"
        return f"{self.argument} {self.relation.value} {', '.join(_write(value) for value in self.values)}"

    def fits(self, value: Any, known: "Collection[str]" = ()) -> bool:
        """Return True if a JSON value is as demanded; of a list every entry has to be, and an empty one is not.

        An argument that a call leaves out, given as None, is as demanded where any value is.
        `known` are the numbers that were looked up: senders of texts, or members of a group.
        """
        if value is None:
            return self.relation is Relation.ANY
        if self._fits_one(value, known):
            return True
        if not isinstance(value, list):
            return False
        entries = cast("list[object]", value)
        return bool(entries) and all(self._fits_one(entry, known) for entry in entries)

    def _fits_one(self, value: Any, known: Collection[str]) -> bool:
        match self.relation:
            case Relation.ANY:
                return True
            case Relation.EQUALS | Relation.ONE_OF:
                return any(_is_same(value, one) for one in self.values)
            case Relation.PREFIX:
                return isinstance(value, str) and any(value.startswith(one) for one in self.values)
            case Relation.TEXTED_US | Relation.IN_GROUP:
                return isinstance(value, str) and value in known


def read_condition(line: str) -> Condition:
    """Read one condition.

    Raises:
        BadCondition: It cannot be read.
    """
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise BadCondition(f"{line.strip()[:80]!r} cannot be read. {HOW_TO_WRITE}")
    argument, relation, rest = found[1], Relation(found[2] or found[3]), found[4].strip()
    if relation is Relation.ANY:
        if rest:
            raise BadCondition(f"{argument} any: nothing stands behind `any`, and here {rest[:40]!r} does.")
        return Condition(argument, relation)
    if not rest:
        raise BadCondition(f"{argument} {relation.value}: the value is missing. {HOW_TO_WRITE}")
    if relation is Relation.TEXTED_US:
        days = _DAYS.fullmatch(rest)
        if days is None or not int(days[1]):
            raise BadCondition(f"{argument} {relation.value} {rest[:40]}: write a number of days, such as `30 days`.")
        return Condition(argument, relation, (int(days[1]),))
    values = tuple(_read_values(rest)) if relation is Relation.ONE_OF else (_read_value(rest),)
    if relation in {Relation.PREFIX, Relation.IN_GROUP} and not all(isinstance(one, str) for one in values):
        values = (rest,)
    return Condition(argument, relation, values)


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Read conditions, one a line; empty lines do not count.

    Raises:
        BadCondition: One of them cannot be read.
    """
    return tuple(read_condition(line) for line in text.split("\n") if line.strip())


def write_conditions(conditions: Iterable[Condition]) -> str:
    """Write conditions, one a line."""
    return "\n".join(str(condition) for condition in conditions)


def _read_values(text: str) -> Iterable[Any]:
    """Read values with commas between them; a value with a comma in it is written as JSON text."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        rest = text[place:].lstrip()
        if rest[:1] in ('"', "[", "{"):
            try:
                value, end = decoder.raw_decode(rest)
            except ValueError:
                raise BadCondition(f"{rest[:40]!r} is no JSON value.") from None
            place = len(text) - len(rest) + end
            behind = re.compile(r"\s*(,|$)").match(text, place)
            if behind is None:
                raise BadCondition(f"{text[place:][:40]!r}: a comma is missing between two values.")
            place = behind.end()
        else:
            found = _ITEM.match(text, place)
            if found is None or not found[1]:
                raise BadCondition(f"{text[:40]!r}: a value is missing between two commas.")
            value, place = _read_value(found[1]), found.end()
        yield value


def _read_value(text: str) -> Any:
    """Read a JSON value; what is none is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _write(value: Any) -> str:
    """Write a value so that `_read_value` reads the same one."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and _read_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_same(value: Any, other: Any) -> bool:
    """Compare JSON values by their kind too: Python takes 1 for true."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)
