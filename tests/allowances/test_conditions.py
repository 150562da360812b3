"""Conditions are read as they are written, fit exactly what they say, and leave no argument of a call open."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.operation import OperationType
from guard.allowances.allowance import CountLimit, MoneyLimit, Terms
from guard.allowances.conditions import BadCondition, Condition, Relation, read_condition, read_conditions
from guard.allowances.draft import Draft
from guard.allowances.fitness import BadTerms, Fitness, arguments_in, check_terms, fits, why_never
from guard.money import Money
from tests.allowances.terms import SEND, SENDER
from tools.discovery.examples import example_call
from tools.registry import all_operations, operation_named

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OPERATIONS = all_operations()
MAY_BE_ALLOWED = sorted(name for name, operation in OPERATIONS.items() if why_never(operation) is None)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
SCALARS = st.one_of(st.text(), st.integers(), st.booleans(), st.none())
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=5), SCALARS, max_size=2))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Draw any condition that can be written."""
    name = draw(NAMES)
    relation: Relation = draw(st.sampled_from(list(Relation)))
    values: dict[Relation, st.SearchStrategy[list[Any]]] = {
        Relation.ANY: st.just([]),
        Relation.TEXTED_US: st.lists(st.integers(1, 9999), min_size=1, max_size=1),
        Relation.PREFIX: st.lists(st.text(min_size=1), min_size=1, max_size=1),
        Relation.IN_GROUP: st.lists(st.text(min_size=1), min_size=1, max_size=1),
        Relation.EQUALS: st.lists(VALUES, min_size=1, max_size=1),
        Relation.ONE_OF: st.lists(VALUES, min_size=1, max_size=5),
    }
    return Condition(name, relation, tuple(draw(values[relation])))


@given(conditions())
def test_a_condition_is_read_as_it_is_written(condition: Condition) -> None:
    assert read_condition(str(condition)) == condition
    assert read_conditions(f"\n{condition}\r\n\n") == (condition,)


@given(st.text(max_size=80))
def test_whatever_is_written_is_read_or_refused(line: str) -> None:
    with suppress(BadCondition):
        found = read_condition(line)
        assert read_condition(str(found)) == found


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5), st.text(min_size=1, max_size=5))
def test_of_a_list_every_entry_has_to_fit(values: list[str], other: str) -> None:
    one_of = Condition("to", Relation.ONE_OF, tuple(values))
    assert one_of.fits(values)
    assert one_of.fits(values[0])
    assert one_of.fits([*values, other]) == (other in values)
    prefix = Condition("to", Relation.PREFIX, (other,))
    assert prefix.fits([*values]) == all(value.startswith(other) for value in values)
    assert not one_of.fits([])
    assert not one_of.fits(None)
    assert Condition("to", Relation.ANY).fits(None)


def test_numbers_flags_and_texts_are_told_apart() -> None:
    assert not Condition("count", Relation.EQUALS, (1,)).fits(True)
    assert not Condition("count", Relation.EQUALS, (1,)).fits("1")
    assert Condition("count", Relation.EQUALS, (1,)).fits(1)


def _terms(operation: OperationType, *conditions: Condition, money: bool = True) -> Terms:
    return Terms(
        operation=operation.spec.tool_name,
        principal="token:alice",
        conditions=conditions,
        count=CountLimit(5, "day"),
        money=MoneyLimit(Money(Decimal(1)), "day") if money else None,
        until=NOW + timedelta(days=1),
    )


@pytest.mark.parametrize("name", MAY_BE_ALLOWED)
def test_an_argument_that_no_condition_names_never_widens_what_is_allowed(name: str) -> None:
    """Over every operation: with all arguments of an example but one named, a call that gives that one does not fit."""
    operation = OPERATIONS[name]
    call = example_call(operation)
    every = {argument: Condition(argument, Relation.ANY) for argument in arguments_in(operation)}
    given_arguments = [argument for argument in every if getattr(call, argument) is not None]
    hidden = [one for one in operation.model_fields if one not in every and getattr(call, one) is not None]
    takes_secret = any(not operation.model_fields[one].is_required() for one in hidden)
    assert fits(call, _terms(operation, *every.values()), {}) is not takes_secret
    for left in given_arguments:
        field = operation.model_fields[left]
        if not field.is_required() and getattr(call, left) == field.get_default(call_default_factory=True):
            continue
        others = [
            condition for argument, condition in every.items() if argument != left and argument in given_arguments
        ]
        assert not fits(call, _terms(operation, *others), {}), left
        if field.is_required():
            with pytest.raises(BadTerms, match=f"{left} .*bind it"):
                check_terms(operation, _terms(operation, *others), NOW, Fitness())


def test_what_cannot_be_undone_or_touches_credentials_is_never_allowed_beforehand() -> None:
    for name, operation in OPERATIONS.items():
        if operation.spec.irreversible or "privileged" in operation.spec.effect.labels:
            assert name not in MAY_BE_ALLOWED
            with pytest.raises(BadTerms, match="approved by itself"):
                Draft(principal="token:alice", count="1/day", until="2026-12-01").read(operation, NOW, Fitness())


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("to_numbr any", "no argument to_numbr; did you mean to_number?"),
        ("to_number = 12", "to_number can never be '12': Value error, 12 is not a US or Canadian number"),
        ("to_number one of +12015550100, 34", "to_number can never be '34'"),
        ("to_number starts with 1201", "No to_number begins with '1201': numbers are written +12015550123"),
        ("text texted us within 3 days", "text is no telephone number"),
        ("to_number texted us within 60 days", "texts that come in are kept for 30 days"),
        ("to_number in group customers", "groups can be looked up of routee"),
        ("to_number", "cannot be read"),
        ("to_number texted us within a while", "write a number of days"),
        ("to_number one of ,", "a value is missing"),
        ("to_number any +1201", "nothing stands behind `any`"),
        ("to_number =", "the value is missing"),
    ],
)
def test_a_condition_that_no_call_can_fit_is_refused_with_what_is_allowed(line: str, named: str) -> None:
    operation = operation_named(SEND)
    assert operation is not None
    draft = Draft(
        principal="token:alice",
        conditions=(f"from_number = {SENDER}", line),
        count="50/day",
        money="1/day",
        until="2026-12-04",
    )
    with pytest.raises(BadTerms) as refused:
        draft.read(operation, NOW, Fitness(keeps_texts_days=30, groups_at=["routee"]))
    assert named in str(refused.value)
    assert "The allowance was not saved." in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"principal": "alice"}, "names nobody who asks"),
        ({"principal": "oauth:"}, "names nobody who asks"),
        ({"count": "many"}, "names no window"),
        ({"count": "0/day"}, "is no count"),
        ({"count": "999999/day"}, "A count is 1 to"),
        ({"money": ""}, "costs money: say how much"),
        ({"money": "-1/day"}, "Write an amount and its window"),
        ({"until": "friday"}, "is no day or time"),
        ({"until": "2026-11-29"}, "is over"),
        ({"until": "2029-01-01"}, "lasts for 366 days at most"),
        ({"conditions": ("text any", "text any", "from_number any", "to_number any")}, "text has several conditions"),
        ({"conditions": ("text any",)}, "to_number may decide whom a call reaches"),
    ],
)
def test_terms_that_limit_too_little_are_refused(changed: dict[str, Any], named: str) -> None:
    operation = operation_named(SEND)
    assert operation is not None
    fine: dict[str, Any] = {
        "principal": "token:alice",
        "conditions": (f"from_number = {SENDER}", "to_number starts with +1917", "text any"),
        "count": "50/day",
        "money": "$1 a day",
        "until": "2026-12-04",
    }
    assert Draft(**fine).read(operation, NOW, Fitness()).limits == "50 a day, $1.00 a day"
    with pytest.raises(BadTerms) as refused:
        Draft(**{**fine, **changed}).read(operation, NOW, Fitness())
    assert named in str(refused.value)


def test_terms_are_read_as_they_are_written() -> None:
    operation = operation_named(SEND)
    assert operation is not None
    written = Draft(
        principal="token:alice",
        account="hash",
        conditions=("from_number = (201) 555-0142", "to_number one of 9175550100, +12125550100", "text any"),
        count="50 a month",
        money="0.50 USD in total",
        until="2026-12-04T18:00+01:00",
        note="Reminders",
    )
    terms = written.read(operation, NOW, Fitness())
    assert [str(one) for one in terms.conditions] == [
        f"from_number = {SENDER}",
        "to_number one of +19175550100, +12125550100",
        "text any",
    ]
    assert Draft.of(terms).read(operation, NOW, Fitness()) == terms
