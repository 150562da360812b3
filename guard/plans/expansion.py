"""Expands the steps of a proposed plan: one call for each row, with `{{column}}` replaced by the row's value."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from guard.plans.faults import BadPlan, Fault
from guard.plans.rows import BadRows, Row, read_rows

MOST_STEPS: Final = 500
"""Steps of one plan, after expansion."""

_COLUMN: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LABEL: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate:
    """One step as it was proposed: a call, or one call for each of its rows."""

    operation: str
    """Tool name of the operation."""

    arguments: Mapping[str, Any]
    for_each: str | Sequence[Mapping[str, Any]] | None = None
    """Rows, as CSV text with a header or as objects; None for a single call."""

    account: str | None = None
    """Name of the account; None where the arguments name it, or the provider has only one."""

    label: str | None = None
    is_literal: bool = False
    """True where the arguments are values of the record, in which nothing is a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """One call of a plan before it is parsed."""

    position: int
    place: str
    """Which it is, for people: `step 3`, or `step 2, row 5 (line 6)`."""

    operation: str
    arguments: Mapping[str, Any]
    label: str | None
    account: str | None = None


def expand(templates: Sequence[StepTemplate]) -> list[StepCall]:
    """Return the calls of a plan, in their order.

    Raises:
        BadPlan: Rows cannot be read, a column does not exist, a label is used twice, or there are too many steps.
    """
    faults: list[Fault] = [*_label_faults(templates)]
    calls: list[StepCall] = []
    for number, template in enumerate(templates, 1):
        try:
            rows = [None] if template.for_each is None else read_rows(template.for_each)
        except BadRows as wrong:
            faults.append(Fault(f"step {number}", str(wrong)))
            continue
        for row in rows:
            place = f"step {number}" if row is None else f"step {number}, {row.place}"
            try:
                given, account = template.arguments, template.account
                arguments = dict(given) if template.is_literal else _fill_object(given, row)
                if account is not None and not template.is_literal:
                    account = str(_fill_text(account, row))
            except BadRows as wrong:
                faults.append(Fault(place, str(wrong)))
                continue
            calls.append(
                StepCall(
                    position=len(calls) + 1,
                    place=place,
                    operation=template.operation,
                    arguments=arguments,
                    label=template.label,
                    account=account,
                )
            )
    if len(calls) > MOST_STEPS:
        faults.append(Fault("", f"A plan has 1 to {MOST_STEPS} steps, and this one has {len(calls)}: make several."))
    if faults:
        raise BadPlan(faults)
    return calls


def _label_faults(templates: Sequence[StepTemplate]) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, template in enumerate(templates, 1):
        label = template.label
        if label is None:
            continue
        if not _LABEL.fullmatch(label):
            faults.append(Fault(f"step {number}", f"The label {label[:50]!r} is not of a-z, 0-9 and _."))
        if label in seen:
            faults.append(Fault(f"step {number}", f"The label {label!r} is that of step {seen[label]} already."))
        if template.for_each is not None:
            faults.append(Fault(f"step {number}", "A step with for_each is several calls, so it can have no label."))
        seen.setdefault(label, number)
    return faults


def _fill_object(arguments: Mapping[str, Any], row: Row | None) -> dict[str, Any]:
    """Fill the columns in; an argument that is nothing but a column without a value is left out."""
    filled = {name: _fill(value, row) for name, value in arguments.items()}
    return {name: value for name, value in filled.items() if value is not None}


def _fill(value: Any, row: Row | None) -> Any:
    if isinstance(value, str):
        return _fill_text(value, row)
    if isinstance(value, list):
        return [_fill(item, row) for item in cast("list[object]", value)]
    if isinstance(value, Mapping):
        return _fill_object(cast("Mapping[str, Any]", value), row)
    return value


def _fill_text(text: str, row: Row | None) -> Any:
    """Replace the columns of a text in one pass, so that what a row says is never taken for a column."""
    whole = _COLUMN.fullmatch(text)
    if whole is not None:
        return _value_of(whole[1], row)
    return _COLUMN.sub(lambda found: _in_text(found[1], row), text)


def _in_text(name: str, row: Row | None) -> str:
    value = _value_of(name, row)
    if value is None or value == "":
        raise BadRows(f"The column {name!r} is empty, and it stands within a text.")
    return str(value)


def _value_of(name: str, row: Row | None) -> Any:
    if row is None:
        raise BadRows(f"{{{{{name}}}}} stands for a column, and the step has no for_each to take it from.")
    if name not in row.values:
        close = get_close_matches(name, list(row.values), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(row.values)}."
        raise BadRows(f"There is no column {name!r}{hint}")
    return row.values[name]
