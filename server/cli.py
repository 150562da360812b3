"""The command line: `ringfence serve`, `demo`, `tools`, and what the operator answers, rules and looks up with."""

import sys

import typer

from server.settings import BadSettings


def command_line(words: list[str]) -> typer.Typer:
    """The commands. For `serve` nothing else is imported: clients wait for its first answer."""
    app = typer.Typer(
        name="ringfence",
        help="Telephony for AI assistants, with a guard on everything that costs money.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_several_commands)
    _add_serve(app)
    if words[:1] != ["serve"]:
        _add_the_rest(app)
    return app


def run() -> None:
    """The command line, with settings that do not fit told in one message."""
    try:
        command_line(sys.argv[1:])()
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)


def _several_commands() -> None:
    """Telephony for AI assistants, with a guard on everything that costs money."""


def _add_serve(app: typer.Typer) -> None:
    from server.commands.serve import serve

    app.command()(serve)


def _add_the_rest(app: typer.Typer) -> None:
    from server.commands import (
        actions,
        approvals,
        audit,
        demo,
        doctor,
        policy,
        probe,
        reference,
        revoke,
        rules,
        sandbox,
    )

    app.add_typer(approvals.app, name="approvals")
    app.add_typer(actions.app, name="actions")
    app.add_typer(audit.app, name="audit")
    app.add_typer(policy.app, name="policy")
    app.add_typer(rules.optouts, name="optouts")
    app.command("freeze")(rules.freeze)
    app.command("unfreeze")(rules.unfreeze)
    app.command("secrets")(actions.secrets)
    app.command("tools")(reference.tools)
    app.command("demo")(demo.demo)
    app.command("probe")(probe.probe)
    app.command("sandbox")(sandbox.sandbox)
    app.command("doctor")(doctor.doctor)
    app.command("revoke")(revoke.revoke)
