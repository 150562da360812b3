"""`ringfence tools`: every operation, without network or credentials."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from server.cli.terminal import console, fail
from server.mcp.adapter import annotations, description
from tools.registry import OperationType
from tools.schema import input_schema
from tools.selection import ToolInfo, ToolSelection, name_list
from tools.toolsets import UnknownTool, check_names, choose


def tools(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    toolsets: Annotated[
        str | None, typer.Option(help="Toolsets, separated by commas: names, `default` or `all`.")
    ] = None,
    names: Annotated[str | None, typer.Option("--tools", help="Tools besides, separated by commas.")] = None,
    exclude_tools: Annotated[str | None, typer.Option(help="Tools to leave out, separated by commas.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Plain reads only.")] = False,
) -> None:
    """List the tools that a surface shows, the operations alone as JSON; `serve` takes the same options."""
    from server.mcp.registry import every_builtin_tool

    surface = ToolSelection(name_list(toolsets), name_list(names), name_list(exclude_tools), read_only)
    own = every_builtin_tool()
    try:
        check_names(surface, [placed for placed, _ in own])
    except UnknownTool as unknown:
        fail(str(unknown))
    chosen = choose(surface)
    if as_json:
        typer.echo(json.dumps([described(operation) for operation in chosen], indent=2))
    else:
        console.print(_table(chosen, [(placed, toolset) for placed, toolset in own if surface.shows(placed)]))


def described(operation: OperationType) -> dict[str, Any]:
    """One operation, as `--json` prints it."""
    spec = operation.spec
    return {
        "name": spec.tool_name,
        "title": spec.title,
        "provider": spec.provider.name,
        "toolset": spec.toolset,
        "method": spec.method,
        "path": spec.path,
        "effect": spec.effect.labels,
        "irreversible": spec.irreversible,
        "basis": spec.basis,
        "docs": spec.docs,
        "description": description(operation),
        "input_schema": input_schema(operation),
        "annotations": annotations(spec).model_dump(by_alias=True, exclude_none=True),
    }


def _table(operations: list[OperationType], own: list[tuple[ToolInfo, str]]) -> Table:
    shown = Table("tool", "toolset", "effect", "request", "basis", box=None, pad_edge=False)
    for operation in operations:
        spec = operation.spec
        effect = " ".join([*spec.effect.labels, *(["irreversible"] if spec.irreversible else [])])
        shown.add_row(spec.tool_name, spec.toolset, effect, f"{spec.method} {spec.path}", spec.basis)
    for placed, toolset in own:
        shown.add_row(placed.name, toolset, "read" if placed.reads else "as what it calls", "", "our own")
    return shown
