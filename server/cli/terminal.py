"""What the commands share: the console, the store, and the operator's passcode.

`console.print` is for our own words. What comes from the store, a provider or whoever asked goes through `tell`, in a
table through `plain`: a terminal obeys what it is shown, and rich reads markup in it.
"""

import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from guard.errors import GuardRefusal
from guard.injection.sanitize import escape_invisible
from server.settings.load import read_settings
from server.settings.model import Settings

if TYPE_CHECKING:
    from server.store.store import Store

T = TypeVar("T")

console = Console(width=None if sys.stdout.isatty() else 200)

OPERATOR = "the operator, on the command line"
"""Who decided, as the record says it."""

Sandboxed = Annotated[bool, typer.Option("--sandbox", help="The record of sandbox sessions.")]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works on."""

    settings: Settings
    store: "Store"


async def opened_record(work: Callable[[Opened], Awaitable[T]], *, sandbox: bool) -> T:
    """Open the store, do the work, close it; what the guard refuses is told in one line."""
    from clients.settings import reveal
    from server.console.passcode import BadPasscode
    from server.store.store import open_store

    settings = read_settings()
    if sandbox:
        from server.settings.sandbox_settings import sandbox_store

        settings = settings.model_copy(update=sandbox_store(settings))
    record = open_store(settings.store_address, settings.state_folder, reveal(settings.state_key))
    try:
        return await work(Opened(settings, record))
    except (GuardRefusal, BadPasscode) as refusal:
        fail(str(refusal))
    finally:
        await record.database.close()


async def require_passcode(opened: Opened) -> None:
    """Ask for the operator's passcode, at the terminal or on standard input; never as an argument.

    Raises:
        BadPasscode: It is wrong, or none was set.
    """
    from server.console.passcode import check

    await check(opened.store.key_values, read_secret("Passcode: "))


def read_secret(prompt: str) -> str:
    """A secret typed at the terminal, or the next line of standard input where there is none."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def tell(*lines: str) -> None:
    """Print others' words: each on one line and as it is, with what cannot be seen written out."""
    for line in lines:
        console.print(plain(line), soft_wrap=True)


def plain(words: object) -> Text:
    """Others' words for a table: without markup, with what cannot be seen written out."""
    return Text(escape_invisible(str(words)))


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and leave with 2. A message may quote others."""
    for line in message.split("\n"):
        typer.echo(escape_invisible(line), err=True)
    raise typer.Exit(2)
