"""Tools about guarded calls: show an action, list actions, undo one."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from guard.action import Action, State
from guard.journal import refuse_archived
from guard.messages import headline
from guard.plans.plan import PLAN_ID, Plan
from tools.builtin import ActionReply, BuiltinCall, BuiltinEffect, Outcome, Reply, Session, builtin_tool, problem

TOOLSET = "actions"


class AnyId(BaseModel):
    """Which action or plan."""

    model_config = ConfigDict(extra="forbid")

    action_id: str = Field(
        pattern=rf"^(act_[a-z0-9]{{8}}|{PLAN_ID})$",
        description="Id of the action or plan, from its question or receipt.",
    )


class ActionFilter(BaseModel):
    """Which actions."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(default=None, description="Only actions in this state.")
    plan_id: str | None = Field(default=None, pattern=f"^{PLAN_ID}$", description="Only the steps of this plan.")
    limit: int = Field(default=20, ge=1, le=200, description="How many, newest first.")


@builtin_tool("get_action", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=AnyId)
async def get_action(query: AnyId, call: BuiltinCall) -> Outcome:
    """Show the outcome of one guarded call, or of a plan and its steps, and what it cost."""
    if query.action_id.startswith("plan_"):
        return await call.operations.show_plan(query.action_id, call.session)
    action = await call.services.journal.find(query.action_id)
    if action is None or not is_own(action, call.session):
        await refuse_archived(call.services.journal, query.action_id, call.session.principal.name)
        return problem(f"There is no action {query.action_id} of yours. See list_actions.", kind="NotFound")
    # A card reads, too, without the assistant's knowing; so there the news stay for the same call made again.
    if action.due_at is not None and not call.session.shows_cards:
        await call.services.journal.take_news(action.digest, action.created_at)
    current = await call.services.current(action)
    return ActionReply(current, await call.services.receipts.ids_of(current.id))


@builtin_tool("list_actions", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=ActionFilter)
async def list_actions(query: ActionFilter, call: BuiltinCall) -> Reply:
    """List guarded calls and plans with their states, newest first."""
    if query.plan_id is not None:
        found, plans = await _steps_of(query, query.plan_id, call), list[Plan]()
    else:
        states, principal = {query.state} if query.state else None, call.session.principal.name
        found = await call.services.journal.latest(query.limit, states=states, principal=principal)
        found = [action for action in found if is_own(action, call.session)]
        plans = [] if query.state else await call.services.plans.latest(query.limit, principal=principal)
        plans = [plan for plan in plans if is_own_plan(plan, call.session)]
    lines = [f"{plan.id} {plan.state.value}: {plan.title}, {len(plan.chosen)} steps" for plan in plans]
    lines += [f"{action.id} {action.state.value}: {headline(action)}" for action in found]
    content: dict[str, Any] = {"actions": [{**action_row(action), "title": action.title} for action in found]}
    content |= {"plans": [_plan_row(plan) for plan in plans]} if plans else {}
    return Reply(content=content, text="\n".join(lines or ["No actions."]), rows="actions")


async def _steps_of(query: ActionFilter, plan_id: str, call: BuiltinCall) -> list[Action]:
    """Return the actions of the steps of a plan, in their order; none of a plan of somebody else."""
    plan = await call.services.plans.find(plan_id)
    if plan is None or not is_own_plan(plan, call.session):
        return []
    steps = (await call.services.plans.actions_of(plan_id)).values()
    return [action for action in steps if query.state in (None, action.state)][: query.limit]


@builtin_tool("undo_action", toolset=TOOLSET, effect=BuiltinEffect.MUTATING, arguments=AnyId)
async def undo_action(query: AnyId, call: BuiltinCall) -> Outcome:
    """Undo a guarded call or a plan where the provider allows it, saying what is lost. Needs approval."""
    if query.action_id.startswith("plan_"):
        return await _undo_plan(query.action_id, call)
    action, plan = await call.services.undo_planner.plan(query.action_id, principal=call.session.principal.name)
    if not is_own(action, call.session):
        return problem(f"There is no action {query.action_id} of yours. See list_actions.", kind="NotFound")
    if plan.operation is None:
        why = "needs no undo" if plan.verdict == "full" else "cannot be undone"
        return problem(f"{action.id} ({action.title}) {why}. {plan.lost}", kind="CannotBeUndone")
    heading = f"Undo of {action.id}{_scope(plan.verdict, plan.lost)}"
    note = f"This undoes: {action.title}. {heading}"
    account = call.services.undo_planner.account_of(action)
    return await call.operations.propose(plan.operation, call.session, account=account, note=note, heading=heading)


async def _undo_plan(plan_id: str, call: BuiltinCall) -> Outcome:
    """Propose the reverse of a plan as a plan of its own."""
    undo = await call.services.plan_undo.plan(plan_id, principal=call.session.principal.name)
    if not is_own_plan(undo.plan, call.session):
        return problem(f"There is no plan {plan_id} of yours.", kind="NotFound")
    if undo.request is None:
        why = " ".join(undo.verdicts) or "No step of it was carried out, so there is nothing to undo."
        return problem(f"{undo.plan.id} cannot be undone. {why}", kind="CannotBeUndone")
    return await call.operations.propose_plan(undo.request, call.session)


TOOLS = (get_action, list_actions, undo_action)


def is_own(action: Action, session: Session) -> bool:
    """Return True if a session may see an action: its own, on an account that its token may use."""
    return action.principal == session.principal.name and session.may_use(action.made_on)


def is_own_plan(plan: Plan, session: Session) -> bool:
    """Return True if a session may see a plan: its own, with steps on accounts that its token may use."""
    return plan.principal == session.principal.name and all(session.may_use(step.made_on) for step in plan.steps)


def _plan_row(plan: Plan) -> dict[str, Any]:
    """Build the row of a plan: id, state, job, how many steps, and when it was requested."""
    row = {"plan": plan.id, "state": plan.state.value, "title": plan.title, "steps": len(plan.chosen)}
    return row | {"requested_at": plan.created_at.isoformat(timespec="seconds"), "decided_by": plan.decided_by}


def action_row(action: Action) -> dict[str, Any]:
    """Build the row of an action: id, state, call, price, when it was requested, and who decided."""
    price = str(action.quote.amount) if action.quote.amount else ("unknown" if action.quote.unknown else None)
    row = {"action": action.id, "state": action.state.value, "call": action.operation, "price": price}
    return row | {"requested_at": action.created_at.isoformat(timespec="seconds"), "decided_by": action.decided_by}


def _scope(verdict: str, lost: str) -> str:
    if verdict == "full":
        return " restores everything."
    return f" restores a part. Not restored: {lost}" if lost else " restores a part."
