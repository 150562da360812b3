"""`ringfence actions` and `ringfence secrets`: guarded calls, how they ended, and the secrets they returned."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import anyio
import typer
from rich.table import Table

from guard.action import Action, State
from guard.messages import approval_prompt, status_line, status_with_outcome
from guard.verification_hint import outcome_text
from server.cli.terminal import (
    OPERATOR,
    Sandboxed,
    StoreSession,
    console,
    fail,
    plain,
    require_passcode,
    settings_for,
    tell,
    with_store,
)
from server.services import Services
from server.settings.load import read_settings
from tools.operation_catalog import RegisteredOperations

app = typer.Typer(help="Every guarded call and how it ended.", no_args_is_help=True)


@app.command("list")
def list_actions(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sandbox: Sandboxed = False,
) -> None:
    """List actions, newest first."""
    found = anyio.run(lambda: with_store(lambda session: session.store.journal.latest(limit), sandbox=sandbox))
    if as_json:
        typer.echo(json.dumps([asdict(action) for action in found], default=str))
    else:
        console.print(table(found))


@app.command()
def show(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show one action: the call, its quote, and how it ended."""
    action = find_action(action_id, sandbox=sandbox)
    parts = (
        approval_prompt(action),
        status_line(action),
        outcome_text(action, RegisteredOperations()),
        action.answer,
        _advice(action),
    )
    tell(*(line for part in parts if part for line in part.split("\n")))


@app.command()
def resolve(
    action_id: str, outcome: Annotated[str, typer.Argument(help="done or refused")], sandbox: Sandboxed = False
) -> None:
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

    if anyio.run(lambda: with_store(close, sandbox=sandbox)) is None:
        fail(f"{action_id} is not an action whose outcome is unknown.")
    tell(f"{action_id} is closed as {outcome}.")


@app.command()
def reconcile(sandbox: Sandboxed = False) -> None:
    """Check at the providers how calls ended whose answer was lost. Nothing is sent again."""

    async def run() -> list[Action]:
        services = Services(settings_for(read_settings(), sandbox=sandbox))
        try:
            return await services.guard.reconciler.run()
        finally:
            await services.close()

    found = anyio.run(run)
    for action in found:
        tell(status_with_outcome(action, RegisteredOperations()))
    if not found:
        console.print("No outcome is unknown.")


def secrets(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show the secrets that an action sent or returned."""

    async def read(session: StoreSession) -> list[str]:
        await require_passcode(session)
        found = await session.store.vault.secrets_of(action_id, by=OPERATOR)
        return [f"{secret.name}: {secret.value}" for secret in found]

    lines = anyio.run(lambda: with_store(read, sandbox=sandbox))
    if not lines:
        fail(f"There are no secrets of {action_id}.")
    tell(*lines)


def table(actions: list[Action]) -> Table:
    """Build the table of actions for the terminal."""
    rows = Table("id", "state", "call", "price", "requested by", "requested at", "decided by", box=None, pad_edge=False)
    for action in actions:
        price = action.quote.amount or ("unknown" if action.quote.unknown else "none")
        cells = (
            action.id,
            action.state.value,
            action.title,
            price,
            action.principal,
            f"{action.created_at:%Y-%m-%d %H:%M}",
            action.decided_by or "",
        )
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def find_action(action_id: str, *, sandbox: bool) -> Action:
    """Return an action from the store; exit with 2 if there is none."""
    found = anyio.run(lambda: with_store(lambda session: session.store.journal.find(action_id), sandbox=sandbox))
    if found is None:
        fail(f"There is no action {action_id}.")
    return found


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
