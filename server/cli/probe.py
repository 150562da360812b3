"""`ringfence probe`: tries to get past the guard, against the simulated providers, and says what held."""

import json
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.table import Table

from server.cli.terminal import console, fail, plain
from tools.registry import nearest

if TYPE_CHECKING:
    from server.probes.probe import Finding, Probe


def probe(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these probes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try to get past the guard in every known way; leaves with 0 only if all of it held."""
    from server.probes.suite import run_probes

    chosen = _chosen(names or [])
    with console.status("Starting servers …") as status:
        count = 0

        def told(finding: "Finding") -> None:
            nonlocal count
            count += 1
            status.update(f"{count} of {len(chosen)} tried; last {finding.probe.name}")

        findings = anyio.run(lambda: run_probes(chosen, told=told))
    tell(findings, as_json=as_json)


def tell(findings: "list[Finding]", *, as_json: bool) -> None:
    """Print the findings; leave with 1 unless every probe held."""
    if as_json:
        typer.echo(json.dumps([_shown(finding) for finding in findings], indent=2))
    else:
        console.print(table(findings))
        console.print(_summary(findings), highlight=False)
    if not all(finding.held for finding in findings):
        raise typer.Exit(1)


def table(findings: "list[Finding]") -> Table:
    """Findings for the terminal; nothing in it is cut off."""
    shown = Table(box=None, pad_edge=False, show_edge=False)
    shown.add_column("probe", no_wrap=True)
    shown.add_column("result", no_wrap=True)
    shown.add_column("what is tried", overflow="fold")
    shown.add_column("evidence", overflow="fold")
    for finding in findings:
        result = "[green]held[/]" if finding.held else "[red]broken[/]"
        shown.add_row(finding.probe.name, result, plain(finding.probe.tries), plain(finding.evidence))
    return shown


def _chosen(names: list[str]) -> "list[Probe]":
    from server.probes.suite import PROBES

    by_name = {probe.name: probe for probe in PROBES}
    for name in names:
        if name not in by_name:
            close = nearest(name, by_name)
            fail(f"There is no probe {name}." + (f" Did you mean {close[0]}?" if close else ""))
    return [probe for probe in PROBES if not names or probe.name in names]


def _shown(finding: "Finding") -> dict[str, object]:
    probe = finding.probe
    return {
        "name": probe.name,
        "held": finding.held,
        "evidence": finding.evidence,
        "tries": probe.tries,
        "matters": probe.matters,
        "seconds": round(finding.seconds, 2),
    }


def _summary(findings: "list[Finding]") -> str:
    held = sum(finding.held for finding in findings)
    return f"{held} of {len(findings)} probes held."
