"""`uv run python -m benchmarks`: measures everything against the sandbox and prints one table."""

import tempfile
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Row, guarded_call, listing, read_call, start
from sandbox.serving import serve_sandbox


async def measure() -> list[Row]:
    """Every row, one measurement after the other."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        async with serve_sandbox() as url:
            for number, measurement in enumerate((start, read_call, guarded_call, listing)):
                rows += await measurement(url, Path(folder) / str(number))
    return rows


def main() -> None:
    """Measure and print."""
    table = Table("what", "ringfence", "compared with", "ratio", "aim", box=None, pad_edge=False)
    for row in anyio.run(measure):
        table.add_row(row.what, row.ours, row.other, f"{row.ratio:.2f}" if row.ratio else "", row.aim)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
