"""Tools about guarded calls: show an action, list actions, undo one."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from guard.action import Action, State
from guard.plans.plan import PLAN_ID
from tools.builtin import ActionReply, BuiltinCall, BuiltinEffect, Outcome, Reply, builtin_tool, problem

TOOLSET = "actions"


class AnyId(BaseModel):
    """Which action or plan."""

    model_config = ConfigDict(extra="forbid")

    action_id: str = Field(
        pattern=rf"^(act_[a-z0-9]{{8}}|{PLAN_ID})$",
        description="Id of the action or plan, from its question or receipt.",
    )


class ActionId(BaseModel):
    """Which action."""

    model_config = ConfigDict(extra="forbid")

    action_id: str = Field(pattern=r"^act_[a-z0-9]{8}$", description="Id of the action, from its question or receipt.")


class ActionFilter(BaseModel):
    """Which actions."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(default=None, description="Only actions in this state.")
    limit: int = Field(default=20, ge=1, le=200, description="How many, newest first.")


@builtin_tool("get_action", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=AnyId)
async def get_action(query: AnyId, call: BuiltinCall) -> Outcome:
    """Show the outcome of one guarded call, or of a plan and its steps, and what it cost."""
    if query.action_id.startswith("plan_"):
        return await call.operations.show_plan(query.action_id, call.session)
    action = await call.services.journal.find(query.action_id)
    if action is None or action.principal != call.session.principal.name:
        return problem(f"There is no action {query.action_id} of yours. See list_actions.", kind="NotFound")
    return ActionReply(await call.services.current(action))


@builtin_tool("list_actions", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=ActionFilter)
async def list_actions(query: ActionFilter, call: BuiltinCall) -> Reply:
    """List guarded calls and their states, newest first."""
    states = {query.state} if query.state else None
    found = await call.services.journal.latest(query.limit, states=states, principal=call.session.principal.name)
    lines = [f"{action.id} {action.state.value}: {action.title}" for action in found] or ["No actions."]
    return Reply(content={"actions": [action_row(action) for action in found]}, text="\n".join(lines))


@builtin_tool("undo_action", toolset=TOOLSET, effect=BuiltinEffect.MUTATING, arguments=ActionId)
async def undo_action(query: ActionId, call: BuiltinCall) -> Outcome:
    """Undo a guarded call where the provider allows it, saying what is lost. Needs approval."""
    action, plan = await call.services.undo_planner.plan(query.action_id, principal=call.session.principal.name)
    if plan.operation is None:
        why = "needs no undo" if plan.verdict == "full" else "cannot be undone"
        return problem(f"{action.title} ({action.id}) {why}. {plan.lost}", kind="CannotBeUndone")
    heading = f"Undo of {action.id}{_scope(plan.verdict, plan.lost)}"
    note = f"This undoes {action.title}. {heading}"
    return await call.operations.propose(plan.operation, call.session, note=note, heading=heading)


TOOLS = (get_action, list_actions, undo_action)


def action_row(action: Action) -> dict[str, Any]:
    """Build the row of an action: id, state, call, price, when it was requested, and who decided."""
    price = str(action.quote.amount) if action.quote.amount else ("unknown" if action.quote.unknown else None)
    row = {"action": action.id, "state": action.state.value, "call": action.operation, "price": price}
    return row | {"requested_at": action.created_at.isoformat(timespec="seconds"), "decided_by": action.decided_by}


def _scope(verdict: str, lost: str) -> str:
    if verdict == "full":
        return " restores everything."
    return f" restores a part. Not restored: {lost}" if lost else " restores a part."
