"""`ringfence approvals`: the operator's answers, behind a passcode that the agent's side never sees."""

from typing import Annotated

import anyio
import typer

from guard.action import Action, State
from guard.wording import question
from server.commands.actions import table
from server.commands.terminal import Opened, Sandboxed, console, fail, opened_record, read_secret, require_passcode

app = typer.Typer(help="Answer what assistants ask for.", no_args_is_help=True)

OPERATOR = "the operator, on the command line"


@app.command("list")
def list_pending(sandbox: Sandboxed = False) -> None:
    """List what waits for an answer."""
    waiting = anyio.run(
        lambda: opened_record(
            lambda opened: opened.record.journal.latest(200, states={State.PROPOSED}), sandbox=sandbox
        )
    )
    console.print(table(waiting) if waiting else "Nothing waits for an answer.")


@app.command()
def show(action_id: str, sandbox: Sandboxed = False) -> None:
    """Show what is asked for."""
    found = anyio.run(lambda: opened_record(lambda opened: opened.record.journal.find(action_id), sandbox=sandbox))
    if found is None:
        fail(f"There is no action {action_id}.")
    console.print(question(found), markup=False)


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
    from server.passcode import is_set, set_passcode

    async def change(opened: Opened) -> None:
        old = read_secret("Old passcode: ") if await is_set(opened.record.facts) else None
        await set_passcode(opened.record.facts, read_secret("New passcode: "), old=old)

    anyio.run(lambda: opened_record(change, sandbox=sandbox))
    console.print("The passcode is set.")


def _answer(action_id: str, to: State, *, sandbox: bool) -> None:
    async def answer(opened: Opened) -> Action:
        from guard.answering import Answers

        await require_passcode(opened)
        answers = Answers(opened.record.journal)
        return await answers.give(action_id, to, by=OPERATOR)

    action = anyio.run(lambda: opened_record(answer, sandbox=sandbox))
    console.print(f"{action.id} is {action.state.value}.")
