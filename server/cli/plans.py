"""`ringfence plans`: jobs of several calls that are approved once, and what became of their steps."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import anyio
import typer
from rich.table import Table

from clients.deferred import Deferred
from clients.shared.clock import SystemClock
from clients.spec import Spec
from guard.action import Action
from guard.errors import GuardRefusal
from guard.injection.reasons import decline_line
from guard.plans.approvals import PlanApprovals
from guard.plans.plan import Plan, amounts_of
from guard.plans.question import plan_prompt
from guard.plans.run import Run
from guard.plans.status import overdue_line, progress_line, status_line, step_line
from guard.plans.timed.schedule import moment_in_words
from guard.receipts.wording import receipts_in_words
from server.cli.archives.commands import fail_missing
from server.cli.terminal import (
    OPERATOR,
    StoreSession,
    Target,
    console,
    fail,
    local_approver,
    operator_command,
    plain,
    require_passcode,
    tell,
    with_store,
)
from server.log_output import configure_logging
from server.mcp.call_parser import SessionCalls
from server.services import Services
from tools.operation_catalog import RegisteredOperations

WORK_ALONE: Final = Deferred[Callable[..., Awaitable[None]]]("server.worker.alone:work_alone")
"""Deferred: the worker stands on DBOS, which the other commands do not need."""

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why not, in your words; cut at 500 characters.")]
"""The reason of a no."""

app = typer.Typer(help="Jobs of several calls that are approved once.", no_args_is_help=True)


@app.command("list")
@operator_command
def list_plans(
    target: Target,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List plans, newest first."""
    found = anyio.run(lambda: with_store(lambda session: session.store.plans.latest(limit), target))
    if as_json:
        typer.echo(json.dumps([_facts(plan) for plan in found], default=str))
    else:
        console.print(plan_table(found) if found else "There are no plans.")


@app.command()
@operator_command
def show(target: Target, plan_id: str) -> None:
    """Show a plan with every step, and what became of each."""
    plan, actions = find_plan(plan_id, target)
    lines = [*plan_prompt(plan, in_full=True).split("\n"), "", f"{status_line(plan)} {progress_line(plan, actions)}"]
    lines += [plan.outcome] if plan.outcome else []
    lines += [decline_line(plan.decline_reason)] if plan.decline_reason else []
    lines += [late] if (late := overdue_line(plan, SystemClock().now())) else []
    if plan.decided_at is not None:
        lines += [step_line(step, actions.get(step.position)) for step in plan.steps]
    receipts = anyio.run(lambda: with_store(lambda session: session.store.receipts.ids_of(plan_id), target))
    tell(*lines, *filter(None, [receipts_in_words(receipts)]))


@app.command()
@operator_command
def approve(
    target: Target,
    plan_id: str,
    strike: Annotated[
        list[int] | None, typer.Option(help="Leave out the step of this number; may be repeated.")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Have the server carry it out, without waiting for the assistant.")
    ] = False,
) -> None:
    """Approve every step of a plan but those that are struck, once, and reserve what they cost."""

    async def record(session: StoreSession) -> Plan:
        await require_passcode(session)
        by_server = run or session.settings.approvals.run == "server"
        approver = await local_approver(session)
        return await _approvals(session).approve(plan_id, by=approver, struck=strike or (), run_by_server=by_server)

    plan = anyio.run(lambda: with_store(record, target))
    total = ", ".join(str(amount.money) for amount in amounts_of(plan.chosen))
    steps = f"{len(plan.chosen)} steps{f', {total}' if total else ''}"
    tell(f"{plan.id} is approved: {steps}.{who_carries_out(plan)}")


@app.command()
@operator_command
def decline(target: Target, plan_id: str, reason: Why = "") -> None:
    """Decline a plan, or cancel one that was approved and has not run yet; the assistant gets the reason."""

    async def record(session: StoreSession) -> Plan:
        await require_passcode(session)
        return await _approvals(session).cancel(plan_id, by=OPERATOR, reason=reason)

    plan = anyio.run(lambda: with_store(record, target))
    tell(f"{plan.id} is {plan.state.value}. {plan.outcome or ''}".strip())


@app.command("run")
@operator_command
def run_plan(target: Target, plan_id: str) -> None:
    """Carry out an approved plan, or go on with one that stopped. Needs the passcode."""

    async def ask_passcode(session: StoreSession) -> None:
        await require_passcode(session)

    async def run() -> Run:
        services = Services(target.store_settings())
        try:
            plan = await services.plans.find(plan_id)
            if plan is None:
                fail(f"There is no plan {plan_id}.")
            reported = _Terminal(services)
            while True:
                run = await services.plan_runner.run(plan, SessionCalls(reported, services), reported)
                if not run.is_paused:
                    return run
        except GuardRefusal as refused:
            fail(f"{refused} {refused.advice}")
        finally:
            await services.close()

    anyio.run(lambda: with_store(ask_passcode, target))
    ended = anyio.run(run)
    lines = [f"{status_line(ended.plan)} {progress_line(ended.plan, ended.actions)}"]
    tell(*lines, *(step_line(step, ended.actions.get(step.position)) for step in ended.plan.steps))


@operator_command
def work(
    target: Target,
    once: Annotated[
        bool, typer.Option("--once", help="Carry out what is due now, and exit; for a timer of the system.")
    ] = False,
) -> None:
    """Carry out what was approved, at once or at its time, on as many machines as you like."""
    settings = target.settings()
    configure_logging(settings.log_format, settings.log_level)
    providers = ", ".join(settings.set_up) or "no provider"
    tell(f"Working for {providers}. {'Ends when nothing is due.' if once else 'Ctrl-C ends it.'}")
    try:
        anyio.run(lambda: WORK_ALONE.load()(settings, sandbox=target.sandbox, once=once))
    except GuardRefusal as refused:
        fail(str(refused))


@dataclass(frozen=True, slots=True)
class _Terminal:
    """The operator at the command line: reaches what this server's settings allow, and reads how far a run is."""

    services: Services

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why the settings keep an operation out of reach; None where they do not."""
        selection = self.services.settings.selection
        return selection.why_out_of_reach(spec.tool_name, only_reads=spec.effect.is_plain_read)

    def may_use(self, account: str) -> bool:
        """Return True: the operator may use every account."""
        return True

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        """Print which step comes next."""
        console.print(plain(message))


def who_carries_out(approved: Action | Plan) -> str:
    """Say who carries out what was approved, as a further sentence; empty for what was declined."""
    if approved.due_at is not None:
        when = f"on {moment_in_words(approved.at, approved.zone)}" if isinstance(approved, Plan) and approved.at else ""
        return f" A server or `ringfence work` carries it out {when or 'now'}."
    if approved.state.value != "approved":
        return ""
    until = approved.runs_until if isinstance(approved, Plan) else approved.expires_at
    return f" It waits for the assistant, until {until:%H:%M} UTC."


def plan_table(found: list[Plan]) -> Table:
    """Build the table of plans for the terminal."""
    rows = Table("id", "state", "job", "steps", "price", "requested by", "requested at", box=None, pad_edge=False)
    for plan in found:
        price = " + ".join(str(amount.money) for amount in amounts_of(plan.chosen)) or "none"
        at = f"{plan.created_at:%Y-%m-%d %H:%M}"
        cells = (plan.id, plan.state.value, plan.title, len(plan.chosen), price, plan.principal, at)
        rows.add_row(*(plain(cell) for cell in cells))
    return rows


def _approvals(session: StoreSession) -> PlanApprovals:
    return PlanApprovals(session.store.plans, SystemClock(), session.rules, RegisteredOperations())


def find_plan(plan_id: str, target: Target) -> tuple[Plan, dict[int, Action]]:
    """Return a plan from the store with the last action of each step; exit with 2 if there is none."""

    async def read(session: StoreSession) -> tuple[Plan, dict[int, Action]]:
        plan = await session.store.plans.find(plan_id) or await fail_missing(session, plan_id)
        current = await _approvals(session).expire_if_due(plan)
        return current, dict(await session.store.plans.actions_of(plan_id))

    return anyio.run(lambda: with_store(read, target))


def _facts(plan: Plan) -> dict[str, Any]:
    total = [str(amount.money) for amount in amounts_of(plan.chosen)]
    facts = {"id": plan.id, "state": plan.state.value, "title": plan.title, "principal": plan.principal}
    times = {"created_at": plan.created_at, "runs_until": plan.runs_until, "decided_by": plan.decided_by}
    times |= {"at": plan.at, "until": plan.until, "due_at": plan.due_at}
    undo = {"undone_by": plan.undo_id, "undoes": plan.undoes}
    reasons = {"reason": plan.reason, "decline_reason": plan.decline_reason}
    steps = [{"step": step.position, "operation": step.operation, "arguments": step.arguments} for step in plan.steps]
    return {**facts, **times, **undo, "total": total, "outcome": plan.outcome, **reasons, "steps": steps}
