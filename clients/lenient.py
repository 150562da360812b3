"""Lenient parsing of answers that do not have the documented shape."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

from pydantic import BaseModel, ValidationError


def parse_what_fits(wanted: type[BaseModel], content: Any, misfit: ValidationError) -> BaseModel | None:
    """Parse an answer without the parts that do not fit; None if nothing is left."""
    rest = deepcopy(content)
    for error in sorted(misfit.errors(), key=lambda found: [str(part) for part in found["loc"]], reverse=True):
        _drop(rest, error["loc"])
    try:
        return wanted.model_validate(rest)
    except ValidationError:
        return None


def _drop(content: Any, path: Sequence[str | int]) -> None:
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
        del cast("list[object]", parent)[last]
    else:
        _drop(content, path[:-1])


def _at(parent: Any, step: str | int) -> Any:
    if isinstance(parent, dict):
        return cast("dict[str | int, Any]", parent).get(step)
    if isinstance(parent, list) and isinstance(step, int) and step < len(cast("list[object]", parent)):
        return cast("list[object]", parent)[step]
    return None
