"""Runs the probes: two sets of rules side by side, the probes of each set one after another."""

import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, cast

import anyio

from server.probes.attacks import (
    access,
    allowances,
    approval_scope,
    approvals,
    budgets,
    destinations,
    integrity,
    plans,
    reasons,
    scopes,
    untrusted_text,
)
from server.probes.attacks.budgets import CAP
from server.probes.attacks.destinations import quiet_hours_in_honolulu
from server.probes.bench import Bench, start_bench
from server.probes.planning import Way
from server.probes.probe import Broken, Finding, Probe, Rules
from server.probes.server_process import PROGRAM

ATTACKS: tuple[Probe, ...] = (
    budgets.NEGATIVE_PRICE,
    *approval_scope.PROBES,
    *approvals.PROBES,
    *plans.PROBES,
    *reasons.PROBES,
    *integrity.PROBES,
    *untrusted_text.PROBES,
    *destinations.PROBES,
    *budgets.PROBES,
    *access.PROBES,
    *scopes.PROBES,
    *allowances.PROBES,
)
"""In the order of their run: those that spend are late, because VoiceTel shows its rates six times an hour.

The one that changes a rate which no other uses is the first.
"""

UNDER_ALLOWANCES = (
    "injected-call",
    "dangerous-destination",
    "quiet-hours",
    "opted-out",
    "override-by-argument",
    "unknown-price",
    "repeated-call",
    "parallel-overrun",
)
"""Attacks whose bad call an allowance could cover, in the order of their run: the last one spends the whole cap."""

PROBES: tuple[Probe, ...] = (
    *ATTACKS,
    *allowances.through_allowances(probe for name in UNDER_ALLOWANCES for probe in ATTACKS if probe.name == name),
)

RULES: tuple[Rules, ...] = ("asking", "permissive", "allowed")

LANES_AT_ONCE = 2
"""How many sets of rules are tried side by side: each has servers of its own, which a small machine must carry."""

PATIENCE_SECONDS = 120
"""How long one probe may take."""

Report = Callable[[Finding], None]


def rules_named(name: Rules) -> dict[str, Any]:
    """Return the settings for a set of rules."""
    if name == "asking":
        return {}
    return {
        **({"policy": {"paid": "allow"}} if name == "permissive" else {}),
        "budget": [
            {"per": "day", "limit": str(CAP), "provider": "voicetel"},
            {"per": "month", "limit": "100"},
            {"per": "month", "limit": "100", "currency": "EUR"},
        ],
        "compliance": {"quiet_hours": quiet_hours_in_honolulu()},
    }


async def run_probes(
    probes: Collection[Probe] = PROBES,
    *,
    program: Sequence[str] = PROGRAM,
    report: Report | None = None,
    way: Way = "calls",
) -> list[Finding]:
    """Run probes against fresh servers, and return their findings in the order of the probes.

    `program` is what Python runs as the server and as the command line; a test passes a vulnerable one. `report` is
    called with each finding at once. `way` is how guarded calls are made; probes without it are left out.
    """
    probes = [probe for probe in probes if way in probe.ways]
    found: dict[str, Finding] = {}

    def add(finding: Finding) -> None:
        found[finding.probe.name] = finding
        if report is not None:
            report(finding)

    turns = anyio.CapacityLimiter(LANES_AT_ONCE)

    async def run_lane(name: Rules, lane: Sequence[Probe]) -> None:
        async with turns:
            await _run_lane(name, lane, program, add, way)

    async with anyio.create_task_group() as group:
        for name in RULES:
            if lane := [probe for probe in probes if probe.rules == name]:
                group.start_soon(run_lane, name, lane)
    return [found[probe.name] for probe in probes]


async def _run_lane(name: Rules, probes: Sequence[Probe], program: Sequence[str], add: Report, way: Way) -> None:
    done: set[str] = set()
    reason = ""
    try:
        with tempfile.TemporaryDirectory(prefix="ringfence-probes-") as folder:
            async with start_bench(rules_named(name), Path(folder), program, way=way) as bench:
                if name == "allowed":
                    await allowances.allow_everything(bench.store, bench.principals)
                for probe in probes:
                    add(await _run(probe, bench))
                    done.add(probe.name)
    except Exception as failed:
        reason = _describe(failed)
    for probe in probes:
        if probe.name not in done:
            add(Finding(probe, False, f"could not be tried: {reason}", 0))


async def _run(probe: Probe, bench: Bench) -> Finding:
    started = time.monotonic()
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            held, evidence = True, await probe.run(bench)
    except Broken as broken:
        held, evidence = False, str(broken)
    except Exception as failed:
        # A probe that cannot be tried shows nothing, so it does not count as held.
        held, evidence = False, f"could not be tried: {_describe(failed)}"
    return Finding(probe, held, " ".join(evidence.split()), time.monotonic() - started)


def _describe(failed: BaseException) -> str:
    """Describe an error; task groups wrap what is raised in them."""
    if isinstance(failed, BaseExceptionGroup):
        return _describe(cast("BaseExceptionGroup[BaseException]", failed).exceptions[0])
    return f"{type(failed).__name__}: {failed}"
