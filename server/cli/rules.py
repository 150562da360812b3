"""`ringfence freeze`, `unfreeze` and `optouts`: the stop switch, and the numbers that get no messages."""

from pathlib import Path

import anyio
import typer

from clients.phone_numbers import TEN_DIGITS_ARE_OF, canonical, read_with_country_code
from server.cli.terminal import OPERATOR, Sandboxed, StoreSession, console, fail, require_passcode, tell, with_store
from server.settings.text_files import read_text_file
from server.store.optouts import MEANINGS

optouts = typer.Typer(help="Numbers whose owners opted out of messages.", no_args_is_help=True)


def freeze(sandbox: Sandboxed = False) -> None:
    """Stop every guarded action at once, in every process on this store. Needs no passcode: stopping is always safe."""
    anyio.run(lambda: with_store(lambda session: session.store.freeze.freeze(OPERATOR), sandbox=sandbox))
    console.print("Frozen. No guarded call is sent until `ringfence unfreeze`.")


def unfreeze(sandbox: Sandboxed = False) -> None:
    """Resume guarded actions."""

    async def lift(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.freeze.unfreeze(OPERATOR)

    anyio.run(lambda: with_store(lift, sandbox=sandbox))
    console.print("Guarded actions are resumed.")


@optouts.command("add")
def add_optouts(numbers: list[str], sandbox: Sandboxed = False) -> None:
    """Add numbers."""
    _add([_e164(number) for number in numbers], source=OPERATOR, sandbox=sandbox)


@optouts.command("import")
def import_optouts(file: Path, sandbox: Sandboxed = False) -> None:
    """Add the numbers in a text file, one a line."""
    lines = read_text_file(file).splitlines()
    _add([_e164(line) for line in lines if line.strip()], source=f"imported from {file.name}", sandbox=sandbox)


@optouts.command("remove")
def remove_optout(number: str, sandbox: Sandboxed = False) -> None:
    """Remove a number, so that it may get messages again."""

    async def remove(session: StoreSession) -> bool:
        await require_passcode(session)
        return await session.store.optouts.remove(_e164(number), by=OPERATOR)

    if not anyio.run(lambda: with_store(remove, sandbox=sandbox)):
        fail(f"{number} is not among the opt-outs.")
    tell(f"{number} is removed.")


@optouts.command("list")
def list_optouts(sandbox: Sandboxed = False) -> None:
    """List every number with its source."""
    found = anyio.run(lambda: with_store(lambda session: session.store.optouts.all(), sandbox=sandbox))
    for number, source in found:
        tell(f"{number}  {source}")
    if not found:
        console.print("No opt-outs.")
    waiting = anyio.run(lambda: with_store(lambda session: session.store.optouts.count_requests(), sandbox=sandbox))
    if waiting:
        console.print(f"{waiting} to read: see `ringfence optouts requests`.")


@optouts.command("requests")
def list_requests(sandbox: Sandboxed = False) -> None:
    """List texts that may be a wish to stop or to start again. Add the number, remove it, or dismiss the request."""
    found = anyio.run(lambda: with_store(lambda session: session.store.optouts.requests(), sandbox=sandbox))
    for one in found:
        tell(f"{one.at:%Y-%m-%d %H:%M} UTC  {one.sender}  {MEANINGS[one.wish]}, {one.source}: {one.text!r}")
    if not found:
        console.print("Nothing to read.")


@optouts.command("dismiss")
def dismiss_requests(sender: str, sandbox: Sandboxed = False) -> None:
    """Close the requests of a number, or of a sender as it is listed: it goes on getting messages as before."""

    async def dismiss(session: StoreSession) -> bool:
        await require_passcode(session)
        return await session.store.optouts.dismiss(sender, by=OPERATOR)

    if not anyio.run(lambda: with_store(dismiss, sandbox=sandbox)):
        fail(f"There is no request of {sender}.")
    tell(f"The requests of {sender} are dismissed.")


def _add(numbers: list[str], *, source: str, sandbox: bool) -> None:
    async def add(session: StoreSession) -> int:
        return await session.store.optouts.add(numbers, source=source, by=OPERATOR)

    added = anyio.run(lambda: with_store(add, sandbox=sandbox))
    console.print(f"{added} added, {len(numbers) - added} already listed.")


def _e164(number: str) -> str:
    found = canonical(number, TEN_DIGITS_ARE_OF) or canonical(read_with_country_code(number) or "")
    if found is None:
        fail(f"{number.strip()} is not a telephone number. Write it in E.164, such as +12015550123.")
    return found
