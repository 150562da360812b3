"""The guard holds against every probe, and the probes can tell when it does not."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from server.cli import command_line
from server.commands.probe import table, tell
from server.probes.probe import Finding, Probe
from server.probes.suite import PROBES, run_probes

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"

UNGUARDED: dict[str, Any] = {
    "policy": dict.fromkeys(("paid", "reroutes", "destructive", "privileged", "irreversible"), "allow"),
    "compliance": {"bulk_limit": 1000},
}
"""Rules under which the guard stands aside, so that probes of it must break."""

BREAKABLE = {
    "client-without-elicitation",
    "changed-arguments",
    "irreversible-at-the-client",
    "bulk-at-the-client",
    "quiet-hours",
    "unknown-price",
    "parallel-overrun",
}


async def test_the_guard_holds_against_every_probe() -> None:
    findings = await run_probes()
    assert [finding.probe.name for finding in findings] == [probe.name for probe in PROBES]
    broken = {finding.probe.name: finding.evidence for finding in findings if not finding.held}
    assert broken == {}


async def test_probes_break_where_the_operator_allows_everything_or_they_cannot_be_tried() -> None:
    async def fails(_: object) -> str:
        raise ValueError("no such thing")

    cannot = Probe(name="cannot-be-tried", tries="Nothing.", matters="Nothing.", run=fails)
    chosen = [probe for probe in PROBES if probe.name in BREAKABLE]
    findings = await run_probes([*chosen, cannot], instead=UNGUARDED)
    assert {finding.probe.name for finding in findings if not finding.held} == {*BREAKABLE, cannot.name}
    not_tried = [finding.evidence for finding in findings if "could not be tried" in finding.evidence]
    assert not_tried == ["could not be tried: ValueError: no such thing"]


def test_every_probe_is_described_once() -> None:
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names)
    page = PAGE.read_text(encoding="utf-8")
    for probe in PROBES:
        assert probe.tries.endswith(".")
        assert probe.matters.endswith(".")
        assert f"| `{probe.name}` | {probe.tries} | {probe.matters} |" in page


def test_the_command_leaves_with_1_if_a_probe_broke(capsys: pytest.CaptureFixture[str]) -> None:
    held = Finding(PROBES[0], True, "1 charge", 0.1)
    broken = Finding(PROBES[1], False, "[2] charges " + "x" * 300, 0.1)
    tell([held], as_json=True)
    assert [row["evidence"] for row in json.loads(capsys.readouterr().out)] == ["1 charge"]
    with pytest.raises(typer.Exit) as left:
        tell([held, broken], as_json=True)
    assert left.value.exit_code == 1
    assert [row["held"] for row in json.loads(capsys.readouterr().out)] == [True, False]


def test_the_table_cuts_nothing_off() -> None:
    shown = Console(width=80, record=True, file=StringIO())
    shown.print(table([Finding(PROBES[0], False, "[2] charges " + "x" * 300, 0.1)]))
    text = "".join(shown.export_text().split())
    assert "[2]" in text
    assert text.count("x") >= 300


def test_a_probe_that_does_not_exist_is_refused_with_the_nearest() -> None:
    told = CliRunner().invoke(command_line(["probe"]), ["probe", "lost-anser"])
    assert told.exit_code == 2
    assert "lost-answer" in told.stderr
