"""The command line: `ringfence serve`, `demo`, `tools`, and what the operator answers, rules and looks up with."""

import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from server.commands import actions, approvals, audit, demo, doctor, reference, rules, sandbox
from server.settings import BadSettings, Settings, read_settings

app = typer.Typer(
    name="ringfence",
    help="Telephony for AI assistants, with a guard on everything that costs money.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(approvals.app, name="approvals")
app.add_typer(actions.app, name="actions")
app.add_typer(audit.app, name="audit")
app.add_typer(rules.policy, name="policy")
app.add_typer(rules.optouts, name="optouts")
app.command("freeze")(rules.freeze)
app.command("unfreeze")(rules.unfreeze)
app.command("secrets")(actions.secrets)
app.command("tools")(reference.tools)
app.command("demo")(demo.demo)
app.command("sandbox")(sandbox.sandbox)
app.command("doctor")(doctor.doctor)


@app.command()
def serve(
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve streamable HTTP instead of stdio.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    toolsets: Annotated[str | None, typer.Option(help="Toolsets to show, separated by commas.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show and allow plain reads only.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run the MCP server."""
    from server.app import quiet_logging
    from server.serving import NotProtected, serve_http, serve_stdio
    from tools.toolsets import UnknownToolset

    settings = narrowed(read_settings(config), toolsets=toolsets, read_only=read_only)
    quiet_logging()
    try:
        if http is None:
            anyio.run(lambda: serve_stdio(settings, sandbox=sandbox))
        else:
            host, port = address(http)
            anyio.run(lambda: serve_http(settings, host, port, sandbox=sandbox))
    except (NotProtected, UnknownToolset) as wrong:
        fail(str(wrong))


def narrowed(settings: Settings, *, toolsets: str | None, read_only: bool) -> Settings:
    """The settings with what the command line says on top; read-only can be added, never taken away."""
    changes: dict[str, object] = {"read_only": settings.read_only or read_only}
    if toolsets is not None:
        changes["toolsets"] = [name.strip() for name in toolsets.split(",") if name.strip()]
    return settings.model_copy(update=changes)


def address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:8765.")
    return host.strip("[]"), int(port)


def fail(message: str) -> None:
    """Say what is wrong on stderr and leave with 2."""
    typer.echo(message, err=True)
    raise typer.Exit(2)


def run() -> None:
    """The command line, with settings that do not fit told in one message."""
    try:
        app()
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)
