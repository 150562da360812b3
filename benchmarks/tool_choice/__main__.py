"""`uv run python -m benchmarks.tool_choice`: how often a search finds what people ask for.

Each file in `writers/` has the requests of one writer, in the person's own words and as the first search that an
assistant makes of them. Its head says who wrote it and whether it was looked at while the search was tuned. The
figures that count are those of the sets that nobody looked at: with `--missed` only the others' misses are printed.
Exits with 1 when a gate is missed.
"""

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from benchmarks.tool_choice.gates import misses_of
from benchmarks.tool_choice.scoring import Part, RequestSet, Score, by_group, latency, request_sets, score

CONFUSIONS_SHOWN = 12


def main() -> None:
    """Print the scores of every set, by kind and toolset, with what is confused, and check the gates."""
    console = Console(width=150)
    possible = [one for one in request_sets() if not one.is_impossible]
    impossible = [one for one in request_sets() if one.is_impossible]
    _print_sets(console, possible)
    parts: tuple[Part, Part] = ("kind", "toolset")
    for part in parts:
        _print_groups(console, part, by_group([one for one in possible if not one.was_looked_at], part))
    _print_confusions(console, [one for one in possible if one.was_looked_at])
    _print_impossible(console, impossible)
    median, slowest = latency()
    console.print(f"\nA search takes {median * 1000:.1f} ms (median), {slowest * 1000:.1f} ms (slowest).")
    if "--missed" in sys.argv:
        _print_missed(console, [one for one in possible if one.was_looked_at])
    missed = misses_of(request_sets())
    for line in missed:
        console.print(f"[bold red]missed:[/] {line}")
    sys.exit(1 if missed else 0)


def _print_sets(console: Console, sets: list[RequestSet]) -> None:
    table = Table("writer", "asked in", "looked at", "number", "first", "in 3", "in 5", "takes a wrong thing", box=None)
    for one in sets:
        found = score(one)
        table.add_row(one.name, one.way, _yes(one.was_looked_at), str(len(one.requests)), *_shares(found))
    console.print(table)


def _print_groups(console: Console, title: str, groups: Mapping[str, Score]) -> None:
    table = Table(f"{title} (not looked at)", "number", "first", "in 3", "in 5", "takes a wrong thing", box=None)
    for name, found in groups.items():
        table.add_row(name, str(len(found.places)), *_shares(found))
    console.print("", table)


def _print_confusions(console: Console, sets: list[RequestSet]) -> None:
    """Print what came first instead of what. Of sets that were looked at alone, so that the others stay untouched."""
    counted = score(tuple(request for one in sets for request in one.requests)).confusions
    table = Table("wanted (looked at)", "came first", "times", box=None)
    for (wanted, came), times in counted.most_common(CONFUSIONS_SHOWN):
        table.add_row(wanted, came, str(times))
    console.print("", table)


def _print_impossible(console: Console, sets: list[RequestSet]) -> None:
    table = Table("what nobody offers", "asked in", "looked at", "number", "a guarded operation first", box=None)
    for one in sets:
        table.add_row(one.name, one.way, _yes(one.was_looked_at), str(len(one.requests)), f"{score(one).guarded:.3f}")
    console.print("", table)


def _print_missed(console: Console, sets: list[RequestSet]) -> None:
    for one in sets:
        for place in score(one).places:
            if place.rank != 0:
                wanted = sorted(place.request.accepts)[:3]
                console.print(f"{one.name}: {place.request.text}: wanted {wanted}, found {list(place.shown)}")


def _shares(found: Score) -> list[str]:
    return [*(f"{found.recall(top):.3f}" for top in (1, 3, 5)), f"{found.wrong_taken:.3f}"]


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


if __name__ == "__main__":
    main()
