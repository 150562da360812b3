"""What the measurements say about their figures; how long anything takes is no test."""

import pytest

from benchmarks.batches import MEDIAN, RATE
from benchmarks.side_by_side import Goal, Line
from benchmarks.writers_lock import read_lock_times

LOG = (
    "1764550000.100:71:LOG:  duration: 0.020 ms  statement: BEGIN",
    "1764550000.104:71:LOG:  duration: 3.000 ms  statement: SELECT pg_advisory_xact_lock(7)",
    "1764550000.105:72:LOG:  duration: 0.010 ms  statement: BEGIN",
    "1764550000.106:71:LOG:  duration: 0.100 ms  execute _pg3_0: SELECT title FROM actions",
    "1764550000.110:71:LOG:  duration: 2.000 ms  statement: COMMIT",
    "1764550000.111:72:LOG:  duration: 6.000 ms  statement: SELECT pg_advisory_xact_lock_shared(9); "
    "SELECT pg_advisory_xact_lock(-8); SELECT pg_advisory_xact_lock(7)",
    "1764550000.113:72:LOG:  duration: 0.200 ms  statement: ROLLBACK",
    "1764550000.114:73:LOG:  checkpoint starting: time",
)


def test_a_lock_is_held_from_the_statement_that_takes_it_to_the_end_of_its_transaction() -> None:
    times = read_lock_times(LOG)
    assert {number: round(held) for number, held in times.held.items()} == {"7": 6 + 2, "-8": 2}
    assert round(times.held_of(["SELECT pg_advisory_xact_lock(-8)"])) == 2
    assert round(times.waited) == 3 + 6


@pytest.mark.parametrize(
    ("goal", "figures", "verdict"),
    [
        (Goal(4), {MEDIAN: 12.0}, "met"),
        (Goal(4), {MEDIAN: 12.9}, "not met"),
        (Goal(10, is_ratio=False), {MEDIAN: 12.0}, "not met"),
        (Goal(10, is_ratio=False), {MEDIAN: 10.0}, "met"),
        (Goal(4, at_least=True), {MEDIAN: 12.0}, "met"),
        (Goal(4, at_least=True), {MEDIAN: 11.1}, "not met"),
    ],
    ids=str,
)
def test_a_goal_is_judged_by_the_ratio_or_by_the_figure(goal: Goal, figures: dict[str, float], verdict: str) -> None:
    rounds = {("a call", "Ringfence"): [figures], ("a call", "by hand"): [{MEDIAN: 3.0}]}
    assert Line("a call", MEDIAN, goal).cells(rounds)[-1] == verdict


def test_a_figure_that_was_not_measured_is_left_empty_and_judged_by_nobody() -> None:
    rounds = {("a call", "Ringfence"): [{RATE: 90.0}]}
    assert Line("a call", RATE, Goal(0.9, at_least=True)).cells(rounds) == [
        *("a call", RATE, "90.0", "", "", ""),
        *("", "at least 0.9 times", ""),
    ]
