"""`ringfence audit`: every decision and every call, in a chain that shows whether somebody touched it."""

import json
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from server.commands.terminal import Opened, Sandboxed, console, opened_record

app = typer.Typer(help="Every decision and every call.", no_args_is_help=True)


@app.command()
def verify(sandbox: Sandboxed = False) -> None:
    """Check the whole chain; names the first row that was changed, removed or cut off."""
    verdict = anyio.run(lambda: opened_record(lambda opened: opened.record.audit.verify(), sandbox=sandbox))
    if verdict.is_whole:
        console.print(f"The audit is whole: {verdict.rows} rows.")
        return
    console.print(f"The audit was touched: {verdict.what}.")
    raise typer.Exit(1)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
    sandbox: Sandboxed = False,
) -> None:
    """Write every row as a line of JSON, oldest first."""
    lines = anyio.run(lambda: opened_record(_lines, sandbox=sandbox))
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        console.print(f"{len(lines)} rows written to {file}.")


@app.command()
def tail(
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20, sandbox: Sandboxed = False
) -> None:
    """Show the last rows."""
    for line in anyio.run(lambda: opened_record(_lines, sandbox=sandbox))[-rows:]:
        row = json.loads(line)
        action = row["action_id"] or "-"
        console.print(
            f"{row['number']:>6} {row['at'][:19]} {row['event']:<9} {action} {row['principal']}", markup=False
        )


async def _lines(opened: Opened) -> list[str]:
    found: list[str] = []
    async for row in opened.record.audit.rows():
        shown: dict[str, Any] = {**row, "at": row["at"].isoformat(), "detail": json.loads(row["detail"])}
        found.append(json.dumps(shown, ensure_ascii=False))
    return found
