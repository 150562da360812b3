"""The command line: `ringfence serve`, `demo`, `tools`, and the operator's commands."""

import gc
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

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
    "operators": ("operators.commands", "app"),
    "audit": ("audit", "app"),
    "receipts": ("receipts.commands", "app"),
    "store": ("store.commands", "app"),
    "notify": ("notify.commands", "app"),
    "policy": ("policy", "app"),
    "settings": ("settings.commands", "app"),
    "optouts": ("rules", "optouts"),
}
COMMANDS: Mapping[str, Part] = {
    "init": ("init.command", "init"),
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
    "verify": ("receipts.verify", "verify"),
    "spend": ("reports.spend", "spend"),
}


EXAMPLES: Final = Path(__file__).with_name("examples.json")
"""An example of every command, by its words; some name a provider's tool, which no module here may."""


def command_line(words: list[str]) -> typer.Typer:
    """Build the commands. Only the module of the requested one is imported, because clients wait for `serve`."""
    app = typer.Typer(
        name="ringfence",
        help="Telephony for AI assistants, with a guard on everything that costs money.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    examples: Mapping[str, str] = json.loads(EXAMPLES.read_bytes())
    requested = [name for name in words[:1] if name in COMMANDS or name in GROUPS] or [*COMMANDS, *GROUPS]
    for name in requested:
        if name in COMMANDS:
            app.command(name, epilog=_epilog(name, examples))(_load(*COMMANDS[name]))
        else:
            app.add_typer(_with_examples(_load(*GROUPS[name]), name, examples), name=name)
    return app


def _with_examples(group: typer.Typer, name: str, examples: Mapping[str, str]) -> typer.Typer:
    for command in group.registered_commands:
        words = command.name or (command.callback.__name__ if command.callback else "")
        command.epilog = _epilog(f"{name} {words}", examples)
    return group


def _epilog(words: str, examples: Mapping[str, str]) -> str | None:
    """Return the last line of a command's help; None where there is no example, as for a command being written."""
    return f"Example: {examples[words]}" if words in examples else None


def run() -> None:
    """Run the command line; settings with errors, and providers that cannot be used, are reported in one message."""
    try:
        app = command_line(sys.argv[1:] or _words_to_complete())
        gc.enable()  # the entry point turned it off while modules load
        app(prog_name="ringfence")
    except (BadSettings, BadProvider) as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)


def _words_to_complete() -> list[str]:
    """Return the words that a shell asks to complete, which stand in the environment; none where it does not ask."""
    if "_RINGFENCE_COMPLETE" not in os.environ:
        return []
    return (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()[1:]


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
