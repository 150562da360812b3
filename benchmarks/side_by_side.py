"""Measures Ringfence side by side with other servers in one run, and says of each goal whether it is met."""

import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import rows
from benchmarks.batches import CPU, MEDIAN, P99, RATE, SPREAD, Figures
from benchmarks.raw import Era, Refused
from benchmarks.rows import ROWS, Trial
from benchmarks.sides import BY_HAND, EMPTY, NAMES, RINGFENCE, open_rig

WARM_UP: Final = 0.6
"""Seconds of calls before the first round, in which a server loads what it needs, and reads its prices."""

Rounds = Mapping[tuple[str, str], Sequence[Figures]]
"""The figures of every round, by line and side; a round in which a call failed is left out."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a figure of Ringfence, or on its ratio to the same figure of another side or of another line."""

    bound: float
    at_least: bool = False
    is_ratio: bool = True

    def is_met(self, value: float) -> bool:
        """Return True where the value is within the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        """Return such as `at most 4 times`."""
        times = " times" if self.is_ratio else ""
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}{times}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a figure, what it is compared with, and its goal."""

    what: str
    figure: str
    goal: Goal | None = None
    against: tuple[str, str] | None = None
    """The line and the side to which the ratio is taken; the handwritten server on the same line if left out."""

    def ratio(self, rounds: Rounds) -> float | None:
        """Return the median of the ratios of the rounds: both figures of a round meet much the same load."""
        mine = rounds.get((self.what, RINGFENCE.name), ())
        others = rounds.get(self.against or (self.what, BY_HAND.name), ())
        pairs = zip(mine, others, strict=False)
        ratios = [
            one[self.figure] / other[self.figure] for one, other in pairs if {self.figure} <= one.keys() & other.keys()
        ]
        return statistics.median(ratios) if ratios else None

    def value(self, rounds: Rounds, side: str) -> float | None:
        """Return the median of the rounds."""
        figures = [one[self.figure] for one in rounds.get((self.what, side), ()) if self.figure in one]
        return statistics.median(figures) if figures else None

    def cells(self, rounds: Rounds) -> list[str]:
        """Return the line as text, cell by cell."""
        values = [self.value(rounds, side) for side in NAMES]
        ratio = self.ratio(rounds)
        judged = ratio if self.goal and self.goal.is_ratio else values[0]
        verdict = ""
        if self.goal and judged is not None:
            verdict = "met" if self.goal.is_met(judged) else "not met"
        shown = ["" if value is None else _number(value) for value in values]
        return [self.what, self.figure, *shown, f"{ratio:.2f}" if ratio else "", str(self.goal or ""), verdict]


HEADINGS: Final = ("what", "figure", *NAMES, "ratio", "goal", "")


def _lines() -> Iterator[Line]:
    for era in Era:
        what = rows.GUARDED.format(era=era.value)
        yield Line(what, MEDIAN, Goal(4))
        yield Line(what, CPU)
    for store in (rows.ALLOWED, rows.ON_POSTGRES):
        one, ten, two = (name.format(what=store) for name in (rows.ONE, rows.TEN, rows.IN_TWO))
        for what in (one, ten):
            yield Line(what, RATE, Goal(120, at_least=True, is_ratio=False))
            yield Line(what, CPU, Goal(10, is_ratio=False))
        yield Line(ten, P99)
        yield Line(two, RATE, Goal(1, at_least=True), against=(ten, RINGFENCE.name))
        yield Line(two, P99, against=(ten, RINGFENCE.name))
        yield Line(two, SPREAD, Goal(10, is_ratio=False), against=(ten, RINGFENCE.name))
    logged = rows.LOGGED.format(what=rows.ON_POSTGRES)
    yield Line(logged, rows.HELD, Goal(2, is_ratio=False))
    yield Line(logged, rows.HELD_OWN)
    yield Line(logged, rows.WAITED)
    for era in Era:
        yield Line(rows.READ_STDIO.format(era=era.value), CPU, Goal(1.15))
    for era in Era:
        for name in (rows.ONE, rows.TEN):
            what = name.format(what=rows.READ_HTTP.format(era=era.value))
            yield Line(what, RATE, Goal(0.9, at_least=True))
            yield Line(what, CPU)
    yield Line(rows.START, rows.FASTEST, Goal(1.15), against=(rows.START, EMPTY.name))
    yield Line(rows.AFTER_USE, rows.MEMORY, Goal(90, is_ratio=False))


LINES: Final = tuple(_lines())


def compare(names: Sequence[str], *, rounds: int, seconds: float, write: Path | None) -> None:
    """Measure the named rows, or all if none is named; print the table, and write it as Markdown if wanted."""
    with tempfile.TemporaryDirectory() as folder, open_rig(Path(folder)) as rig:
        taken: dict[tuple[str, str], list[Figures]] = defaultdict(list)
        for name in names or ROWS:
            rig.renew_provider()
            with ExitStack() as stack:
                _measure(name, _in_turn(ROWS[name](rig, stack)), taken, rounds, seconds)
    about = _about(rounds, seconds)
    lines = [line.cells(taken) for line in LINES if (line.what, RINGFENCE.name) in taken]
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for cells in lines:
        table.add_row(*cells)
    console = Console(width=220)
    console.print(table)
    console.print(about)
    if write:
        marks = [HEADINGS, ["---"] * len(HEADINGS), *lines]
        text = "\n".join(f"| {' | '.join(cells)} |" for cells in marks)
        write.write_text(f"{about}\n\n{text}\n", encoding="utf-8")


def _measure(
    name: str, trials: Sequence[Trial], taken: dict[tuple[str, str], list[Figures]], rounds: int, seconds: float
) -> None:
    """Let every trial warm up, and measure all of them in every round."""
    failed: set[tuple[str, str]] = set()
    for number, trial in chain.from_iterable(((n, trial) for trial in trials) for n in range(rounds + 1)):
        if sys.stderr.isatty():
            print(f"\r{name}, round {number} of {rounds} ", end="", file=sys.stderr, flush=True)
        key = trial.what, trial.side
        if key in failed:
            continue
        try:
            figures = trial.measurement.measure(seconds if number else WARM_UP)
        except Refused as refused:
            failed.add(key)
            print(f"\nleft out: {trial.what}, {trial.side}: {refused}", file=sys.stderr)
        else:
            if number:
                taken[key].append(figures)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _in_turn(trials: Iterable[Trial]) -> list[Trial]:
    """Put the sides of one line next to each other, so that they meet the same load on the machine."""
    lines: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        lines[trial.what].append(trial)
    return list(chain.from_iterable(lines.values()))


def _about(rounds: int, seconds: float) -> str:
    load, *_ = os.getloadavg()
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, median of {rounds} rounds of {seconds:g} s, "
        f"Python {platform.python_version()}, mcp {version('mcp')}, {os.cpu_count()} cores, load {load:.1f} at the end."
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
