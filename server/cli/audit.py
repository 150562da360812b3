"""`ringfence audit`: every decision and every call, in a chain that shows whether somebody touched it."""

import json
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from server.cli.terminal import Opened, Sandboxed, console, fail, opened_record, tell
from server.store.hash_chain import Verdict, detail_text

app = typer.Typer(help="Every decision and every call.", no_args_is_help=True)


@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export to check instead of the store.")] = None,
    sandbox: Sandboxed = False,
) -> None:
    """Check the whole chain; names the first row that was changed, removed, inserted, moved or cut off."""
    exported = None if file is None else _read(file)

    async def checked(opened: Opened) -> Verdict:
        audit = opened.store.audit
        return await audit.verify() if exported is None else audit.verify_copy(exported)

    verdict = anyio.run(lambda: opened_record(checked, sandbox=sandbox))
    if verdict.is_whole:
        console.print(f"The audit is whole: {verdict.rows} rows.")
        return
    tell(f"The audit was touched: {verdict.what}.")
    raise typer.Exit(1)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
    sandbox: Sandboxed = False,
) -> None:
    """Write every row as a line of JSON, oldest first; whatever is not ASCII is escaped."""
    lines = anyio.run(lambda: opened_record(_lines, sandbox=sandbox))
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        tell(f"{len(lines)} rows written to {file}.")


@app.command()
def tail(
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20, sandbox: Sandboxed = False
) -> None:
    """Show the last rows."""
    for line in anyio.run(lambda: opened_record(_lines, sandbox=sandbox))[-rows:]:
        row = json.loads(line)
        action = row["action_id"] or "-"
        tell(f"{row['number']:>6} {row['at'][:19]} {row['event']:<9} {action} {row['principal']}")


def _read(file: Path) -> list[dict[str, Any]]:
    """Exported rows, as they stand in the store."""
    try:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [{**row, "detail": _kept(row["detail"])} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as unreadable:
        fail(f"{file} is no export of the audit: {unreadable!r}")


async def _lines(opened: Opened) -> list[str]:
    found: list[str] = []
    async for row in opened.store.audit.rows():
        shown = {**row, "detail": _told(row["detail"])}
        found.append(json.dumps(shown))
    return found


def _told(detail: str) -> object:
    """The particulars as JSON; as their text where somebody wrote something else into the store."""
    try:
        told = json.loads(detail)
    except ValueError:
        return detail
    return told if detail_text(told) == detail else detail


def _kept(detail: object) -> str:
    return detail if isinstance(detail, str) else detail_text(detail)
