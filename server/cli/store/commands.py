"""`ringfence store`: moves the record to another database, and gives such a move up."""

import os
from datetime import datetime, timedelta
from typing import Annotated, Final

import anyio
import anyio.to_thread
import typer
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from clients.redaction import redact
from clients.settings import reveal
from clients.shared.clock import SystemClock
from guard.errors import GuardRefusal
from server.cli.terminal import OPERATOR, StoreSession, Target, fail, operator_command, require_passcode, tell
from server.console.health.verification import check_record
from server.console.passcode import BadPasscode
from server.settings.model import STORES, Settings
from server.store.closing.marks import COPYING, read_mark, refuse_marked
from server.store.moving.address import Address, CannotCopy
from server.store.moving.copying import Progress, compare_rows, copy_rows
from server.store.moving.move import (
    close_for_move,
    give_up,
    is_there,
    move_of,
    open_copy,
    require_nothing_under_way,
)
from server.store.processes import is_gone
from server.store.schema import HEAD
from server.store.store import Store, open_store

app = typer.Typer(help="The record as a whole, and where it is.", no_args_is_help=True)

OF_SETTINGS: Final = "settings"
IN_VARIABLE: Final = "env:"

TOLD_EVERY: Final = 100_000
"""Rows after which a long table says how far it is."""

JUST_NOW: Final = timedelta(minutes=3)
"""A server whose last sign of life is no older runs, as far as can be seen from another machine."""

Source = Annotated[
    str, typer.Argument(metavar="FROM", help="`settings`, a file, a URL without password, or env:VARIABLE with a URL.")
]
Goal = Annotated[str, typer.Argument(metavar="TO", help="An empty store, named in the same ways.")]


@app.command()
@operator_command
def copy(target: Target, source: Source, to: Goal) -> None:
    """Move the record to an empty store: closes FROM for good, copies, verifies, opens TO. Goes on where it stopped."""
    settings = target.store_settings()
    old, new = _two_stores(settings, source, to)
    try:
        anyio.run(_copy, settings, old, new)
    except (CannotCopy, GuardRefusal) as refusal:
        fail(settings.commands.complete(str(refusal)))
    except (SQLAlchemyError, OSError) as failed:
        fail(f"A store cannot be used: {_reason(failed)}. The same command goes on where this one stopped.")


@app.command()
@operator_command
def reopen(
    target: Target,
    source: Source,
    to: Goal,
    lost: Annotated[bool, typer.Option("--lost", help="The finished copy is lost; asks for the passcode.")] = False,
) -> None:
    """Give an unfinished copy up: FROM is open to servers again, and what is in TO never will be."""
    settings = target.store_settings()
    old, new = _two_stores(settings, source, to)
    try:
        mark = read_mark(version := old.version())
        if version is None or mark is None or not mark.is_moved:
            fail(f"{old.name} is not closed; there is nothing to reopen.")
        anyio.run(_reopen, settings, old, new, version, lost)
    except (CannotCopy, GuardRefusal, BadPasscode) as refusal:
        fail(settings.commands.complete(str(refusal)))
    except (SQLAlchemyError, OSError) as failed:
        fail(f"A store cannot be used: {_reason(failed)}. {old.name} may still be closed; run this again.")
    tell(f"{old.name} is open again. What a copy left in {new.name} can never be used; drop it.")


async def _copy(settings: Settings, old: Address, new: Address) -> None:
    copy_id = await _begin(settings, old, new)
    if copy_id is None:
        tell(f"The record is in {new.name} already, whole and verified; nothing was left to do.")
        return
    tell(f"{old.name} is closed: no server works on it any more.")
    try:
        await anyio.to_thread.run_sync(lambda: copy_rows(old, new, copy_id, tell=_tell_progress))
        tell("All rows are there. Every value is compared with the one it was copied from now.")
        copied = await anyio.to_thread.run_sync(compare_rows, old, new)
        tell(
            f"Every value is the same on both sides: {copied.rows} rows in {copied.tables} tables. "
            "The audit log, the signatures and the receipts are verified now."
        )
        await _verify(settings, new)
        await anyio.to_thread.run_sync(open_copy, new, old, copy_id)
    except (CannotCopy, GuardRefusal, SQLAlchemyError):
        if not is_there(new, copy_id):
            raise
        tell("Another process finished this copy meanwhile.")
    tell(f"The record is in {new.name} now, and open.")
    tell(
        "Next: set `store_url` to it for every server and every command, leave the state folder and the key as they "
        "are, and start the servers.",
        f"{old.name} stays closed; keep it as a backup, or delete it.",
    )
    if new.file is None and settings.state_key is None:
        tell("Servers on other machines need the same key: set `state_key` to the content of vault.key.")


def _tell_progress(done: Progress) -> None:
    if done.is_whole:
        tell(f"  {done.table}: {done.rows}")
    elif done.rows % TOLD_EVERY == 0:
        tell(f"  {done.table}: {done.rows} so far")


async def _begin(settings: Settings, old: Address, new: Address) -> str | None:
    """Close the old store, unless that is done, and return the id of the copy; None if the whole copy is done."""
    if old.name == new.name:
        raise CannotCopy("FROM and TO are the same store. Nothing was changed.")
    there, here = old.version(), new.version()
    if there is None:
        raise CannotCopy(f"There is no record in {old.name}. Nothing was changed.")
    mark = read_mark(there)
    if mark is not None and mark.is_moved:
        return _go_on(old, new)
    refuse_marked(there)
    if here is not None:
        raise CannotCopy(f"{new.name} is not empty. Nothing was changed. Name an empty store.")
    now = SystemClock().now()
    await _require_nobody_works(settings, old, there, now)
    if there != HEAD:
        tell(f"{old.name} is brought up to date first: its tables are of version {there}, and this one's of {HEAD}.")
    store = _open(settings, old, HEAD)
    try:
        return await close_for_move(store, new, by=OPERATOR, now=now)
    finally:
        await store.database.close()


def _go_on(old: Address, new: Address) -> str | None:
    """Return the id of the copy that a store is closed for; None if the whole copy is done."""
    move = move_of(old, new)
    if is_there(new, move.copy_id):
        return None
    if not move.is_of_this_version:
        raise CannotCopy(
            f"The copy of {old.name} was begun by another version of Ringfence: its tables are of version "
            f"{move.tables}, and this one's of {HEAD}. Nothing was changed. Go on with that version; or give the copy "
            "up with `ringfence store reopen FROM TO`, and copy into an empty store."
        )
    return move.copy_id


async def _require_nobody_works(settings: Settings, old: Address, version: str, now: datetime) -> None:
    """Refuse to begin while a server or a worker runs; the store, of whatever version, stays as it is."""
    store = _open(settings, old, version)
    try:
        await store.database.read(lambda connection: require_nothing_under_way(connection, now))
        for one in await store.processes.latest(now):
            gone = is_gone(one.name)
            if gone is False or (gone is None and now - one.at < JUST_NOW):
                raise CannotCopy(
                    f"A {one.role} runs on {old.name}: process {one.pid} on {one.machine}. Nothing was changed. "
                    "Stop it, and copy again."
                )
    finally:
        await store.database.close()


async def _verify(settings: Settings, new: Address) -> None:
    """Verify the audit log, the signatures on it and the receipts of the copy, with the key."""
    store = _open(settings, new, COPYING)
    try:
        checked = await check_record(store, by=OPERATOR, at=SystemClock().now())
    finally:
        await store.database.close()
    if not checked.fits:
        raise CannotCopy(
            f"The record was tampered with before it was copied: {checked.fault}. The new store stays closed. "
            "Give the copy up with `ringfence store reopen FROM TO`, and look with `ringfence audit verify`."
        )
    tell(f"The audit log is intact: {checked.verdict.rows} rows. The receipts fit.")


async def _reopen(settings: Settings, old: Address, new: Address, mark: str, lost: bool) -> None:
    store = _open(settings, old, mark)
    try:
        if lost:
            await require_passcode(StoreSession(settings, store))
        await give_up(store, old, new, is_lost=lost, by=OPERATOR)
    finally:
        await store.database.close()


def _open(settings: Settings, address: Address, version: str) -> Store:
    return open_store(address.whole, settings.state_folder, reveal(settings.state_key), version=version)


def _two_stores(settings: Settings, source: str, to: str) -> tuple[Address, Address]:
    return _address(settings, source), _address(settings, to)


def _address(settings: Settings, words: str) -> Address:
    """Return the store that an argument names. A password in an argument would stand in the list of processes."""
    if words == OF_SETTINGS:
        return Address.of(settings.store_address)
    if words.startswith(IN_VARIABLE):
        name = words.removeprefix(IN_VARIABLE)
        if not (url := os.environ.get(name, "").strip()):
            fail(f"The variable {name} is not set. Nothing was changed.")
        return _parsed(url, f"the variable {name}")
    if "://" not in words:
        return Address.of(f"sqlite:///{os.path.abspath(words)}")
    address = _parsed(words, "the argument")
    if address.url.password or "password" in address.url.query:
        redact.learn(str(address.url.password))
        fail(
            "A password in an argument is seen by everybody on this machine, so nothing was done. Change the password, "
            "set a variable to the URL, such as NEW_STORE, and write env:NEW_STORE in its place."
        )
    return address


def _parsed(url: str, where: str) -> Address:
    if not url.startswith(STORES):
        fail(f"{where}: postgresql+psycopg://USER@HOST/DATABASE or sqlite:///FILE is expected. Nothing was changed.")
    try:
        return Address.of(url)
    except (ArgumentError, ValueError):
        fail(f"{where} is no URL of a store. Nothing was changed.")


def _reason(failed: Exception) -> str:
    return redact(str(getattr(failed, "orig", None) or failed).splitlines()[0])
