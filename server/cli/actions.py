"""`ringfence actions` and `ringfence secrets`: what was asked, what became of it, and what was kept."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import anyio
import typer
from rich.table import Table

from guard.action import Action, State
from guard.messages import approval_prompt, status_line, status_with_outcome
from server.cli.terminal import (
    OPERATOR,
    Opened,
    Sandboxed,
    console,
    fail,
    opened_record,
    plain,
    require_passcode,
    tell,
)
from server.settings.load import read_settings

app = typer.Typer(help="Every guarded call and what became of it.", no_args_is_help=True)


@app.command("list")
def list_actions(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sandbox: Sandboxed = False,
) -> None:
    """List actions, newest first."""
    found = anyio.run(lambda: _latest(limit, sandbox=sandbox))
    if as_json:
        typer.echo(json.dumps([_shown(action) for action in found], default=str))
    else:
        console.print(table(found))


@app.command()
def show(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show one action: the call, its quote, and what came of it."""
    action = anyio.run(lambda: _find(action_id, sandbox=sandbox))
    parts = (approval_prompt(action), status_line(action), action.outcome, action.answer, _what_to_do(action))
    tell(*(line for part in parts if part for line in part.split("\n")))


@app.command()
def resolve(
    action_id: str, outcome: Annotated[str, typer.Argument(help="done or refused")], sandbox: Sandboxed = False
) -> None:
    """Close an action whose outcome is unknown, after looking at the provider."""
    if outcome not in {"done", "refused"}:
        fail("The outcome is `done` or `refused`.")

    async def close(opened: Opened) -> Action | None:
        await require_passcode(opened)
        return await opened.store.journal.move(
            action_id,
            {State.UNKNOWN, State.SENDING},
            State(outcome),
            outcome="Closed by the operator.",
            finished_at=datetime.now(UTC),
        )

    if anyio.run(lambda: opened_record(close, sandbox=sandbox)) is None:
        fail(f"{action_id} is not an action whose outcome is unknown.")
    tell(f"{action_id} is closed as {outcome}.")


@app.command()
def reconcile(sandbox: Sandboxed = False) -> None:
    """Look at the providers for what became of calls whose answer was lost. Nothing is sent again."""

    async def look() -> list[Action]:
        from server.services import Services
        from server.settings.sandbox_settings import sandbox_store

        settings = read_settings()
        services = Services(settings.model_copy(update=sandbox_store(settings)) if sandbox else settings)
        try:
            return await services.guard.reconciler.run()
        finally:
            await services.close()

    found = anyio.run(look)
    for action in found:
        tell(status_with_outcome(action))
    if not found:
        console.print("No outcome is unknown.")


def secrets(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show the secrets that an action sent or brought back."""

    async def read(opened: Opened) -> list[str]:
        await require_passcode(opened)
        kept = await opened.store.vault.secrets_of(action_id, by=OPERATOR)
        return [f"{secret.name}: {secret.value}" for secret in kept]

    lines = anyio.run(lambda: opened_record(read, sandbox=sandbox))
    if not lines:
        fail(f"Nothing is kept for {action_id}.")
    tell(*lines)


def table(actions: list[Action]) -> Table:
    """Actions for the terminal."""
    shown = Table("id", "state", "call", "price", "asked by", "asked at", "decided by", box=None, pad_edge=False)
    for action in actions:
        price = action.quote.amount or ("unknown" if action.quote.unknown else "none")
        when = f"{action.created_at:%Y-%m-%d %H:%M}"
        cells = (
            action.id,
            action.state.value,
            action.title,
            price,
            action.principal,
            when,
            action.decided_by or "",
        )
        shown.add_row(*(plain(cell) for cell in cells))
    return shown


async def _latest(limit: int, *, sandbox: bool) -> list[Action]:
    return await opened_record(lambda opened: opened.store.journal.latest(limit), sandbox=sandbox)


async def _find(action_id: str, *, sandbox: bool) -> Action:
    found = await opened_record(lambda opened: opened.store.journal.find(action_id), sandbox=sandbox)
    if found is None:
        fail(f"There is no action {action_id}.")
    return found


def _what_to_do(action: Action) -> str:
    """What the operator can do while the outcome is open."""
    match action.state:
        case State.SENDING:
            return "If its server has ended, `ringfence actions reconcile` finds out what became of it."
        case State.UNKNOWN:
            return (
                "`ringfence actions reconcile` looks again where a read can tell; when you have looked yourself: "
                f"`ringfence actions resolve {action.id} done` (or `refused`)."
            )
        case _:
            return ""


def _shown(action: Action) -> dict[str, object]:
    return asdict(action)
