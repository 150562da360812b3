"""Evidence has three values, which are never mistaken for two."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from clients.evidence import Evidence, all_of, all_present, any_of, is_since, same_fields, same_value

YES, NO, UNKNOWN = Evidence
SENT_AT = datetime(2026, 5, 18, 12, 0, 0, 400_000, UTC)


@pytest.mark.parametrize("evidence", Evidence)
def test_evidence_is_no_condition(evidence: Evidence) -> None:
    with pytest.raises(TypeError, match="three values"):
        bool(evidence)


@pytest.mark.parametrize("parts", [*product(Evidence, repeat=2), *product(Evidence, repeat=3)])
def test_one_no_refutes_all_and_one_yes_proves_any(parts: tuple[Evidence, ...]) -> None:
    assert (all_of(parts) is NO) == (NO in parts)
    assert (all_of(parts) is YES) == (set(parts) == {YES})
    assert (any_of(parts) is YES) == (YES in parts)
    assert (any_of(parts) is NO) == (set(parts) == {NO})
    assert all_of(parts) is any_of([part.opposite for part in parts]).opposite


def test_nothing_compared_proves_nothing_and_no_rows_show_none() -> None:
    assert all_of([]) is UNKNOWN
    assert any_of([]) is NO


@pytest.mark.parametrize(
    ("shown", "expected"), [({1, 2, 3}, YES), ({1, 2}, YES), ({1}, UNKNOWN), ({3}, NO), (set[int](), NO)]
)
def test_a_part_of_what_is_wanted_proves_nothing(shown: set[int], expected: Evidence) -> None:
    assert all_present([1, 2], shown) is expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"a": 1, "b": 2}, YES),
        ({"a": 1, "b": 3}, NO),
        ({"a": 3, "b": 2}, UNKNOWN),
        ({"a": 3, "b": 3}, NO),
        ({"a": 1}, UNKNOWN),
        ({"a": 1, "b": None}, UNKNOWN),
        ({"b": 3}, NO),
    ],
)
def test_a_field_that_is_not_shown_or_may_differ_proves_nothing(shown: dict[str, int], expected: Evidence) -> None:
    assert same_fields({"a": 1, "b": 2}, shown, may_differ=frozenset({"a"})) is expected


def test_a_value_that_is_not_shown_proves_nothing() -> None:
    assert same_value(None, False) is UNKNOWN
    assert same_value(False, False) is YES
    assert same_value(True, False) is NO


def test_a_time_counts_as_since_the_call_within_the_tolerance_and_the_precision_of_the_provider() -> None:
    assert is_since(SENT_AT, SENT_AT)
    assert not is_since(None, SENT_AT)
    second = SENT_AT.replace(microsecond=0)
    assert not is_since(second, SENT_AT)
    assert is_since(second, SENT_AT, whole_seconds=True)
    earlier = SENT_AT - timedelta(seconds=5)
    assert is_since(earlier, SENT_AT, tolerance=timedelta(seconds=5))
    assert not is_since(earlier, SENT_AT, tolerance=timedelta(seconds=4))
