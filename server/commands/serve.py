"""`ringfence serve`: the MCP server. Imports little: clients wait for its first answer."""

from pathlib import Path
from typing import Annotated, NoReturn

import anyio
import typer

from server.settings import Settings, read_settings
from tools.surface import name_list


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
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run the MCP server."""
    from server.app import quiet_logging
    from server.serving import NotProtected, serve_http, serve_stdio
    from tools.toolsets import UnknownTool

    settings = with_surface(read_settings(config), toolsets, tools, exclude_tools, read_only=read_only)
    quiet_logging(settings.log_format)
    try:
        if http is None:
            anyio.run(lambda: serve_stdio(settings, sandbox=sandbox))
        else:
            host, port = address(http)
            anyio.run(lambda: serve_http(settings, host, port, sandbox=sandbox))
    except (NotProtected, UnknownTool) as wrong:
        fail(str(wrong))


def with_surface(
    settings: Settings, toolsets: str | None, tools: str | None, exclude_tools: str | None, *, read_only: bool
) -> Settings:
    """The settings with the surface that the command line names. What is excluded or read-only stays so."""
    changes: dict[str, object] = {"read_only": settings.read_only or read_only}
    changes["exclude_tools"] = [*settings.exclude_tools, *name_list(exclude_tools)]
    if toolsets is not None:
        changes["toolsets"] = list(name_list(toolsets))
    if tools is not None:
        changes["tools"] = list(name_list(tools))
    return settings.model_copy(update=changes)


def address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("HOST:PORT is expected, such as 127.0.0.1:8765.")
    return host.strip("[]"), int(port)


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and leave with 2."""
    typer.echo(message, err=True)
    raise typer.Exit(2)
