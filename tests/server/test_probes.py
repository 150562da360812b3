"""The guard holds against every probe, and the probes can tell when it does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli import command_line
from server.probes.probe import Broken, Finding, Probe
from server.probes.suite import PROBES, run_probes

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"

UNGUARDED: dict[str, Any] = {
    "policy": dict.fromkeys(("paid", "reroutes", "destructive", "privileged", "irreversible"), "allow"),
    "compliance": {"bulk_limit": 1000},
}
"""Rules under which the guard stands aside, so that probes of it must break."""

BREAKABLE = {
    "raised-price",
    "client-without-elicitation",
    "changed-arguments",
    "expired-approval",
    "another-principal",
    "irreversible-at-the-client",
    "bulk-at-the-client",
    "lost-answer",
    "obedient-model",
    "quiet-hours",
    "unknown-price",
}


async def test_the_guard_holds_against_every_probe() -> None:
    findings = await run_probes()
    assert [finding.probe.name for finding in findings] == [probe.name for probe in PROBES]
    broken = {finding.probe.name: finding.evidence for finding in findings if not finding.held}
    assert broken == {}


async def test_probes_break_where_the_operator_allows_everything() -> None:
    chosen = [probe for probe in PROBES if probe.name in BREAKABLE]
    findings = await run_probes(chosen, instead=UNGUARDED)
    assert {finding.probe.name for finding in findings if not finding.held} == BREAKABLE
    assert [finding.evidence for finding in findings if "could not be tried" in finding.evidence] == []


def test_every_probe_is_described_once() -> None:
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names)
    page = PAGE.read_text(encoding="utf-8")
    for probe in PROBES:
        assert probe.tries.endswith(".") and probe.matters.endswith(".")
        assert f"| `{probe.name}` | {probe.tries} | {probe.matters} |" in page


@pytest.mark.parametrize(("held", "code"), [(True, 0), (False, 1)], ids=["held", "broken"])
def test_the_command_leaves_with_0_only_if_every_probe_held(
    held: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: object, **__: object) -> list[Finding]:
        return [Finding(PROBES[0], True, "1 charge", 0.1), Finding(PROBES[1], held, "[0] requests " + "x" * 300, 0.1)]

    monkeypatch.setattr("server.probes.suite.run_probes", found)
    told = CliRunner().invoke(command_line(["probe"]), ["probe", "--json"])
    assert told.exit_code == code
    assert [row["held"] for row in json.loads(told.stdout)] == [True, held]
    shown = CliRunner().invoke(command_line(["probe"]), ["probe"])
    assert shown.exit_code == code
    assert f"{1 + held} of 2 probes held." in shown.stdout
    assert "".join(shown.stdout.split()).count("x") >= 300


def test_a_probe_that_does_not_exist_is_refused_with_the_nearest() -> None:
    told = CliRunner().invoke(command_line(["probe"]), ["probe", "lost-anser"])
    assert told.exit_code == 2
    assert "lost-answer" in told.stderr


async def test_a_probe_that_cannot_be_tried_does_not_count_as_held() -> None:
    async def fails(_: object) -> str:
        raise ValueError("no such thing")

    async def breaks(_: object) -> str:
        raise Broken("2 charges")

    probes = [
        Probe(name="fails", tries="Nothing.", matters="Nothing.", run=fails),
        Probe(name="breaks", tries="Nothing.", matters="Nothing.", run=breaks),
    ]
    found = await run_probes(probes, instead=UNGUARDED)
    assert [finding.held for finding in found] == [False, False]
    assert [finding.evidence for finding in found] == ["could not be tried: ValueError: no such thing", "2 charges"]
