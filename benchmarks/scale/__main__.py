"""`uv run python -m benchmarks.scale --actions 1000000 --folder DIR`: measures a record of any size."""

import argparse
from functools import partial
from pathlib import Path

import anyio

from benchmarks.__main__ import print_rows
from benchmarks.scale.measuring import ACTIONS, measure


async def _run(folder: Path, count: int, *, is_filled: bool) -> None:
    async for row in measure(folder, count, is_filled=is_filled):
        print_rows([row])


def main() -> None:
    """Measure, and print each row once it is there: a large record takes hours."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--actions", type=int, default=ACTIONS, help=f"how many actions (default {ACTIONS})")
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder, with room for 10 KB an action")
    parser.add_argument("--filled", action="store_true", help="the record is in FOLDER/sqlite already")
    options = parser.parse_args()
    anyio.run(partial(_run, options.folder.absolute(), options.actions, is_filled=options.filled))


if __name__ == "__main__":
    main()
