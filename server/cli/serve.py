"""`ringfence serve`: the MCP server. Imports little: clients wait for its first answer."""

import gc
from collections.abc import Awaitable, Callable, Iterable, Mapping
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
from server.settings.lint import ineffective_tightenings
from server.settings.load import read_settings
from server.settings.model import Settings
from server.settings.names import unknown_to_tighten
from tools.selection import ToolSelection, UnknownTool, split_names

HIGHEST_PORT = 65535

SERVE_HTTP: Final = Deferred[Callable[..., Awaitable[None]]]("server.http.app:serve_http")
"""The HTTP server opens the store at once, so it waits behind the store's door: stdio does without."""


def serve(
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve streamable HTTP instead of stdio.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers.")] = False,
    toolsets: Annotated[str | None, typer.Option(help="Toolsets to show, separated by commas.")] = None,
    tools: Annotated[str | None, typer.Option(help="Tools to show besides, separated by commas.")] = None,
    exclude_tools: Annotated[
        str | None, typer.Option(help="Tools that can neither be seen nor reached, separated by commas.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show and allow plain reads only.")] = False,
    tighten: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DECISION", help="Make an effect, provider, toolset or tool stricter: paid=deny."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run the MCP server."""
    surface = ToolSelection(split_names(toolsets), split_names(tools), split_names(exclude_tools), read_only)
    settings = narrowed(read_settings(config), surface, tighten=tighten or ())
    if settings.tighten:
        _tell_what_tightens_nothing(settings)
    if not sandbox:
        for line in settings.unfinished_accounts():
            typer.echo(line, err=True)
    configure_logging(settings.log_format)
    gc.freeze()  # what was imported stays: looking through it again would double the time of a call that reads a lot
    try:
        if http is None:
            anyio.run(lambda: serve_stdio(settings, sandbox=sandbox))
        else:
            host, port = address(http)
            anyio.run(lambda: SERVE_HTTP.load()(settings, host, port, sandbox=sandbox))
    except (NotProtected, CannotListen, UnknownTool, JournalUnavailable) as wrong:
        fail(str(wrong))


def narrowed(settings: Settings, surface: ToolSelection | None = None, *, tighten: Iterable[str] = ()) -> Settings:
    """Return the settings with the options of the command line applied: they make them stricter, never milder.

    Toolsets and tools that it names stand instead of those in the settings; what is excluded or read-only stays so.

    Raises:
        BadSettings: Something to tighten is no NAME=DECISION, or its name is none.
    """
    surface = surface or ToolSelection()
    changes: dict[str, object] = {
        "read_only": settings.read_only or surface.read_only,
        "exclude_tools": [*settings.exclude_tools, *surface.excluded],
    }
    if surface.toolsets or surface.tools:
        changes |= {"toolsets": list(surface.toolsets), "tools": list(surface.tools)}
    if tighten:
        changes["tighten"] = _stricter(settings.tighten, [_tightened(text) for text in tighten])
    return settings.model_copy(update=changes)


def _tightened(text: str) -> tuple[str, Decision]:
    name, _, word = text.partition("=")
    words = [decision.word for decision in Decision]
    if word not in words:
        raise BadSettings(f"--tighten {text}: NAME=DECISION is expected, such as paid=deny; {', '.join(words)} decide.")
    if name not in {effect.labels[0] for effect in Effect} and (wrong := unknown_to_tighten(name)):
        raise BadSettings(f"--tighten {text}: {wrong}")
    return name, Decision[word.upper()]


def _stricter(already: Mapping[str, Decision], more: Iterable[tuple[str, Decision]]) -> dict[str, Decision]:
    strictest = dict(already)
    for name, decision in more:
        strictest[name] = max(decision, strictest.get(name, decision))
    return strictest


def _tell_what_tightens_nothing(settings: Settings) -> None:
    """Write to stderr which tightenings change nothing.

    The operations are loaded only if one of them is not plainly stricter than the rule of its effect.
    """
    by_effect = settings.policy.policy().by_effect
    plainly = {
        effect.labels[0] for effect, rule in by_effect.items() if settings.tighten.get(effect.labels[0], 0) > rule
    }
    if set(settings.tighten) <= plainly:
        return
    for line in ineffective_tightenings(settings):
        typer.echo(line, err=True)


def address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:8765.")
    return host.strip("[]"), int(port)


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and leave with 2. A store's own words may be in it."""
    for line in message.split("\n"):
        typer.echo(escape_invisible(line), err=True)
    raise typer.Exit(2)
