"""Tools of our own about guarded calls: look at an action, list them, take one back."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field

from guard.action import Action, Principal, State
from guard.messages import argument_lines, status_line
from server.mcp.dispatcher import Dispatcher, Principals
from server.mcp.quoting import fence_action
from server.mcp.results import problem
from server.mcp.untrusted import Untrusted
from tools.builtin import LOCAL_READ, MUTATING, Outcome, builtin_tool

if TYPE_CHECKING:
    from guard.journal import Journal
    from guard.undo import UndoPlanner


class ActionId(BaseModel):
    """Arguments of the tools about one action."""

    model_config = ConfigDict(extra="forbid")

    action_id: str = Field(pattern=r"^act_[a-z0-9]{8}$", description="Id of the action, from its question or receipt.")


class Listing(BaseModel):
    """Arguments of list_actions."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(default=None, description="Only actions in this state.")
    limit: int = Field(default=20, ge=1, le=200, description="How many, newest first.")


class ActionHandlers:
    """Answers for the record: what a principal asked for, and how to take it back."""

    def __init__(
        self,
        *,
        desk: Dispatcher,
        journal: "Callable[[], Journal]",
        undoing: "Callable[[], UndoPlanner]",
        principal: Principals,
        current: Callable[[Action], Awaitable[Action]],
    ) -> None:
        """`current` looks at the provider for an action whose outcome is open."""
        self._desk = desk
        self._journal = journal
        self._undoing = undoing
        self._principal = principal
        self._current = current

    async def get(self, asked: ActionId, context: Context[Any, Any]) -> Outcome:
        """One action of this principal."""
        action = await self._journal().find(asked.action_id)
        if action is None or action.principal != self._principal(context).name:
            return problem(f"There is no action {asked.action_id} of yours. See list_actions.", kind="NotFound")
        action = await self._current(action)
        fence = Untrusted()
        action, quoted = fence_action(action, fence)
        lines = [action.title, *argument_lines(action.arguments), *action.quote.lines(quoted), status_line(action)]
        lines += [action.outcome] if action.outcome else []
        lines += [fence.note] if fence.is_used else []
        await self._desk.remember(fence, action.operation, self._principal(context))
        return CallToolResult(content=[TextContent(text="\n".join(lines))], structured_content=_shown(action))

    async def list(self, asked: Listing, context: Context[Any, Any]) -> Outcome:
        """Actions of this principal, newest first."""
        states = {asked.state} if asked.state else None
        principal: Principal = self._principal(context)
        found = await self._journal().latest(asked.limit, states=states, principal=principal.name)
        lines = [f"{action.id} {action.state.value}: {action.title}" for action in found] or ["No actions."]
        rows = [_row(action) for action in found]
        return CallToolResult(content=[TextContent(text="\n".join(lines))], structured_content={"actions": rows})

    async def undo(self, asked: ActionId, context: Context[Any, Any]) -> Outcome:
        """Propose the call that takes an action back; it is guarded like any other."""
        action, plan = await self._undoing().plan(asked.action_id, principal=self._principal(context).name)
        if plan.operation is None:
            return problem(f"{action.title} ({action.id}) cannot be undone. {plan.lost}", kind="CannotBeUndone")
        note = f"Undoing {action.id}: {plan.verdict}." + (f" Not brought back: {plan.lost}" if plan.lost else "")
        result = await self._desk.propose(plan.operation, context, note=f"This takes back {action.title}. {note}")
        if isinstance(result, CallToolResult):
            return result.model_copy(update={"content": [TextContent(text=note), *result.content]})
        return result


def action_tools(desk: ActionHandlers) -> list[Tool]:
    """The tools about actions."""
    return [
        builtin_tool(
            "get_action", "Show what became of one guarded call, and what it cost.", ActionId, desk.get, LOCAL_READ
        ),
        builtin_tool(
            "list_actions", "List guarded calls and where each stands, newest first.", Listing, desk.list, LOCAL_READ
        ),
        builtin_tool(
            "undo_action",
            "Take a guarded call back where the provider allows it, saying what is lost. A person is asked.",
            ActionId,
            desk.undo,
            MUTATING,
        ),
    ]


def _row(action: Action) -> dict[str, Any]:
    price = str(action.quote.amount) if action.quote.amount else ("unknown" if action.quote.unknown else None)
    row = {"action": action.id, "state": action.state.value, "call": action.operation, "price": price}
    return row | {"asked_at": action.created_at.isoformat(timespec="seconds"), "decided_by": action.decided_by}


def _shown(action: Action) -> dict[str, Any]:
    """The provider's raw answer is left out: it may hold a stranger's words. The receipt showed it, fenced."""
    facts = {"arguments": dict(action.arguments), "outcome": action.outcome, "before": action.before or None}
    return {name: value for name, value in {**_row(action), **facts}.items() if value is not None}
