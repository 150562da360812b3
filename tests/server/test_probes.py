"""The guard holds against every probe, and the probes can tell when it does not."""

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from server.cli.app import command_line
from server.cli.probe import print_findings, table
from server.probes.probe import Finding, Probe
from server.probes.server_process import PROGRAM
from server.probes.suite import PROBES, UNDER_ALLOWANCES, run_probes
from tests.fork_server import forking_python

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"

CARELESS = Path(__file__).with_name("naive_client.py")

HOLES: Mapping[str, str] = {
    "negative-price": "it was carried out",
    "stricter-rules": "2 answers to old questions were sent",
    "raised-price": "the more expensive order was sent on the old approval",
    "changed-arguments": "with the order of the numbers changed, the call needed no new approval",
    "replayed-answer": "4 requests, 1 charges",
    "client-without-elicitation": "the approval counted a second time",
    "no-yes": "decline: the call was carried out",
    "expired-approval": "an approval was accepted after the question had expired",
    "self-approve-by-tool": "there is a tool approve_action",
    "self-approve-by-page": "the page answered [200, 303]",
    "self-approve-by-command": "the command exited with 0",
    "forged-answer": "the action is no longer pending",
    "another-principal": "the call did not wait for approval: Done",
    "irreversible-at-the-client": "the number was released",
    "bulk-at-the-client": "the order was sent",
    "plan-bad-destination": "+19005550100 among 200 rows was not refused",
    "plan-changed-row": "with a number changed, it needed no new approval",
    "plan-reference": "a recipient was left to an earlier answer",
    "plan-of-another": "the plan did not wait for approval",
    "reason-as-the-server": "a line of its own",
    "reason-that-approves": "the call did not wait for approval",
    "leaked-secret": "are in a log",
    "tampered-audit": "does not verify: row 1 was changed",
    "older-record": "a call ran on an older copy of the record: Done",
    "freeze": "a call ran: Done",
    "closed-fence": "two answers have the same tag",
    "injected-call": "it was sent",
    "obedient-model": "requests reached the provider",
    "dangerous-destination": "premium +19005550123: Done",
    "quiet-hours": "it was sent in quiet hours",
    "opted-out": "voicetel_send_message: Done",
    "override-by-argument": "confirm=True: Done",
    "misspelled-argument": "it was not refused: Done",
    "unknown-price": "it was sent",
    "parallel-overrun": "50 of 50 were sent, 50 charged",
    "lost-answer": "the model got: Nothing was sent.",
    "lost-answer-with-key": "there was no receipt",
    "unshown-outcome": "after empty, the action was done",
    "empty-204": "the model got: There is no body.",
    "repeated-call": "the second call needed no approval",
    "valid-names": "note has an argument 'amount$'",
    "another-account": "an account out of the token's reach could be called",
    "beyond-scopes": "an order by name was answered 200",
    "http-doors": "answered [401, 200, 421, 403]",
    "allowance-widened": "with another recipient, the call needed no approval",
    "allowance-of-another": "called under the allowance of alice",
    "allowance-ended": "an expired allowance let a call through",
    "allowance-overrun": "50 of 50 were sent; the allowance is for 10",
}
"""What each probe must say of a server that has the hole it looks for."""

FOUND: Mapping[str, str] = {**HOLES, **{f"allowed-{name}": HOLES[name] for name in UNDER_ALLOWANCES}}
"""The same attack under an allowance finds the same hole."""


def _forked(*program: str) -> Sequence[str]:
    """Return what Python runs as a server or a command, forked: a run of the probes starts dozens of them."""
    return (*forking_python(), *program)


async def test_the_guard_holds_against_every_probe() -> None:
    findings = await run_probes(program=_forked(*PROGRAM))
    assert [finding.probe.name for finding in findings] == [probe.name for probe in PROBES]
    broken = {finding.probe.name: finding.evidence for finding in findings if not finding.held}
    assert broken == {}


async def test_the_guard_holds_when_every_guarded_call_is_the_step_of_a_plan() -> None:
    tried = [probe for probe in PROBES if "plans" in probe.ways and probe.rules == "asking"]
    findings = await run_probes(tried, way="plans", program=_forked(*PROGRAM))
    assert len(findings) == len(tried) > 20
    broken = {finding.probe.name: finding.evidence for finding in findings if not finding.held}
    assert broken == {}


async def test_every_probe_finds_the_hole_it_looks_for_and_one_that_cannot_be_tried_counts_as_broken() -> None:
    async def fails(_: object) -> str:
        raise ValueError("no such thing")

    cannot = Probe(name="cannot-be-tried", tries="Nothing.", matters="Nothing.", run=fails)
    findings = await run_probes([*PROBES, cannot], program=_forked(str(CARELESS)))
    found = {finding.probe.name: finding.evidence for finding in findings if not finding.held}
    assert found.keys() == {*(probe.name for probe in PROBES), cannot.name}
    assert found.pop(cannot.name) == "could not be tried: ValueError: no such thing"
    assert {name: told for name, told in found.items() if FOUND[name] not in told} == {}


def test_every_probe_is_described_once() -> None:
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names)
    page = PAGE.read_text(encoding="utf-8")
    for probe in PROBES:
        assert probe.tries.endswith(".")
        assert probe.matters.endswith(".")
        assert f"| `{probe.name}` | {probe.tries} | {probe.matters} |" in page


def test_the_command_exits_with_1_if_a_probe_broke(capsys: pytest.CaptureFixture[str]) -> None:
    held = Finding(PROBES[0], True, "1 charge", 0.1)
    broken = Finding(PROBES[1], False, "[2] charges " + "x" * 300, 0.1)
    print_findings([held], as_json=True)
    assert [row["evidence"] for row in json.loads(capsys.readouterr().out)] == ["1 charge"]
    with pytest.raises(typer.Exit) as exited:
        print_findings([held, broken], as_json=True)
    assert exited.value.exit_code == 1
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
