"""All probes, and how they are run: two sets of rules side by side, the probes of each one after another."""

import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import anyio

from server.probes import approving, changing, entering, keeping, reaching, spending, strangers
from server.probes.bench import Bench, bench_with
from server.probes.child import PROGRAM
from server.probes.probe import Broken, Finding, Probe, Rules
from server.probes.reaching import night_in_honolulu
from server.probes.spending import CAP

PROBES: tuple[Probe, ...] = (
    *changing.PROBES,
    *approving.PROBES,
    *keeping.PROBES,
    *strangers.PROBES,
    *reaching.PROBES,
    *spending.PROBES,
    *entering.PROBES,
)
"""In the order they are run in: those that spend come late, because VoiceTel shows its rates six times an hour."""

RULES: tuple[Rules, ...] = ("asking", "permissive")

PATIENCE_SECONDS = 120
"""How long one probe may take."""

Told = Callable[[Finding], None]


def rules_named(name: Rules) -> dict[str, Any]:
    """The operator's settings that probes run under."""
    if name == "asking":
        return {}
    return {
        "policy": {"paid": "allow"},
        "budget": [
            {"per": "day", "limit": str(CAP), "provider": "voicetel"},
            {"per": "month", "limit": "100"},
            {"per": "month", "limit": "100", "currency": "EUR"},
        ],
        "compliance": {"quiet_hours": night_in_honolulu()},
    }


async def run_probes(
    probes: Collection[Probe] = PROBES, *, program: Sequence[str] = PROGRAM, told: Told | None = None
) -> list[Finding]:
    """Run probes against fresh servers; findings come in the order of the probes.

    `program` is what Python runs as the server and as the command line, so that one can see probes break against
    another. `told` hears of each finding at once.
    """
    found: dict[str, Finding] = {}

    def take(finding: Finding) -> None:
        found[finding.probe.name] = finding
        if told is not None:
            told(finding)

    async with anyio.create_task_group() as group:
        for name in RULES:
            if lane := [probe for probe in probes if probe.rules == name]:
                group.start_soon(_run_lane, lane, rules_named(name), program, take)
    return [found[probe.name] for probe in probes]


async def _run_lane(probes: Sequence[Probe], rules: Mapping[str, Any], program: Sequence[str], take: Told) -> None:
    done: set[str] = set()
    reason = ""
    try:
        with tempfile.TemporaryDirectory(prefix="ringfence-probes-") as folder:
            async with bench_with(rules, Path(folder), program) as bench:
                for probe in probes:
                    take(await _finding(probe, bench))
                    done.add(probe.name)
    except Exception as failed:
        reason = _words(failed)
    for probe in probes:
        if probe.name not in done:
            take(Finding(probe, False, f"could not be tried: {reason}", 0))


async def _finding(probe: Probe, bench: Bench) -> Finding:
    started = time.monotonic()
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            held, evidence = True, await probe.run(bench)
    except Broken as broken:
        held, evidence = False, str(broken)
    except Exception as failed:
        # A probe that cannot be tried shows nothing, so it does not count as held.
        held, evidence = False, f"could not be tried: {_words(failed)}"
    return Finding(probe, held, " ".join(evidence.split()), time.monotonic() - started)


def _words(failed: BaseException) -> str:
    """Task groups wrap what is raised in them."""
    if isinstance(failed, BaseExceptionGroup):
        return _words(cast("BaseExceptionGroup[BaseException]", failed).exceptions[0])
    return f"{type(failed).__name__}: {failed}"
