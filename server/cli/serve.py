"""`ringfence serve`: the MCP server. Imports little: clients wait for its first answer."""

import gc
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, NoReturn

import anyio
import typer

from clients.deferred import Deferred
from clients.effects import Effect
from guard.errors import JournalUnavailable
from guard.injection.sanitize import escape_invisible
from guard.rules.policy import Decision
from server.http.sockets import CannotListen, NotProtected
from server.http.stdio import serve_stdio
from server.log_output import configure_logging
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from server.settings.model import Settings
from server.settings.sections.telemetry import TelemetrySettings
from tools.selection import ToolSelection, UnknownTool, split_names

HIGHEST_PORT = 65535

EXPORT_TELEMETRY: Final = Deferred[Callable[[TelemetrySettings, str, str], AbstractContextManager[None]]](
    "server.telemetry.export:export_telemetry"
)
"""Deferred: most servers send nothing to a collector."""

SERVE_HTTP: Final = Deferred[Callable[..., Awaitable[None]]]("server.http.app:serve_http")
"""Deferred: the HTTP server imports the store, which stdio needs only for a guarded call."""

INEFFECTIVE_TIGHTENINGS: Final = Deferred[Callable[[Settings], Iterable[str]]](
    "server.settings.lint:ineffective_tightenings"
)
UNKNOWN_TO_TIGHTEN: Final = Deferred[Callable[[str], str]]("server.settings.names:unknown_to_tighten")
"""Deferred: they load the operations, which matter only to a start that tightens something."""


def serve(
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve streamable HTTP instead of stdio.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    toolsets: Annotated[str | None, typer.Option(help="Toolsets to show, separated by commas.")] = None,
    tools: Annotated[str | None, typer.Option(help="More tools to show, separated by commas.")] = None,
    exclude_tools: Annotated[
        str | None, typer.Option(help="Tools that are neither shown nor callable, separated by commas.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show and allow plain reads only.")] = False,
    tighten: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DECISION", help="Make an effect, provider, toolset or tool stricter: paid=deny."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run the MCP server."""
    selection = ToolSelection(split_names(toolsets), split_names(tools), split_names(exclude_tools), read_only)
    settings = apply_options(read_settings(config), selection, tighten=tighten or ())
    if settings.tighten:
        _warn_of_ineffective_tightenings(settings)
    if not sandbox:
        for line in settings.unfinished_accounts():
            typer.echo(line, err=True)
    configure_logging(settings.log_format, settings.log_level)
    gc.freeze()  # imported objects stay; collecting through them would double the time of a call that reads a lot
    try:
        with _telemetry(settings):
            if http is None:
                anyio.run(lambda: serve_stdio(settings, sandbox=sandbox))
            else:
                host, port = address(http)
                anyio.run(lambda: SERVE_HTTP.load()(settings, host, port, sandbox=sandbox))
    except (NotProtected, CannotListen, UnknownTool, JournalUnavailable) as wrong:
        fail(str(wrong))


def _telemetry(settings: Settings) -> AbstractContextManager[None]:
    """Send spans and measurements as long as the block runs, where the settings name a collector."""
    if settings.telemetry.endpoint is None:
        return nullcontext()
    return EXPORT_TELEMETRY.load()(settings.telemetry, version("ringfence"), settings.commands.line("doctor"))


def apply_options(
    settings: Settings, selection: ToolSelection | None = None, *, tighten: Iterable[str] = ()
) -> Settings:
    """Apply the options of the command line to the settings: they can make them stricter, never looser.

    Toolsets and tools in the options replace those of the settings; what the settings exclude stays excluded.

    Raises:
        BadSettings: A text to tighten is no NAME=DECISION, or its name does not exist.
    """
    selection = selection or ToolSelection()
    changes: dict[str, object] = {
        "read_only": settings.read_only or selection.read_only,
        "exclude_tools": [*settings.exclude_tools, *selection.excluded],
    }
    if selection.toolsets or selection.tools:
        changes |= {"toolsets": list(selection.toolsets), "tools": list(selection.tools)}
    if tighten:
        changes["tighten"] = _stricter(settings.tighten, [_parse_tightening(text) for text in tighten])
    return settings.model_copy(update=changes)


def _parse_tightening(text: str) -> tuple[str, Decision]:
    name, _, word = text.partition("=")
    words = [decision.word for decision in Decision]
    if word not in words:
        raise BadSettings(f"--tighten {text}: NAME=DECISION is expected, such as paid=deny; {', '.join(words)} decide.")
    if name not in {effect.labels[0] for effect in Effect} and (wrong := UNKNOWN_TO_TIGHTEN.load()(name)):
        raise BadSettings(f"--tighten {text}: {wrong}")
    return name, Decision[word.upper()]


def _stricter(already: Mapping[str, Decision], more: Iterable[tuple[str, Decision]]) -> dict[str, Decision]:
    strictest = dict(already)
    for name, decision in more:
        strictest[name] = max(decision, strictest.get(name, decision))
    return strictest


def _warn_of_ineffective_tightenings(settings: Settings) -> None:
    """Print tightenings that change nothing; operations are loaded only where an effect's rule is as strict already."""
    by_effect = settings.policy.policy().by_effect
    effective = {
        effect.labels[0] for effect, rule in by_effect.items() if settings.tighten.get(effect.labels[0], 0) > rule
    }
    if set(settings.tighten) <= effective:
        return
    for line in INEFFECTIVE_TIGHTENINGS.load()(settings):
        typer.echo(line, err=True)


def address(text: str) -> tuple[str, int]:
    """Parse `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:8765.")
    return host.strip("[]"), int(port)


def fail(message: str) -> NoReturn:
    """Print what is wrong on stderr and exit with 2. Invisible characters are escaped: a store's text may be in it."""
    for line in message.split("\n"):
        typer.echo(escape_invisible(line), err=True)
    raise typer.Exit(2)
