"""`ringfence tools`: every operation, without network or credentials."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from server.commands.terminal import console, fail
from tools.adapter import annotations, description
from tools.catalog import OperationType
from tools.schema import input_schema
from tools.toolsets import UnknownToolset, choose


def tools(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    toolsets: Annotated[
        str, typer.Option(help="Toolsets, separated by commas: names, `default` or `all`.")
    ] = "default",
) -> None:
    """List the operations that a toolset shows."""
    try:
        chosen = choose([name.strip() for name in toolsets.split(",")])
    except UnknownToolset as unknown:
        fail(str(unknown))
    if as_json:
        typer.echo(json.dumps([described(operation) for operation in chosen], indent=2))
    else:
        console.print(_table(chosen))


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
        "basis": spec.basis,
        "docs": spec.docs,
        "description": description(operation),
        "input_schema": input_schema(operation),
        "annotations": annotations(spec).model_dump(by_alias=True, exclude_none=True),
    }


def _table(operations: list[OperationType]) -> Table:
    shown = Table("tool", "toolset", "effect", "request", "basis", box=None, pad_edge=False)
    for operation in operations:
        spec = operation.spec
        effect = " ".join(spec.effect.labels)
        shown.add_row(spec.tool_name, spec.toolset, effect, f"{spec.method} {spec.path}", spec.basis)
    return shown
