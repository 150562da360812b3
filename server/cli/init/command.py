"""`ringfence init`: from nothing to an assistant that is connected, in one command that may be run again."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import anyio
import typer

from guard.money import Money, NotAPrice, parse_price
from guard.rules.quote import Quote
from server.cli.doctor import report_checks
from server.cli.init.accounts import ask_account, choose_providers
from server.cli.init.config_files import CannotAdd, add_to_client
from server.cli.init.mcp_clients import MCP_CLIENTS, Launch, McpClient
from server.cli.init.own_files import add_rules, add_secrets, create_settings, mode_of
from server.cli.init.questions import MOST_TRIES, NotAnAnswer, Questions
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    operator_command,
    read_new_secret,
    tell,
    with_store,
)
from server.console.passcode import SHORTEST, BadPasscode, is_set, set_passcode
from server.settings.keys import CONFIG_VARIABLE, variable_of
from server.settings.model import Settings
from server.settings.rules import DestinationSettings
from server.settings.secrets_file import secrets_beside, usual_settings_file

NO_CAP: Final = "none"
DAY_CAP: Final = "25 USD"
MONTH_CAP: Final = "250 USD"
"""Proposed to whoever has no amount in mind: enough for everyday work, and small enough to lose."""

CLIENT_NAMES: Final = tuple(client.name for client in MCP_CLIENTS)


@operator_command
def init(
    target: Target,
    provider: Annotated[
        list[str] | None, typer.Option(help="Provider to set up; may be repeated, `all` is every one.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of an account that is no secret.")
    ] = None,
    day_cap: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Most to spend in a day, such as `25 USD`, or `none`.")
    ] = None,
    month_cap: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Most to spend in a month, such as `250 USD`, or `none`.")
    ] = None,
    countries: Annotated[
        str | None, typer.Option(metavar="CODES", help="Countries that may be called and texted, such as `US,CA`.")
    ] = None,
    passcode: Annotated[
        bool | None, typer.Option(help="Set the passcode for approvals; without a terminal, from standard input.")
    ] = None,
    client: Annotated[str | None, typer.Option(help=f"Client to connect: {', '.join(CLIENT_NAMES)}.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Add the server to the client's own settings file.")] = False,
    check: Annotated[bool, typer.Option(help="Check the result with harmless reads, as `doctor` does.")] = True,
) -> None:
    """Set up Ringfence: accounts, caps, countries, passcode and a client. What is set already stays as it is.

    Secrets are typed, or come from the environment or standard input. They are written to `ringfence.env` alone.
    """
    questions = Questions()
    chosen = _find_client(client)
    if target.sandbox:
        tell("The simulated providers need no account and no key; nothing is real and nothing costs money.")
    else:
        _set_up(questions, target, provider or [], _read_values(values or []), (day_cap, month_cap), countries)
    _set_passcode(questions, target, wanted=passcode)
    held = not check or _check(target)
    _connect(questions, target, chosen, write=write)
    if not held:
        tell("Some checks failed; mend what they name, then run `ringfence init` or `ringfence doctor` again.")
        raise typer.Exit(1)


# Accounts, caps and countries -------------------------------------------------------------------------------------


def _set_up(
    questions: Questions,
    target: Target,
    providers: list[str],
    values: Mapping[str, Mapping[str, str]],
    caps: tuple[str | None, str | None],
    countries: str | None,
) -> None:
    file, secrets = _settings_file(target), secrets_beside(target.config)
    is_new = create_settings(file)
    settings = target.settings()
    variables: dict[str, str] = {}
    for name in choose_providers(questions, settings, [*providers, *(name for name in values if not providers)]):
        new = ask_account(questions, name, settings, values.get(name, {}))
        variables |= {variable_of(f"{name}.{key}"): value for key, value in new.items()}
        variables |= _only_in_environment(settings, name)
    amounts = _ask_caps(questions, settings, caps)
    codes = _ask_countries(questions, settings, countries)
    variables = {name: value for name, value in variables.items() if not _has_line(secrets, name)}
    if variables:
        add_secrets(secrets, variables)
    added = add_rules(file, amounts, codes)
    _report_file(file, "created" if is_new else "added to" if added else "unchanged", added)
    if secrets.exists():
        _report_file(secrets, "added to" if variables else "unchanged", list(variables))


def _only_in_environment(settings: Settings, name: str) -> dict[str, str]:
    """Return what the environment alone sets of an account: clients start the server with another environment."""
    account = settings.account(name)
    keys = {variable_of(f"{name}.{key}"): key for key in type(account).model_fields}
    return {variable: value for variable in keys if (value := os.environ.get(variable))}


def _has_line(secrets: Path, variable: str) -> bool:
    if not secrets.exists():
        return False
    return any(line.strip().startswith(f"{variable}=") for line in secrets.read_text(encoding="utf-8").splitlines())


def _ask_caps(questions: Questions, settings: Settings, given: tuple[str | None, str | None]) -> dict[str, Money]:
    if settings.budget:
        return {}
    asked = (
        ("day", "Most that may be spent in a day", given[0], DAY_CAP, "--day-cap"),
        ("month", "Most that may be spent in a month", given[1], MONTH_CAP, "--month-cap"),
    )
    caps: dict[str, Money] = {}
    for window, question, text, default, option in asked:
        cap = questions.text(f"{question}, or `{NO_CAP}`", _read_cap, given=text, default=default, option=option)
        if cap is not None:
            caps[window] = cap
    return caps


def _read_cap(text: str) -> Money | None:
    if text.strip().lower() == NO_CAP:
        return None
    try:
        return parse_price(text, Quote().currency)
    except NotAPrice as wrong:
        raise NotAnAnswer(f"An amount is expected, such as {DAY_CAP}, or `{NO_CAP}`.") from wrong


def _ask_countries(questions: Questions, settings: Settings, given: str | None) -> list[str] | None:
    if "countries" in settings.destinations.model_fields_set:
        return None
    usual = ",".join(DestinationSettings().countries)
    question = "Countries that may be called and texted, as ISO codes"
    return questions.text(question, _read_countries, given=given, default=usual, option="--countries")


def _read_countries(text: str) -> list[str]:
    codes = [code.strip().upper() for code in text.split(",") if code.strip()]
    try:
        return DestinationSettings.model_validate({"countries": codes}).countries
    except ValueError as wrong:
        raise NotAnAnswer("ISO codes of two letters are expected, separated by commas, such as US,CA.") from wrong


def _read_values(words: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        name, dot, field = key.partition(".")
        if not (equals and dot and value):
            fail("--set: PROVIDER.KEY=VALUE is expected. Nothing was changed.")
        found.setdefault(name, {})[field] = value
    return found


def _settings_file(target: Target) -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    return target.config or (Path(named) if named else usual_settings_file())


def _report_file(file: Path, what: str, added: Sequence[str]) -> None:
    mode = mode_of(file)
    tell(f"{file} ({f'mode {mode}, ' if mode else ''}{what}){': ' if added else ''}{', '.join(added)}")


# The passcode -----------------------------------------------------------------------------------------------------


def _set_passcode(questions: Questions, target: Target, *, wanted: bool | None) -> None:
    """Set the passcode unless there is one; a person may leave it for later."""

    async def set_if_missing(session: StoreSession) -> None:
        if await is_set(session.store.key_values):
            tell("The passcode for approvals is set already.")
        elif wanted is False or (wanted is None and not questions.has_terminal):
            session.tell("No passcode is set. Before the first approval: `ringfence approvals passcode`")
        else:
            await _choose_passcode(questions, session)

    anyio.run(lambda: with_store(set_if_missing, target))


async def _choose_passcode(questions: Questions, session: StoreSession) -> None:
    """Set a passcode. A person may try again where it is too short or was typed otherwise the second time.

    Raises:
        BadPasscode: It did not fit, and there is nobody to ask again.
    """
    if questions.has_terminal:
        tell(f"Choose the passcode for approvals: {SHORTEST} characters or more, which no assistant gets to know.")
    for left in reversed(range(MOST_TRIES if questions.has_terminal else 1)):
        try:
            await set_passcode(session.store, read_new_secret("Passcode"), old=None, by=OPERATOR)
        except BadPasscode as wrong:
            if not left:
                raise
            tell(f"  {wrong}")
        else:
            tell("The passcode is set.")
            return


# Checks and the client --------------------------------------------------------------------------------------------


def _check(target: Target) -> bool:
    console.rule("Checks")
    return anyio.run(lambda: report_checks(target, undocumented=False))


def _find_client(name: str | None) -> McpClient | None:
    if name is None:
        return None
    try:
        return _read_client(name)
    except NotAnAnswer as wrong:
        fail(f"--client: {wrong} Nothing was changed.")


def _read_client(text: str) -> McpClient | None:
    name = text.strip().lower()
    if name == "none":
        return None
    for client in MCP_CLIENTS:
        if client.name == name:
            return client
    raise NotAnAnswer(f"{text.strip()} is no client that this command knows; there are {', '.join(CLIENT_NAMES)}.")


def _connect(questions: Questions, target: Target, client: McpClient | None, *, write: bool) -> None:
    console.rule("Client")
    if client is None and questions.has_terminal:
        question = f"Which client do you connect? {', '.join(CLIENT_NAMES)}, or `none`"
        client = questions.text(question, _read_client, given=None, default="none", option="--client")
    launch = launch_for(target)
    if client is None:
        tell("Connect any MCP client with this command:", f"  {' '.join((launch.command, *launch.arguments))}")
        return
    text, _ = client.snippet(launch)
    file = client.file()
    tell(f"For {client.title}, {'run' if client.own_command else f'in {file}'}:")
    typer.echo(f"\n{text}\n")
    if not client.can_be_written:
        tell(f"`--write` cannot add this to {client.title}'s file without changing the rest of it; add it yourself.")
    elif write or questions.confirm(f"Add it to {file} now?"):
        _write(client, launch, file)
    tell(f"Then restart {client.title}, and ask it, for example: Which numbers do we have, and what do they cost?")


def _write(client: McpClient, launch: Launch, file: Path) -> None:
    try:
        outcome, backup = add_to_client(client, client.entry(launch), file)
    except CannotAdd as reason:
        fail(f"{reason}. It was not changed; add the lines above yourself.")
    tell(f"{file}: {outcome}{f'; the file as it was is {backup}' if backup else ''}.")


def launch_for(target: Target) -> Launch:
    """Return how a client starts the server that this command has set up, wherever the client starts it."""
    program = os.path.abspath(sys.argv[0])
    command = (program,) if os.access(program, os.X_OK) else (sys.executable, program)
    commands = target.settings().commands
    config = ("--config", commands.config) if commands.config else ()
    folder = {variable_of("state_folder"): commands.state_folder} if commands.state_folder else {}
    return Launch(command, (*config, *(("--sandbox",) if target.sandbox else ())), folder)
