"""Shared by the commands: the console, the store, and the operator's passcode.

`console.print` is for our own text only. Text from the store, a provider or an assistant goes through `tell`, or in a
table through `plain`: a terminal obeys control characters, and rich interprets markup.
"""

import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Concatenate, Final, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from clients.deferred import Deferred
from clients.settings import reveal
from guard.errors import GuardRefusal, MayNotApprove
from guard.injection.sanitize import escape_invisible
from guard.operators.approval import Approver
from guard.operators.roles import LOCAL, BadOperator
from guard.rules.rules import Rules
from server.console.passcode import BadPasscode, check
from server.settings.load import read_settings
from server.settings.model import Settings
from server.simulation import FOR_SANDBOX
from server.store.store import Store, open_store

T = TypeVar("T")
P = ParamSpec("P")

console = Console(width=None if sys.stdout.isatty() else 200)

OPERATOR = "the operator, on the command line"
"""The name under which actions and the audit log record the operator's decisions."""

IN_SANDBOX_STORE: Final = Deferred[Callable[[Settings], Settings]]("server.settings.sandbox_settings:in_sandbox_store")
"""Loads the simulated providers, which few commands need."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which settings and which store a command works on, as its options say."""

    config: Path | None = None
    state_folder: Path | None = None
    sandbox: bool = False

    def settings(self, *, with_selection: bool = False) -> Settings:
        """Read the settings, of the accounts that are not simulated.

        Raises:
            BadSettings: They do not fit.
        """
        settings = read_settings(self.config, with_selection=with_selection)
        if self.state_folder is None:
            return settings
        folder = self.state_folder.absolute()
        changed = settings.model_copy(update={"state_folder": folder})
        return changed.printing_commands(replace(settings.commands, state_folder=str(folder)))

    def store_settings(self) -> Settings:
        """Read the settings; with the sandbox, those of the store that sandbox sessions use.

        Raises:
            BadSettings: They do not fit.
        """
        settings = self.settings()
        return IN_SANDBOX_STORE.load()(settings) if self.sandbox else settings

    def rule_settings(self, *, with_selection: bool = False) -> Settings:
        """Read the settings; with the sandbox, with its accounts, store and countries, so that its rules are shown.

        Raises:
            BadSettings: They do not fit.
        """
        settings = self.settings(with_selection=with_selection)
        return FOR_SANDBOX.load()(settings, "http://127.0.0.1") if self.sandbox else settings


_OPTIONS: Final = {
    "config": Annotated[Path | None, typer.Option(help="Settings file.")],
    "state_folder": Annotated[Path | None, typer.Option(help="State folder, in place of the one in the settings.")],
    "sandbox": Annotated[bool, typer.Option("--sandbox", help="Use the simulated providers, and their store.")],
}
"""What every operator's command takes, by the fields of `Target`."""


def operator_command(command: Callable[Concatenate[Target, P], None]) -> Callable[..., None]:
    """Give a command of the operator the options of `Target`, which it is handed as its first argument."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        chosen = Target(**{name: kwargs.pop(name) for name in _OPTIONS})  # type: ignore[arg-type]
        command(chosen, *args, **kwargs)

    own = list(signature(command).parameters.values())[1:]
    defaults = {name: getattr(Target(), name) for name in _OPTIONS}
    more = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=option)
        for name, option in _OPTIONS.items()
    ]
    run.__signature__ = signature(command).replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *more)} | {"return": None}
    return run


@dataclass(frozen=True, slots=True)
class StoreSession:
    """The settings and the open store that a command works on."""

    settings: Settings
    store: Store

    @property
    def rules(self) -> Rules:
        """The operator's rules."""
        return self.settings.rules.rules(self.settings.session_policy())

    def tell(self, *lines: str) -> None:
        """Print sentences of our own, with the options in the commands that they name."""
        tell(*(self.settings.commands.complete(line) for line in lines))


async def with_store(work: Callable[[StoreSession], Awaitable[T]], target: Target) -> T:
    """Open the store, do the work, close the store; a refusal is printed and exits with 2."""
    settings = target.store_settings()
    store = open_store(settings.store_address, settings.state_folder, reveal(settings.state_key))
    try:
        return await work(StoreSession(settings, store))
    except (GuardRefusal, BadPasscode, BadOperator) as refusal:
        fail(settings.commands.complete(str(refusal)))
    finally:
        await store.database.close()


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


async def local_approver(session: StoreSession) -> Approver:
    """Return the local operator, as whom the command line approves.

    Raises:
        MayNotApprove: The local operator is disabled: only operators with a name approve.
    """
    found = await session.store.operators.find(LOCAL)
    if found is None or not found.is_enabled:
        raise MayNotApprove(
            "The local operator is disabled, so nothing is approved on the command line: operators approve on the "
            "page. Nothing was recorded."
        )
    return Approver(operator=found, by=OPERATOR)


def read_secret(prompt: str) -> str:
    """Read a secret from the terminal, or the next line of standard input where there is none."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def read_new_secret(name: str) -> str:
    """Read a secret that is being set: twice from a terminal, which does not show what is typed.

    Raises:
        BadPasscode: The two are not the same.
    """
    new = read_secret(f"{name}: ")
    if sys.stdin.isatty() and read_secret(f"{name}, again: ") != new:
        raise BadPasscode("The two are not the same; nothing was changed.")
    return new


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
