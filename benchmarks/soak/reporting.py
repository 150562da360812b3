"""What a soak found, as a table."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.soak.ledgers import Comparison, Recorded, Unknown, compare
from benchmarks.soak.settling import mark_in
from benchmarks.soak.traffic import Heard
from benchmarks.soak.watching import Sample, slope


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that a run found."""

    heard: Heard
    recorded: Sequence[dict[str, Any]]
    received: Counter[str]
    unknown: Sequence[Unknown]
    charges: Sequence[dict[str, Any]]
    cap: str
    chaos: Counter[str]
    samples: Sequence[Sample]
    verified: Sequence[str]
    """Errors of the checks of audit log and receipts; empty text for each that is whole."""
    kills: int
    tracebacks: Counter[str]
    states: Counter[str]
    """Actions that were still open in the end, by state."""

    def compare(self) -> Comparison:
        """Compare the three ledgers."""
        recorded = [
            Recorded(mark_in(one), one["id"], one["state"], str(one.get("outcome") or ""))
            for one in self.recorded
            if mark_in(one)
        ]
        return compare(self.heard.told, recorded, self.received, self.unknown)

    def over_cap(self) -> dict[str, Decimal]:
        """Return what the provider charged beyond the cap, by currency; empty where it never did."""
        sums: Counter[str] = Counter()
        totals: dict[str, Decimal] = {}
        for charge in self.charges:
            sums[charge["currency"]] += 1
            totals[charge["currency"]] = totals.get(charge["currency"], Decimal(0)) + Decimal(charge["amount"])
        return {currency: total for currency, total in totals.items() if total > Decimal(self.cap)}


def print_summary(found: Found) -> bool:
    """Print what was found; return True where everything is zero or explained."""
    console, compared = Console(width=150, highlight=False), found.compare()
    calls = Table("calls", "outcome", "number", "p50 ms", "p99 ms", box=None, pad_edge=False)
    for (kind, outcome), number in sorted(found.heard.counts.items()):
        taken = sorted(found.heard.seconds.get(kind, []))
        p50 = f"{1000 * statistics.median(taken):.0f}" if taken else ""
        p99 = f"{1000 * taken[int(len(taken) * 0.99)]:.0f}" if taken else ""
        calls.add_row(kind, outcome, str(number), p50, p99)
    console.print(calls)
    console.print(f"Operator: {dict(found.heard.decided)}. Chaos: {dict(found.chaos)}.", soft_wrap=True)
    ends: dict[str, list[str]] = {
        "lost": compared.lost,
        "doubled": compared.doubled,
        "sent without record": compared.unrecorded,
        "left open": compared.left_open,
        "unknown, unexplained": compared.unexplained,
        "over the cap": [f"{currency} {total}" for currency, total in found.over_cap().items()],
        "audit and receipts": [wrong for wrong in found.verified if wrong],
    }
    for name, wrong in ends.items():
        console.print(f"{name}: {len(wrong)}", markup=False)
        for line in wrong[:10]:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    causes = Counter(f"{one.fault}: {one.sentence}" for one in found.unknown)
    console.print(f"unknown, explained: {sum(1 for one in found.unknown if one.fault)}")
    for cause, number in causes.most_common(12):
        console.print(f"  {number} x {cause}", markup=False, soft_wrap=True)
    states = Counter(one["state"] for one in found.recorded)
    console.print(f"Actions by state: {dict(states)}; took effect at the provider: {found.received.total()}.")
    console.print(f"Tracebacks in the logs: {dict(found.tracebacks)}.")
    _print_growth(console, found.samples)
    return not any(ends.values())


def _print_growth(console: Console, samples: Sequence[Sample]) -> None:
    """Print first and last values of the server that was never killed, and their growth a minute."""
    if not samples:
        return
    for name in ("rss", "descriptors", "threads", "connections"):
        points = [(one.at, float(getattr(one, name))) for one in samples if getattr(one, name) >= 0]
        grown = slope(points)
        told = "too short to say" if grown is None else f"{grown:+.2f} a minute after warm-up"
        console.print(f"{name}: {points[0][1]:.0f} at first, {points[-1][1]:.0f} in the end, {told}.")
