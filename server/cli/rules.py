"""`ringfence freeze`, `unfreeze` and `optouts`: the stop switch, and the numbers that get no messages."""

from pathlib import Path
from typing import Final

import anyio
import typer

from clients.phone_numbers import TEN_DIGITS_ARE_OF, canonical, read_with_country_code
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
from server.settings.text_files import read_text_file
from server.store.optouts import MEANINGS

_SHOWN: Final = 60
"""Characters of a line that are shown."""

optouts = typer.Typer(help="Numbers whose owners opted out of messages.", no_args_is_help=True)


@operator_command
def freeze(target: Target) -> None:
    """Stop every guarded action at once, in every process on this store. Needs no passcode: stopping is always safe."""

    async def stop(session: StoreSession) -> None:
        await session.store.freeze.freeze(OPERATOR)
        session.tell("Frozen. No guarded call is sent until `ringfence unfreeze`.")

    anyio.run(lambda: with_store(stop, target))


@operator_command
def unfreeze(target: Target) -> None:
    """Resume guarded actions."""

    async def lift(session: StoreSession) -> None:
        await require_passcode(session)
        await session.store.freeze.unfreeze(OPERATOR)

    anyio.run(lambda: with_store(lift, target))
    console.print("Guarded actions are resumed.")


@optouts.command("add")
@operator_command
def add_optouts(target: Target, numbers: list[str]) -> None:
    """Add numbers."""
    _add([_e164(number) for number in numbers], target, source=OPERATOR)


@optouts.command("import")
@operator_command
def import_optouts(target: Target, file: Path) -> None:
    """Add the numbers in a text file, one a line. If a line cannot be read, each such is named, and none is added."""
    try:
        lines = read_text_file(file).splitlines()
    except (OSError, UnicodeDecodeError) as failed:
        fail(f"{file} cannot be read as text, so nothing was added: {failed}.")
    found = {place: _read_number(line) for place, line in enumerate(lines, 1) if line.strip()}
    if unread := [place for place, number in found.items() if number is None]:
        fail(
            "\n".join(
                [
                    f"Nothing was added, because {_lines(unread)} of {file.name} cannot be read as a telephone number:",
                    *(f"  line {place}: {lines[place - 1].strip()[:_SHOWN]}" for place in unread),
                    "Write each in E.164, such as +12015550123, or take it out, and import the file again.",
                ]
            )
        )
    _add([number for number in found.values() if number], target, source=f"imported from {file.name}")


@optouts.command("remove")
@operator_command
def remove_optout(target: Target, number: str) -> None:
    """Remove a number, so that it may get messages again."""

    async def remove(session: StoreSession) -> bool:
        await require_passcode(session)
        return await session.store.optouts.remove(_e164(number), by=OPERATOR)

    if not anyio.run(lambda: with_store(remove, target)):
        fail(f"{number} is not among the opt-outs.")
    tell(f"{number} is removed.")


@optouts.command("list")
@operator_command
def list_optouts(target: Target) -> None:
    """List every number with its source."""

    async def show(session: StoreSession) -> None:
        found = await session.store.optouts.all()
        for number, source in found:
            tell(f"{number}  {source}")
        if not found:
            console.print("No opt-outs.")
        if waiting := await session.store.optouts.count_requests():
            session.tell(f"{waiting} to read: see `ringfence optouts requests`.")

    anyio.run(lambda: with_store(show, target))


@optouts.command("requests")
@operator_command
def list_requests(target: Target) -> None:
    """List texts that may be a wish to stop or to start again. Add the number, remove it, or dismiss the request."""
    found = anyio.run(lambda: with_store(lambda session: session.store.optouts.requests(), target))
    for one in found:
        tell(f"{one.at:%Y-%m-%d %H:%M} UTC  {one.sender}  {MEANINGS[one.wish]}, {one.source}: {one.text!r}")
    if not found:
        console.print("Nothing to read.")


@optouts.command("dismiss")
@operator_command
def dismiss_requests(target: Target, sender: str) -> None:
    """Close the requests of a number, or of a sender as it is listed: it goes on getting messages as before."""

    async def dismiss(session: StoreSession) -> bool:
        await require_passcode(session)
        return await session.store.optouts.dismiss(sender, by=OPERATOR)

    if not anyio.run(lambda: with_store(dismiss, target)):
        fail(f"There is no request of {sender}.")
    tell(f"The requests of {sender} are dismissed.")


def _add(numbers: list[str], target: Target, *, source: str) -> None:
    async def add(session: StoreSession) -> int:
        return await session.store.optouts.add(numbers, source=source, by=OPERATOR)

    added = anyio.run(lambda: with_store(add, target))
    console.print(f"{added} added, {len(numbers) - added} already listed.")


def _lines(places: list[int]) -> str:
    return "one line" if len(places) == 1 else f"{len(places)} lines"


def _read_number(text: str) -> str | None:
    """Return a number in the form in which opt-outs are kept; None if it cannot be read as one."""
    return canonical(text, TEN_DIGITS_ARE_OF) or canonical(read_with_country_code(text) or "")


def _e164(number: str) -> str:
    found = _read_number(number)
    if found is None:
        fail(f"{number.strip()} is not a telephone number. Write it in E.164, such as +12015550123.")
    return found
