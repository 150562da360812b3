"""`ringfence policy`: what is allowed, needs approval, or is forbidden, and by which rule."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.table import Table

from clients.shared.clock import SystemClock
from server.cli.terminal import StoreSession, Target, console, fail, operator_command, plain, tell, with_store
from server.console.rules.explanation import NoSuchTool, explain_allowances, explain_tool, needs_no_allowance
from server.settings.explain import MEANING, rules_in_force, where
from server.settings.lint import lint
from tools.registry import operation_named

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


def _explain_allowances(tool: str, target: Target) -> Iterable[str]:
    """Name the allowances for an operation; the store is opened only where there may be one."""
    if needs_no_allowance(operation_named(tool)):
        return []

    async def read(session: StoreSession) -> list[str]:
        return await explain_allowances(tool, session.store.allowances, SystemClock().now())

    return anyio.run(lambda: with_store(read, target))
