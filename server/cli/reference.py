"""`ringfence tools`: lists operations and built-in tools, without network or credentials."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from clients.operation import OperationType
from server.cli.terminal import console, fail
from server.mcp.listing.entries import annotations
from tools.builtin import BuiltinTool
from tools.builtin_list import all_builtin_tools, builtin_info
from tools.description import tool_description
from tools.schema import input_schema
from tools.selection import ToolSelection, UnknownTool, require_known_names, select_operations, split_names


def tools(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    toolsets: Annotated[
        str | None, typer.Option(help="Toolsets, separated by commas: names, `default` or `all`.")
    ] = None,
    names: Annotated[str | None, typer.Option("--tools", help="More tools, separated by commas.")] = None,
    exclude_tools: Annotated[str | None, typer.Option(help="Tools to leave out, separated by commas.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Plain reads only.")] = False,
) -> None:
    """List the tools of a selection; as JSON the operations alone. `serve` takes the same options."""
    selection = ToolSelection(split_names(toolsets), split_names(names), split_names(exclude_tools), read_only)
    builtin = all_builtin_tools()
    try:
        require_known_names(selection, [builtin_info(tool) for tool in builtin])
    except UnknownTool as unknown:
        fail(str(unknown))
    operations = select_operations(selection)
    if as_json:
        typer.echo(json.dumps([describe(operation) for operation in operations], indent=2))
    else:
        console.print(_table(operations, [tool for tool in builtin if selection.includes(builtin_info(tool))]))


def describe(operation: OperationType) -> dict[str, Any]:
    """Describe one operation, as `--json` prints it."""
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
        "basis": dict(spec.basis.parts()),
        "docs": spec.docs,
        "description": tool_description(operation),
        "input_schema": input_schema(operation),
        "annotations": annotations(spec).model_dump(by_alias=True, exclude_none=True),
    }


def _table(operations: list[OperationType], builtin: list[BuiltinTool]) -> Table:
    table = Table("tool", "toolset", "effect", "request", "basis", box=None, pad_edge=False)
    for operation in operations:
        spec = operation.spec
        effect = " ".join([*spec.effect.labels, *(["irreversible"] if spec.irreversible else [])])
        table.add_row(spec.tool_name, spec.toolset, effect, f"{spec.method} {spec.path}", spec.basis.words)
    for tool in builtin:
        table.add_row(tool.name, tool.toolset, "read" if tool.only_reads else "as what it calls", "", "built in")
    return table
