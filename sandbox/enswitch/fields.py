"""How the parameters of a function are declared, and how their text is read."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

Version = tuple[int, int]
VERSIONS: tuple[Version, ...] = ((4, 0), (4, 1), (4, 2), (4, 3), (4, 4))
"""The versions that the sandbox can answer as; older forms of plans/routes are those of 4.0."""

Value = int | str | Decimal


class Kind(StrEnum):
    """The types that the guide uses, and the shapes it gives them."""

    TEXT = "string"
    INTEGER = "integer"
    FLAG = "flag"
    DECIMAL = "decimal"
    BASE64 = "base64"


class Row(dict[str, Value]):
    """A database row or the checked parameters of a call."""

    def whole(self, name: str) -> int:
        """Return an integer column; 0 if it is absent."""
        value = self.get(name, 0)
        if not isinstance(value, int):
            raise TypeError(f"{name} is no integer")
        return value

    def text(self, name: str) -> str:
        """Return a text column; empty if it is absent."""
        return str(self.get(name, ""))

    def money(self, name: str) -> Decimal:
        """Return a decimal column; 0.00 if it is absent."""
        return Decimal(self.get(name, Decimal("0.00")))


@dataclass(frozen=True)
class Field:
    """One parameter: its name, type, bounds, default, and the versions that know it."""

    name: str
    kind: Kind
    required: bool = False
    default: Value | None = None
    """None: left out of the call; on an update that is the guide's "Current value"."""
    choices: tuple[Value, ...] = ()
    low: int | None = None
    high: int | None = None
    refers: str = ""
    """The table that the value must name a visible row of."""
    missing: int = 400
    """The code if it does not: 400 in most places, 404 where the guide lists it."""
    since: Version = VERSIONS[0]
    until: Version | None = None
    """The first version that no longer knows it."""

    def known_to(self, version: Version) -> bool:
        """Return whether this version has the parameter."""
        return self.since <= version and (self.until is None or version < self.until)

    def read(self, text: str) -> Value:
        """Return the value of the parameter.

        Raises:
            ValueError: it is of the wrong type, out of bounds, or not one of the choices.
        """
        value = _READERS[self.kind](text)
        if self.choices and value not in self.choices:
            allowed = ", ".join(repr(choice) for choice in self.choices)
            raise ValueError(f"must be one of {allowed}")
        if isinstance(value, int):
            self._check_bounds(value)
        # inferred: what is required must say something
        if self.required and value == "":
            raise ValueError("is required")
        return value

    def _check_bounds(self, value: int) -> None:
        if self.low is not None and value < self.low:
            raise ValueError(f"must be at least {self.low}")
        if self.high is not None and value > self.high:
            raise ValueError(f"must be at most {self.high}")

    def to_wire(self) -> dict[str, object]:
        """Return the declaration as `/_control/enswitch/functions` shows it."""
        shown: dict[str, object] = {"name": self.name, "type": self.kind.value, "required": self.required}
        if self.default is not None:
            shown["default"] = str(self.default) if isinstance(self.default, Decimal) else self.default
        if self.choices:
            shown["choices"] = list(self.choices)
        return shown


Fields = tuple[Field, ...]


def text(*names: str, **defaults: str) -> Fields:
    """Declare string parameters; one with a default is a keyword, as in `class_="x"` for `class`."""
    return _fields(Kind.TEXT, names, defaults)


def integer(*names: str, low: int | None = None, high: int | None = None, refers: str = "", **defaults: int) -> Fields:
    """Declare integer parameters."""
    bounded = _fields(Kind.INTEGER, names, defaults)
    return tuple(replace(field, low=low, high=high, refers=refers) for field in bounded)


def flag(*names: str, **defaults: int) -> Fields:
    """Declare integer parameters that are 0 or 1."""
    return _fields(Kind.FLAG, names, defaults)


def decimal(*names: str, **defaults: str) -> Fields:
    """Declare decimal parameters; money is written as in `1.00`."""
    return _fields(Kind.DECIMAL, names, {name: Decimal(text) for name, text in defaults.items()})


def _fields(kind: Kind, names: Sequence[str], defaults: Mapping[str, Value]) -> Fields:
    return tuple(Field(name.removesuffix("_"), kind, default=defaults.get(name)) for name in (*names, *defaults))


def one_of(name: str, choices: str, default: str | None = None) -> Fields:
    """Return a string parameter with a closed set of values, written `a|b|c`."""
    return (Field(name, Kind.TEXT, default=default, choices=tuple(choices.split("|"))),)


def one_number_of(name: str, choices: Sequence[int], default: int | None = None) -> Fields:
    """Return an integer parameter with a closed set of values."""
    return (Field(name, Kind.INTEGER, default=default, choices=tuple(choices)),)


def file(*names: str) -> Fields:
    """Declare Base64 parameters."""
    return tuple(Field(name, Kind.BASE64) for name in names)


def need(fields: Fields, missing: int = 400) -> Fields:
    """Return the same parameters, required."""
    return tuple(replace(field, required=True, missing=missing) for field in fields)


def kept(fields: Fields) -> Fields:
    """Return the same parameters for an update, where what is left out keeps its value."""
    return tuple(replace(field, required=False, default=None) for field in fields)


def since(version: Version, fields: Fields) -> Fields:
    """Return the same parameters, unknown before this version."""
    return tuple(replace(field, since=version) for field in fields)


def until(version: Version, fields: Fields) -> Fields:
    """Return the same parameters, unknown from this version on."""
    return tuple(replace(field, until=version) for field in fields)


def customer() -> Fields:
    """Return the customer acted for, the caller's own by default."""
    return (Field("customer", Kind.INTEGER),)


def paging(sort: str = "", names: str = "count descending limit offset pages") -> Fields:
    """Return the list parameters that the guide names for this list; `sort` is its closed set."""
    known = {field.name: field for field in flag("count", "descending", "pages") + integer("limit", "offset", low=0)}
    return tuple(known[name] for name in names.split()) + (one_of("sort", sort) if sort else ())


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError("must be an integer")
    return int(text)


def _flag(text: str) -> int:
    if text not in {"0", "1"}:
        raise ValueError("must be 0 or 1")
    return int(text)


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", text):
        raise ValueError("must be a decimal number such as 1.00")
    return Decimal(text)


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("must be base64 encoded") from None
    return text


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: str,
    Kind.INTEGER: _integer,
    Kind.FLAG: _flag,
    Kind.DECIMAL: _decimal,
    Kind.BASE64: _base64,
}
