"""Reads the typed answer out of a response's content, and says what it does not show.

Answers are read leniently: a field that cannot be read is left out and named, and the rest is the answer. But an answer
that shows nothing of what its operation returns is no answer: a write is then not known to be done, and a read failed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from clients.errors import NotFound, UnexpectedAnswer
from clients.operation import Operation, answer_type

R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

NOTHING: Final[dict[str, Any]] = {}
"""The content of an answer that is empty where the provider documents that: `unwrap` returns this very object."""

CHECKED: Final[dict[str, Any]] = {"validated": True}
"""The content of an answer that says that a write was only checked: `unwrap` returns this very object."""

_NO_VALUE: Final[tuple[object, ...]] = (None, "", [], {})
"""How some servers write a value that is not set, whatever its type: as a text, a list or an object without content."""


_NESTED: Final = (BaseModel, list)
"""What may hold rows."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_\-]{1,40}")


@dataclass(frozen=True, slots=True)
class TypedAnswer(Generic[R]):
    """An answer as far as it could be read."""

    answer: R
    unread: tuple[str, ...] = ()
    """Paths of the fields and rows that could not be read, such as `messages.3.rate`."""


@dataclass(frozen=True, slots=True)
class RowWanted:
    """Which row of a list is looked for."""

    name: str
    """What it is called in errors, such as `tag_id 5`."""

    is_it: Callable[[Any], bool]

    is_another: Callable[[Any], bool]
    """True for a row that plainly is not the one, because it shows what tells them apart."""


class NotShown(Exception):
    """The answer does not show what the operation returns. The message says what is missing, as `it shows no id`."""


def read_answer(operation: Operation[R], content: Any) -> TypedAnswer[R]:
    """Return the typed answer to a call, from the content of the provider's envelope.

    Raises:
        NotShown: The content does not show the answer, or does not confirm that the call was done.
    """
    try:
        picked = content if content is CHECKED else operation.select(content)
    except ValidationError:
        raise NotShown("it has another form than documented") from None
    wanted = cast("type[BaseModel]", answer_type(type(operation)))
    typed = parse(wanted, picked)
    if typed is None:
        raise NotShown("it has another form than documented")
    if content is not NOTHING and content is not CHECKED:
        _require_shown(operation, picked, typed.answer)
    return cast("TypedAnswer[R]", typed)


def parse(wanted: type[M], content: Any) -> TypedAnswer[M] | None:
    """Parse content without the parts that cannot be read; None if nothing is left."""
    try:
        return _typed(wanted.model_validate(content))
    except ValidationError as first:
        misfit = first
    # An unreadable row stays as one without fields, so that the others keep their places; where that is no row either,
    # it goes.
    for keeps_rows in (True, False):
        rest, lost = _without_misfits(content, misfit, keeps_rows=keeps_rows)
        with suppress(ValidationError):
            return _typed(wanted.model_validate(rest), lost)
    return None


def _typed(answer: M, lost: Iterable[str] = ()) -> TypedAnswer[M]:
    return TypedAnswer(answer, tuple(dict.fromkeys([*lost, *_unknown_rows(answer)])))


def find_row(rows: Sequence[Any], row_type: type[BaseModel], wanted: RowWanted, *, is_whole: bool) -> Any:
    """Return the wanted row of a list, as it came. `is_whole` says that the list leaves none out.

    Raises:
        NotFound: The list is whole, and each of its rows plainly is another.
        UnexpectedAnswer: It is not among the rows, which may not be all, or may not show what tells them apart.
    """
    typed = [parse(row_type, row) for row in rows]
    for row, found in zip(rows, typed, strict=True):
        if found is not None and wanted.is_it(found.answer):
            return row
    if is_whole and all(found is not None and wanted.is_another(found.answer) for found in typed):
        raise NotFound(f"There is no {wanted.name} on the account.", status=404)
    raise UnexpectedAnswer(
        f"{wanted.name} is not among the {len(rows)} rows that are shown. Whether these are all, and show what tells "
        "them apart, is not clear, so that it may be there."
    )


def _require_shown(operation: Operation[Any], content: Any, answer: BaseModel) -> None:
    spec = operation.spec
    missing = [name for name in spec.confirmed_by if getattr(answer, name) in (None, "", [])]
    if missing:
        raise NotShown(f"it shows no {' and no '.join(name.replace('_', ' ') for name in missing)}")
    if spec.confirmed_by:
        return
    if not type(answer).model_fields:
        if content and not spec.provider.has_envelope:
            raise NotShown("it should be empty, and is not")
        return
    if not spec.effect.is_plain_read and (spec.provider.has_envelope or (spec.may_be_empty and not content)):
        return
    shown = _shown_fields(content, answer)
    if spec.rows is not None and spec.rows not in shown:
        raise NotShown(f"it shows no list of {spec.rows.replace('_', ' ')}")
    if not shown and (content or not spec.may_be_empty):
        raise NotShown("it shows none of the documented fields")


def _shown_fields(content: Any, answer: BaseModel) -> set[str]:
    """Return the declared fields that the content names, with a value or with null."""
    shown = set(answer.model_fields_set)
    if isinstance(content, Mapping):
        named = cast("Mapping[str, Any]", content)
        for name, field in type(answer).model_fields.items():
            alias = field.alias or name
            if any(key in named and named[key] is None for key in (alias, name)):
                shown.add(name)
    return shown


def _unknown_rows(answer: object, path: str = "") -> Iterator[str]:
    """Return the paths of rows of which no field was recognised."""
    if isinstance(answer, BaseModel):
        for name in type(answer).model_fields:
            value: object = getattr(answer, name)
            if isinstance(value, _NESTED):
                yield from _unknown_rows(cast("object", value), f"{path}{name}.")
    elif isinstance(answer, list):
        for place, row in enumerate(cast("list[object]", answer)):
            if isinstance(row, BaseModel) and type(row).model_fields and not row.model_fields_set:
                yield f"{path}{place}"
            elif isinstance(row, _NESTED):
                yield from _unknown_rows(cast("object", row), f"{path}{place}.")


def _without_misfits(content: Any, misfit: ValidationError, *, keeps_rows: bool) -> tuple[Any, list[str]]:
    """Return the content without what does not fit, and the paths of what is lost with it."""
    rest, lost = deepcopy(content), list[str]()
    for error in sorted(misfit.errors(), key=lambda found: _order(found["loc"]), reverse=True):
        _drop(rest, error["loc"], keeps_rows=keeps_rows)
        if not any(error["input"] == nothing for nothing in _NO_VALUE):
            lost.append(".".join(map(_name_of, error["loc"])) or "the whole")
    return rest, sorted(set(lost))


def _name_of(part: str | int) -> str:
    """Return a part of a path as it may be shown: a key that is no plain word may be a text that somebody wrote."""
    text = str(part)
    return text if _PLAIN_KEY.fullmatch(text) else "…"


def _order(path: Sequence[str | int]) -> list[tuple[int, str]]:
    """Sort positions of a list as numbers, so that what is dropped last stands before what is dropped first."""
    return [(part, "") if isinstance(part, int) else (0, part) for part in path]


def _drop(content: Any, path: Sequence[str | int], *, keeps_rows: bool) -> None:
    """Remove what the path leads to, or the part that lacks it."""
    if not path:
        return
    parent = content
    for step in path[:-1]:
        parent = _at(parent, step)
    last = path[-1]
    if isinstance(parent, dict) and last in parent:
        del cast("dict[str | int, Any]", parent)[last]
    elif isinstance(parent, list) and isinstance(last, int) and last < len(cast("list[object]", parent)):
        rows = cast("list[object]", parent)
        if keeps_rows:
            rows[last] = {}
        else:
            del rows[last]
    else:
        _drop(content, path[:-1], keeps_rows=keeps_rows)


def _at(parent: Any, step: str | int) -> Any:
    if isinstance(parent, dict):
        return cast("dict[str | int, Any]", parent).get(step)
    if isinstance(parent, list) and isinstance(step, int) and step < len(cast("list[object]", parent)):
        return cast("list[object]", parent)[step]
    return None
