"""`ringfence approvals`: the operator approves or declines, with a passcode that assistants never see."""

from contextlib import suppress
from typing import Annotated

import anyio
import typer

from clients.shared.clock import SystemClock
from guard.action import Action, State
from guard.approvals import Approvals
from guard.messages import approval_prompt
from guard.plans.plan import Plan, PlanState
from guard.plans.question import plan_prompt
from server.cli.actions import find_action, table
from server.cli.plans import find_plan, plan_table
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

    async def read(session: StoreSession) -> tuple[list[Action], list[Plan]]:
        actions = await session.store.journal.latest(200, states={State.PROPOSED})
        return actions, await session.store.plans.latest(200, states={PlanState.PROPOSED})

    actions, plans = anyio.run(lambda: with_store(read, sandbox=sandbox))
    if plans:
        console.print(plan_table(plans))
    if actions:
        console.print(table(actions))
    if not plans and not actions:
        console.print("Nothing waits for approval.")


@app.command()
def show(
    action_id: Annotated[str, typer.Argument(help="Id of an action or a plan.")], sandbox: Sandboxed = False
) -> None:
    """Show what is requested; of a plan every step."""
    if action_id.startswith("plan_"):
        plan, _ = find_plan(action_id, sandbox=sandbox)
        tell(*plan_prompt(plan, in_full=True).split("\n"))
        return
    tell(*approval_prompt(find_action(action_id, sandbox=sandbox)).split("\n"))


@app.command()
def approve(action_id: str, sandbox: Sandboxed = False) -> None:
    """Approve exactly this call, once."""
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
            caps = session.settings.rules.rules(session.settings.session_policy()).caps
            await serve_in_foreground(session.store, listener, store_address=store_address, caps=caps)

    with suppress(KeyboardInterrupt):
        try:
            anyio.run(lambda: with_store(serve, sandbox=sandbox))
        except PortTaken as taken:
            fail(str(taken))


def _record(action_id: str, to: State, *, sandbox: bool) -> None:
    async def record(session: StoreSession) -> Action:
        await require_passcode(session)
        return await Approvals(session.store.journal, SystemClock(), RegisteredOperations()).record(
            action_id, to, by=OPERATOR
        )

    action = anyio.run(lambda: with_store(record, sandbox=sandbox))
    tell(f"{action.id} is {action.state.value}.")
