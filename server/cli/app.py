"""The command line: `ringfence serve`, `demo`, `tools`, and the operator's commands."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from server.settings.errors import BadSettings
from tools.registry import BadProvider

Part = tuple[str, str]
"""A module in `server/cli`, and the name of the command or group in it."""

GROUPS: Mapping[str, Part] = {
    "approvals": ("approvals", "app"),
    "actions": ("actions", "app"),
    "plans": ("plans", "app"),
    "allowances": ("allowances.commands", "app"),
    "audit": ("audit", "app"),
    "policy": ("policy", "app"),
    "optouts": ("rules", "optouts"),
}
COMMANDS: Mapping[str, Part] = {
    "serve": ("serve", "serve"),
    "work": ("plans", "work"),
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
    """Build the commands. Only the module of the requested one is imported, because clients wait for `serve`."""
    app = typer.Typer(
        name="ringfence",
        help="Telephony for AI assistants, with a guard on everything that costs money.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    requested = [name for name in words[:1] if name in COMMANDS or name in GROUPS] or [*COMMANDS, *GROUPS]
    for name in requested:
        if name in COMMANDS:
            app.command(name)(_load(*COMMANDS[name]))
        else:
            app.add_typer(_load(*GROUPS[name]), name=name)
    return app


def run() -> None:
    """Run the command line; settings with errors, and providers that cannot be used, are reported in one message."""
    try:
        command_line(sys.argv[1:])()
    except (BadSettings, BadProvider) as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)


def _show_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"ringfence {version('ringfence')}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Telephony for AI assistants, with a guard on everything that costs money."""


def _load(module: str, name: str) -> Any:
    return getattr(import_module(f"server.cli.{module}"), name)
