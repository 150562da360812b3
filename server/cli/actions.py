"""`ringfence actions` and `ringfence secrets`: guarded calls, how they ended, and the secrets they returned."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import anyio
import typer
from rich.table import Table

from guard.action import Action, State
from guard.injection.reasons import decline_line
from guard.messages import approval_prompt, status_line, status_with_outcome
from guard.operator_commands import quote_for_shell
from guard.receipts.wording import receipts_in_words
from guard.verification_hint import outcome_text
from server.cli.archives.commands import archive, fail_missing, tell_archives
from server.cli.reports.filter_options import filtering
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    operator_command,
    plain,
    require_passcode,
    tell,
    with_store,
)
from server.reports.history_files import csv_head, csv_line, json_line, lines
from server.services import Services
from server.store.reports.filter import ActionFilter, BadFilter, write_filter
from server.store.reports.history import Entry
from server.store.reports.spending import Charged, charge_in_words
from tools.operation_catalog import RegisteredOperations

app = typer.Typer(help="Every guarded call and how it ended.", no_args_is_help=True)
app.command()(archive)


@app.command("list")
@operator_command
@filtering
def list_actions(
    target: Target,
    wanted: ActionFilter,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    before: Annotated[str | None, typer.Option(help="Only those requested before this action, by its id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all that fit as CSV, for a spreadsheet.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Print all that fit as JSON, one a line.")] = False,
) -> None:
    """List the actions that fit, newest first, with what each one cost."""

    async def show(session: StoreSession) -> None:
        history = session.store.history
        if as_csv or as_lines:
            await _print_file(history.every(wanted), as_csv=as_csv)
            return
        try:
            entries, older = await history.latest(wanted, limit=limit, before=before)
        except BadFilter as bad:
            fail(str(bad))
        charges = {entry.action.id: entry.charged for entry in entries if entry.charged}
        actions = [entry.action for entry in entries]
        if as_json:
            typer.echo(json.dumps([_to_json(action, charges) for action in actions], default=str))
            return
        console.print(table(actions, charges))
        if older is None:
            await tell_archives(session)
        else:
            options = [word for name, value in write_filter(wanted).items() for word in (f"--{name}", value)]
            words = ("ringfence", "actions", "list", "--limit", str(limit), *options, "--before", older)
            session.tell(f"Older ones: `{quote_for_shell(words)}`")

    anyio.run(lambda: with_store(show, target))


async def _print_file(entries: AsyncIterator[Entry], *, as_csv: bool) -> None:
    """Print entries while they are read."""
    if as_csv:
        typer.echo(csv_head(), nl=False)
    async for line in lines(entries, csv_line if as_csv else json_line):
        typer.echo(line, nl=False)


@app.command()
@operator_command
def show(target: Target, action_id: str) -> None:
    """Show one action: the call, its quote, how it ended, and what it cost."""

    async def show_action(session: StoreSession) -> None:
        action = await session.store.journal.find(action_id)
        if action is None:
            await fail_missing(session, action_id)
        charges = await session.store.spending.charges_of([action.id])
        parts = (
            approval_prompt(action),
            status_line(action),
            decline_line(action.decline_reason) if action.decline_reason else None,
            outcome_text(action, RegisteredOperations()),
            f"Charged: {charge_in_words(action, charges.get(action.id))}.",
            receipts_in_words(await session.store.receipts.ids_of(action.id)),
            action.answer,
        )
        tell(*(line for part in parts if part for line in part.split("\n")))
        session.tell(*filter(None, [_advice(action)]))

    anyio.run(lambda: with_store(show_action, target))


@app.command()
@operator_command
def resolve(target: Target, action_id: str, outcome: Annotated[str, typer.Argument(help="done or refused")]) -> None:
    """Close an action whose outcome is unknown, after you checked at the provider."""
    if outcome not in {"done", "refused"}:
        fail("The outcome is `done` or `refused`.")

    async def close(session: StoreSession) -> Action | None:
        await require_passcode(session)
        return await session.store.journal.move(
            action_id,
            {State.UNKNOWN, State.SENDING},
            State(outcome),
            outcome="Closed by the operator.",
            finished_at=datetime.now(UTC),
        )

    if anyio.run(lambda: with_store(close, target)) is None:
        fail(f"{action_id} is not an action whose outcome is unknown.")
    tell(f"{action_id} is closed as {outcome}.")


@app.command()
@operator_command
def reconcile(target: Target) -> None:
    """Check at the providers how calls ended whose answer was lost. Nothing is sent again."""

    async def run() -> list[Action]:
        services = Services(target.store_settings())
        try:
            return await services.guard.reconciler.run()
        finally:
            await services.close()

    found = anyio.run(run)
    for action in found:
        tell(status_with_outcome(action, RegisteredOperations()))
    if not found:
        console.print("No outcome is unknown.")


@operator_command
def secrets(target: Target, action_id: str) -> None:
    """Show the secrets that an action sent or returned."""

    async def read(session: StoreSession) -> list[str]:
        await require_passcode(session)
        found = await session.store.vault.secrets_of(action_id, by=OPERATOR)
        return [f"{secret.name}: {secret.value}" for secret in found]

    lines = anyio.run(lambda: with_store(read, target))
    if not lines:
        fail(f"There are no secrets of {action_id}.")
    tell(*lines)


def table(actions: list[Action], charges: Mapping[str, Charged] | None = None) -> Table:
    """Build the table of actions for the terminal; `charges` are what they cost, by their ids, if that is shown."""
    charged = () if charges is None else ("charged",)
    names = ("id", "state", "call", "price", *charged, "requested by", "requested at", "decided by")
    rows = Table(*names, box=None, pad_edge=False)
    for action in actions:
        cells = (
            action.id,
            action.state.value,
            action.title,
            _price(action),
            *(() if charges is None else (charge_in_words(action, charges.get(action.id)),)),
            action.principal,
            f"{action.created_at:%Y-%m-%d %H:%M}",
            action.decided_by or "",
        )
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def _price(action: Action) -> str:
    """Return the price in the question."""
    if action.quote.up_to is not None:
        return f"up to {action.quote.up_to}"
    return str(action.quote.amount or ("unknown" if action.quote.unknown else "none"))


def _to_json(action: Action, charges: Mapping[str, Charged]) -> dict[str, object]:
    charged = charges.get(action.id)
    return {**asdict(action), "charged": asdict(charged) if charged else None}


def find_action(action_id: str, target: Target) -> Action:
    """Return an action from the store; exit with 2 if there is none."""

    async def find(session: StoreSession) -> Action:
        return await session.store.journal.find(action_id) or await fail_missing(session, action_id)

    return anyio.run(lambda: with_store(find, target))


def _advice(action: Action) -> str:
    """Return what the operator can do while the outcome is open; empty otherwise."""
    match action.state:
        case State.SENDING:
            return "If its server has ended, `ringfence actions reconcile` checks how the call ended."
        case State.UNKNOWN:
            return (
                "`ringfence actions reconcile` checks again where a read can prove it. If you checked yourself: "
                f"`ringfence actions resolve {action.id} done` (or `refused`)."
            )
        case _:
            return ""
