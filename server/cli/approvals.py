"""`ringfence approvals`: the operator approves or declines, with a passcode that assistants never see."""

import sys
from contextlib import suppress
from typing import Annotated

import anyio
import typer

from clients.shared.clock import SystemClock
from guard.action import Action, State
from guard.approvals import Approvals
from guard.messages import approval_prompt, is_irreversible
from server.cli.actions import find_action, table
from server.cli.terminal import (
    OPERATOR,
    Sandboxed,
    StoreSession,
    console,
    fail,
    read_secret,
    require_passcode,
    tell,
    with_store,
)
from server.console.passcode import is_set, set_passcode
from server.console.urls import ROOT
from server.http.loopback import PortTaken, address, is_served, require_port, serve_in_foreground
from tools.operation_catalog import RegisteredOperations

app = typer.Typer(help="Approve or decline what assistants request.", no_args_is_help=True)


@app.command("list")
def list_pending(sandbox: Sandboxed = False) -> None:
    """List what waits for approval."""

    async def read(session: StoreSession) -> list[Action]:
        return await session.store.journal.latest(200, states={State.PROPOSED})

    pending = anyio.run(lambda: with_store(read, sandbox=sandbox))
    console.print(table(pending) if pending else "Nothing waits for approval.")


@app.command()
def show(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show what is requested."""
    tell(*approval_prompt(find_action(action_id, sandbox=sandbox)).split("\n"))


@app.command()
def approve(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show the call, and approve exactly this one, once."""
    _record(action_id, State.APPROVED, sandbox=sandbox)


@app.command()
def decline(action_id: str, sandbox: Sandboxed = False) -> None:
    """Decline the call."""
    _record(action_id, State.DECLINED, sandbox=sandbox)


@app.command()
def passcode(sandbox: Sandboxed = False) -> None:
    """Set the passcode; a change needs the old one."""

    async def change(session: StoreSession) -> None:
        old = read_secret("Old passcode: ") if await is_set(session.store.key_values) else None
        await set_passcode(session.store, read_secret("New passcode: "), old=old, by=OPERATOR)

    anyio.run(lambda: with_store(change, sandbox=sandbox))
    console.print("The passcode is set.")


@app.command()
def page(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes any free one.")] = None,
    sandbox: Sandboxed = False,
) -> None:
    """Serve the approval page on this machine until it is stopped."""

    async def serve(session: StoreSession) -> None:
        chosen = session.settings.approvals.port if port is None else port
        store_address = session.settings.store_address
        if await is_served(session.store, store_address=store_address, port=chosen):
            tell(f"{address(chosen)}{ROOT} is already served.")
            return
        with require_port(chosen) as listener:
            tell(f"{address(listener.getsockname()[1])}{ROOT}")
            await serve_in_foreground(session.store, listener, store_address=store_address)

    with suppress(KeyboardInterrupt):
        try:
            anyio.run(lambda: with_store(serve, sandbox=sandbox))
        except PortTaken as taken:
            fail(str(taken))


def _show_before_approval(action: Action) -> None:
    """Show what is approved. On a terminal, what cannot be undone takes a second answer before the passcode."""
    tell(*approval_prompt(action).split("\n"))
    if is_irreversible(action) and sys.stdin.isatty():
        typer.confirm("This cannot be undone. Approve it for good?", abort=True)


def _record(action_id: str, to: State, *, sandbox: bool) -> None:
    async def record(session: StoreSession) -> Action:
        found = await session.store.journal.find(action_id) if to is State.APPROVED else None
        if found is not None:
            _show_before_approval(found)
        await require_passcode(session)
        return await Approvals(session.store.journal, SystemClock(), RegisteredOperations()).record(
            action_id, to, by=OPERATOR
        )

    action = anyio.run(lambda: with_store(record, sandbox=sandbox))
    tell(f"{action.id} is {action.state.value}.")
