"""Run one batch against a sandbox that is already serving, and print a line of JSON for each kill."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.guard.crashing.calls import CALLS
from tests.guard.crashing.trials import Batch


def main() -> None:
    """Read the batch from the command line and run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.guard.crashing", description=__doc__)
    parser.add_argument("call", choices=sorted(CALLS))
    parser.add_argument("url", help="address of the sandbox")
    parser.add_argument("folder", type=Path, help="where the stores are put")
    parser.add_argument("--rounds", type=int, default=0, help="kills at each step")
    parser.add_argument("--moments", type=int, default=0, help="kills at moments drawn by lot")
    parser.add_argument("--seed", type=int, default=0, help="of the lot")
    parser.add_argument("--new-store", action="store_true", help="a store of its own for each kill")
    asked = parser.parse_args()
    batch = Batch(asked.call, asked.url, asked.folder, new_store=asked.new_store)
    batch.warm_up()
    for trials in (batch.at_steps(asked.rounds), batch.at_moments(asked.moments, asked.seed) if asked.moments else ()):
        for trial in trials:
            sys.stdout.write(json.dumps(asdict(trial)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
