"""`uv run python -m benchmarks [WORD …]`: runs all measurements, or the named ones, against the sandbox."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.console import console
from benchmarks.jobs import jobs
from benchmarks.large import large_list
from benchmarks.measuring import Row, guarded_call, listing, read_call, start
from benchmarks.record import approval_page, long_record
from sandbox.serving import serve_sandbox

MEASUREMENTS = {
    "start": start,
    "read": read_call,
    "guarded": guarded_call,
    "jobs": jobs,
    "record": long_record,
    "page": approval_page,
    "console": console,
    "listing": listing,
    "large": large_list,
}
"""Measurements by the word that runs one alone."""


async def measure(words: Sequence[str]) -> list[Row]:
    """Run the named measurements, or all if none is named, one after the other, and return their rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        async with serve_sandbox() as url:
            for number, measurement in enumerate(MEASUREMENTS[word] for word in words or MEASUREMENTS):
                rows += await measurement(url, Path(folder) / str(number))
    return rows


def main() -> None:
    """Measure, and print one table."""
    table = Table("what", "ringfence", "compared with", "ratio", "aim", box=None, pad_edge=False)
    for row in anyio.run(measure, sys.argv[1:]):
        table.add_row(row.what, row.ours, row.other, f"{row.ratio:.2f}" if row.ratio else "", row.aim)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
