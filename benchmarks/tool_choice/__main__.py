"""`uv run python -m benchmarks.tool_choice`: how often a search finds what people ask for.

The requests were written before the ranking was, in the words of people who run telephony, some misspelled, some in
Spanish, German or Greek. Every second one is held out: the weights and terms were tuned on the others alone. (One
person wrote all of them, so the halves resemble each other more than other people's requests will.)
Exits with 1 when a gate is missed.
"""

import sys

from rich.console import Console
from rich.table import Table

from benchmarks.tool_choice.scoring import GATES, Half, halves, latency, score


def main() -> None:
    """Score both halves, print the scores and what was missed, and check the gates."""
    console = Console(width=150)
    table = Table("requests", "number", "recall@1", "recall@3", "recall@5", box=None)
    missed = False
    for half in halves():
        found = score(half)
        table.add_row(half.name, str(len(half.requests)), *(f"{found.recall(top):.3f}" for top in (1, 3, 5)))
        missed |= any(found.recall(top) < gate for top, gate in GATES.items())
    console.print(table)
    median, slowest = latency()
    console.print(
        f"\nA search takes {median * 1000:.2f} ms (median), {slowest * 1000:.2f} ms (slowest of all requests)."
    )
    _print_missed(console, halves())
    sys.exit(1 if missed else 0)


def _print_missed(console: Console, both: list[Half]) -> None:
    shown = both if "--all" in sys.argv else both[:1]
    for half in shown:
        for request, names in score(half).missed:
            console.print(f"[{half.name}] {request.text}: wanted {sorted(request.accepts)[:3]}, found {names}")


if __name__ == "__main__":
    main()
