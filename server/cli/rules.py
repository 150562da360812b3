"""`ringfence freeze`, `unfreeze` and `optouts`: what the operator stops, and whom nothing is sent to."""

from pathlib import Path

import anyio
import typer

from server.cli.terminal import OPERATOR, Opened, Sandboxed, console, fail, opened_record, require_passcode, tell

optouts = typer.Typer(help="Numbers whose owners want nothing sent.", no_args_is_help=True)


def freeze(sandbox: Sandboxed = False) -> None:
    """Stop every guarded action at once, in every process on this store. Needs no passcode: stopping is always safe."""
    anyio.run(lambda: opened_record(lambda opened: opened.store.freeze.freeze(OPERATOR), sandbox=sandbox))
    console.print("Frozen. Nothing guarded is sent until `ringfence unfreeze`.")


def unfreeze(sandbox: Sandboxed = False) -> None:
    """Let guarded actions go on."""

    async def lift(opened: Opened) -> None:
        await require_passcode(opened)
        await opened.store.freeze.unfreeze(OPERATOR)

    anyio.run(lambda: opened_record(lift, sandbox=sandbox))
    console.print("Guarded actions go on.")


@optouts.command("add")
def add_optouts(numbers: list[str], sandbox: Sandboxed = False) -> None:
    """Add numbers."""
    _add([_e164(number) for number in numbers], source=OPERATOR, sandbox=sandbox)


@optouts.command("import")
def import_optouts(file: Path, sandbox: Sandboxed = False) -> None:
    """Add the numbers in a text file, one a line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    _add([_e164(line) for line in lines if line.strip()], source=f"imported from {file.name}", sandbox=sandbox)


@optouts.command("remove")
def remove_optout(number: str, sandbox: Sandboxed = False) -> None:
    """Remove a number, so that it may be written to again."""

    async def remove(opened: Opened) -> bool:
        await require_passcode(opened)
        return await opened.store.optouts.remove(_e164(number), by=OPERATOR)

    if not anyio.run(lambda: opened_record(remove, sandbox=sandbox)):
        fail(f"{number} is not among the opt-outs.")
    tell(f"{number} is removed.")


@optouts.command("list")
def list_optouts(sandbox: Sandboxed = False) -> None:
    """List every number with where it came from."""
    found = anyio.run(lambda: opened_record(lambda opened: opened.store.optouts.all(), sandbox=sandbox))
    for number, source in found:
        tell(f"{number}  {source}")
    if not found:
        console.print("Nobody opted out.")


def _add(numbers: list[str], *, source: str, sandbox: bool) -> None:
    added = anyio.run(
        lambda: opened_record(
            lambda opened: opened.store.optouts.add(numbers, source=source, by=OPERATOR), sandbox=sandbox
        )
    )
    console.print(f"{added} added, {len(numbers) - added} were there.")


def _e164(number: str) -> str:
    from server.store.optouts import canonical

    found = canonical(number, "US")
    if found is None:
        fail(f"{number.strip()} is not a telephone number; E.164 is expected, such as +12015550123.")
    return found
