"""`ringfence approvals`: the operator approves or declines, with a passcode that assistants never see."""

import sys
from contextlib import suppress
from typing import Annotated

import anyio
import typer

from clients.shared.clock import SystemClock
from guard.action import Action, State
from guard.allowances.fitness import why_never
from guard.approvals import Approvals
from guard.messages import approval_prompt, is_irreversible
from guard.money import Money, NotAPrice, parse_price
from guard.plans.plan import Plan, PlanState
from guard.plans.question import plan_prompt
from guard.rules.quote import Quote
from server.cli.actions import find_action, table
from server.cli.ownership import require_administrator
from server.cli.plans import Why, find_plan, plan_table, who_carries_out
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    local_approver,
    operator_command,
    read_new_secret,
    read_secret,
    require_passcode,
    tell,
    with_store,
)
from server.console.pages import PageOptions
from server.console.passcode import is_set, reset_passcode, set_passcode
from server.console.urls import ROOT
from server.http.loopback import PortTaken, address, is_served, require_port, serve_in_foreground
from server.services import Services
from tools.operation_catalog import RegisteredOperations
from tools.registry import operation_named

app = typer.Typer(help="Approve or decline what assistants request.", no_args_is_help=True)


@app.command("list")
@operator_command
def list_pending(target: Target) -> None:
    """List what waits for approval."""

    async def read(session: StoreSession) -> tuple[list[Action], list[Plan]]:
        actions = await session.store.journal.latest(200, states={State.PROPOSED})
        plans = await session.store.plans.latest(200, states={PlanState.PROPOSED})
        return actions, [plan for plan in plans if plan.undoes is None]

    actions, plans = anyio.run(lambda: with_store(read, target))
    if plans:
        console.print(plan_table(plans))
    if actions:
        console.print(table(actions))
    if not plans and not actions:
        console.print("Nothing waits for approval.")


@app.command()
@operator_command
def show(target: Target, action_id: Annotated[str, typer.Argument(help="Id of an action or a plan.")]) -> None:
    """Show what is requested; of a plan every step."""
    if action_id.startswith("plan_"):
        plan, _ = find_plan(action_id, target)
        tell(*plan_prompt(plan, in_full=True, with_budgets=True).split("\n"))
        return
    action = find_action(action_id, target)
    tell(*approval_prompt(action, with_budgets=True).split("\n"))
    if action.state is State.PROPOSED and action.quote.is_unknown:
        command = target.settings().commands.line("approvals", "approve", action.id, "--up-to", "2.50")
        tell(f"To approve it up to an amount: {command}")
    operation = operation_named(action.operation)
    if operation is not None and why_never(operation) is None and not action.quote.is_unknown:
        tell(f"To allow calls like it beforehand: {target.settings().commands.line('allowances', 'like', action.id)}")


@app.command()
@operator_command
def approve(
    target: Target,
    action_id: str,
    up_to: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Most that a call of unknown price may cost, such as 2.50 EUR.")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Have the server carry it out, without waiting for the assistant.")
    ] = False,
) -> None:
    """Show the call, and approve exactly this one, once."""
    _record(action_id, State.APPROVED, target, up_to=up_to, run=run)


@app.command()
@operator_command
def decline(target: Target, action_id: str, reason: Why = "") -> None:
    """Decline the call; the assistant gets the reason as your words."""
    _record(action_id, State.DECLINED, target, reason=reason)


@app.command()
@operator_command
def passcode(
    target: Target,
    reset: Annotated[
        bool, typer.Option("--reset", help="Replace a forgotten one, as the administrator of this machine.")
    ] = False,
) -> None:
    """Set the passcode; a change needs the old one."""
    if reset:
        require_administrator(target)

    async def change(session: StoreSession) -> None:
        if reset:
            await reset_passcode(session.store, read_new_secret("New passcode"), by=OPERATOR)
            return
        old = read_secret("Old passcode: ") if await is_set(session.store.key_values) else None
        await set_passcode(session.store, read_new_secret("New passcode"), old=old, by=OPERATOR)

    anyio.run(lambda: with_store(change, target))
    console.print("The passcode is set.")


@app.command()
@operator_command
def page(
    target: Target,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes any free one.")] = None,
) -> None:
    """Serve the approval page on this machine until it is stopped."""

    async def serve(session: StoreSession) -> None:
        settings = session.settings
        chosen = settings.approvals.port if port is None else port
        if await is_served(session.store, store_address=settings.store_address, port=chosen):
            tell(f"{address(chosen)}{ROOT} is already served.")
            return
        with require_port(chosen) as listener:
            if settings.commands.is_sandbox:
                tell("SANDBOX: what waits here is simulated; nothing is real and nothing costs money.")
            tell(f"{address(listener.getsockname()[1])}{ROOT}")
            services = None if target.sandbox else Services(settings)  # the simulated providers run elsewhere
            try:
                options = PageOptions.of(target.rule_settings(), services)
                await serve_in_foreground(
                    session.store, listener, store_address=settings.store_address, options=options
                )
            finally:
                if services is not None:
                    await services.close()

    with suppress(KeyboardInterrupt):
        try:
            anyio.run(lambda: with_store(serve, target))
        except PortTaken as taken:
            fail(str(taken))


def _show_before_approval(action: Action) -> None:
    """Show what is approved. On a terminal, what cannot be undone takes a second answer before the passcode."""
    tell(*approval_prompt(action, with_budgets=True).split("\n"))
    if is_irreversible(action) and sys.stdin.isatty():
        typer.confirm("This cannot be undone. Approve it for good?", abort=True)


def _record(
    action_id: str, to: State, target: Target, *, up_to: str | None = None, run: bool = False, reason: str = ""
) -> None:
    async def record(session: StoreSession) -> Action:
        most = await _read_bound(session, action_id, up_to) if up_to is not None else None
        found = await session.store.journal.find(action_id) if to is State.APPROVED else None
        if found is not None:
            _show_before_approval(found)
        await require_passcode(session)
        approvals = Approvals(session.store.journal, SystemClock(), RegisteredOperations(), session.rules)
        if to is State.DECLINED:
            return await approvals.record(action_id, to, by=OPERATOR, reason=reason)
        by_server = run or session.settings.approvals.run == "server"
        approver = await local_approver(session)
        return await approvals.approve(action_id, approver, up_to=most, run_by_server=by_server)

    action = anyio.run(lambda: with_store(record, target))
    bound = f", up to {action.quote.up_to}" if action.quote.up_to else ""
    tell(f"{action.id} is {action.state.value}{bound}.{who_carries_out(action)}")


async def _read_bound(session: StoreSession, action_id: str, text: str) -> Money:
    """Read the amount of `--up-to`, in the currency of the action where it names none; exit with 2 if it is none."""
    action = await session.store.journal.find(action_id)
    try:
        return parse_price(text, action.quote.currency if action else Quote().currency)
    except NotAPrice as wrong:
        fail(f"--up-to: {wrong} Nothing was recorded.")
