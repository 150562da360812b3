"""`uv run python -m benchmarks`: compares Ringfence with other servers side by side, or measures it by itself."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.console import console
from benchmarks.jobs import jobs
from benchmarks.large import large_list
from benchmarks.measuring import Row, listing
from benchmarks.record import approval_page, long_record
from benchmarks.rows import ROWS
from benchmarks.scale.measuring import scale
from benchmarks.side_by_side import compare
from sandbox.serving import serve_sandbox

MEASUREMENTS = {
    "jobs": jobs,
    "record": long_record,
    "page": approval_page,
    "console": console,
    "listing": listing,
    "large": large_list,
    "scale": scale,
}
"""Measurements of Ringfence by itself, by the word that runs one."""


async def measure(words: Sequence[str]) -> list[Row]:
    """Run the named measurements one after the other, and return their rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        async with serve_sandbox() as url:
            for number, measurement in enumerate(MEASUREMENTS[word] for word in words):
                rows += await measurement(url, Path(folder) / str(number))
    return rows


def main() -> None:
    """Measure, and print one table."""
    options = _parser().parse_args()
    if options.words:
        print_rows(anyio.run(measure, options.words))
    else:
        compare(options.only, rounds=options.rounds, seconds=options.seconds, write=options.write)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("words", nargs="*", metavar="WORD", help=f"measure by itself: {', '.join(MEASUREMENTS)}")
    add("--only", action="append", default=[], choices=list(ROWS), help="compare this row alone; repeatable")
    add("--rounds", type=int, default=5, help="rounds, of which the median counts (default 5)")
    add("--seconds", type=float, default=1.0, help="seconds of calls of each server in a round (default 1)")
    add("--write", type=Path, metavar="FILE", help="write the table of the comparison as Markdown too")
    return parser


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table of measurements."""
    table = Table("what", "ringfence", "compared with", "ratio", "aim", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.what, row.ours, row.other, f"{row.ratio:.2f}" if row.ratio else "", row.aim)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
