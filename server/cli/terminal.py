"""Shared by the commands: the console, the store, and the operator's passcode.

`console.print` is for our own text only. Text from the store, a provider or an assistant goes through `tell`, or in a
table through `plain`: a terminal obeys control characters, and rich interprets markup.
"""

import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from clients.deferred import Deferred
from clients.settings import reveal
from guard.errors import GuardRefusal
from guard.injection.sanitize import escape_invisible
from server.console.passcode import BadPasscode, check
from server.settings.load import read_settings
from server.settings.model import Settings
from server.store.store import Store, open_store

T = TypeVar("T")

console = Console(width=None if sys.stdout.isatty() else 200)

OPERATOR = "the operator, on the command line"
"""The name under which actions and the audit log record the operator's decisions."""

Sandboxed = Annotated[bool, typer.Option("--sandbox", help="Use the store of sandbox sessions.")]

SANDBOX_STORE: Final = Deferred[Callable[[Settings], dict[str, Any]]]("server.settings.sandbox_settings:sandbox_store")
"""Loads the simulated providers, which few commands need."""


@dataclass(frozen=True, slots=True)
class StoreSession:
    """The settings and the open store that a command works on."""

    settings: Settings
    store: Store


async def with_store(work: Callable[[StoreSession], Awaitable[T]], *, sandbox: bool) -> T:
    """Open the store, do the work, close the store; a refusal is printed and exits with 2."""
    settings = settings_for(read_settings(), sandbox=sandbox)
    store = open_store(settings.store_address, settings.state_folder, reveal(settings.state_key))
    try:
        return await work(StoreSession(settings, store))
    except (GuardRefusal, BadPasscode) as refusal:
        fail(str(refusal))
    finally:
        await store.database.close()


def settings_for(settings: Settings, *, sandbox: bool) -> Settings:
    """Return the settings; with `sandbox`, those of the store that sandbox sessions use."""
    return settings.model_copy(update=SANDBOX_STORE.load()(settings)) if sandbox else settings


async def require_passcode(session: StoreSession) -> None:
    """Read the operator's passcode from the terminal or standard input, and check it.

    There is no limit here: this is the last way in, which nobody may lock. A wrong passcode stands on the audit.

    Raises:
        BadPasscode: It is wrong, or none is set.
    """
    try:
        await check(session.store.key_values, read_secret("Passcode: "))
    except BadPasscode:
        await session.store.audit.note("passcode refused", principal="someone on the command line")
        raise


def read_secret(prompt: str) -> str:
    """Read a secret from the terminal, or the next line of standard input where there is none."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def tell(*lines: str) -> None:
    """Print text from outside, one line each, without markup and with invisible characters written out."""
    for line in lines:
        console.print(plain(line), soft_wrap=True)


def plain(words: object) -> Text:
    """Convert text from outside for a table: without markup, with invisible characters written out."""
    return Text(escape_invisible(str(words)))


def fail(message: str) -> NoReturn:
    """Print what is wrong on stderr and exit with 2; the message may quote text from outside."""
    for line in message.split("\n"):
        typer.echo(escape_invisible(line), err=True)
    raise typer.Exit(2)
