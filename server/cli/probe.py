"""`ringfence probe`: attacks the guard over the simulated providers, and reports which attacks it withstood."""

import json
from typing import Annotated

import anyio
import typer
from rich.table import Table

from server.cli.terminal import console, fail, plain
from server.probes.planning import Way
from server.probes.probe import Finding, Probe
from server.probes.suite import PROBES, run_probes
from tools.registry import nearest


def probe(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these probes.")] = None,
    through: Annotated[Way, typer.Option(help="Make guarded calls by themselves, or as steps of plans.")] = "calls",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try to get past the guard in every known way; exits with 0 only if it held every time."""
    chosen = [one for one in _choose(names or []) if through in one.ways]
    if not chosen:
        fail(f"None of these can be tried through {through}.")
    with console.status("Starting servers …") as status:
        count = 0

        def show_progress(finding: Finding) -> None:
            nonlocal count
            count += 1
            status.update(f"{count} of {len(chosen)} tried; last {finding.probe.name}")

        findings = anyio.run(lambda: run_probes(chosen, report=show_progress, way=through))
    print_findings(findings, as_json=as_json)


def print_findings(findings: list[Finding], *, as_json: bool) -> None:
    """Print the findings; exit with 1 unless every probe held."""
    if as_json:
        typer.echo(json.dumps([_to_json(finding) for finding in findings], indent=2))
    else:
        console.print(table(findings))
        console.print(_summary(findings), highlight=False)
    if not all(finding.held for finding in findings):
        raise typer.Exit(1)


def table(findings: list[Finding]) -> Table:
    """Build the table for the terminal; nothing in it is cut off."""
    rows = Table(box=None, pad_edge=False, show_edge=False)
    rows.add_column("probe", no_wrap=True)
    rows.add_column("result", no_wrap=True)
    rows.add_column("what is tried", overflow="fold")
    rows.add_column("evidence", overflow="fold")
    for finding in findings:
        result = "[green]held[/]" if finding.held else "[red]broken[/]"
        rows.add_row(finding.probe.name, result, plain(finding.probe.tries), plain(finding.evidence))
    return rows


def _choose(names: list[str]) -> list[Probe]:
    by_name = {probe.name: probe for probe in PROBES}
    for name in names:
        if name not in by_name:
            close = nearest(name, by_name)
            fail(f"There is no probe {name}." + (f" Did you mean {close[0]}?" if close else ""))
    return [probe for probe in PROBES if not names or probe.name in names]


def _to_json(finding: Finding) -> dict[str, object]:
    probe = finding.probe
    return {
        "name": probe.name,
        "held": finding.held,
        "evidence": finding.evidence,
        "tries": probe.tries,
        "matters": probe.matters,
        "seconds": round(finding.seconds, 2),
    }


def _summary(findings: list[Finding]) -> str:
    held = sum(finding.held for finding in findings)
    return f"{held} of {len(findings)} probes held."
