"""`ringfence audit`: every decision and every call, in a hash chain that shows tampering."""

import json
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from clients.shared.clock import SystemClock
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    operator_command,
    require_passcode,
    tell,
    with_store,
)
from server.console.health.verification import verify_record
from server.console.passkeys.audit_check import SignatureVerdict, check_signatures
from server.settings.text_files import read_text_file
from server.store.sealed.hash_chain import Gap, Verdict, detail_text

app = typer.Typer(help="Every decision and every call.", no_args_is_help=True)


@app.command()
@operator_command
def verify(
    target: Target, file: Annotated[Path | None, typer.Argument(help="An export to check instead of the store.")] = None
) -> None:
    """Check the whole chain and every signature; names the first row that was changed, removed, inserted or cut off."""
    exported = None if file is None else _read(file)

    async def check(session: StoreSession) -> tuple[Verdict, Gap | None, SignatureVerdict]:
        store = session.store
        if exported is not None:
            return store.audit.verify_copy(exported), None, check_signatures(exported)
        verdict, signatures = await verify_record(store, by=OPERATOR, at=SystemClock().now())
        return verdict, await store.audit.find_gap(), signatures

    verdict, gap, signatures = anyio.run(lambda: with_store(check, target))
    for one in verdict.accepted:
        tell(f"A gap was accepted in row {one.row.number}, {one.at[:19]}, by {one.by}: {one.gap.what}.")
    for problem in signatures.problems:
        tell(problem)
    if signatures.signed:
        console.print(f"Signed by passkeys that were enrolled for it: {signatures.signed} approvals.")
    if verdict.is_whole and not signatures.problems:
        console.print(f"The audit log is intact: {verdict.rows} rows.")
        return
    if not verdict.is_whole:
        tell(f"The audit log was tampered with: {verdict.what}.")
    if gap is not None:
        commands = target.store_settings().commands
        typer.echo(commands.complete("Guarded calls are refused until `ringfence audit accept`."), err=True)
    raise typer.Exit(1)


@app.command()
@operator_command
def accept(target: Target) -> None:
    """Accept that rows are missing, for good: shows which, and puts the acceptance on the audit log."""

    async def close_gap(session: StoreSession) -> int | None:
        gap = await session.store.audit.find_gap()
        if gap is None:
            return None
        tell(*_describe(gap))
        await require_passcode(session)
        return await session.store.audit.accept_gap(gap, by=OPERATOR)

    row = anyio.run(lambda: with_store(close_gap, target))
    if row is None:
        console.print("No row is missing; there is nothing to accept.")
    else:
        console.print(f"Accepted in row {row}. Guarded calls can be made again.")


@app.command()
@operator_command
def export(
    target: Target,
    file: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write every row as a line of JSON, oldest first; whatever is not ASCII is escaped."""
    lines = anyio.run(lambda: with_store(_read_lines, target))
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        tell(f"{len(lines)} rows written to {file}.")


@app.command()
@operator_command
def tail(target: Target, rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20) -> None:
    """Show the last rows."""
    for line in anyio.run(lambda: with_store(_read_lines, target))[-rows:]:
        row = json.loads(line)
        action = row["action_id"] or "-"
        tell(f"{row['number']:>6} {row['at'][:19]} {row['event']:<9} {action} {row['principal']}")


def _describe(gap: Gap) -> list[str]:
    """Say what is missing, and what follows from that."""
    return [
        f"In the audit log, {gap.what}.",
        f"Missing: row {gap.missing.number}, {gap.missing.mac}",
        f"Last:    row {gap.last.number}, {gap.last.mac}",
        "If an older copy of the store was restored by mistake, restore the newer one instead.",
        "Otherwise, what the missing rows recorded is lost: approvals, calls, spending under the caps, opt-outs.",
        "Before you accept, compare with the providers' own lists of orders, messages and charges.",
    ]


def _read(file: Path) -> list[dict[str, Any]]:
    """Read exported rows in the form that the store has them in."""
    try:
        rows: list[dict[str, Any]] = [json.loads(line) for line in read_text_file(file).splitlines()]
        return [{**row, "detail": _to_stored(row["detail"])} for row in rows]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as unreadable:
        fail(f"{file} is not an export of the audit log: {unreadable!r}")


async def _read_lines(session: StoreSession) -> list[str]:
    return [json.dumps({**row, "detail": _from_stored(row["detail"])}) async for row in session.store.audit.rows()]


def _from_stored(detail: str) -> object:
    """Parse the detail of a row; text that we did not write this way is exported as it is."""
    try:
        parsed = json.loads(detail)
    except (ValueError, RecursionError):
        return detail
    return parsed if detail_text(parsed) == detail else detail


def _to_stored(detail: object) -> str:
    return detail if isinstance(detail, str) else detail_text(detail)
