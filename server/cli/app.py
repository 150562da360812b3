"""The command line: `ringfence serve`, `demo`, `tools`, and what the operator answers, rules and looks up with."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from server.settings.errors import BadSettings

Part = tuple[str, str]
"""Module in `server/commands`, and what is taken from it."""

GROUPS: Mapping[str, Part] = {
    "approvals": ("approvals", "app"),
    "actions": ("actions", "app"),
    "audit": ("audit", "app"),
    "policy": ("policy", "app"),
    "optouts": ("rules", "optouts"),
}
COMMANDS: Mapping[str, Part] = {
    "serve": ("serve", "serve"),
    "freeze": ("rules", "freeze"),
    "unfreeze": ("rules", "unfreeze"),
    "secrets": ("actions", "secrets"),
    "tools": ("reference", "tools"),
    "demo": ("demo", "demo"),
    "probe": ("probe", "probe"),
    "sandbox": ("sandbox", "sandbox"),
    "doctor": ("doctor", "doctor"),
    "revoke": ("revoke", "revoke"),
}


def command_line(words: list[str]) -> typer.Typer:
    """The commands. Only what is asked for is imported: clients wait for `serve`, and `freeze` is wanted at once."""
    app = typer.Typer(
        name="ringfence",
        help="Telephony for AI assistants, with a guard on everything that costs money.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_several_commands)
    asked = [name for name in words[:1] if name in COMMANDS or name in GROUPS] or [*COMMANDS, *GROUPS]
    for name in asked:
        if name in COMMANDS:
            app.command(name)(_part(*COMMANDS[name]))
        else:
            app.add_typer(_part(*GROUPS[name]), name=name)
    return app


def run() -> None:
    """The command line, with settings that do not fit told in one message."""
    try:
        command_line(sys.argv[1:])()
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"ringfence {version('ringfence')}")
        raise typer.Exit


def _several_commands(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version.")
    ] = False,
) -> None:
    """Telephony for AI assistants, with a guard on everything that costs money."""


def _part(module: str, name: str) -> Any:
    return getattr(import_module(f"server.cli.{module}"), name)
