"""Documented answer shapes, and the check that an answer has exactly its members and types."""

import re
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Maybe:
    """A member that may be null."""

    shape: object


@dataclass(frozen=True)
class Optionally:
    """A member that may be left out."""

    shape: object


@dataclass(frozen=True)
class Like:
    """Text that matches a pattern."""

    pattern: str


NUM = float
TN = Like(r"[2-9][0-9]{2}[2-9][0-9]{6}")
DN = Like(r"1[2-9][0-9]{2}[2-9][0-9]{6}")
TIME = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def assert_shape(value: object, shape: object, at: str = "data") -> None:
    """Fail unless the value has the shape: every documented member and no other, of the documented type."""
    if isinstance(shape, Maybe | Optionally):
        if value is not None:
            assert_shape(value, shape.shape, at)
    elif isinstance(shape, Like):
        assert isinstance(value, str), f"{at} is {value!r}, not text"
        assert re.fullmatch(shape.pattern, value), f"{at} is {value!r}"
    elif isinstance(shape, dict):
        _assert_members(value, cast("dict[str, object]", shape), at)
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{at} is no list"
        items = cast("list[object]", value)
        assert items, f"{at} is empty, so nothing of it is checked"
        for index, item in enumerate(items):
            assert_shape(item, cast("list[object]", shape)[0], f"{at}[{index}]")
    elif isinstance(shape, set):
        assert value in cast("set[object]", shape), f"{at} is {value!r}"
    elif shape is NUM:
        assert isinstance(value, int | float), f"{at} is no number"
        assert not isinstance(value, bool), f"{at} is no number"
    else:
        assert type(value) is shape, f"{at} is {value!r}, not {shape}"


def _assert_members(value: object, shape: dict[str, object], at: str) -> None:
    assert isinstance(value, dict), f"{at} is no object"
    members = cast("dict[str, object]", value)
    assert members.keys() <= shape.keys(), f"{at} has undocumented {members.keys() - shape.keys()}"
    for name, member in shape.items():
        if name in members:
            assert_shape(members[name], member, f"{at}.{name}")
        else:
            assert isinstance(member, Optionally), f"{at}.{name} is missing"
