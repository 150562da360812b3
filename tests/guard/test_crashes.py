"""However a process dies during a guarded call: one effect an approval, and every outcome is found or told.

Together 204 kills. The moments are drawn by lot; `CRASH_SEED=… pytest` draws them again.
"""

import json
import os
import random
import sys
from pathlib import Path

import anyio
import pytest

from tests.fork_server import forking_python
from tests.guard.crashing.calls import CALLS
from tests.guard.crashing.checking import audited, complaints, integrity
from tests.guard.crashing.trials import Trial
from tests.sandbox_control import sandboxes

SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**6))


@pytest.mark.parametrize(
    ("call", "kills", "options"),
    [
        ("order", 54, ("--rounds", "3", "--moments", "30")),
        ("forward", 54, ("--rounds", "3", "--moments", "33")),
        ("message", 54, ("--rounds", "3", "--moments", "33")),
        ("order", 42, ("--moments", "42", "--new-store")),
    ],
    ids=["with an idempotency key", "without one", "where no read can deny it", "while the store is made"],
)
async def test_a_killed_call_takes_effect_once_and_its_outcome_is_found_or_told(
    call: str, kills: int, options: tuple[str, ...], tmp_path: Path
) -> None:
    trials = await _killed(call, options, tmp_path)
    wrong = {
        f"kill {trial.number}, {trial.killed}": found for trial in trials if (found := complaints(trial, CALLS[call]))
    }
    assert not wrong, f"CRASH_SEED={SEED}: {json.dumps(wrong, indent=2)}"
    assert len(trials) == kills
    for store in sorted({tmp_path / trial.store for trial in trials}):
        assert integrity(store / "ringfence.db") == "ok"
        assert (await audited(store)).is_whole


async def _killed(call: str, options: tuple[str, ...], folder: Path) -> list[Trial]:
    """Run a batch of kills in its own process, which may fork: this one has threads and an event loop."""
    async with sandboxes() as sandbox:
        command = [sys.executable, *forking_python(), "-m", "tests.guard.crashing", call, sandbox.url, str(folder)]
        environment = {name: value for name, value in os.environ.items() if name != "RINGFENCE_STATE_FOLDER"}
        ran = await anyio.run_process([*command, "--seed", str(SEED), *options], check=False, env=environment)
    assert ran.returncode == 0, f"CRASH_SEED={SEED}: {ran.stderr.decode()}"
    return [Trial(**json.loads(line)) for line in ran.stdout.decode().splitlines()]
