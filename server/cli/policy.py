"""`ringfence policy`: what is allowed, needs approval, or is forbidden, and by which rule."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import anyio
import typer
from rich.table import Table

from clients.shared.clock import SystemClock
from guard.replay.report import Report, left_out_lines, summary_lines, to_json
from guard.replay.trial import try_rules
from server.cli.terminal import StoreSession, Target, console, fail, operator_command, plain, tell, with_store
from server.console.rules.explanation import NoSuchTool, explain_allowances, explain_tool, needs_no_allowance
from server.settings.explain import MEANING, rules_in_force, where
from server.settings.lint import lint
from server.settings.model import Settings
from server.store.recorded.calls import RecordedCalls
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named

MOST_ALLOWANCES: Final = 1000
"""How many allowances are looked through, newest first."""

app = typer.Typer(help="What is allowed, needs approval, or is forbidden.", no_args_is_help=True)


@app.command()
@operator_command
def show(target: Target) -> None:
    """Show the rules in force, and where each of them is set."""
    settings = target.rule_settings()
    table = Table("rule", "value", "set by", box=None, pad_edge=False)
    for rule in rules_in_force(settings):
        table.add_row(plain(rule.name), plain(rule.value), plain(where(rule, settings)))
    console.print(table)
    for decision, meaning in MEANING.items():
        tell(f"{decision.word}: {meaning}.")
    console.print("An operation's rule counts before its toolset's, then its provider's, then the strictest effect's.")


@app.command()
@operator_command
def check(
    target: Target, file: Annotated[Path | None, typer.Argument(help="Settings file, as --config names it.")] = None
) -> None:
    """Check the settings and every name in them without starting anything; report rules that never apply."""
    settings = replace(target, config=file or target.config).rule_settings(with_selection=True)
    tell(*(f"Note: {line}" for line in lint(settings)))
    console.print("The settings fit.")


@app.command()
@operator_command
def explain(target: Target, tool: str) -> None:
    """Show what happens when a tool is called, and by which rule."""
    try:
        lines = explain_tool(tool, target.rule_settings())
    except NoSuchTool as unknown:
        fail(str(unknown))
    tell(*lines, *_explain_allowances(tool, target))


@app.command()
@operator_command
def simulate(
    target: Target,
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="How far back: 30d, 12h, 4w, or a day such as 2026-11-01.")
    ] = "30d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try the rules of --config on the calls of the record: what would have been asked, allowed or refused instead.

    Nothing is written, and no provider is asked.
    """
    now = SystemClock().now()
    begins = _read_since(since, now)
    settings = target.rule_settings()

    async def replay(session: StoreSession) -> Report:
        book, calls = session.store.allowances, RecordedCalls(session.store)
        allowances = [one for one in await book.latest(MOST_ALLOWANCES) if one.stands(now)]
        rules = settings.rules.rules(settings.session_policy())
        return await try_rules(calls, rules, allowances, RegisteredOperations(), begins, now)

    report = anyio.run(lambda: with_store(replay, _with_record(target, settings)))
    if as_json:
        typer.echo(json.dumps(to_json(report), default=str))
        return
    tell(*summary_lines(report))
    if report.changes:
        console.print(_changes_table(report))
    refusals = (f"{one.operation}: {one.refusal}" for one in report.ordered if one.refusal)
    tell(*refusals, *left_out_lines(report))


def _with_record(target: Target, rules: Settings) -> Target:
    """Return the target whose store has the record: that of the new settings if they name one, else the usual one."""
    if target.config is None or {"state_folder", "store_url"} & rules.model_fields_set:
        return target
    return replace(target, config=None)


def _read_since(text: str, now: datetime) -> datetime:
    """Return when a span began; exit with 2 if it cannot be read."""
    span = re.fullmatch(r"([0-9]{1,4})([hdw])", text.strip())
    if span is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"--since: {text[:40]!r} is no span: write 30d, 12h, 4w, or a day such as 2026-11-01.")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


def _changes_table(report: Report) -> Table:
    names = ("operation", "then", "with these rules", "because of", "calls", "at most", "examples")
    rows = Table(*names, box=None, pad_edge=False)
    for one in report.ordered:
        examples = ", ".join(one.examples) + (" …" if one.sum.calls > len(one.examples) else "")
        cells = (one.operation, one.then, one.now, one.because, one.sum.calls, one.sum, examples)
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def _explain_allowances(tool: str, target: Target) -> Iterable[str]:
    """Name the allowances for an operation; the store is opened only where there may be one."""
    if needs_no_allowance(operation_named(tool)):
        return []

    async def read(session: StoreSession) -> list[str]:
        return await explain_allowances(tool, session.store.allowances, SystemClock().now())

    return anyio.run(lambda: with_store(read, target))
