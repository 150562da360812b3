"""`ringfence audit`: every decision and every call, in a hash chain that shows tampering."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from clients.shared.clock import SystemClock
from server.cli.archives.checking import check_archive_alone, check_with_archives
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
from server.console.health.verification import CheckedRecord, verify_record
from server.console.passkeys.audit_check import SignatureCheck, SignatureVerdict
from server.settings.text_files import text_lines
from server.store.archiving.files import BadArchive, is_archive
from server.store.sealed.checkpoint import Rows
from server.store.sealed.hash_chain import Gap, Verdict, detail_text

app = typer.Typer(help="Every decision and every call.", no_args_is_help=True)


@app.command()
@operator_command
def verify(
    target: Target,
    file: Annotated[Path | None, typer.Argument(help="An export or archive to check instead of the store.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Read all rows, also those that were verified before.")] = False,
    archives: Annotated[
        list[Path] | None, typer.Option("--archive", help="An archive to check with the rest; all of them, repeated.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Read only rows behind the last verified one.")] = False,
) -> None:
    """Check the chain and every signature; names the first row that was changed, removed, inserted or cut off.

    From row 100,000 on, rows that were verified in the last seven days are not read again, unless you add --all.
    """
    if every and new:
        fail("--all and --new exclude each other.")
    if archives and (file is not None or new):
        fail("With --archive, the whole log is checked: leave FILE and --new out.")
    rows = Rows.ALL if every else Rows.NEW if new else Rows.AS_DUE

    async def check(session: StoreSession) -> _Found:
        if archives:
            checked = await check_with_archives(session.store, archives, by=OPERATOR)
        else:
            checked = await verify_record(session.store, by=OPERATOR, at=SystemClock().now(), rows=rows)
        return _Found(
            checked.verdict, checked.signatures, await session.store.audit.find_gap(), extent=_extent_of(checked)
        )

    try:
        is_alone = file is not None and is_archive(file)
        of_file = _check_archive if is_alone else _check_copy
        work = check if file is None else partial(of_file, file)
        _report(anyio.run(lambda: with_store(work, target)), target)
    except BadArchive as bad:
        tell(str(bad))
        raise typer.Exit(1) from None
    except OSError as unreadable:
        fail(f"{unreadable.filename} cannot be read: {unreadable.strerror}.")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a check found."""

    verdict: Verdict
    signatures: SignatureVerdict
    gap: Gap | None = None
    what: str = "audit log"
    extent: str = ""
    """Which rows were read, where those are not all."""


async def _check_archive(file: Path, session: StoreSession) -> _Found:
    """Check an archive by itself."""
    whole, verdict, signatures = await check_archive_alone(session.store, file)
    actions = f", with {whole.actions} actions and {whole.plans} plans"
    return _Found(verdict, signatures, extent=f" behind row {whole.beginning.after.number}{actions}", what="archive")


async def _check_copy(file: Path, session: StoreSession) -> _Found:
    """Check an exported file, row by row."""
    signatures = SignatureCheck()
    try:
        verdict = await session.store.audit.verify_copy(_rows_of(file), also=signatures.look)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as unreadable:
        fail(f"{file} is not an export of the audit log: {unreadable!r}")
    return _Found(verdict, signatures.verdict)


def _report(found: _Found, target: Target) -> None:
    """Print what a check found; exit with 1 if something does not fit."""
    verdict, signatures = found.verdict, found.signatures
    for one in verdict.accepted:
        tell(f"A gap was accepted in row {one.row.number}, {one.at[:19]}, by {one.by}: {one.gap.what}.")
    for problem in signatures.problems:
        tell(problem)
    if signatures.signed:
        console.print(f"Signed by passkeys that were enrolled for it: {signatures.signed} approvals.")
    if verdict.is_whole and not signatures.problems:
        console.print(f"The {found.what} is intact: {verdict.rows} rows{found.extent}.")
        return
    if not verdict.is_whole:
        tell(f"The {found.what} was tampered with: {verdict.what}.")
    if found.gap is not None:
        commands = target.store_settings().commands
        typer.echo(commands.complete("Guarded calls are refused until `ringfence audit accept`."), err=True)
    raise typer.Exit(1)


def _extent_of(checked: CheckedRecord) -> str:
    """Say which rows were read, where others were verified before."""
    extent, before = checked.log.extent, checked.log.extent.goes_on_from
    if before is None:
        files = extent.archived.files
        if not files or extent.with_archives:
            return f", {len(files)} archive{'' if len(files) == 1 else 's'} among them" if files else ""
        names = ", ".join(one.name for one in files)
        return f" behind row {extent.after.number}. Those before are in archives, which --archive reads too: {names}"
    return (
        f" behind row {before.row.number}, up to which it was verified on {before.at[:10]}. "
        f"All rows were last read on {before.whole_at[:10]}; --all reads them again"
    )


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

    async def write(session: StoreSession) -> int:
        count = 0
        with nullcontext(sys.stdout) if file is None else file.open("w", encoding="utf-8", newline="\n") as output:
            async for row in session.store.audit.rows():
                output.write(_line_of(row))
                count += 1
        return count

    rows = anyio.run(lambda: with_store(write, target))
    if file is not None:
        tell(f"{rows} rows written to {file}.")


@app.command()
@operator_command
def tail(target: Target, rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20) -> None:
    """Show the last rows."""
    for row in anyio.run(lambda: with_store(lambda session: session.store.audit.latest_rows(rows), target)):
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


def _rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """Read exported rows in the form that the store has them in, one after the other."""
    for line in text_lines(file):
        row: dict[str, Any] = json.loads(line)
        yield {**row, "detail": _to_stored(row["detail"])}


def _line_of(row: Mapping[str, Any]) -> str:
    return json.dumps({**row, "detail": _from_stored(row["detail"])}) + "\n"


def _from_stored(detail: str) -> object:
    """Parse the detail of a row; text that we did not write this way is exported as it is."""
    try:
        parsed = json.loads(detail)
    except (ValueError, RecursionError):
        return detail
    return parsed if detail_text(parsed) == detail else detail


def _to_stored(detail: object) -> str:
    return detail if isinstance(detail, str) else detail_text(detail)
