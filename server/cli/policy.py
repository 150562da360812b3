"""`ringfence policy`: what is allowed, needs approval, or is forbidden, and by which rule."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.table import Table

from clients.shared.clock import SystemClock
from guard.allowances.fitness import why_never
from guard.allowances.wording import brief, usage_line
from guard.errors import JournalUnavailable
from server.cli.terminal import StoreSession, Target, console, fail, operator_command, plain, tell, with_store
from server.settings.explain import MEANING, rules_in_force, where
from server.settings.explain import explain as explain_rules
from server.settings.lint import lint
from server.settings.model import Settings
from server.settings.names import BUILTIN_RULE, builtin_tools_that_read
from tools.registry import all_operations, operation_named
from tools.suggestions import nearest_tools, reads_of

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
    tell(*_explain(tool, target.rule_settings()), *_allowances(tool, target))


def _allowances(tool: str, target: Target) -> Iterable[str]:
    """Name the allowances for an operation, or say why none may be for it."""
    operation = operation_named(tool)
    if operation is None or operation.spec.effect.is_plain_read:
        return []
    if why_never(operation):
        return ["no allowance may be for it: it cannot be undone, or touches credentials, access or consent"]

    async def read(session: StoreSession) -> list[str]:
        book, now = session.store.allowances, SystemClock().now()
        try:
            found = await book.in_force(tool, None, now)
            usage = await book.usage(found, now)
        except JournalUnavailable as unavailable:
            return [f"whether an allowance applies is not known: {unavailable}"]
        return [
            f"without approval by allowance {one.id}, for {one.terms.principal}: {brief(one.terms)}; "
            f"used: {usage_line(one, usage.get(one.id))}"
            for one in found
        ]

    return anyio.run(lambda: with_store(read, target))


def _explain(tool: str, settings: Settings) -> Iterable[str]:
    operation = operation_named(tool)
    if operation is not None:
        return explain_rules(operation, settings)
    builtin = builtin_tools_that_read()
    if tool in builtin:
        return [f"{tool}: a built-in tool, not an operation: {BUILTIN_RULE[builtin[tool]]}"]
    close = nearest_tools(tool, reads_of(all_operations().values()) | builtin)
    fail(f"{tool}: there is no such tool" + (f"; did you mean {close[0]}?" if close else "."))
