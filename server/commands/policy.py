"""`ringfence policy`: what is allowed, asked about, or forbidden, and by which rule."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from server.commands.terminal import console, fail, plain, tell
from server.rule_names import unknown_tool
from server.rule_review import review
from server.rule_words import MEANING, explained, rules_in_force
from server.settings import read_settings
from tools.catalog import operation_named

app = typer.Typer(help="What is allowed, asked about, or forbidden.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file.")]


@app.command()
def show(config: Config = None) -> None:
    """Show the rules in force, and which of them the settings changed."""
    table = Table("rule", "value", "set by", box=None, pad_edge=False)
    for name, value, is_set in rules_in_force(read_settings(config)):
        table.add_row(plain(name), plain(value), "the settings" if is_set else "default")
    console.print(table)
    for decision, meaning in MEANING.items():
        tell(f"{decision.word}: {meaning}.")
    console.print("An operation's rule counts before its toolset's, then its provider's, then the strictest effect's.")


@app.command()
def check(config: Annotated[Path | None, typer.Argument(help="Settings file.")] = None) -> None:
    """Check the settings and every name in them without starting anything; say which rules never apply."""
    settings = read_settings(config)
    tell(*(f"Note: {line}" for line in review(settings)))
    console.print("The settings fit.")


@app.command()
def explain(tool: str, config: Config = None) -> None:
    """Say what happens when a tool is called, and by which rule."""
    operation = operation_named(tool)
    if operation is None:
        fail(f"{tool}: {unknown_tool(tool)}")
    tell(*explained(operation, read_settings(config)))
