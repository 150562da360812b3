"""The tool that checks a list of people before anything is sent to them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from clients.fields import NUMBER_ALONE
from clients.phone_numbers import country_of
from guard.errors import GuardRefusal
from guard.plans.expansion import StepTemplate
from guard.plans.proposal import PlanRequest
from guard.plans.question import price_lines
from guard.plans.rows import BadRows, Row, read_rows
from guard.rules.people import Person, Problem
from tools.builtin import BuiltinCall, BuiltinEffect, Reply, UntrustedText, builtin_tool, problem
from tools.plans.handlers import Rows

TOOLSET: Final = "messaging"
LONGEST_SHOWN: Final = 80

NAMES_OF_COLUMNS: Final = ("phone", "mobile", "number", "cell", "tel", "msisdn", "recipient", "to")
"""Words in the name of a column of telephone numbers, the surest first."""

NOTHING_PRICED: Final = "None of the calls can be made, so none is priced; the rows with problems say why."
NO_CALL: Final = "No operation was given, so no price. Give the operation and arguments of a plan's step for it."


class PeopleQuery(BaseModel):
    """Which people to check, and for what."""

    model_config = ConfigDict(extra="forbid")

    people: Rows = Field(description="CSV text with a header, or a list of objects: a row for each, 500 at most.")
    column: str | None = Field(default=None, max_length=80, description="The column of their numbers.")
    operation: str | None = Field(default=None, max_length=80, description="What they would get, for its price.")
    arguments: dict[str, Any] = Field(default={}, description="Its arguments, with `{{column}}` as in propose_plan.")
    limit: int = Field(default=50, ge=1, le=500, description="Rows with problems to show.")
    cursor: str = Field(default="0", pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")


@builtin_tool(
    "check_people",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=PeopleQuery,
    synonyms=(
        "csv",
        "list of recipients",
        "clean list",
        "duplicates",
        "opt-outs",
        "validate contacts",
        "who can we text",
    ),
)
async def check_people(query: PeopleQuery, call: BuiltinCall) -> Reply:
    """Check a list of people by the rules of a sending: form, duplicates, opt-outs, countries, quiet hours, price.

    Nothing is sent, stored or asked.
    """
    try:
        rows = read_rows(query.people)
    except BadRows as wrong:
        return problem(f"`people` is read as `for_each` of a plan is, and does not fit. {wrong}", kind="BadArguments")
    column = query.column if query.column is not None else _column_of_numbers(rows)
    if column is None or not any(column in row.values for row in rows):
        named = ", ".join(dict.fromkeys(name for row in rows for name in row.values))
        return problem(f"Name the column of the numbers: `column` is one of {named}.", kind="BadArguments")
    moment = call.services.clock.now() if query.operation is None else None
    listed = [(row.place, str(row.values.get(column) or "").strip()) for row in rows]
    people = await call.services.people_checker.check(listed, moment=moment)
    price: list[str] = [NO_CALL]
    if query.operation is not None:
        people, price = await _price(query, query.operation, call, column, rows, people)
    return _reply(query, people, price)


TOOLS = (check_people,)


def _column_of_numbers(rows: Sequence[Row]) -> str | None:
    """Return the column whose name says that it holds numbers; the only one, where there is one."""
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    if len(names) == 1:
        return names[0]
    return next((name for word in NAMES_OF_COLUMNS for name in names if word in name.casefold()), None)


async def _price(
    query: PeopleQuery, operation: str, call: BuiltinCall, column: str, rows: Sequence[Row], people: Sequence[Person]
) -> tuple[list[Person], list[str]]:
    """Return the people with what a plan's check of their calls adds, and its price as its question would word it."""
    reached = [index for index, person in enumerate(people) if person.can_be_reached]
    if not reached:
        return list(people), ["Nobody on the list can be reached, so there is nothing to price."]
    values = [{**rows[index].values, column: people[index].number} for index in reached]
    step = StepTemplate(operation=operation, arguments=query.arguments, for_each=values)
    try:
        preview = await call.operations.preview_plan(PlanRequest(title="Check of a list", steps=[step]), call.session)
    except GuardRefusal as refusal:
        return list(people), [f"Not priced: {refusal}"]
    found = list(people)
    for fault in preview.faults:
        for index in [index for row, index in enumerate(reached, 1) if fault.step == f"step 1, row {row}"]:
            found[index] = _with_fault(found[index], fault.message)
    whole = [fault.message for fault in preview.faults if not fault.step]
    return found, [*(price_lines(preview.steps) if preview.steps else [NOTHING_PRICED]), *whole]


def _with_fault(person: Person, message: str) -> Person:
    return replace(person, problems=(*person.problems, Problem("call", message)))


def _reply(query: PeopleQuery, people: Sequence[Person], price: Sequence[str]) -> Reply:
    wrong = [person for person in people if person.problems]
    start = int(query.cursor)
    reached = [person for person in people if person.can_be_reached]
    content: dict[str, Any] = {
        "rows": len(people),
        "can_be_reached": len(reached),
        "problems": dict(Counter(one.kind for person in people for one in person.problems)),
        "countries": dict(Counter(country_of(one.number or "") or "unknown" for one in reached)),
        "price": list(price),
        "rows_with_problems": [_row(person) for person in wrong[start : start + query.limit]],
    }
    if start + query.limit < len(wrong):
        content["next_cursor"] = str(start + query.limit)
    return Reply(content=content, notes=["Nothing was sent."], rows="rows_with_problems")


def _row(person: Person) -> Mapping[str, Any]:
    given = person.given[:LONGEST_SHOWN]
    row = {
        "at": person.place,
        "given": given if NUMBER_ALONE.fullmatch(given) else UntrustedText(given),
        "number": person.number,
        "reach": "yes" if person.can_be_reached else "no",
        "problem": "; ".join(problem.why for problem in person.problems),
    }
    return {name: value for name, value in row.items() if value is not None}
