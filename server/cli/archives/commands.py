"""`ringfence actions archive`: moves old actions, and the rows of the audit log before them, into a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NoReturn

import anyio
import typer

from clients.shared.clock import SystemClock
from guard.operator_commands import quote_for_shell
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    fail,
    operator_command,
    require_passcode,
    tell,
    with_store,
)
from server.console.health.verification import check_record
from server.console.passkeys.audit_check import SignatureCheck
from server.store.archiving.archives import CannotArchive, Progress, StoredArchives
from server.store.archiving.files import BadArchive
from server.store.sealed.archived import ArchiveFile

TOLD_EACH: Final = 100_000
"""After how many rows or actions a line says how far it is."""


@operator_command
def archive(
    target: Target,
    file: Annotated[Path, typer.Argument(help="File to write, or one whose archiving was interrupted.")],
    before: Annotated[
        str | None, typer.Option(help="Archive what is older than this day, such as 2026-06-01; no later one fits.")
    ] = None,
) -> None:
    """Move old actions and audit rows into a file, which can be verified, alone and with the rest. Asks the passcode.

    Without --before, everything before this month. What is open, counts under a cap or an allowance, or could be a
    duplicate stays. Receipts and secrets stay, too.
    """

    async def run(session: StoreSession) -> ArchiveFile | None:
        await require_passcode(session)
        return await _archive(session, file.absolute(), _moment(before, session))

    try:
        made = anyio.run(lambda: with_store(run, target))
    except (CannotArchive, BadArchive) as refusal:
        fail(target.store_settings().commands.complete(str(refusal)))
    except OSError as failed:
        fail(f"{failed.filename or file} cannot be used: {failed.strerror}. Only what is in a whole file is deleted.")
    if made is not None:
        check = target.store_settings().commands.complete(f"`ringfence audit verify {quote_for_shell([str(file)])}`")
        tell(
            f"{_in_words(made)}.",
            f"Keep the file with the backups: the store does not have its content any more. Check it: {check}",
        )


async def fail_missing(session: StoreSession, action_id: str) -> NoReturn:
    """Say that there is no such action or plan, or in which archive it is, and exit with 2."""
    found = await session.store.journal.find_archived(action_id)
    if found is not None:
        fail(f'{found.place} The file has it in the line with "unit": "{action_id}", or in that of its plan.')
    if action_id.startswith("plan_"):
        fail(f"There is no plan {action_id}.")
    fail(f"There is no action {action_id}.")


async def tell_archives(session: StoreSession) -> None:
    """Say behind the oldest actions what was archived."""
    for one in (await _archives(session).state()).files:
        tell(f"Archived: {_in_words(one)}.")


async def _archive(session: StoreSession, file: Path, before: datetime) -> ArchiveFile | None:
    archives, now = _archives(session), SystemClock().now()
    if (await archives.state()).under_way is None:
        checked = await check_record(session.store, by=OPERATOR, at=now)
        if not checked.fits:
            raise CannotArchive(
                f"The record was tampered with: {checked.fault}. Nothing was archived. "
                "Look with `ringfence audit verify --all`."
            )
    last = Progress("begun")
    async for progress in archives.archive(file, before=before, now=now, by=OPERATOR, passkeys=SignatureCheck()):
        _tell_progress(last, progress)
        last = progress
    if last.changed:
        tell(f"{last.changed} actions or plans changed meanwhile, and stay in the store.")
    files = (await archives.state()).files
    return files[-1] if files else None


def _tell_progress(last: Progress, now: Progress) -> None:
    match now.step:
        case "written":
            tell("The file is written. Nothing was deleted yet.")
        case "noted":
            tell("The store knows the file. Its content is being deleted from the store; the command can be repeated.")
        case _:
            for what, before, after in (("rows", last.rows, now.rows), ("actions and plans", last.units, now.units)):
                if after // TOLD_EACH > before // TOLD_EACH:
                    tell(f"  {after} {what} deleted")


def _moment(before: str | None, session: StoreSession) -> datetime:
    """Return the time before which is archived: never later than what caps and checks for duplicates look back to."""
    now = SystemClock().now().astimezone(UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    latest = min(month, now - session.rules.compliance.duplicate_window)
    if before is None:
        return latest
    try:
        moment = datetime.fromisoformat(before.strip())
    except ValueError:
        fail(f"{before[:40]!r} is no day: write 2026-06-01.")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > latest:
        minutes = session.rules.compliance.duplicate_window.total_seconds() / 60
        fail(
            f"Only what is older than {latest:%Y-%m-%d %H:%M} UTC may be archived: caps count this month, and the "
            f"check for duplicates looks back {minutes:g} minutes. Nothing was changed. "
            "Name an earlier day, or leave --before out."
        )
    return moment


def _archives(session: StoreSession) -> StoredArchives:
    return StoredArchives(session.store.database, session.store.audit)


def _in_words(one: ArchiveFile) -> str:
    """Say what is in an archive, without a full stop."""
    rows = f"rows {one.first} to {one.last.number} of the audit log, " if one.rows else ""
    return f"{one.name} has {rows}{one.actions} actions and {one.plans} plans from before {one.before[:10]}"
