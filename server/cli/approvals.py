"""`ringfence approvals`: the operator's answers, behind a passcode that the agent's side never sees."""

from contextlib import suppress
from typing import Annotated

import anyio
import typer

from guard.action import Action, State
from guard.messages import approval_prompt
from server.cli.actions import table
from server.cli.terminal import (
    OPERATOR,
    Opened,
    Sandboxed,
    console,
    fail,
    opened_record,
    read_secret,
    require_passcode,
    tell,
)

app = typer.Typer(help="Answer what assistants ask for.", no_args_is_help=True)


@app.command("list")
def list_pending(sandbox: Sandboxed = False) -> None:
    """List what waits for an answer."""
    waiting = anyio.run(
        lambda: opened_record(lambda opened: opened.store.journal.latest(200, states={State.PROPOSED}), sandbox=sandbox)
    )
    console.print(table(waiting) if waiting else "Nothing waits for an answer.")


@app.command()
def show(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show what is asked for."""
    found = anyio.run(lambda: opened_record(lambda opened: opened.store.journal.find(action_id), sandbox=sandbox))
    if found is None:
        fail(f"There is no action {action_id}.")
    tell(*approval_prompt(found).split("\n"))


@app.command()
def approve(action_id: str, sandbox: Sandboxed = False) -> None:
    """Say yes to exactly this call, once."""
    _answer(action_id, State.APPROVED, sandbox=sandbox)


@app.command()
def decline(action_id: str, sandbox: Sandboxed = False) -> None:
    """Say no."""
    _answer(action_id, State.DECLINED, sandbox=sandbox)


@app.command()
def passcode(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="The record of sandbox sessions.")] = False,
) -> None:
    """Set the passcode, or change it with the old one."""
    from server.console.passcode import is_set, set_passcode

    async def change(opened: Opened) -> None:
        old = read_secret("Old passcode: ") if await is_set(opened.store.key_values) else None
        await set_passcode(opened.store, read_secret("New passcode: "), old=old, by=OPERATOR)

    anyio.run(lambda: opened_record(change, sandbox=sandbox))
    console.print("The passcode is set.")


@app.command()
def page(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes any free one.")] = None,
    sandbox: Sandboxed = False,
) -> None:
    """Serve the approval page on this machine until it is stopped."""
    from server.http.loopback import PortTaken, serve_in_foreground

    def told(base: str, was_there: bool) -> None:
        tell(f"{base}/approvals{' is served already.' if was_there else ''}")

    async def serve(opened: Opened) -> None:
        chosen = opened.settings.approvals.port if port is None else port
        store = opened.settings.store_address
        try:
            await serve_in_foreground(opened.store, store_address=store, port=chosen, told=told)
        except PortTaken as taken:
            fail(str(taken))

    with suppress(KeyboardInterrupt):
        anyio.run(lambda: opened_record(serve, sandbox=sandbox))


def _answer(action_id: str, to: State, *, sandbox: bool) -> None:
    async def answer(opened: Opened) -> Action:
        from clients.clock import SystemClock
        from guard.approvals import Approvals

        await require_passcode(opened)
        answers = Approvals(opened.store.journal, SystemClock())
        return await answers.give(action_id, to, by=OPERATOR)

    action = anyio.run(lambda: opened_record(answer, sandbox=sandbox))
    tell(f"{action.id} is {action.state.value}.")
